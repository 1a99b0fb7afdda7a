//! Shards: Parquet files of tokenized documents, one row a document. Written so that equal rows give equal bytes, and
//! read only after length and digest were checked. Any Parquet reader opens them; knows nothing of training.

pub mod reader;
pub mod schema;
pub mod writer;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use reader::{ShardReader, TokenColumns};
pub use schema::schema;
pub use writer::{Limits, ShardWriter};

use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::id::{DocId, SetName, SourceId};
use crate::store::RelPath;

/// What a shard is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Training.
    Train,
    /// Evaluation; nothing else may open it.
    Heldout,
}

/// A shard as a manifest knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardEntry {
    /// Its path beneath the set's folder.
    pub path: RelPath,
    /// What it is for.
    pub role: Role,
    /// Its bytes' number.
    pub length: u64,
    /// Its bytes' digest.
    pub digest: Sha256,
    /// Its documents.
    pub rows: u64,
    /// Its tokens as stored, once.
    pub tokens: u64,
    /// Its row groups.
    pub row_groups: u32,
}

/// A document of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The document.
    pub doc_id: DocId,
    /// Where copies of its text came from, sorted.
    pub source: Vec<SourceId>,
    /// The set.
    pub set: SetName,
    /// The terms tier's label.
    pub tier: String,
    /// The concluded license expression; empty when none was concluded.
    pub license: String,
    /// Who holds rights in it, sorted.
    pub rightsholder: Vec<String>,
    /// Its exposure cell: an index into the manifest's cell table.
    pub cell: u32,
    /// How often training reads it; at least 1.
    pub copies: u32,
    /// Token ids, without end-of-document.
    pub tokens: Vec<u32>,
}

/// What a cell holds, recounted from rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CellTally {
    /// Documents.
    pub documents: u64,
    /// Tokens as stored, once.
    pub stored_tokens: u64,
    /// Tokens × copies.
    pub tokens: u64,
}

/// Documents and tokens by cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellTallies(pub BTreeMap<u32, CellTally>);

impl CellTallies {
    /// Adds a document.
    ///
    /// # Errors
    /// [`Error::Contract`] when a count exceeds 64 bits.
    pub fn add(&mut self, cell: u32, n_tokens: u32, copies: u32) -> Result<()> {
        let tally = self.0.entry(cell).or_default();
        let add = |sum: u64, more: u64| {
            sum.checked_add(more).ok_or_else(|| Error::Contract(format!("the tokens of cell {cell} exceed 64 bits")))
        };
        tally.documents += 1;
        tally.stored_tokens = add(tally.stored_tokens, n_tokens.into())?;
        tally.tokens = add(tally.tokens, u64::from(n_tokens) * u64::from(copies))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
