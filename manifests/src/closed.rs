//! Closed sets: keyed commitments (semantics.md §5). Everything is an HMAC under the owner's secret or under a key
//! derived from it for one document, so that opening one commitment opens no other, and nobody without the secret can
//! test a guess. The secret is a build input: the owner rebuilds the same bytes.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};

use crate::digest::{Hasher, Sha256};
use crate::error::{Error, Result};
use crate::id::DocId;
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
        commitment(&self.document_key(leaf.doc_id)?, leaf)
    }

    /// The key that opens the commitment to one document and to no other: nothing of the secret follows from it.
    ///
    /// # Errors
    /// [`Error::Contract`] when the secret is unusable as a key.
    pub fn document_key(&self, document: DocId) -> Result<Sha256> {
        mac(&self.0, b"flexmix/closed/document-key/1", document.as_bytes())
    }

    /// The commitments to all documents, sorted by commitment, so that the order says nothing; among them commitments to
    /// nothing, up to a power of two, so that the length of an opening does not count the documents.
    ///
    /// # Errors
    /// As [`Self::document`].
    pub fn leaves(&self, documents: &[DocumentLeaf]) -> Result<Vec<CommitmentLeaf>> {
        let padding = documents.len().next_power_of_two() - documents.len();
        let nothing = |n: u64| mac(&self.0, b"flexmix/closed/padding/1", &n.to_le_bytes());
        let padding = (0..padding as u64).map(nothing);
        let leaf = |commitment: Result<Sha256>| Ok(CommitmentLeaf { commitment: commitment? });
        let all = documents.iter().map(|d| self.document(d)).chain(padding).map(leaf);
        let mut leaves: Vec<CommitmentLeaf> = all.collect::<Result<_>>()?;
        leaves.sort_by_key(CommitmentLeaf::key);
        Ok(leaves)
    }

    /// The commitments as version 1 of public manifests has them: to the documents alone.
    ///
    /// # Errors
    /// As [`Self::document`].
    pub fn first_leaves(&self, documents: &[DocumentLeaf]) -> Result<Vec<CommitmentLeaf>> {
        let leaf = |d| Ok(CommitmentLeaf { commitment: self.document(d)? });
        let mut leaves: Vec<CommitmentLeaf> = documents.iter().map(leaf).collect::<Result<_>>()?;
        leaves.sort_by_key(CommitmentLeaf::key);
        Ok(leaves)
    }

    /// The root over [`Self::first_leaves`].
    ///
    /// # Errors
    /// As [`Self::document`].
    pub fn first_root(&self, documents: &[DocumentLeaf]) -> Result<TreeRoot> {
        root_of(&self.first_leaves(documents)?)
    }

    /// The root over [`Self::leaves`].
    ///
    /// # Errors
    /// As [`Self::document`].
    pub fn root(&self, documents: &[DocumentLeaf]) -> Result<TreeRoot> {
        root_of(&self.leaves(documents)?)
    }
}

/// The commitment to a document under the key of that document.
///
/// # Errors
/// [`Error::Contract`], never seen: a key of 32 bytes is one.
pub fn commitment(key: &Sha256, leaf: &DocumentLeaf) -> Result<Sha256> {
    mac(key.as_bytes(), b"flexmix/closed/document/1", leaf.hash().as_bytes())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::Tree;

    fn documents(count: u32) -> Vec<DocumentLeaf> {
        let leaf = |n: u32| DocumentLeaf {
            doc_id: DocId::from_bytes([u8::try_from(n).unwrap(); 16]),
            text: Sha256::of(&n.to_le_bytes()),
            cell: Sha256::of(b"cell"),
            n_tokens: n,
        };
        (0..count).map(leaf).collect()
    }

    fn secret(byte: u8) -> Secret {
        Secret(vec![byte; MIN_SECRET])
    }

    #[test]
    fn the_number_of_documents_is_not_told() {
        let sizes = |range: std::ops::RangeInclusive<u32>| -> Vec<u64> {
            range.map(|n| secret(1).root(&documents(n)).unwrap().leaves).collect()
        };
        assert_eq!(sizes(65..=128), vec![128; 64]);
        assert_eq!(sizes(0..=3), [1, 1, 2, 4]);
        assert_eq!(secret(1).first_root(&documents(5)).unwrap().leaves, 5, "as version 1 told it");
    }

    #[test]
    fn the_same_secret_gives_the_same_root_and_another_one_another() {
        let all = documents(100);
        let root = secret(1).root(&all).unwrap();
        assert_eq!(root, secret(1).root(&all).unwrap());
        assert_ne!(root, secret(2).root(&all).unwrap());
        assert_ne!(secret(1).manifest(all[0].text).unwrap(), secret(2).manifest(all[0].text).unwrap());
        let mut changed = all;
        changed[7].n_tokens += 1;
        assert_ne!(root, secret(1).root(&changed).unwrap());
    }

    #[test]
    fn one_document_opens_alone() {
        let (secret, all) = (secret(1), documents(9));
        let root = secret.root(&all).unwrap();
        let tree = Tree::new(secret.leaves(&all).unwrap()).unwrap();
        let lookup = tree.look_up(&secret.document(&all[3]).unwrap());
        assert_eq!(lookup.proves(&secret.document(&all[3]).unwrap(), &root), Some(true));
        // Its key is of no use for another document.
        let key = mac(&secret.0, b"flexmix/closed/document-key/1", all[3].doc_id.as_bytes()).unwrap();
        let guess = mac(key.as_bytes(), b"flexmix/closed/document/1", all[4].hash().as_bytes()).unwrap();
        assert_ne!(guess, secret.document(&all[4]).unwrap());
    }
}
