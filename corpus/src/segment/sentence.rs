//! spaCy's `sentencizer` over its English tokens: a sentence ends after a token that is an end mark and the punctuation
//! behind it.

use super::spacy::{Span, tokens};
use super::tables::{Set, tables};

/// The sentences of a text as datatrove's English `span_tokenize` gives them: from the first token of each to the last,
/// white space that is a token among them.
#[must_use]
pub fn sentences(text: &str) -> Vec<Span> {
    let tables = tables();
    let mut all = Vec::new();
    tokens(text, &mut all);
    let mut found = Vec::new();
    let (mut start, mut ended) = (0, false);
    for (at, token) in all.iter().enumerate() {
        let word = &text[token.clone()];
        let ends = tables.sentence_ends.contains_key(word);
        let is_punctuation = || word.chars().all(|c| tables.has(Set::Punctuation, c));
        if ended && !ends && !is_punctuation() {
            found.push(all[start].start..all[at - 1].end);
            (start, ended) = (at, false);
        } else if ends {
            ended = true;
        }
    }
    if let (Some(first), Some(last)) = (all.get(start), all.last()) {
        found.push(first.start..last.end);
    }
    found
}
