//! Closed sets: keyed commitments (semantics.md §5). Everything is an HMAC under the owner's secret or under a key
//! derived from it for one document, so that opening one commitment opens no other, and nobody without the secret can
//! test a guess. The secret is a build input: the owner rebuilds the same bytes.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};

use crate::digest::{Hasher, Sha256};
use crate::error::{Error, Result};
use crate::merkle::{DocumentLeaf, Leaf, TreeRoot, root_of};

/// The fewest bytes of a secret.
const MIN_SECRET: usize = 32;

/// The owner's secret.
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads a secret file: its bytes are the secret.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Malformed`] below 32 bytes.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = crate::store::read_capped(path, 1 << 16)?;
        if bytes.len() < MIN_SECRET {
            return Err(Error::malformed("secret", path, "a secret has at least 32 random bytes"));
        }
        Ok(Self(bytes))
    }

    /// The commitment to a whole manifest, by its payload's digest.
    ///
    /// # Errors
    /// [`Error::Contract`] when the secret is unusable as a key.
    pub fn manifest(&self, payload: Sha256) -> Result<Sha256> {
        mac(&self.0, b"flexmix/closed/manifest/1", payload.as_bytes())
    }

    /// The commitment to one document, under a key of its own.
    ///
    /// # Errors
    /// [`Error::Contract`] when the secret is unusable as a key.
    pub fn document(&self, leaf: &DocumentLeaf) -> Result<Sha256> {
        let key = mac(&self.0, b"flexmix/closed/document-key/1", leaf.doc_id.as_bytes())?;
        mac(key.as_bytes(), b"flexmix/closed/document/1", leaf.hash().as_bytes())
    }

    /// The root over the commitments to all documents, sorted by commitment, so that the order says nothing.
    ///
    /// # Errors
    /// As [`Self::document`].
    pub fn root(&self, documents: &[DocumentLeaf]) -> Result<TreeRoot> {
        let leaf = |d| Ok(CommitmentLeaf { commitment: self.document(d)? });
        let mut leaves: Vec<CommitmentLeaf> = documents.iter().map(leaf).collect::<Result<_>>()?;
        leaves.sort_by_key(CommitmentLeaf::key);
        root_of(&leaves)
    }
}

fn mac(key: &[u8], purpose: &[u8], message: &[u8]) -> Result<Sha256> {
    let keyed = Hmac::<sha2::Sha256>::new_from_slice(key);
    let mut keyed = keyed.map_err(|e| Error::Contract(format!("the secret is no key: {e}")))?;
    keyed.update(purpose);
    keyed.update(message);
    Ok(Sha256::from_bytes(keyed.finalize().into_bytes().into()))
}

/// A keyed commitment in the tree of a closed set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitmentLeaf {
    /// The commitment.
    pub commitment: Sha256,
}

impl Leaf for CommitmentLeaf {
    type Key = Sha256;

    fn key(&self) -> Sha256 {
        self.commitment
    }

    fn feed(&self, hasher: &mut Hasher) {
        hasher.field(b"flexmix/leaf/commitment/1");
        hasher.field(self.commitment.as_bytes());
    }
}
