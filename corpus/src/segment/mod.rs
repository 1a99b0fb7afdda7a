//! Texts → words and sentences, as the tools that filters are compared with cut them. `spacy` is spaCy's English
//! tokenizer and sentencizer, token for token; what others take for words (runs without white space, UAX #29) stands
//! beside the filters that use it. Pure functions of the text; knows no filter.

mod affix;
mod sentence;
mod spacy;
mod tables;
mod url;

#[cfg(test)]
mod tests;

pub use sentence::sentences;
pub use spacy::{Span, tokens, words};
