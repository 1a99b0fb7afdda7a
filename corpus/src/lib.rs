//! Foreign bytes → documents → facts about documents: source readers, text extraction, claims on terms, filters,
//! tokenization. Pure functions on documents; the one that reads files is [`source`].
//!
//! This crate knows the contract (`manifests`) and nothing of tasks, storage layout, query engines or tensors.

mod characters;
pub mod claims;
pub mod document;
pub mod extract;
pub mod fasttext;
pub mod filter;
pub mod minhash;
pub mod normalize;
pub mod optout;
pub mod segment;
pub mod site;
pub mod source;
pub mod tokenize;
