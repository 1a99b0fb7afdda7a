//! What spaCy's English tokenizer decides by: sets of characters, exceptions, units. Read once from data/spacy-en.json,
//! which tests/golden/make_spacy.py asked of spaCy itself.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use serde::Deserialize;

/// A set of characters that a rule looks at; its number is a bit of [`Tables::flags`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    Prefix,
    Suffix,
    BeforeFinalDot,
    Upper,
    Infix,
    BeforeInnerDot,
    AfterInnerDot,
    Alpha,
    TopLevel,
    Digit,
    Word,
    Punctuation,
}

const NAMES: [(&str, Set); 12] = [
    ("prefix", Set::Prefix),
    ("suffix", Set::Suffix),
    ("before_final_dot", Set::BeforeFinalDot),
    ("upper", Set::Upper),
    ("infix", Set::Infix),
    ("before_inner_dot", Set::BeforeInnerDot),
    ("after_inner_dot", Set::AfterInnerDot),
    ("alpha", Set::Alpha),
    ("top_level", Set::TopLevel),
    ("digit", Set::Digit),
    ("word", Set::Word),
    ("punctuation", Set::Punctuation),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for people: which spaCy and Python were asked")]
    made_with: serde_json::Value,
    sets: HashMap<String, Vec<(u32, u32)>>,
    units: Vec<String>,
    currencies: Vec<String>,
    hyphens: Vec<String>,
    sentence_ends: Vec<String>,
    rules: HashMap<String, Vec<usize>>,
    merged: Vec<(String, Vec<usize>)>,
}

/// FNV-1a: short keys, and only speed rests on it.
#[derive(Clone, Copy)]
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// A map by text.
pub(super) type ByText<T> = HashMap<Box<str>, T, BuildHasherDefault<Fnv>>;

/// The tables, ready to be asked.
pub(super) struct Tables {
    /// The sets of each character of the Basic Multilingual Plane, and of those beyond it by ranges.
    plane: Vec<u16>,
    beyond: Vec<(u32, u32, u16)>,
    /// Units and currencies that are cut off after a digit, longest first.
    pub(super) after_digit: Vec<Box<str>>,
    /// Hyphens, in the order in which they are tried.
    pub(super) hyphens: Vec<Box<str>>,
    /// Tokens that end a sentence.
    pub(super) sentence_ends: ByText<()>,
    /// Exceptions: the lengths of their tokens in bytes.
    rules: ByText<Box<[usize]>>,
    /// The longest exception, in bytes.
    longest: usize,
    /// Whether an exception begins with a byte.
    begins: [bool; 256],
    /// Exceptions that are looked for among tokens, as sequences of tokens, by their first one.
    pub(super) merged: ByText<Vec<Vec<Box<str>>>>,
    /// Whether one of these begins with a byte.
    pub(super) merged_begins: [bool; 256],
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::read);

/// The tables of this program.
pub(super) fn tables() -> &'static Tables {
    &TABLES
}

impl Tables {
    fn read() -> Self {
        let file: File = serde_json::from_str(include_str!("../../data/spacy-en.json")).unwrap_or_else(|_| File {
            made_with: serde_json::Value::Null,
            sets: HashMap::new(),
            units: vec![],
            currencies: vec![],
            hyphens: vec![],
            sentence_ends: vec![],
            rules: HashMap::new(),
            merged: vec![],
        });
        let mut plane = vec![0u16; 0x1_0000];
        let mut beyond = Vec::new();
        for (name, set) in NAMES {
            let bit = 1u16 << set as u16;
            for (first, last) in file.sets.get(name).into_iter().flatten().copied() {
                if first > 0xFFFF {
                    beyond.push((first, last, bit));
                } else {
                    (first..=last.min(0xFFFF)).for_each(|c| plane[c as usize] |= bit);
                }
            }
        }
        let mut after_digit: Vec<Box<str>> = file.units.into_iter().chain(file.currencies).map(Into::into).collect();
        after_digit.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        let mut begins = [false; 256];
        file.rules.keys().for_each(|rule| begins[usize::from(rule.as_bytes()[0])] = true);
        let (mut merged, mut merged_begins): (ByText<Vec<Vec<Box<str>>>>, _) = (HashMap::default(), [false; 256]);
        for (text, lengths) in file.merged {
            let tokens = pieces(&text, &lengths);
            merged_begins[usize::from(text.as_bytes()[0])] = true;
            merged.entry(tokens[0].clone()).or_default().push(tokens);
        }
        Self {
            plane,
            beyond,
            after_digit,
            hyphens: file.hyphens.into_iter().map(Into::into).collect(),
            sentence_ends: file.sentence_ends.into_iter().map(|end| (end.into(), ())).collect(),
            longest: file.rules.keys().map(String::len).max().unwrap_or(0),
            rules: file.rules.into_iter().map(|(text, lengths)| (text.into(), lengths.into())).collect(),
            begins,
            merged,
            merged_begins,
        }
    }

    /// Whether a character is in a set.
    pub(super) fn has(&self, set: Set, c: char) -> bool {
        let bit = 1u16 << set as u16;
        match self.plane.get(c as usize) {
            Some(flags) => flags & bit != 0,
            None => self.beyond.iter().any(|(first, last, b)| b & bit != 0 && (*first..=*last).contains(&(c as u32))),
        }
    }

    /// The tokens of an exception, as their lengths in bytes.
    pub(super) fn rule(&self, text: &str) -> Option<&[usize]> {
        let first = *text.as_bytes().first()?;
        if text.len() > self.longest || !self.begins[usize::from(first)] {
            return None;
        }
        self.rules.get(text).map(|lengths| &**lengths)
    }
}

fn pieces(text: &str, lengths: &[usize]) -> Vec<Box<str>> {
    let mut rest = text;
    let cut = |length: &usize| {
        let (piece, more) = rest.split_at(*length);
        rest = more;
        piece.into()
    };
    lengths.iter().map(cut).collect()
}
