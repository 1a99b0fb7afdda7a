//! `gopher-repetition@datatrove`: Gopher's repetition rules as datatrove 0.10.0's `GopherRepetitionFilter` decides them.
//! Words are spaCy's; shares are of the text's characters. A reason's name is datatrove's with `-` for `_`, after
//! `gopher-`.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::chain::{Filter, Text};
use super::facts::{FactColumn, Outcome, Reason};
use super::python;

/// The thresholds: the largest shares that are kept. 0 switches a rule on lines or paragraphs off, as in the reference;
/// a rule on n-grams is always asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GopherRepetitionThresholds {
    /// Lines that stood before.
    pub dup_line_frac: f64,
    /// Paragraphs that stood before.
    pub dup_para_frac: f64,
    /// Characters of such lines.
    pub dup_line_char_frac: f64,
    /// Characters of such paragraphs.
    pub dup_para_char_frac: f64,
    /// Characters of all places of the most frequent 2-, 3- and 4-gram.
    pub top_n_grams: [f64; 3],
    /// Characters of 5- to 10-grams that stood before.
    pub dup_n_grams: [f64; 6],
}

impl Default for GopherRepetitionThresholds {
    fn default() -> Self {
        Self {
            dup_line_frac: 0.3,
            dup_para_frac: 0.3,
            dup_line_char_frac: 0.2,
            dup_para_char_frac: 0.2,
            top_n_grams: [0.2, 0.18, 0.16],
            dup_n_grams: [0.15, 0.14, 0.13, 0.12, 0.11, 0.10],
        }
    }
}

const TOP: [&str; 3] = ["gopher-top-2-gram", "gopher-top-3-gram", "gopher-top-4-gram"];
const DUPLICATED: [&str; 6] = [
    "gopher-duplicated-5-n-grams",
    "gopher-duplicated-6-n-grams",
    "gopher-duplicated-7-n-grams",
    "gopher-duplicated-8-n-grams",
    "gopher-duplicated-9-n-grams",
    "gopher-duplicated-10-n-grams",
];

/// Elements that stood before, and their characters.
fn duplicates<'a>(elements: impl Iterator<Item = &'a str>) -> (u64, u64, u64) {
    let mut seen = HashSet::new();
    let (mut all, mut again, mut characters) = (0, 0, 0);
    for element in elements {
        all += 1;
        if !seen.insert(element) {
            again += 1;
            characters += python::len(element);
        }
    }
    (all, again, characters)
}

/// Words one after the other with `separator` behind each: an n-gram is a piece of it.
struct Joined {
    text: String,
    /// Bytes and characters before each word, and at the end.
    starts: Vec<(usize, u64)>,
    separator: usize,
}

impl Joined {
    fn new(text: &Text<'_>, separator: &str) -> Self {
        let mut joined = Self { text: String::new(), starts: vec![(0, 0)], separator: separator.len() };
        let mut characters = 0;
        for span in text.words() {
            let word = &text.as_str()[span.clone()];
            joined.text.push_str(word);
            joined.text.push_str(separator);
            characters += python::len(word) + separator.len() as u64;
            joined.starts.push((joined.text.len(), characters));
        }
        joined
    }

    fn words(&self) -> usize {
        self.starts.len() - 1
    }

    /// The n-gram at a word, and its characters.
    fn gram(&self, at: usize, n: usize) -> (&str, u64) {
        let ((from, before), (to, after)) = (self.starts[at], self.starts[at + n]);
        (&self.text[from..to - self.separator], after - before - self.separator as u64)
    }

    /// Characters of all places of the most frequent n-gram: the first of those that are most frequent.
    fn top(&self, n: usize) -> Option<u64> {
        let last = self.words().checked_sub(n)?;
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut grams: Vec<(u64, u64)> = Vec::new();
        for at in 0..=last {
            let (gram, characters) = self.gram(at, n);
            let place = *counts.entry(gram).or_insert(grams.len());
            if place == grams.len() {
                grams.push((0, characters));
            }
            grams[place].0 += 1;
        }
        let top = grams.into_iter().fold((0, 0), |best, gram| if gram.0 > best.0 { gram } else { best });
        Some(top.0 * top.1)
    }

    /// Characters of n-grams that stood before; one that did is passed over whole.
    fn duplicated(&self, n: usize) -> u64 {
        let mut seen = HashSet::new();
        let (mut at, mut characters) = (0, 0);
        while at + n <= self.words() {
            let (gram, length) = self.gram(at, n);
            if seen.insert(gram) {
                at += 1;
            } else {
                characters += length;
                at += n;
            }
        }
        characters
    }
}

/// Pieces between runs of `least` line feeds or more, as `re.split`.
fn split(text: &str, least: usize) -> Vec<&str> {
    let (mut pieces, mut from, mut at) = (Vec::new(), 0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|b| **b == b'\n').count();
        if run >= least {
            pieces.push(&text[from..at]);
            from = at + run;
        }
        at += run.max(1);
    }
    pieces.push(&text[from..]);
    pieces
}

impl GopherRepetitionThresholds {
    /// Every rule: its code, value and bound.
    fn measure(&self, text: &Text<'_>) -> Vec<(&'static str, Option<f64>, f64)> {
        let whole = text.as_str();
        let characters = python::len(whole) as f64;
        let stripped = whole.trim_matches(python::is_space);
        let (paragraphs, again, of_paragraphs) = duplicates(split(stripped, 2).into_iter());
        let (lines, lines_again, of_lines) = duplicates(split(whole, 1).into_iter());
        let rule = |code, part: u64, all: f64, bound: f64| (code, (bound > 0.0).then(|| part as f64 / all), bound);
        let mut rules = vec![
            rule("gopher-dup-para-frac", again, paragraphs as f64, self.dup_para_frac),
            rule("gopher-dup-para-char-frac", of_paragraphs, characters, self.dup_para_char_frac),
            rule("gopher-dup-line-frac", lines_again, lines as f64, self.dup_line_frac),
            rule("gopher-dup-line-char-frac", of_lines, characters, self.dup_line_char_frac),
        ];
        let spaced = Joined::new(text, " ");
        for (i, bound) in self.top_n_grams.iter().enumerate() {
            rules.push((TOP[i], spaced.top(i + 2).map(|top| top as f64 / characters), *bound));
        }
        let plain = Joined::new(text, "");
        for (i, bound) in self.dup_n_grams.iter().enumerate() {
            rules.push((DUPLICATED[i], Some(plain.duplicated(i + 5) as f64 / characters), *bound));
        }
        rules
    }
}

impl Filter for GopherRepetitionThresholds {
    fn columns(&self) -> Vec<FactColumn> {
        let lines = ["dup_para_frac", "dup_para_char_frac", "dup_line_frac", "dup_line_char_frac"].map(str::to_owned);
        let grams = (2..=10).map(|n| if n < 5 { format!("top_{n}_gram") } else { format!("duplicated_{n}_grams") });
        lines.into_iter().chain(grams).map(|name| FactColumn::number(format!("gopher_repetition_{name}"))).collect()
    }

    fn apply(&self, text: &Text<'_>) -> Outcome {
        let rules = self.measure(text);
        let broken = |(code, value, bound): &(&'static str, Option<f64>, f64)| {
            value.filter(|value| value > bound).map(|value| Reason::missed(code, value, *bound))
        };
        let reason = rules.iter().find_map(broken);
        let finite = |value: &f64| value.is_finite();
        let values = rules.iter().map(|(_, value, _)| value.filter(finite).map(Into::into)).collect();
        Outcome { values, reason, edited: None }
    }
}
