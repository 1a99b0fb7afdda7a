//! The place of a claim that each cell names, mended where an erasure took that claim: another claim on what is left in
//! the cell, or one on a whole source of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use arrow::array::{Array, FixedSizeBinaryArray, StringArray};
use manifests::exposure::CellCount;
use manifests::id::DocId;
use manifests::merkle::DocumentLeaf;

use crate::columns::{column, doc_id};
use crate::error::Result;
use crate::table::read;

/// Kinds of claims that conclude.
const CONCLUDE: [&str; 3] = ["license", "public-domain", "contract"];

/// The first locator of a concluding claim on each document and on each whole source, and every locator there is.
#[derive(Debug, Default)]
struct Left {
    all: BTreeSet<String>,
    documents: BTreeMap<DocId, String>,
    sources: BTreeMap<String, String>,
}

impl Left {
    fn read(files: &[PathBuf]) -> Result<Self> {
        let mut left = Self::default();
        for file in files {
            for batch in read(file)? {
                let batch = batch?;
                let ids: &FixedSizeBinaryArray = column(&batch, "doc_id")?;
                let text = |name| column::<StringArray>(&batch, name);
                let (sources, kinds, locators) = (text("source")?, text("kind")?, text("locator")?);
                for i in 0..batch.num_rows() {
                    let locator = locators.value(i).to_owned();
                    left.all.insert(locator.clone());
                    if !CONCLUDE.contains(&kinds.value(i)) {
                        continue;
                    }
                    let known = if ids.is_valid(i) {
                        left.documents.entry(doc_id(ids, i)?).or_insert_with(|| locator.clone())
                    } else {
                        left.sources.entry(sources.value(i).to_owned()).or_insert_with(|| locator.clone())
                    };
                    if locator < *known {
                        *known = locator;
                    }
                }
            }
        }
        Ok(left)
    }
}

/// Mends cells whose evidence is among `lost`; `claims` are the set's claims files as they are now.
///
/// # Errors
/// A claims file that can't be read.
pub(super) fn mend(
    cells: &mut [CellCount],
    lost: &BTreeSet<String>,
    claims: &[PathBuf],
    documents: &[DocumentLeaf],
) -> Result<()> {
    if lost.is_empty() {
        return Ok(());
    }
    let left = Left::read(claims)?;
    let is_lost = |locator: &String| lost.contains(locator) && !left.all.contains(locator);
    for count in cells.iter_mut().filter(|c| c.evidence.as_ref().is_some_and(is_lost)) {
        let cell = count.cell.digest()?;
        let own = documents.iter().filter(|d| d.cell == cell).filter_map(|d| left.documents.get(&d.doc_id)).min();
        let whole = count.cell.sources.iter().filter_map(|s| left.sources.get(s.as_str())).min();
        count.evidence = own.or(whole).cloned();
    }
    Ok(())
}
