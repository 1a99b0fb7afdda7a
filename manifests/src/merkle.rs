//! Merkle commitments to sorted leaves, with the hashing of RFC 6962 (leaf 0x00, node 0x01): roots in O(log n) memory,
//! proofs that a leaf is there, and proofs that none is, by its two neighbours. Knows leaves, not where they come from.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::digest::{Hasher, Sha256};
use crate::error::{Error, Result};
use crate::id::DocId;
use crate::store::RelPath;

/// Something that stands in a tree at the place of its key.
pub trait Leaf {
    /// What the leaves are sorted by; no two are equal.
    type Key: Ord;

    /// The leaf's place.
    fn key(&self) -> Self::Key;

    /// Feeds the leaf's bytes, which start with its kind so that no leaf of one kind is one of another.
    fn feed(&self, hasher: &mut Hasher);

    /// SHA-256 over 0x00 and the leaf's bytes.
    fn hash(&self) -> Sha256 {
        let mut hasher = Hasher::new();
        hasher.update(&[0]);
        self.feed(&mut hasher);
        hasher.finish()
    }
}

/// A document of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentLeaf {
    /// The document.
    pub doc_id: DocId,
    /// Digest of its normalised text.
    pub text: Sha256,
    /// Digest of its exposure cell's key.
    pub cell: Sha256,
    /// Its tokens as stored, once.
    pub n_tokens: u32,
}

impl Leaf for DocumentLeaf {
    type Key = DocId;

    fn key(&self) -> DocId {
        self.doc_id
    }

    fn feed(&self, hasher: &mut Hasher) {
        hasher.field(b"flexmix/leaf/document/1");
        hasher.field(self.doc_id.as_bytes());
        hasher.field(self.text.as_bytes());
        hasher.field(self.cell.as_bytes());
        hasher.field(&self.n_tokens.to_le_bytes());
    }
}

/// A normalised text that a set holds at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextLeaf {
    /// Digest of the normalised text.
    pub text: Sha256,
}

impl Leaf for TextLeaf {
    type Key = Sha256;

    fn key(&self) -> Sha256 {
        self.text
    }

    fn feed(&self, hasher: &mut Hasher) {
        hasher.field(b"flexmix/leaf/text/1");
        hasher.field(self.text.as_bytes());
    }
}

/// A file of a set or of an expert's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLeaf {
    /// Its path beneath the folder.
    pub path: RelPath,
    /// Its bytes' number.
    pub length: u64,
    /// Its bytes' digest.
    pub digest: Sha256,
}

impl Leaf for FileLeaf {
    type Key = RelPath;

    fn key(&self) -> RelPath {
        self.path.clone()
    }

    fn feed(&self, hasher: &mut Hasher) {
        hasher.field(b"flexmix/leaf/file/1");
        hasher.field(self.path.as_str().as_bytes());
        hasher.field(&self.length.to_le_bytes());
        hasher.field(self.digest.as_bytes());
    }
}

/// A commitment to a list of leaves. Both members must be signed: a proof is checked against both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeRoot {
    /// How many leaves.
    pub leaves: u64,
    /// The root; of no leaves, SHA-256 of nothing.
    pub root: Sha256,
}

/// Computes a root while leaves stream by in key order.
#[derive(Debug)]
pub struct RootBuilder<L: Leaf> {
    /// Full subtrees, largest first: (height, hash).
    stack: Vec<(u32, Sha256)>,
    leaves: u64,
    last: Option<L::Key>,
}

impl<L: Leaf> Default for RootBuilder<L> {
    fn default() -> Self {
        Self { stack: Vec::new(), leaves: 0, last: None }
    }
}

impl<L: Leaf> RootBuilder<L> {
    /// A tree of no leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next leaf.
    ///
    /// # Errors
    /// [`Error::Contract`] when its key is not above the last one's.
    pub fn push(&mut self, leaf: &L) -> Result<()> {
        let key = leaf.key();
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(Error::Contract(format!("leaf {} of a tree is not above the one before it", self.leaves)));
        }
        self.last = Some(key);
        self.leaves += 1;
        let (mut height, mut hash) = (0, leaf.hash());
        while let Some((_, left)) = self.stack.pop_if(|(h, _)| *h == height) {
            (height, hash) = (height + 1, node(left, hash));
        }
        self.stack.push((height, hash));
        Ok(())
    }

    /// The root of what was added.
    #[must_use]
    pub fn finish(self) -> TreeRoot {
        let root = self.stack.into_iter().rev().map(|(_, hash)| hash).reduce(|right, left| node(left, right));
        TreeRoot { leaves: self.leaves, root: root.unwrap_or_else(|| Sha256::of(b"")) }
    }
}

/// The root over leaves that are in key order.
///
/// # Errors
/// [`Error::Contract`] when they are not.
pub fn root_of<'a, L: Leaf + 'a>(leaves: impl IntoIterator<Item = &'a L>) -> Result<TreeRoot> {
    let mut builder = RootBuilder::new();
    leaves.into_iter().try_for_each(|leaf| builder.push(leaf))?;
    Ok(builder.finish())
}

/// A tree in memory, which proves. It keeps one digest for each leaf beside the leaves.
#[derive(Debug)]
pub struct Tree<L: Leaf> {
    leaves: Vec<L>,
    hashes: Vec<Sha256>,
    root: TreeRoot,
}

impl<L: Leaf + Clone> Tree<L> {
    /// Sorts the leaves and commits to them.
    ///
    /// # Errors
    /// [`Error::Contract`] when two have one key.
    pub fn new(mut leaves: Vec<L>) -> Result<Self> {
        leaves.sort_by_key(Leaf::key);
        let root = root_of(&leaves)?;
        let hashes = leaves.iter().map(Leaf::hash).collect();
        Ok(Self { leaves, hashes, root })
    }

    /// The commitment.
    #[must_use]
    pub const fn root(&self) -> TreeRoot {
        self.root
    }

    /// The leaves in key order.
    #[must_use]
    pub fn leaves(&self) -> &[L] {
        &self.leaves
    }

    /// The proof for leaf `index`, or nothing beyond the last.
    #[must_use]
    pub fn prove(&self, index: usize) -> Option<Inclusion<L>> {
        let leaf = self.leaves.get(index)?.clone();
        let mut path = Vec::new();
        climb(&self.hashes, index, &mut path);
        Some(Inclusion { leaf, index: index as u64, path })
    }

    /// The proof that a key is there, or that it is not.
    #[must_use]
    pub fn look_up(&self, key: &L::Key) -> Lookup<L> {
        match self.leaves.binary_search_by(|leaf| leaf.key().cmp(key)) {
            Ok(index) => Lookup { before: None, at: self.prove(index), after: None },
            Err(index) => {
                let before = index.checked_sub(1).and_then(|i| self.prove(i));
                Lookup { before, at: None, after: self.prove(index) }
            }
        }
    }
}

/// A leaf and the hashes that lead from it to the root, nearest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion<L> {
    /// The leaf.
    pub leaf: L,
    /// Its place among the leaves, from 0.
    pub index: u64,
    /// The siblings on the way up.
    pub path: Vec<Sha256>,
}

impl<L: Leaf> Inclusion<L> {
    /// Whether the leaf stands at its place under `root` (RFC 9162 §2.1.3.2).
    #[must_use]
    pub fn holds(&self, root: &TreeRoot) -> bool {
        if self.index >= root.leaves {
            return false;
        }
        let (mut index, mut last) = (self.index, root.leaves - 1);
        let mut hash = self.leaf.hash();
        for sibling in &self.path {
            if last == 0 {
                return false;
            }
            if index % 2 == 1 || index == last {
                hash = node(*sibling, hash);
                while index % 2 == 0 && index != 0 {
                    (index, last) = (index >> 1, last >> 1);
                }
            } else {
                hash = node(hash, *sibling);
            }
            (index, last) = (index >> 1, last >> 1);
        }
        last == 0 && hash == root.root
    }
}

/// The answer to "is this key there": the leaf, or the two neighbours between which it would stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup<L> {
    /// The nearest leaf below the key, when the key is absent and there is one.
    pub before: Option<Inclusion<L>>,
    /// The leaf with the key, when it is present.
    pub at: Option<Inclusion<L>>,
    /// The nearest leaf above the key, when the key is absent and there is one.
    pub after: Option<Inclusion<L>>,
}

impl<L: Leaf> Lookup<L> {
    /// `Some(true)` when this proves that `key` is under `root`, `Some(false)` when it proves that it is not, and
    /// nothing when it proves nothing.
    #[must_use]
    pub fn proves(&self, key: &L::Key, root: &TreeRoot) -> Option<bool> {
        let holds = |side: &Inclusion<L>, order| side.holds(root) && side.leaf.key().cmp(key) == order;
        match (&self.before, &self.at, &self.after) {
            (None, Some(at), None) => holds(at, Ordering::Equal).then_some(true),
            (None, None, None) => (root.leaves == 0 && root.root == Sha256::of(b"")).then_some(false),
            (None, None, Some(after)) => (after.index == 0 && holds(after, Ordering::Greater)).then_some(false),
            (Some(before), None, None) => {
                (before.index + 1 == root.leaves && holds(before, Ordering::Less)).then_some(false)
            }
            (Some(before), None, Some(after)) => {
                let adjacent = before.index.checked_add(1) == Some(after.index);
                (adjacent && holds(before, Ordering::Less) && holds(after, Ordering::Greater)).then_some(false)
            }
            (_, Some(_), _) => None,
        }
    }
}

/// SHA-256 over 0x01 and two hashes.
fn node(left: Sha256, right: Sha256) -> Sha256 {
    let mut hasher = Hasher::new();
    hasher.update(&[1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    hasher.finish()
}

/// The root of `hashes`, with the siblings of `index` appended to `path` from the bottom up.
fn climb(hashes: &[Sha256], index: usize, path: &mut Vec<Sha256>) -> Sha256 {
    match hashes {
        [] => Sha256::of(b""),
        [only] => *only,
        _ => {
            // The largest power of two below the number of hashes (RFC 6962 §2.1).
            let split = 1 << (hashes.len() - 1).ilog2();
            let (left, right) = hashes.split_at(split);
            let (inside, beside) = if index < split {
                (climb(left, index, path), subtree(right))
            } else {
                (climb(right, index - split, path), subtree(left))
            };
            path.push(beside);
            if index < split { node(inside, beside) } else { node(beside, inside) }
        }
    }
}

fn subtree(hashes: &[Sha256]) -> Sha256 {
    match hashes {
        [] => Sha256::of(b""),
        [only] => *only,
        _ => {
            let (left, right) = hashes.split_at(1 << (hashes.len() - 1).ilog2());
            node(subtree(left), subtree(right))
        }
    }
}

#[cfg(test)]
mod tests;
