//! The documents of a closed set as its own ledger has them: what the owner's commitments are over.

use std::path::Path;

use arrow::array::{Array, FixedSizeBinaryArray, StringArray, UInt64Array};
use arrow::record_batch::RecordBatch;
use manifests::ledger::Decision;
use manifests::manifest::SetManifest;
use manifests::merkle::{DocumentLeaf, root_of};

use crate::columns::{column, doc_id};
use crate::error::{Error, Result};
use crate::table::read;

/// The kept and held-out documents of a set, sorted by id. The ledger's files must be those that the manifest names.
///
/// # Errors
/// [`Error::Record`] when their root is not the manifest's.
pub(super) fn of(root: &Path, manifest: &SetManifest) -> Result<Vec<DocumentLeaf>> {
    let mut leaves = Vec::new();
    for file in manifest.evidence.iter().filter(|f| f.path.as_str().starts_with("ledger/")) {
        for batch in read(&file.path.beneath(root))? {
            rows(&batch?, manifest.set.as_str(), &mut leaves)?;
        }
    }
    leaves.sort_by_key(|leaf| leaf.doc_id);
    if root_of(&leaves)? != manifest.documents_root {
        let what = "the ledger's documents are not those of the manifest [FM-T-007 digest-mismatch]";
        return Err(manifests::Error::verification(root.join("sets").join(manifest.set.as_str()), what).into());
    }
    Ok(leaves)
}

fn rows(batch: &RecordBatch, set: &str, leaves: &mut Vec<DocumentLeaf>) -> Result<()> {
    let text = |name| column::<StringArray>(batch, name);
    let (sets, decisions, digests, cells) = (text("set")?, text("decision")?, text("digest")?, text("cell")?);
    let (ids, tokens): (&FixedSizeBinaryArray, &UInt64Array) = (column(batch, "doc_id")?, column(batch, "n_tokens")?);
    for row in 0..batch.num_rows() {
        if sets.value(row) != set || decisions.value(row) == Decision::Dropped.as_str() {
            continue;
        }
        let n_tokens = u32::try_from(tokens.value(row)).ok();
        let known = (digests.is_valid(row) && cells.is_valid(row)).then_some(()).and(n_tokens);
        let n_tokens = known.ok_or_else(|| Error::Unbalanced("a kept document has no digest or cell".to_owned()))?;
        leaves.push(DocumentLeaf {
            doc_id: doc_id(ids, row)?,
            text: digests.value(row).parse()?,
            cell: cells.value(row).parse()?,
            n_tokens,
        });
    }
    Ok(())
}
