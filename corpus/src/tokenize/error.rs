//! What can be wrong with a tokenizer or with its use.

/// The result of this module's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a tokenizer cannot be built, or cannot do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no `tokenizer.json` that we read.
    #[error("not a readable `tokenizer.json`: {0}")]
    Malformed(String),
    /// The tokenizer is of another kind than byte-level BPE.
    #[error("the tokenizer is not a byte-level BPE, so texts would not survive encoding")]
    NotByteLevel,
    /// No end-of-text token among the special tokens.
    #[error("the tokenizer has no end-of-text token")]
    NoEndOfText,
    /// A text could not be encoded.
    #[error("cannot encode text: {0}")]
    Encode(String),
    /// An id outside the vocabulary.
    #[error("`{id}` is not a token id: the vocabulary has {size}")]
    UnknownId {
        /// The id.
        id: u32,
        /// The vocabulary's size.
        size: usize,
    },
    /// A vocabulary too small for the byte alphabet and the end-of-text token, or too large for u32 ids.
    #[error("a vocabulary of {0} tokens cannot be trained")]
    VocabularySize(usize),
    /// The ranks that the crate ships are not the ones we know.
    #[error("the cl100k ranks are incomplete: {0}")]
    Ranks(String),
}

impl Error {
    /// What to do about it, where there is something to do.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotByteLevel => Some("use a GPT-2, cl100k, Llama 3 or OLMo style tokenizer"),
            Self::NoEndOfText => Some("add `<|endoftext|>` to the file's `added_tokens`"),
            Self::VocabularySize(_) => Some("ask for at least 257 tokens: 256 bytes and the end of text"),
            _ => None,
        }
    }
}
