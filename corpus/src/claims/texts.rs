//! Texts of licenses, recognised by equality and never by likeness: MIT with one more sentence is not MIT.
//!
//! A text equals a listed one when their words are the same in the same order, as SPDX's matching guidelines have it:
//! case, white space, punctuation, list markers, copyright lines and the license's own title do not count. BSD and MIT
//! have places for names; what stands there must be a name, so no normative word may be in it.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use manifests::digest::Sha256;
use regex::Regex;
use spdx::text::LICENSE_TEXTS;

use super::compare::{is_name, words};
use super::wording::is_retired;

/// What a text turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Exactly the text of these ids: several when the list gives them one text (GPL's `only` and `or-later`).
    Known(Vec<&'static str>),
    /// None of the list; the nearest, for people, when it is near.
    Unknown { nearest: Option<(&'static str, usize)> },
}

/// A slot for a name in a text, in words.
const SLOT: &str = r"((?:[^ ]+ ){1,14})";

/// Endings that explain how to apply a license; many copies leave them out.
const APPENDICES: [&str; 4] = [
    "appendix how to apply the apache license to your work",
    "how to apply these terms to your new programs",
    "how to apply these terms to your new libraries",
    "addendum how to use this license for your documents",
];

struct Library {
    exact: HashMap<Sha256, Vec<&'static str>>,
    templates: Vec<(&'static str, Regex)>,
    bags: Vec<(&'static str, BTreeMap<String, usize>)>,
    titles: Vec<(String, &'static str)>,
}

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::new);

impl Library {
    fn new() -> Self {
        let mut library = Self { exact: HashMap::new(), templates: vec![], bags: vec![], titles: titles() };
        library.titles.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        let mut own = Vec::new();
        for (id, text) in LICENSE_TEXTS.iter().filter(|(id, _)| !is_retired(id)) {
            let (body, titles) = library.without_titles(&words(text));
            own.extend(titles.into_iter().map(|title| (title, *id)));
            let body = folded(body);
            let cut = APPENDICES.iter().filter_map(|mark| body.find(mark).map(|at| body[..at].trim_end().to_owned()));
            for variant in cut.chain([body.clone()]) {
                let ids = library.exact.entry(Sha256::of(variant.as_bytes())).or_default();
                if !ids.contains(id) {
                    ids.push(id);
                }
            }
            if let Some(template) = template(id, &body) {
                library.templates.push((id, template));
            }
            library.bags.push((id, bag(&body)));
        }
        // The list's own copies may begin with another entry's name.
        library.titles.extend(own);
        library
    }

    /// The words after the titles that they begin with, and those titles.
    fn without_titles(&self, text: &str) -> (String, Vec<String>) {
        let (mut rest, mut stripped) = (text, Vec::new());
        loop {
            let begins = |title: &str| rest.strip_prefix(title).filter(|r| r.is_empty() || r.starts_with(' '));
            let Some((title, after)) = self.titles.iter().find_map(|(t, _)| begins(t).map(|r| (t, r))) else {
                return (rest.to_owned(), stripped);
            };
            stripped.push(title.clone());
            rest = after.trim_start();
        }
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
    ];
    let mut out: Vec<(String, &'static str)> = usual.iter().map(|(t, id)| ((*t).to_owned(), *id)).collect();
    for license in spdx::identifiers::LICENSES.iter().filter(|l| !is_retired(l.name)) {
        let name = words(license.full_name);
        if let Some(short) = name.strip_prefix("creative commons ") {
            // The texts themselves write these words as one.
            let joined = short.replace("non commercial", "noncommercial").replace("share alike", "sharealike");
            let joined = joined.replace("no derivatives", "noderivatives");
            out.extend([short.to_owned(), format!("creative commons {joined}"), joined].map(|t| (t, license.name)));
        }
        out.push((format!("the {name}"), license.name));
        out.push((name, license.name));
    }
    out
}

/// The regular expression of a text that has places for names.
fn template(id: &str, body: &str) -> Option<Regex> {
    if !["MIT", "BSD-2-Clause", "BSD-3-Clause"].contains(&id) {
        return None;
    }
    let neither = format!("neither the names? of {SLOT}(?:nor|or) the names of (?:its |their |any |the )?contributors");
    let pattern = body
        .replace("neither the name of the copyright holder nor the names of its contributors", &neither)
        .replace("provided by the copyright holders and contributors as is", &format!("provided by {SLOT}as is"))
        .replace("in no event shall the copyright holder or contributors be", &format!("in no event shall {SLOT}be"))
        .replace("in no event shall the authors or copyright holders be", &format!("in no event shall {SLOT}be"))
        .replace("this permission notice including the next paragraph shall", "this permission notice shall")
        .replace("this permission notice shall", "this permission notice(?: including the next paragraph)? shall");
    Regex::new(&format!("^{pattern}$")).ok()
}

/// What `text` is. `package` is the name of the package that it came in: a first line that names it is a title too.
pub(super) fn find(text: &str, package: Option<&str>) -> Found {
    let text = without_package_title(text, package);
    let (body, titles) = LIBRARY.without_titles(&words(&text));
    let (body, prefaced) = without_preface(&body);
    let (body, more) = LIBRARY.without_titles(body);
    let body = folded(body);
    let fits = |id: &&str| {
        titles.iter().chain(&more).all(|title| LIBRARY.titles.iter().any(|(t, of)| t == title && same_text(of, id)))
            && prefaced.as_ref().is_none_or(|p| p.eq_ignore_ascii_case(id))
    };
    let mut known: Vec<&'static str> = LIBRARY.exact.get(&Sha256::of(body.as_bytes())).cloned().unwrap_or_default();
    let from_template = LIBRARY.templates.iter().filter(|(_, t)| {
        t.captures(&body).is_some_and(|c| c.iter().skip(1).flatten().all(|slot| is_name(slot.as_str())))
    });
    known.extend(from_template.map(|(id, _)| *id));
    known.sort_unstable();
    known.dedup();
    known.retain(fits);
    // The bare text is the plain license; its named variant needs a notice in the files that says so.
    for (plain, variants) in [("MPL-2.0", "MPL-2.0-no-"), ("OFL-1.0", "OFL-1.0-"), ("OFL-1.1", "OFL-1.1-")] {
        if known.contains(&plain) {
            known.retain(|id| !id.starts_with(variants));
        }
    }
    if known.is_empty() { Found::Unknown { nearest: nearest(&body) } } else { Found::Known(known) }
}

/// A Creative Commons text without the phrases in which its plain-text and its web edition differ.
fn folded(body: String) -> String {
    if !body.starts_with("creative commons corporation creative commons is not a law firm") {
        return body;
    }
    [
        (" wiki creativecommons org considerations for licensors", ""),
        (" wiki creativecommons org considerations for licensees", ""),
        (
            " the text of the creative commons public licenses is dedicated to the public domain under the cc0 public \
             domain dedication",
            "",
        ),
    ]
    .iter()
    .fold(body, |text, (from, to)| text.replacen(from, to, 1))
}

/// Whether two ids share a text, so that one's title may stand over the other (`GPL-3.0-only` and `-or-later`).
fn same_text(a: &str, b: &str) -> bool {
    let stem = |id: &str| id.trim_end_matches("-only").trim_end_matches("-or-later").to_owned();
    stem(a) == stem(b)
}

/// The text without a first line that is the package's title: its name and at most a dozen words, none normative.
fn without_package_title(text: &str, package: Option<&str>) -> String {
    let lines = text.trim_start_matches('\u{feff}').trim_start();
    let (first, rest) = lines.split_once('\n').unwrap_or((lines, ""));
    let (line, name) = (words(first), words(package.unwrap_or_default()));
    let described = format!(" {line} ").replacen(&format!(" {name} "), " ", 1);
    let is_title = !name.is_empty() && described.len() < line.len() && described.split_whitespace().count() <= 12;
    if is_title && is_name(described.trim()) { rest.to_owned() } else { lines.to_owned() }
}

/// The words after the sentence by which Creative Commons' own marker begins, and the id that it names.
fn without_preface(body: &str) -> (&str, Option<String>) {
    static PREFACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"^this work is licensed under (?:the |a )?creative commons [a-z ]+ \d \d [a-z]+(?: license)? to view a copy of ",
            r"this license visit http creativecommons org licenses ([a-z ]+) (\d) (\d)(?: legalcode)?(?: |$)"
        ))
        .ok()
    });
    let captures = PREFACE.as_ref().and_then(|p| p.captures(body));
    let Some(captures) = captures else { return (body, None) };
    let id = format!("CC-{}-{}.{}", captures[1].replace(' ', "-"), &captures[2], &captures[3]);
    (&body[captures[0].len()..], Some(id))
}

fn bag(body: &str) -> BTreeMap<String, usize> {
    let mut bag = BTreeMap::new();
    for word in body.split(' ') {
        *bag.entry(word.to_owned()).or_insert(0) += 1;
    }
    bag
}

/// The listed text with the fewest words more or less, if at most a fifth of its words differ. A hint and no more.
fn nearest(body: &str) -> Option<(&'static str, usize)> {
    let ours = bag(body);
    let size = body.split(' ').count();
    let distance = |theirs: &BTreeMap<String, usize>| -> usize {
        let more = ours.iter().map(|(w, n)| n.saturating_sub(theirs.get(w).copied().unwrap_or(0)));
        let less = theirs.iter().map(|(w, n)| n.saturating_sub(ours.get(w).copied().unwrap_or(0)));
        more.sum::<usize>() + less.sum::<usize>()
    };
    let best = LIBRARY.bags.iter().map(|(id, theirs)| (distance(theirs), *id)).min()?;
    (best.0 * 5 <= size).then_some((best.1, best.0))
}
