//! `length`: bounds on bytes and white-space separated words. Not a reference's filter; absent bounds test nothing.

use serde::{Deserialize, Serialize};

use super::chain::{Filter, Text};
use super::facts::{FactColumn, Outcome, Reason};

/// Inclusive bounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LengthThresholds {
    /// Fewest bytes of UTF-8.
    pub min_bytes: Option<u64>,
    /// Most bytes.
    pub max_bytes: Option<u64>,
    /// Fewest words.
    pub min_words: Option<u64>,
    /// Most words.
    pub max_words: Option<u64>,
}

impl Filter for LengthThresholds {
    fn columns(&self) -> Vec<FactColumn> {
        ["length_bytes", "length_words"].map(FactColumn::number).to_vec()
    }

    fn apply(&self, text: &Text<'_>) -> Outcome {
        let counts = text.counts();
        let missed = |code, value: u64, bound: u64| Reason::missed(code, value as f64, bound as f64);
        let below = |code, value, bound: Option<u64>| bound.filter(|b| value < *b).map(|b| missed(code, value, b));
        let above = |code, value, bound: Option<u64>| bound.filter(|b| value > *b).map(|b| missed(code, value, b));
        let reason = below("length-too-few-bytes", counts.bytes, self.min_bytes)
            .or_else(|| above("length-too-many-bytes", counts.bytes, self.max_bytes))
            .or_else(|| below("length-too-few-words", counts.words, self.min_words))
            .or_else(|| above("length-too-many-words", counts.words, self.max_words));
        let values = [counts.bytes, counts.words].map(|n| Some((n as f64).into())).to_vec();
        Outcome { values, reason, edited: None }
    }
}
