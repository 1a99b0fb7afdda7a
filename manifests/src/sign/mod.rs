//! Signatures: keys, DSSE envelopes, in-toto statements and model signatures. They say who signed which bytes;
//! whether that key may sign them is [`crate::trust`]'s.

pub mod dsse;
pub mod key;
pub mod oms;
pub mod statement;

pub use dsse::{Envelope, Verified};
pub use key::{KeyId, PrivateKey, PublicKey};
pub use oms::{SignedFolder, sign_folder, verify_folder};
pub use statement::{Record, Statement, Subject};

#[cfg(test)]
mod tests;
