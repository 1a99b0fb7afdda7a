//! `gopher-quality@datatrove`: Gopher's quality rules as datatrove 0.10.0's `GopherQualityFilter` decides them. Words
//! are spaCy's, punctuation among them. A reason's name is datatrove's with `-` for `_`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::chain::{Filter, Text};
use super::facts::{FactColumn, Outcome, Reason};
use super::python;
use crate::characters::SETS;

/// The thresholds; 0 switches a rule off, as in the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GopherQualityThresholds {
    /// Fewest words that are not punctuation alone.
    pub min_doc_words: u64,
    /// Most of them.
    pub max_doc_words: u64,
    /// Least mean length of them, in characters.
    pub min_avg_word_length: f64,
    /// Greatest mean length.
    pub max_avg_word_length: f64,
    /// Most `#`, or ellipses, to a word.
    pub max_symbol_word_ratio: f64,
    /// Largest share of lines that begin with a bullet.
    pub max_bullet_lines_ratio: f64,
    /// Largest share of lines that end with an ellipsis.
    pub max_ellipsis_lines_ratio: f64,
    /// Least share of words with a letter. The reference calls it so and asks for at least this share.
    pub max_non_alpha_words_ratio: f64,
    /// Fewest different stop words.
    pub min_stop_words: u64,
    /// The stop words.
    pub stop_words: BTreeSet<String>,
}

impl Default for GopherQualityThresholds {
    fn default() -> Self {
        Self {
            min_doc_words: 50,
            max_doc_words: 100_000,
            min_avg_word_length: 3.0,
            max_avg_word_length: 10.0,
            max_symbol_word_ratio: 0.1,
            max_bullet_lines_ratio: 0.9,
            max_ellipsis_lines_ratio: 0.3,
            max_non_alpha_words_ratio: 0.8,
            min_stop_words: 2,
            stop_words: ["the", "be", "to", "of", "and", "that", "have", "with"].map(str::to_owned).into(),
        }
    }
}

const COLUMNS: [&str; 8] = [
    "gopher_quality_words",
    "gopher_quality_word_length",
    "gopher_quality_hash_ratio",
    "gopher_quality_ellipsis_ratio",
    "gopher_quality_bullet_lines",
    "gopher_quality_ellipsis_lines",
    "gopher_quality_alpha_ratio",
    "gopher_quality_stop_words",
];

impl GopherQualityThresholds {
    fn measure(&self, text: &Text<'_>) -> [f64; 8] {
        let words: Vec<&str> = text.words().iter().map(|span| &text.as_str()[span.clone()]).collect();
        let (mut real, mut characters, mut letters) = (0u64, 0u64, 0u64);
        let mut met = vec![false; self.stop_words.len()];
        for word in &words {
            if word.chars().any(|c| !SETS.all_punctuation.has(c)) {
                real += 1;
                characters += python::len(word);
            }
            letters += u64::from(word.chars().any(|c| c.is_ascii_alphabetic() || SETS.letter.has(c)));
            self.stop_words.iter().zip(&mut met).for_each(|(stop, met)| *met |= stop == word);
        }
        let whole = text.as_str();
        let (mut lines, mut bullets, mut ellipses) = (0u64, 0u64, 0u64);
        for line in python::lines(whole) {
            lines += 1;
            bullets += u64::from(line.trim_start_matches(python::is_space).starts_with(['•', '-']));
            let end = line.trim_end_matches(python::is_space);
            ellipses += u64::from(end.ends_with("...") || end.ends_with('…'));
        }
        let count = |part: &str| whole.matches(part).count() as f64;
        let (words, lines) = (words.len() as f64, lines as f64);
        [
            real as f64,
            characters as f64 / real as f64,
            count("#") / words,
            (count("...") + count("…")) / words,
            bullets as f64 / lines,
            ellipses as f64 / lines,
            letters as f64 / words,
            met.iter().filter(|met| **met).count() as f64,
        ]
    }
}

impl Filter for GopherQualityThresholds {
    fn columns(&self) -> Vec<FactColumn> {
        COLUMNS.map(FactColumn::number).to_vec()
    }

    fn apply(&self, text: &Text<'_>) -> Outcome {
        let found = self.measure(text);
        let [words, length, hashes, dots, bullets, ends, letters, stops] = found;
        // A value that is no number breaks no rule.
        let below =
            |code, value: f64, bound: f64| (bound > 0.0 && value < bound).then(|| Reason::missed(code, value, bound));
        let above =
            |code, value: f64, bound: f64| (bound > 0.0 && value > bound).then(|| Reason::missed(code, value, bound));
        let reason = below("gopher-short-doc", words, self.min_doc_words as f64)
            .or_else(|| above("gopher-long-doc", words, self.max_doc_words as f64))
            .or_else(|| below("gopher-below-avg-threshold", length, self.min_avg_word_length))
            .or_else(|| above("gopher-above-avg-threshold", length, self.max_avg_word_length))
            .or_else(|| above("gopher-too-many-hashes", hashes, self.max_symbol_word_ratio))
            .or_else(|| above("gopher-too-many-ellipsis", dots, self.max_symbol_word_ratio))
            .or_else(|| above("gopher-too-many-bullets", bullets, self.max_bullet_lines_ratio))
            .or_else(|| above("gopher-too-many-end-ellipsis", ends, self.max_ellipsis_lines_ratio))
            .or_else(|| below("gopher-below-alpha-threshold", letters, self.max_non_alpha_words_ratio))
            .or_else(|| below("gopher-enough-stop-words", stops, self.min_stop_words as f64));
        let values = found.map(|value| value.is_finite().then(|| value.into())).to_vec();
        Outcome { values, reason, edited: None }
    }
}
