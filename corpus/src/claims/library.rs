//! The license texts that are known: those of the SPDX list as the `spdx` crate carries them, and what the list lets
//! vary in the ones that packages carry most (corpus/data/license-templates.txt, made from the list's own XML).

use std::collections::HashMap;
use std::sync::LazyLock;

use spdx::text::{EXCEPTION_TEXTS, LICENSE_TEXTS};

use super::compare::{compared, words};
use super::pattern::{MARKS, Part, Vocabulary, firsts, parse};
use super::wording::is_retired;

/// Endings that explain how to apply a license; many copies leave them out.
const APPENDICES: [&str; 4] = [
    "appendix how to apply the apache license to your work",
    "how to apply these terms to your new programs",
    "how to apply these terms to your new libraries",
    "addendum how to use this license for your documents",
];

const TEMPLATES: &str = include_str!("../../data/license-templates.txt");

/// One text of the list.
pub(super) struct Text {
    /// The license's id, or the exception's.
    pub id: &'static str,
    /// Whether it is an exception.
    pub exception: bool,
    /// The text.
    pub parts: Vec<Part>,
}

/// A title in words, and the licenses that it names.
type Title = (Vec<u32>, Vec<&'static str>);

/// Everything known.
pub(super) struct Library {
    /// The words of all texts.
    pub vocabulary: Vocabulary,
    texts: Vec<Text>,
    by_first: HashMap<u32, Vec<usize>>,
    by_any: Vec<usize>,
    /// Titles by their first word, the longest first, each with the licenses that it names.
    titles: HashMap<u32, Vec<Title>>,
}

/// Made on first use.
pub(super) static LIBRARY: LazyLock<Library> = LazyLock::new(Library::new);

impl Library {
    fn new() -> Self {
        let mut library = Self {
            vocabulary: Vocabulary::default(),
            texts: vec![],
            by_first: HashMap::new(),
            by_any: vec![],
            titles: HashMap::new(),
        };
        for (title, id) in titles() {
            library.add_title(&title, id);
        }
        let mut own = Vec::new();
        let licenses = LICENSE_TEXTS.iter().filter(|(id, _)| !is_retired(id)).map(|(id, text)| (*id, *text, false));
        for (id, text, exception) in licenses.chain(EXCEPTION_TEXTS.iter().map(|(id, text)| (*id, *text, true))) {
            own.extend(library.add_listed(id, text, exception).into_iter().map(|title| (title, id)));
        }
        // The list's own copies may begin with another entry's name.
        for (title, id) in own {
            library.add_title(&title, id);
        }
        library.add_templates();
        library
    }

    /// Adds a text of the list, whole and without its appendix. Returns the titles that it begins with.
    fn add_listed(&mut self, id: &'static str, text: &str, exception: bool) -> Vec<String> {
        let all = compared(text).words;
        let read: Vec<u32> = all.iter().map(|w| self.vocabulary.learn(w)).collect();
        let (mut at, mut stripped) = (0, Vec::new());
        while let Some((end, _)) = self.title(&read, at).filter(|(end, _)| *end < all.len()) {
            stripped.push(all[at..end].join(" "));
            at = end;
        }
        let body = all[at..].join(" ");
        let marks = APPENDICES.iter().filter_map(|mark| body.find(mark)).map(|end| body[..end].trim_end().to_owned());
        for variant in marks.chain([body.clone()]) {
            let numbered = variant.split(' ').map(|w| self.vocabulary.learn(w)).collect();
            self.add(Text { id, exception, parts: vec![Part::Words(numbered)] });
        }
        stripped
    }

    fn add_templates(&mut self) {
        for section in TEMPLATES.split("\n=== ").skip(1) {
            let Some((ids, body)) = section.split_once('\n') else { continue };
            let marked = MARKS.iter().fold(body.to_owned(), |text, (mark, word)| text.replace(mark, word));
            let parts = parse(&compared(&marked).words, &mut self.vocabulary);
            for id in ids.split(' ') {
                let license = LICENSE_TEXTS.iter().find(|(listed, _)| *listed == id).map(|(id, _)| (*id, false));
                let exception = || EXCEPTION_TEXTS.iter().find(|(listed, _)| *listed == id).map(|(id, _)| (*id, true));
                if let Some((id, exception)) = license.or_else(exception) {
                    self.add(Text { id, exception, parts: parts.clone() });
                }
            }
        }
    }

    fn add(&mut self, text: Text) {
        let number = self.texts.len();
        match firsts(&text.parts) {
            Some(words) => words.into_iter().for_each(|w| self.by_first.entry(w).or_default().push(number)),
            None => self.by_any.push(number),
        }
        self.texts.push(text);
    }

    fn add_title(&mut self, title: &str, id: &'static str) {
        let numbered: Vec<u32> = title.split(' ').map(|w| self.vocabulary.learn(w)).collect();
        let Some(first) = numbered.first() else { return };
        let titles = self.titles.entry(*first).or_default();
        match titles.iter_mut().find(|(t, _)| *t == numbered) {
            Some((_, ids)) if ids.contains(&id) => {}
            Some((_, ids)) => ids.push(id),
            None => titles.push((numbered, vec![id])),
        }
        titles.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
    }

    /// The longest title that begins at a word: where it ends, and the licenses that it names.
    pub(super) fn title(&self, words: &[u32], at: usize) -> Option<(usize, &[&'static str])> {
        let titles = self.titles.get(words.get(at)?)?;
        let (title, ids) = titles.iter().find(|(t, _)| words[at..].starts_with(t))?;
        Some((at + title.len(), ids))
    }

    /// The texts that can begin with a word.
    pub(super) fn beginning_with(&self, word: Option<u32>) -> impl Iterator<Item = &Text> {
        let by_first = word.and_then(|w| self.by_first.get(&w)).into_iter().flatten();
        by_first.chain(&self.by_any).map(|number| &self.texts[*number])
    }
}

/// Titles by which texts begin, in words. The list's full names, and how files write them.
fn titles() -> Vec<(String, &'static str)> {
    let usual = [
        ("mit license", "MIT"),
        ("the mit license", "MIT"),
        ("the mit license mit", "MIT"),
        ("mit license mit", "MIT"),
        ("bsd 3 clause license", "BSD-3-Clause"),
        ("the bsd 3 clause license", "BSD-3-Clause"),
        ("new bsd license", "BSD-3-Clause"),
        ("bsd 2 clause license", "BSD-2-Clause"),
        ("isc license", "ISC"),
        ("the isc license", "ISC"),
        ("bsd license", "BSD-3-Clause"),
        ("bsd license", "BSD-2-Clause"),
        ("3 clause bsd license", "BSD-3-Clause"),
        ("2 clause bsd license", "BSD-2-Clause"),
        ("freebsd license", "BSD-2-Clause"),
        ("zero clause bsd", "0BSD"),
        ("cc0 1 0 universal", "CC0-1.0"),
        ("apache license version 2 0", "Apache-2.0"),
        ("apache license version 2 0 january 2004", "Apache-2.0"),
        ("apache license version 2 0 january 2004 http www apache org licenses", "Apache-2.0"),
        ("apache license version 2 0 january 2004 http www apache org licenses license 2 0", "Apache-2.0"),
    ];
    let mut out: Vec<(String, &'static str)> = usual.iter().map(|(t, id)| ((*t).to_owned(), *id)).collect();
    for license in spdx::identifiers::LICENSES.iter().filter(|l| !is_retired(l.name)) {
        let name = words(license.full_name);
        if let Some(short) = name.strip_prefix("creative commons ") {
            // The texts themselves write these words as one.
            let joined = short.replace("share alike", "sharealike").replace("no derivatives", "noderivatives");
            out.extend([short.to_owned(), format!("creative commons {joined}"), joined].map(|t| (t, license.name)));
        }
        let id = words(license.name);
        out.extend(
            [format!("the {name}"), format!("{name} {id}"), format!("the {name} {id}")].map(|t| (t, license.name)),
        );
        out.push((name, license.name));
    }
    out
}
