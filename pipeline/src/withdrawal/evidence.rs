//! Ledger, facts and claims of a set that was rebuilt: taken documents are dropped with the withdrawal's reason, those that
//! stay have their new rows, and an erasure leaves no digest, no id of its own, no fact and no claim. A file in which nothing
//! changes stays the very file that it was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Schema;
use manifests::digest::Sha256;
use manifests::id::DocId;
use manifests::ledger::Decision;
use manifests::merkle::FileLeaf;
use manifests::rebuild::RewrittenFile;

use super::taken::Taken;
use crate::columns::{column, doc_id};
use crate::error::{Error, Result};
use crate::stages::publish::place;
use crate::table::{TableWriter, read};

/// A set's ledger, facts and claims files after the rebuild, and which of them were written anew.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub leaves: Vec<FileLeaf>,
    pub rewritten: Vec<RewrittenFile>,
    pub untouched: Vec<FileLeaf>,
    /// The places of claims that are gone.
    pub lost: BTreeSet<String>,
}

/// Puts the files of a set's evidence into the new corpus.
///
/// # Errors
/// A file that can't be read or written.
pub(super) fn evidence(
    before: &[FileLeaf],
    from: &Path,
    to: &Path,
    taken: &Taken,
    rows: &BTreeMap<DocId, u32>,
) -> Result<Evidence> {
    let mut done = Evidence::default();
    for leaf in before {
        let (old, new) = (leaf.path.beneath(from), leaf.path.beneath(to));
        let batches = read(&old)?.collect::<std::result::Result<Vec<_>, _>>()?;
        let folder = leaf.path.parts().next().unwrap_or_default();
        let mut edit = |batch: &RecordBatch| match folder {
            "ledger" => ledger(batch, taken, rows),
            "facts" => facts(batch, taken),
            // Objects are of sources, whatever became of documents in them.
            "objects" => Ok(None),
            _ => claims(batch, taken, &mut done.lost),
        };
        let edited = batches.iter().map(&mut edit).collect::<Result<Vec<_>>>()?;
        if edited.iter().all(Option::is_none) {
            place(&old, &new)?;
            done.untouched.push(leaf.clone());
            done.leaves.push(leaf.clone());
            continue;
        }
        if let Some(folder) = new.parent() {
            std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        }
        // The columns that it was written with: a ledger of a former build may lack one that this build writes.
        let Some(first) = batches.first() else { continue };
        let mut writer = TableWriter::create(&new, plain(first))?;
        for (old, edited) in batches.into_iter().zip(edited) {
            writer.write(edited.unwrap_or(old))?;
        }
        writer.finish()?;
        let (length, digest) = Sha256::of_file(&new)?;
        done.rewritten.push(RewrittenFile { path: leaf.path.clone(), from: leaf.digest, to: Some(digest) });
        done.leaves.push(FileLeaf { path: leaf.path.clone(), length, digest });
    }
    Ok(done)
}

/// The columns of a file, without what a reader adds to them.
fn plain(batch: &RecordBatch) -> Arc<Schema> {
    Arc::new(Schema::new(batch.schema().fields().clone()))
}

fn ids(batch: &RecordBatch) -> Result<Vec<Option<DocId>>> {
    let ids: &FixedSizeBinaryArray = column(batch, "doc_id")?;
    (0..batch.num_rows()).map(|i| ids.is_valid(i).then(|| doc_id(ids, i)).transpose()).collect()
}

/// Which rows are of no erased document; none when all are.
fn standing(batch: &RecordBatch, taken: &Taken) -> Result<Option<Vec<bool>>> {
    let stays: Vec<bool> = ids(batch)?.iter().map(|id| id.is_none_or(|id| !taken.erased.contains_key(&id))).collect();
    Ok(if stays.iter().all(|s| *s) { None } else { Some(stays) })
}

/// The batch without the facts about erased documents, when it has any.
fn facts(batch: &RecordBatch, taken: &Taken) -> Result<Option<RecordBatch>> {
    let Some(stays) = standing(batch, taken)? else { return Ok(None) };
    Ok(Some(filter_record_batch(batch, &BooleanArray::from(stays))?))
}

/// The batch without the claims on erased documents, when it has any.
fn claims(batch: &RecordBatch, taken: &Taken, lost: &mut BTreeSet<String>) -> Result<Option<RecordBatch>> {
    let Some(stays) = standing(batch, taken)? else { return Ok(None) };
    let locators: &StringArray = column(batch, "locator")?;
    let gone = stays.iter().zip(locators.iter().flatten()).filter(|(stays, _)| !**stays);
    lost.extend(gone.map(|(_, locator)| locator.to_owned()));
    Ok(Some(filter_record_batch(batch, &BooleanArray::from(stays))?))
}

/// The columns of a ledger batch that a rebuild may change.
struct Editing<'a> {
    batch: &'a RecordBatch,
    ids: Vec<DocId>,
    taken: &'a Taken,
}

/// The batch after the rebuild, when something in it changed.
fn ledger(batch: &RecordBatch, taken: &Taken, rows: &BTreeMap<DocId, u32>) -> Result<Option<RecordBatch>> {
    let ids: Vec<DocId> = ids(batch)?.into_iter().flatten().collect();
    let places: &UInt32Array = column(batch, "row")?;
    let moved = |(i, id): (usize, &DocId)| rows.get(id).is_some_and(|row| *row != places.value(i));
    let changes = ids.iter().any(|id| taken.documents.contains_key(id) || taken.erased.contains_key(id))
        || ids.iter().enumerate().any(moved);
    if !changes {
        return Ok(None);
    }
    let edit = Editing { batch, ids, taken };
    let mut columns = batch.columns().to_vec();
    let mut set = |name: &str, array: ArrayRef| -> Result<()> {
        let at = batch.schema().index_of(name)?;
        columns[at] = array;
        Ok(())
    };
    set("decision", edit.text("decision", false, |_| Some(Decision::Dropped.as_str().to_owned()))?)?;
    set("stage", edit.text("stage", false, |_| Some("admit".to_owned()))?)?;
    set("reason", edit.text("reason", false, |d| Some(d.reason.name().to_owned()))?)?;
    set("detail", edit.text("detail", false, |d| Some(d.detail.clone()))?)?;
    set("shard", edit.text("shard", false, |_| None)?)?;
    set("digest", edit.text("digest", true, |_| None)?)?;
    set("declared_id", edit.text("declared_id", true, |_| None)?)?;
    // A ledger of a former build has none.
    if batch.column_by_name("url").is_some() {
        set("url", edit.text("url", true, |_| None)?)?;
    }
    let gone = |id: &DocId| taken.documents.contains_key(id);
    let all_in = edit.number("bytes_in")?.values().iter().zip(edit.number("bytes_added")?.values());
    let all_in: Vec<u64> = all_in.map(|(read, added)| read + added).collect();
    set("bytes_removed", edit.count("bytes_removed", |i| all_in[i])?)?;
    set("bytes_out", edit.count("bytes_out", |_| 0)?)?;
    set("n_tokens", edit.count("n_tokens", |_| 0)?)?;
    let copies: &UInt32Array = column(batch, "copies")?;
    let copies = edit.ids.iter().zip(copies.values()).map(|(id, n)| if gone(id) { 0 } else { *n });
    set("copies", Arc::new(copies.collect::<UInt32Array>()))?;
    let places = edit.ids.iter().zip(places.iter()).map(|(id, old)| {
        let now = rows.get(id).copied().or(old);
        now.filter(|_| !gone(id))
    });
    set("row", Arc::new(places.collect::<UInt32Array>()))?;
    Ok(Some(RecordBatch::try_new(plain(batch), columns)?))
}

impl Editing<'_> {
    /// A text column with the values of taken documents replaced; with `erasing`, those of erased ones instead.
    fn text(
        &self,
        name: &str,
        erasing: bool,
        value: impl Fn(&manifests::policy::Denial) -> Option<String>,
    ) -> Result<ArrayRef> {
        let old: &StringArray = column(self.batch, name)?;
        let new = self.ids.iter().zip(old).map(|(id, old)| {
            let old = old.map(str::to_owned);
            match (erasing, self.taken.documents.get(id)) {
                (true, _) => old.filter(|_| !self.taken.erased.contains_key(id)),
                (false, Some(denial)) => value(denial),
                (false, None) => old,
            }
        });
        Ok(Arc::new(new.collect::<StringArray>()))
    }

    fn number(&self, name: &str) -> Result<&UInt64Array> {
        column(self.batch, name)
    }

    /// A column of numbers with the values of taken documents replaced.
    fn count(&self, name: &str, value: impl Fn(usize) -> u64) -> Result<ArrayRef> {
        let old = self.number(name)?;
        let new = self
            .ids
            .iter()
            .enumerate()
            .map(|(i, id)| if self.taken.documents.contains_key(id) { value(i) } else { old.value(i) });
        Ok(Arc::new(new.collect::<UInt64Array>()))
    }
}
