//! Text to token ids and back: byte-level BPE over a `tokenizer.json`, dolma2 built from the cl100k ranks, and a
//! deterministic trainer. Knows nothing of documents, shards or models.

mod alphabet;
mod dolma2;
mod error;
mod file;
mod tokenizer;
mod train;

pub use error::{Error, Result};
pub use tokenizer::{END_OF_TEXT, Tokenizer};
pub use train::train_bpe;

#[cfg(test)]
mod tests;
