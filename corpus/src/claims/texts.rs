//! Texts of licenses, recognised by equality and never by likeness: MIT with one more sentence is not MIT.
//!
//! A text equals a listed one when their words are the same in the same order, as SPDX's matching guidelines have it:
//! case, white space, punctuation, list markers, copyright lines and the license's own title do not count, and words
//! may differ where the list says so (`library.rs`). Where a name belongs, only a name may stand. A file of several
//! texts is named when it is nothing but listed texts, one after the other.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use regex::Regex;

use super::compare::{Compared, Naming, compared, is_name, naming, plain_words, words};
use super::library::{LIBRARY, Library};
use super::pattern::{Subject, ends};

/// What a text turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Exactly the text of these: several when the list gives them one text (GPL's `only` and `or-later`).
    Known(Vec<String>),
    /// Several texts, each exactly the text of these.
    Several(Vec<Vec<String>>),
    /// None of the list; the nearest, for people, when it is near.
    Unknown { nearest: Option<(&'static str, usize)> },
}

/// The most titles before a text, one after the other.
const MOST_TITLES: usize = 4;
/// The most texts in one file.
const MOST_TEXTS: usize = 12;
/// As much of a file as is kept (`source/evidence.rs`): one that fills it may go on, and is not named.
const MOST_BYTES: usize = 1 << 20;

/// What `text` is. `package` is the name of the package that it came in: a first line that names it is a title too.
pub(super) fn find(text: &str, package: Option<&str>) -> Found {
    exact(text, package).unwrap_or_else(|| Found::Unknown { nearest: super::nearest::nearest(text, package) })
}

/// What `text` is, if it is nothing but listed texts.
pub(super) fn exact(text: &str, package: Option<&str>) -> Option<Found> {
    if text.len() >= MOST_BYTES {
        return None;
    }
    let mut compared = compared(&without_package_title(text, package));
    compared.holders.extend(plain_words(package.unwrap_or_default()));
    let mut found = Cover::of(&compared).solve()?;
    if found.len() == 1 { found.pop().map(Found::Known) } else { Some(Found::Several(found)) }
}

/// Listed texts that together are all the words of a file.
struct Cover<'a> {
    library: &'static Library,
    compared: &'a Compared,
    words: Vec<u32>,
    naming: Vec<Naming>,
    numbers: Vec<bool>,
    /// What was found from a word on: the fewest texts to the end.
    known: HashMap<usize, Option<Vec<Segment>>>,
}

/// One listed text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    ids: Vec<&'static str>,
    exception: bool,
}

impl<'a> Cover<'a> {
    fn of(compared: &'a Compared) -> Self {
        let library = &*LIBRARY;
        Self {
            library,
            words: library.vocabulary.read(&compared.words),
            naming: compared.words.iter().map(|w| naming(w, &compared.holders)).collect(),
            numbers: compared.words.iter().map(|w| w.bytes().all(|b| b.is_ascii_digit())).collect(),
            compared,
            known: HashMap::new(),
        }
    }

    /// The ids of each text, or nothing when a word is left over.
    fn solve(mut self) -> Option<Vec<Vec<String>>> {
        let segments = self.from(0, 0)?;
        let mut out: Vec<Vec<String>> = Vec::new();
        for segment in segments {
            if !segment.exception {
                out.push(segment.ids.iter().map(|id| (*id).to_owned()).collect());
                continue;
            }
            // An exception is one from the license before it.
            let (license, [exception]) = (out.last_mut()?, &segment.ids[..]) else { return None };
            for id in license {
                *id = format!("{id} WITH {exception}");
                id.parse::<manifests::license::Expression>().ok()?;
            }
        }
        let mut seen = BTreeSet::new();
        out.retain(|ids| seen.insert(ids.clone()));
        Some(out)
    }

    /// The fewest texts from a word to the end. Two ways that are equally short must name the same.
    fn from(&mut self, start: usize, depth: usize) -> Option<Vec<Segment>> {
        if start == self.words.len() && depth > 0 {
            return Some(vec![]);
        }
        if depth == MOST_TEXTS {
            return None;
        }
        if let Some(known) = self.known.get(&start) {
            return known.clone();
        }
        let mut best: Option<Vec<Segment>> = None;
        let mut ambiguous = false;
        for (segment, end) in self.segments(start) {
            let Some(mut rest) = self.from(end, depth + 1) else { continue };
            rest.insert(0, segment);
            match &best {
                Some(other) if other.len() < rest.len() => {}
                Some(other) if other.len() == rest.len() => ambiguous |= *other != rest,
                _ => (best, ambiguous) = (Some(rest), false),
            }
        }
        let best = best.filter(|_| !ambiguous);
        self.known.insert(start, best.clone());
        best
    }

    /// The listed texts that begin at a word, after titles that fit them, and where each ends.
    fn segments(&self, start: usize) -> Vec<(Segment, usize)> {
        let mut starts = vec![(start, vec![], None)];
        let mut at = start;
        let mut titles = Vec::new();
        let mut prefaced = None;
        loop {
            if titles.len() == MOST_TITLES {
                break;
            } else if let Some((end, ids)) = self.library.title(&self.words, at) {
                titles.push(ids);
                at = end;
            } else if let Some((end, id)) = self.preface(at).filter(|_| prefaced.is_none()) {
                prefaced = Some(id);
                at = end;
            } else {
                break;
            }
            starts.push((at, titles.clone(), prefaced.clone()));
        }
        let subject =
            Subject { words: &self.words, naming: &self.naming, ends: &self.compared.ends, numbers: &self.numbers };
        let mut by_end: Vec<(usize, bool, BTreeSet<&'static str>)> = Vec::new();
        for (at, titles, prefaced) in starts {
            for text in self.library.beginning_with(self.words.get(at).copied()) {
                let titled = titles.iter().all(|of| of.iter().any(|of| same_text(of, text.id)));
                if !titled || prefaced.as_ref().is_some_and(|p: &String| !p.eq_ignore_ascii_case(text.id)) {
                    continue;
                }
                for end in ends(&text.parts, BTreeSet::from([at]), &subject) {
                    match by_end.iter_mut().find(|(e, exception, _)| *e == end && *exception == text.exception) {
                        Some((.., ids)) => _ = ids.insert(text.id),
                        None => by_end.push((end, text.exception, BTreeSet::from([text.id]))),
                    }
                }
            }
        }
        let segment = |(end, exception, ids)| (Segment { ids: plain_variants(ids), exception }, end);
        by_end.into_iter().filter(|(end, ..)| *end > start).map(segment).collect()
    }

    /// The sentence by which Creative Commons' own marker begins: where it ends, and the id that it names.
    fn preface(&self, start: usize) -> Option<(usize, String)> {
        static PREFACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(concat!(
                r"^this work is licensed under (?:the |a )?creative commons [a-z ]+ \d \d [a-z]+(?: license)? to view a copy of ",
                r"this license visit http creativecommons org licenses ([a-z ]+) (\d) (\d)(?: legalcode)?(?: |$)"
            ))
            .ok()
        });
        let words = &self.compared.words[start..];
        if words.first().map(String::as_str) != Some("this") {
            return None;
        }
        let near = words[..words.len().min(60)].join(" ") + " ";
        let captures = PREFACE.as_ref().and_then(|p| p.captures(&near))?;
        let id = format!("CC-{}-{}.{}", captures[1].replace(' ', "-"), &captures[2], &captures[3]);
        Some((start + captures[0].split_whitespace().count(), id))
    }
}

/// The bare text is the plain license; its named variant needs a notice in the files that says so.
fn plain_variants(ids: BTreeSet<&'static str>) -> Vec<&'static str> {
    let variants = [("MPL-2.0", "MPL-2.0-no-"), ("OFL-1.0", "OFL-1.0-"), ("OFL-1.1", "OFL-1.1-")];
    let is_variant = |id: &str| variants.iter().any(|(plain, v)| ids.contains(plain) && id.starts_with(v));
    ids.iter().copied().filter(|id| !is_variant(id)).collect()
}

/// Whether two ids share a text, so that one's title may stand over the other (`GPL-3.0-only` and `-or-later`).
fn same_text(a: &str, b: &str) -> bool {
    let stem = |id: &str| id.trim_end_matches("-only").trim_end_matches("-or-later").to_owned();
    stem(a) == stem(b)
}

/// The text without a first line that is the package's title: its name, and then at most a dozen words of description,
/// none normative, in the same sentence.
pub(super) fn without_package_title(text: &str, package: Option<&str>) -> String {
    let lines = text.trim_start_matches('\u{feff}').trim_start();
    let (first, rest) = lines.split_once('\n').unwrap_or((lines, ""));
    let (line, name) = (words(first), words(package.unwrap_or_default()));
    let described = line.strip_prefix(&name).filter(|rest| rest.is_empty() || rest.starts_with(' '));
    let is_sentence = first.trim_end().trim_end_matches('.').contains([';', '!', '?']) || first.contains(". ");
    let is_title = |rest: &str| rest.split_whitespace().count() <= 12 && (rest.is_empty() || is_name(rest.trim()));
    let titled = !name.is_empty() && !is_sentence && described.is_some_and(is_title);
    if !titled {
        return text.to_owned();
    }
    // What was cut leaves its line breaks, so that line numbers hold.
    let breaks = text.len() - text.trim_start_matches('\u{feff}').trim_start().len();
    format!("{}\n{rest}", "\n".repeat(text[..breaks].matches('\n').count()))
}
