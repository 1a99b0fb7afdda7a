//! The manifest of a set: its shards, its exposure by cell, its roots and what made it. Signed by the builder. The
//! payload holds no time, path of a machine, host or thread count: the same recipe and inputs give the same digest.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::exposure::{Cell, CellCount, TokenTotal};
use crate::id::{SetName, SourceId};
use crate::merkle::{FileLeaf, TreeRoot, root_of};
use crate::shard::ShardEntry;
use crate::sign::Record;
use crate::store::check_distinct;

/// The stage that stands in the manifest of a set that was rebuilt from its own shards after a withdrawal.
pub const REBUILD_STAGE: &str = "rebuild";

/// Who may read a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Anybody.
    Public,
    /// Its owner only (semantics.md §5).
    Closed,
}

/// The tokenizer that a set's tokens are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerRef {
    /// Its name: `dolma2`, or `trained:SET`.
    pub name: String,
    /// The digest of its `tokenizer.json`.
    pub digest: Sha256,
    /// The number of token ids.
    pub vocabulary: u32,
    /// The id that ends a document.
    pub eos: u32,
}

/// Documents and tokens of one cell of the manifest's cell table in one shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardCell {
    /// The index in [`SetManifest::cells`].
    pub cell: u32,
    /// Documents.
    pub documents: u64,
    /// Tokens × copies.
    pub tokens: u64,
}

/// A shard as its set's manifest knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestShard {
    /// The file.
    pub file: ShardEntry,
    /// What it holds, by cell, in the order of the cell table.
    pub cells: Vec<ShardCell>,
}

/// A source as its set's manifest knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRef {
    /// Its id.
    pub id: SourceId,
    /// Its title.
    pub title: String,
    /// The digest of the object that it was read from, when it is one file.
    pub object: Option<Sha256>,
}

/// What became of a set's input documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Funnel {
    /// Documents and failed records read.
    pub read: u64,
    /// Kept for training.
    pub kept: u64,
    /// Kept for evaluation.
    pub held_out: u64,
    /// Dropped, by reason name.
    pub dropped: BTreeMap<String, u64>,
}

impl Funnel {
    /// Whether every document read is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        let parts = [self.kept, self.held_out].into_iter().chain(self.dropped.values().copied());
        sum(parts) == Some(self.read)
    }
}

/// The sum, where it has 64 bits: what a record says of itself may be a lie.
fn sum(parts: impl IntoIterator<Item = u64>) -> Option<u64> {
    parts.into_iter().try_fold(0u64, u64::checked_add)
}

/// The manifest of one set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetManifest {
    /// Always `flexmix/set-manifest/v1`.
    pub schema: String,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// The recipe's name.
    pub corpus: String,
    /// The set.
    pub set: SetName,
    /// Who may read it.
    pub access: Access,
    /// The digest of the recipe's exact bytes.
    pub recipe: Sha256,
    /// The digest of the admission policy's exact bytes.
    pub policy: Sha256,
    /// The build of flexmix that wrote it.
    pub build: String,
    /// The version of each stage; equal versions give equal documents and texts roots in any build.
    pub stages: BTreeMap<String, u32>,
    /// The tokenizer.
    pub tokenizer: TokenizerRef,
    /// The sources.
    pub sources: Vec<SourceRef>,
    /// Exposure of the training shards, by cell; a row's `cell` is an index into this table.
    pub cells: Vec<CellCount>,
    /// The tier of each cell.
    pub tiers: Vec<String>,
    /// The tiers that anchor, tokenizer and public contrast read; empty for a set that is not the public one.
    pub anchor_tiers: Vec<String>,
    /// The shards, training and held-out.
    pub shards: Vec<ManifestShard>,
    /// Training documents.
    pub documents: u64,
    /// Training tokens × copies, without end-of-document tokens.
    pub tokens: u64,
    /// What became of the input.
    pub funnel: Funnel,
    /// Root over the documents, sorted by id.
    pub documents_root: TreeRoot,
    /// Root over the normalised texts' digests, sorted.
    pub texts_root: TreeRoot,
    /// Root over the shards, sorted by path.
    pub files_root: TreeRoot,
    /// The files of ledger and claims that are of this set's sources, by path beneath the corpus: why each document is
    /// here or not is as fixed as the shards are.
    pub evidence: Vec<FileLeaf>,
    /// Root over `evidence`.
    pub evidence_root: TreeRoot,
}

impl Record for SetManifest {
    const KIND: &'static str = "set-manifest";
    const VERSION: u32 = 1;
}

impl SetManifest {
    /// The cells that a shard holds, training or held-out: all, but that a rebuild keeps the numbers of those that it
    /// emptied.
    #[must_use]
    pub fn held_cells(&self) -> Vec<&CellCount> {
        let held: BTreeSet<u32> = self.shards.iter().flat_map(|s| s.cells.iter().map(|c| c.cell)).collect();
        (0..).zip(&self.cells).filter(|(i, _)| held.contains(i)).map(|(_, count)| count).collect()
    }

    /// What may be said of the terms of what the set holds outside a closed set.
    #[must_use]
    pub fn outward_cells(&self) -> BTreeSet<Cell> {
        self.held_cells().into_iter().map(|c| c.cell.outward()).collect()
    }

    /// Whether documents were taken out after the set was built: what was made from it then saw more than it says.
    #[must_use]
    pub fn is_rebuilt(&self) -> bool {
        self.stages.contains_key(REBUILD_STAGE)
    }

    /// Checks the laws that hold inside a manifest: cells distinct, sums equal, every cell with its tier, balance,
    /// paths that are distinct wherever they are written.
    ///
    /// # Errors
    /// [`Error::Contract`] that says which law is broken.
    pub fn check(&self) -> Result<()> {
        let law = |what: &str| Err(Error::Contract(format!("manifest of set `{}`: {what}", self.set)));
        if self.cells.windows(2).any(|pair| pair[0].cell >= pair[1].cell) {
            return law("the cell table is not distinct and in canonical order");
        }
        if self.tiers.len() != self.cells.len() {
            return law("not every cell has a tier");
        }
        if !self.funnel.balances() {
            return law("the funnel does not balance");
        }
        check_distinct(self.shards.iter().map(|s| &s.file.path))?;
        check_distinct(self.evidence.iter().map(|f| &f.path))?;
        if root_of(&self.evidence)? != self.evidence_root {
            return law("the evidence root is not that of the ledger and claims files");
        }
        let mut sums = vec![(0u64, 0u64); self.cells.len()];
        for shard in self.shards.iter().filter(|s| s.file.role == crate::shard::Role::Train) {
            for part in &shard.cells {
                let Some(sum) = sums.get_mut(part.cell as usize) else { return law("a shard names no such cell") };
                let added = sum.0.checked_add(part.documents).zip(sum.1.checked_add(part.tokens));
                let Some(added) = added else { return law("the shards' cells add up to more than 64 bits") };
                *sum = added;
            }
        }
        if self.cells.iter().zip(&sums).any(|(c, s)| (c.documents, c.tokens) != (Some(s.0), Some(s.1))) {
            return law("the shards' cells do not add up to the cell table");
        }
        let total = (sum(sums.iter().map(|s| s.0)), sum(sums.iter().map(|s| s.1)));
        if total != (Some(self.documents), Some(self.tokens)) {
            law("the cells do not add up to the totals")
        } else {
            Ok(())
        }
    }
}

/// What may be said of a closed set outside its owner's house (semantics.md §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicManifest {
    /// Always `flexmix/public-manifest/v2`.
    pub schema: String,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// The recipe's name.
    pub corpus: String,
    /// The set.
    pub set: SetName,
    /// Terms, state and basis of its cells, without counts or origin.
    pub cells: Vec<Cell>,
    /// The upper bound of the decade that its training tokens lie in.
    pub tokens: TokenTotal,
    /// Root over keyed commitments to each document; how many there are is not said (version 1 said it).
    pub commitments_root: Sha256,
    /// HMAC of the full manifest's payload digest under the owner's secret.
    pub full: Sha256,
}

impl Record for PublicManifest {
    const KIND: &'static str = "public-manifest";
    const VERSION: u32 = 2;

    fn upgrade(version: u32, old: &Value) -> Option<Value> {
        let mut new = old.clone();
        let tree: TreeRoot = serde_json::from_value(new.get("commitments_root")?.clone()).ok()?;
        new["commitments_root"] = serde_json::to_value(tree.root).ok()?;
        new["schema"] = Self::schema().into();
        (version == 1).then_some(new)
    }
}

impl PublicManifest {
    /// Checks the laws of what may leave: cells distinct, in order and without origin; a bound that is a decade's.
    ///
    /// # Errors
    /// [`Error::Contract`] that says which law is broken.
    pub fn check(&self) -> Result<()> {
        let law = |what: &str| Err(Error::Contract(format!("public manifest of set `{}`: {what}", self.set)));
        if self.cells.windows(2).any(|pair| pair[0] >= pair[1]) {
            return law("the cells are not distinct and in canonical order");
        }
        if self.cells.iter().any(|cell| *cell != cell.outward()) {
            return law("a cell says more than terms, state and basis");
        }
        let is_bucket = matches!(self.tokens, TokenTotal::AtMost(bound) if TokenTotal::bucket(bound) == self.tokens);
        if is_bucket { Ok(()) } else { law("its tokens are not bounded by a power of ten") }
    }

    /// Checks that it says of the closed set `full` what may be said, and nothing else.
    ///
    /// # Errors
    /// [`Error::Contract`] that says what differs.
    pub fn check_against(&self, full: &SetManifest) -> Result<()> {
        let law = |what: &str| Err(Error::Contract(format!("public manifest of set `{}`: {what}", self.set)));
        self.check()?;
        if full.access != Access::Closed {
            return law("the set is not closed");
        }
        if (&self.set, &self.corpus, self.demo) != (&full.set, &full.corpus, full.demo) {
            return law("it is of another set or corpus than the full manifest");
        }
        if !self.cells.iter().eq(&full.outward_cells()) {
            return law("its terms are not those of the full manifest");
        }
        if self.tokens != TokenTotal::bucket(full.tokens) {
            return law("its bound on tokens is not the decade of the full manifest's total");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public() -> PublicManifest {
        PublicManifest {
            schema: PublicManifest::schema(),
            demo: false,
            corpus: "corpus".into(),
            set: "notes".parse().unwrap(),
            cells: vec![Cell::unknown()],
            tokens: TokenTotal::bucket(12_345),
            commitments_root: Sha256::of(b"root"),
            full: Sha256::of(b"full"),
        }
    }

    #[test]
    fn what_says_more_than_may_leave_is_refused() {
        public().check().unwrap();
        let mut told = public();
        told.cells[0].sources.insert("notes".parse().unwrap());
        assert!(told.check().unwrap_err().to_string().contains("says more"));
        let mut told = public();
        told.tokens = TokenTotal::Exact(12_345);
        assert!(told.check().is_err());
        told.tokens = TokenTotal::AtMost(20_000);
        assert!(told.check().is_err());
    }

    #[test]
    fn the_first_version_is_read_and_its_count_forgotten() {
        let mut old = serde_json::to_value(public()).unwrap();
        old["schema"] = "flexmix/public-manifest/v1".into();
        old["commitments_root"] = serde_json::json!({ "leaves": 170, "root": Sha256::of(b"root") });
        let new: PublicManifest = serde_json::from_value(PublicManifest::upgrade(1, &old).unwrap()).unwrap();
        assert_eq!(new, public());
        old["commitments_root"]["more"] = 1.into();
        assert!(PublicManifest::upgrade(1, &old).is_none());
    }
}
