//! `gopher@dolma`: the attributes of dolma 1.2.1's tagger `gopher_v1`, number for number, and the cuts of dolma's
//! Common Crawl mixes (configs/dolma-v1_5/mixing/cc-*.yaml) in their order. Golden: tests/golden/make_gopher.py.
//!
//! Those mixes spell three attributes `most_common_2gram`, which the tagger calls `most_common_2grams`, so as published
//! the three rules never dropped anything. They stand here as meant; `top_2gram = 2.0` and so on switches them off.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

use super::chain::{Filter, Text};
use super::facts::{FactColumn, Outcome, Reason, Value};
use super::python;
use super::recipe::Error;

/// What a document must reach or may not exceed. Defaults: dolma's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GopherThresholds {
    /// Fewest words.
    pub min_words: u64,
    /// Most words.
    pub max_words: u64,
    /// Smallest median word length.
    pub min_median_word_length: f64,
    /// Largest median word length.
    pub max_median_word_length: f64,
    /// Largest share of words with `#` or `…`.
    pub symbol_to_word_ratio: f64,
    /// Smallest share of words with a letter.
    pub words_with_letter: f64,
    /// Fewest occurrences of `the be to of and that have with`.
    pub required_words: u64,
    /// Largest share of lines that start with `*` or `-`.
    pub bullet_lines: f64,
    /// Largest share of lines that end in `…`.
    pub ellipsis_lines: f64,
    /// Largest share of lines that occur more than once, every copy counted.
    pub duplicate_lines: f64,
    /// Characters of those lines, by the characters of all words.
    pub duplicate_line_characters: f64,
    /// Characters of the most frequent 2-gram of words.
    pub top_2gram: f64,
    /// The same for 3-grams.
    pub top_3gram: f64,
    /// The same for 4-grams.
    pub top_4gram: f64,
    /// Characters of repeated n-grams by those of all n-grams, for n = 5 to 10.
    pub duplicate_ngrams: [f64; 6],
}

impl Default for GopherThresholds {
    fn default() -> Self {
        Self {
            min_words: 50,
            max_words: 100_000,
            min_median_word_length: 3.0,
            max_median_word_length: 10.0,
            symbol_to_word_ratio: 0.1,
            words_with_letter: 0.8,
            required_words: 2,
            bullet_lines: 0.9,
            ellipsis_lines: 0.3,
            duplicate_lines: 0.3,
            duplicate_line_characters: 0.3,
            top_2gram: 0.2,
            top_3gram: 0.18,
            top_4gram: 0.16,
            duplicate_ngrams: [0.15, 0.14, 0.13, 0.12, 0.11, 0.10],
        }
    }
}

/// The tagger's scores. Shares are unrounded; dolma writes them, and its cuts see them, rounded to five places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    /// `character_count`: code points of the text.
    pub character_count: u64,
    /// `word_count`.
    pub word_count: u64,
    /// `median_word_length`.
    pub median_word_length: f64,
    /// `symbol_to_word_ratio`.
    pub symbol_to_word_ratio: f64,
    /// `fraction_of_words_with_alpha_character`.
    pub words_with_letter: f64,
    /// `required_word_count`.
    pub required_word_count: u64,
    /// `fraction_of_lines_starting_with_bullet_point`.
    pub bullet_lines: f64,
    /// `fraction_of_lines_ending_with_ellipsis`.
    pub ellipsis_lines: f64,
    /// `fraction_of_duplicate_lines`.
    pub duplicate_lines: f64,
    /// `fraction_of_characters_in_duplicate_lines`.
    pub duplicate_line_characters: f64,
    /// `fraction_of_characters_in_most_common_{2,3,4}grams`; absent when there are too few words.
    pub top_ngrams: [Option<f64>; 3],
    /// `fraction_of_characters_in_duplicate_{5..10}grams`; absent likewise.
    pub duplicate_ngrams: [Option<f64>; 6],
}

/// The attributes by dolma's names, in the order of [`Attributes::values`].
const NAMES: [&str; 19] = [
    "character_count",
    "word_count",
    "median_word_length",
    "symbol_to_word_ratio",
    "fraction_of_words_with_alpha_character",
    "required_word_count",
    "fraction_of_lines_starting_with_bullet_point",
    "fraction_of_lines_ending_with_ellipsis",
    "fraction_of_duplicate_lines",
    "fraction_of_characters_in_duplicate_lines",
    "fraction_of_characters_in_most_common_2grams",
    "fraction_of_characters_in_most_common_3grams",
    "fraction_of_characters_in_most_common_4grams",
    "fraction_of_characters_in_duplicate_5grams",
    "fraction_of_characters_in_duplicate_6grams",
    "fraction_of_characters_in_duplicate_7grams",
    "fraction_of_characters_in_duplicate_8grams",
    "fraction_of_characters_in_duplicate_9grams",
    "fraction_of_characters_in_duplicate_10grams",
];

const REQUIRED: [&str; 8] = ["the", "be", "to", "of", "and", "that", "have", "with"];

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl Attributes {
    /// The scores of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let words: Vec<&str> = python::split(text).collect();
        let lengths: Vec<u64> = words.iter().map(|w| python::len(w)).collect();
        let characters: u64 = lengths.iter().sum();
        let count = |test: &dyn Fn(&str) -> bool| words.iter().filter(|w| test(w)).count() as u64;
        let total = words.len() as u64;
        let mut attributes = Self {
            character_count: python::len(text),
            word_count: total,
            median_word_length: median(&lengths),
            symbol_to_word_ratio: ratio(count(&|w| w.contains(['#', '…'])), total),
            words_with_letter: ratio(count(&python::has_letter), total),
            required_word_count: count(&|w| REQUIRED.contains(&w)),
            ..Self::default()
        };
        if !text.is_empty() {
            attributes.read_lines(text, characters);
            attributes.read_ngrams(&words, &lengths, characters);
        }
        attributes
    }

    /// Every score, unrounded, in dolma's order.
    fn values(&self) -> Vec<Option<Value>> {
        let plain = [
            self.character_count as f64,
            self.word_count as f64,
            self.median_word_length,
            self.symbol_to_word_ratio,
            self.words_with_letter,
            self.required_word_count as f64,
            self.bullet_lines,
            self.ellipsis_lines,
            self.duplicate_lines,
            self.duplicate_line_characters,
        ];
        let grams = self.top_ngrams.iter().chain(&self.duplicate_ngrams).copied();
        plain.into_iter().map(Some).chain(grams).map(|value| value.map(Value::Number)).collect()
    }

    fn read_lines(&mut self, text: &str, characters: u64) {
        let (mut lines, mut bullets, mut ellipses) = (0u64, 0u64, 0u64);
        let mut seen: HashMap<&str, u64> = HashMap::new();
        for line in text.split('\n') {
            lines += 1;
            bullets += u64::from(line.starts_with(['*', '-']));
            ellipses += u64::from(line.ends_with('…'));
            *seen.entry(line).or_insert(0) += 1;
        }
        // Sums of integers: the map's order cannot show.
        let (mut copies, mut copied) = (0, 0);
        for (line, n) in seen.into_iter().filter(|(_, n)| *n > 1) {
            copies += n;
            copied += n * python::len(line);
        }
        self.bullet_lines = ratio(bullets, lines);
        self.ellipsis_lines = ratio(ellipses, lines);
        self.duplicate_lines = ratio(copies, lines);
        self.duplicate_line_characters = ratio(copied, characters);
    }

    fn read_ngrams(&mut self, words: &[&str], lengths: &[u64], characters: u64) {
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut ids: Vec<u32> = Vec::with_capacity(words.len());
        for &word in words {
            let next = known.len() as u32;
            ids.push(*known.entry(word).or_insert(next));
        }
        // An n-gram's number is that of its first n-1 words paired with its last word: exact, with no text compared.
        let mut grams = ids.clone();
        let mut sizes = lengths.to_vec();
        for n in 2..=10 {
            if words.len() < n {
                return;
            }
            let mut table: HashMap<(u32, u32), u32, BuildHasherDefault<PairHasher>> = HashMap::default();
            let (mut counts, mut widths): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
            for start in 0..=words.len() - n {
                let gram = *table.entry((grams[start], ids[start + n - 1])).or_insert(counts.len() as u32);
                sizes[start] += lengths[start + n - 1];
                grams[start] = gram;
                if gram as usize == counts.len() {
                    counts.push(0);
                    widths.push(sizes[start]);
                }
                counts[gram as usize] += 1;
            }
            let each = counts.iter().zip(&widths);
            if n <= 4 {
                // The first of the most frequent, in order of appearance, as `Counter.most_common` has it.
                let top = each.fold((0, 0), |best, (c, w)| if *c > best.0 { (*c, *w) } else { best });
                self.top_ngrams[n - 2] = Some(ratio(top.0 * top.1, characters));
            } else {
                let all: u64 = each.clone().map(|(c, w)| c * w).sum();
                let repeated: u64 = each.filter(|(c, _)| **c > 1).map(|(c, w)| c * w).sum();
                self.duplicate_ngrams[n - 5] = Some(ratio(repeated, all));
            }
        }
    }
}

/// `statistics.median`, 0 for nothing.
fn median(lengths: &[u64]) -> f64 {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (n, half) if n % 2 == 1 => sorted[half] as f64,
        (_, half) => (sorted[half - 1] + sorted[half]) as f64 / 2.0,
    }
}

/// A multiplicative hash of two numbers. Only speed rests on it: maps compare keys.
#[derive(Default)]
struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.0 = (self.0.rotate_left(26) ^ u64::from(n)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Filter for GopherThresholds {
    fn columns(&self) -> Vec<FactColumn> {
        NAMES.iter().map(|name| FactColumn::number(format!("gopher_dolma_{name}"))).collect()
    }

    fn apply(&self, text: &Text<'_>) -> Outcome {
        let attributes = Attributes::of(text.as_str());
        Outcome { values: attributes.values(), reason: self.reason(&attributes), edited: None }
    }
}

impl GopherThresholds {
    /// These, when each is a number that can be compared.
    pub(super) fn checked(&self) -> Result<Self, Error> {
        let plain = [self.min_median_word_length, self.max_median_word_length, self.symbol_to_word_ratio];
        let more = [self.words_with_letter, self.bullet_lines, self.ellipsis_lines];
        let rest =
            [self.duplicate_lines, self.duplicate_line_characters, self.top_2gram, self.top_3gram, self.top_4gram];
        let mut all = plain.iter().chain(&more).chain(&rest).chain(&self.duplicate_ngrams);
        match all.any(|x| !x.is_finite() || *x < 0.0) {
            true => Err(Error::Threshold("thresholds", "gopher@dolma")),
            false => Ok(self.clone()),
        }
    }

    /// Every rule in order with its verdict on `attributes`.
    fn rules(&self, a: &Attributes) -> impl Iterator<Item = Option<Reason>> {
        let cut = |code, fails: bool, value: f64, bound: f64| fails.then(|| Reason::missed(code, value, bound));
        let less = move |code, value: f64, bound: f64| cut(code, python::round5(value) < bound, value, bound);
        let more = move |code, value: f64, bound: f64| cut(code, python::round5(value) > bound, value, bound);
        let maybe = move |code, value: Option<f64>, bound| value.and_then(|v| more(code, v, bound));
        let repeated = [
            "gopher-duplicate-5grams",
            "gopher-duplicate-6grams",
            "gopher-duplicate-7grams",
            "gopher-duplicate-8grams",
            "gopher-duplicate-9grams",
            "gopher-duplicate-10grams",
        ];
        let first = [
            less("gopher-too-few-words", a.word_count as f64, self.min_words as f64),
            more("gopher-too-many-words", a.word_count as f64, self.max_words as f64),
            less("gopher-short-words", a.median_word_length, self.min_median_word_length),
            more("gopher-long-words", a.median_word_length, self.max_median_word_length),
            more("gopher-symbols", a.symbol_to_word_ratio, self.symbol_to_word_ratio),
            less("gopher-words-without-letters", a.words_with_letter, self.words_with_letter),
            less("gopher-required-words", a.required_word_count as f64, self.required_words as f64),
            more("gopher-bullet-lines", a.bullet_lines, self.bullet_lines),
            more("gopher-ellipsis-lines", a.ellipsis_lines, self.ellipsis_lines),
            more("gopher-duplicate-lines", a.duplicate_lines, self.duplicate_lines),
            more("gopher-duplicate-line-characters", a.duplicate_line_characters, self.duplicate_line_characters),
            maybe("gopher-top-2gram", a.top_ngrams[0], self.top_2gram),
            maybe("gopher-top-3gram", a.top_ngrams[1], self.top_3gram),
            maybe("gopher-top-4gram", a.top_ngrams[2], self.top_4gram),
        ];
        let then = [0, 1, 2, 3, 4, 5].map(|i| maybe(repeated[i], a.duplicate_ngrams[i], self.duplicate_ngrams[i]));
        first.into_iter().chain(then)
    }

    /// The first rule that `attributes` break.
    #[must_use]
    pub fn reason(&self, attributes: &Attributes) -> Option<Reason> {
        self.rules(attributes).flatten().next()
    }

    /// The numbers, from 0 in dolma's order, of all rules that `attributes` break.
    #[must_use]
    pub fn broken(&self, attributes: &Attributes) -> Vec<usize> {
        self.rules(attributes).enumerate().filter_map(|(i, reason)| reason.map(|_| i)).collect()
    }
}
