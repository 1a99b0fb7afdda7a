//! The contract of flexmix: what is recorded, permitted and provable. Ids and digests, claims and conclusions, the
//! license algebra, policy and verdicts, manifests, stamps, signatures and trust, and the shard format.
//!
//! This crate imports nothing of ours and knows nothing of networks, tokenizers, query engines or tensors.
//! Reading order: [`claim`], [`conclusion`], [`license`], [`exposure`], [`policy`], then the records.

pub mod canonical;
pub mod claim;
pub mod conclusion;
pub mod date;
pub mod digest;
pub mod error;
pub mod id;
pub mod license;
pub mod merkle;
pub mod shard;
pub mod sign;
pub mod store;

pub use error::{Error, Result};
