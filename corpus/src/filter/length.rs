//! `length`: bounds on bytes and white-space separated words. Not a reference's filter; absent bounds test nothing.

use serde::{Deserialize, Serialize};

use super::chain::{Counts, Reason};

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

impl LengthThresholds {
    pub(super) fn reason(&self, counts: &Counts) -> Option<Reason> {
        let below = |code, value, bound: Option<u64>| bound.filter(|b| value < *b).map(|b| Reason::of(code, value, b));
        let above = |code, value, bound: Option<u64>| bound.filter(|b| value > *b).map(|b| Reason::of(code, value, b));
        below("length-too-few-bytes", counts.bytes, self.min_bytes)
            .or_else(|| above("length-too-many-bytes", counts.bytes, self.max_bytes))
            .or_else(|| below("length-too-few-words", counts.words, self.min_words))
            .or_else(|| above("length-too-many-words", counts.words, self.max_words))
    }
}
