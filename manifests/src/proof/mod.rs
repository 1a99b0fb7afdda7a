//! Proofs that stand alone: that a document, text or file is in a set, or that it is not, with the signed manifest
//! whose root says so. A proof is not signed itself: what it rests on is, and anybody can make the same proof again.
//! Of a closed set its owner alone makes one (semantics.md §5). How one is checked is in `check`.

mod check;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::closed::CommitmentLeaf;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::id::{DocId, SetName};
use crate::merkle::{DocumentLeaf, FileLeaf, Inclusion, Lookup, TextLeaf, TreeRoot};
use crate::sign::Envelope;
use crate::store::{RelPath, read_capped, write_atomic};

pub use check::Checked;

const KIND: &str = "proof";

/// What is asked of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Is this document in it?
    Document(DocId),
    /// Is a text with this normalised digest in it?
    Text(Sha256),
    /// Is this shard one of its files?
    File(RelPath),
}

/// What is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is there.
    Included,
    /// It is not.
    Absent,
}

/// A signed record, whole, and the digest by which others name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// The digest of the payload.
    pub digest: Sha256,
    /// The record with its signatures.
    pub envelope: Envelope,
}

impl Carried {
    /// An envelope with its payload's digest.
    ///
    /// # Errors
    /// Those of [`Envelope::peek_unverified`].
    pub fn new(envelope: Envelope) -> Result<Self> {
        Ok(Self { digest: Sha256::of(envelope.peek_unverified()?), envelope })
    }
}

/// The opening of one keyed commitment of a closed set: it opens no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The document that was committed to.
    pub document: DocumentLeaf,
    /// The key of this one commitment, derived from the owner's secret for this document.
    pub key: Sha256,
    /// Where the commitment stands.
    pub commitment: Inclusion<CommitmentLeaf>,
}

/// The leaves and paths that lead to a root of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// To `documents_root`.
    Documents(Lookup<DocumentLeaf>),
    /// To `texts_root`.
    Texts(Lookup<TextLeaf>),
    /// To `files_root`.
    Files(Lookup<FileLeaf>),
    /// To `commitments_root` of a closed set's public manifest.
    Opening(Opening),
}

impl Evidence {
    /// The member of the manifest that it leads to.
    #[must_use]
    pub const fn tree(&self) -> &'static str {
        match self {
            Self::Documents(_) => "documents_root",
            Self::Texts(_) => "texts_root",
            Self::Files(_) => "files_root",
            Self::Opening(_) => "commitments_root",
        }
    }
}

/// A proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Always `flexmix/proof/v1`.
    pub schema: String,
    /// The set that was asked.
    pub set: SetName,
    /// What was asked.
    pub question: Question,
    /// What is proved.
    pub answer: Answer,
    /// The manifest with the root; the public one of a closed set where a commitment is opened.
    pub manifest: Carried,
    /// The root that `evidence` leads to, as the manifest names it.
    pub root: TreeRoot,
    /// The way there.
    pub evidence: Evidence,
    /// Where `manifest` is a closed set's full one: the public manifest, which commits to it.
    pub public: Option<Carried>,
}

impl Proof {
    /// The schema of the newest version.
    pub const SCHEMA: &str = "flexmix/proof/v1";

    /// Reads a proof; checks its form alone.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Malformed`] for anything but the one spelling of a proof.
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_slice(path, &read_capped(path, canonical::MAX_BYTES as u64)?)
    }

    /// Parses a proof; `path` is named in errors.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_slice(path: &Path, bytes: &[u8]) -> Result<Self> {
        let value = canonical::parse_strict(KIND, path, bytes)?;
        let schema = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
        if schema != Self::SCHEMA {
            return Err(Error::malformed(KIND, path, format!("it is `{schema}`; supported is `{}`", Self::SCHEMA)));
        }
        let proof: Self = canonical::from_slice(KIND, path, bytes)?;
        if proof.to_vec()? != bytes {
            return Err(Error::malformed(KIND, path, "it is not written as this version writes it"));
        }
        Ok(proof)
    }

    /// The proof as canonical JSON.
    ///
    /// # Errors
    /// [`Error::Contract`] when it has no canonical form.
    pub fn to_vec(&self) -> Result<Vec<u8>> {
        canonical::to_vec(self)
    }

    /// Publishes the proof at `path`, atomically.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        write_atomic(path, &self.to_vec()?)
    }
}
