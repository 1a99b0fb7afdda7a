//! The contract of flexmix: what is recorded, permitted and provable. Ids and digests, claims and conclusions, the
//! license algebra, policy and verdicts, manifests, stamps, signatures and trust, and the shard format.
//!
//! This crate imports nothing of ours and knows nothing of networks, tokenizers, query engines or tensors.
//! Reading order: [`claim`], [`conclusion`], [`license`], [`exposure`], [`policy`], then the records.

pub mod build;
pub mod canonical;
pub mod claim;
pub mod closed;
pub mod conclusion;
pub mod date;
pub mod digest;
pub mod error;
pub mod exposure;
pub mod gate;
pub mod id;
pub mod ledger;
pub mod license;
pub mod manifest;
pub mod memory;
pub mod merkle;
pub mod place;
pub mod plan;
pub mod policy;
pub mod proof;
pub mod publication;
pub mod reason;
pub mod rebuild;
pub mod record;
pub mod records;
pub mod shard;
pub mod sign;
pub mod stamp;
pub mod store;
pub mod suggest;
pub mod tier;
pub mod trust;

pub use error::{Error, Result};
