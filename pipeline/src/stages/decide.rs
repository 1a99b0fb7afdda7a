//! Decide: one slice → what becomes of each of its rows: dropped with the first reason in the dataflow's order (read,
//! filter, duplicate, admission), or kept until a later stage says otherwise. The text stays where it is; decisions zip
//! with it row by row.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arrow::array::{Array, BooleanArray, FixedSizeBinaryArray, StringArray, UInt32Array};
use arrow::record_batch::RecordBatch;
use manifests::conclusion::Conclusion;
use manifests::digest::Sha256;
use manifests::exposure::Cell;
use manifests::gate::Gate;
use manifests::id::{DocId, SourceId};
use manifests::reason::Reason;
use manifests::record::Election;
use manifests::records::elect;
use manifests::tier::tier;

use super::decided::{Decided, reason_named, schema};
use crate::columns::{column, doc_id, from_json, to_json};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::slice::SliceRef;
use crate::table::{TableWriter, read};
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "decide", version: 2 };

/// What decisions rest on beside the rows.
pub struct Rules<'a> {
    /// The admission gate.
    pub gate: &'a Gate,
    /// The elections that the recipe names.
    pub elections: Vec<Election>,
}

/// A row of the cluster stage, for one slice.
struct Clustered {
    row: u32,
    is_survivor: bool,
    survivor: DocId,
    size: u32,
    conclusion: Conclusion,
    sources: BTreeSet<SourceId>,
    rightsholders: BTreeSet<String>,
}

/// Decides one slice.
///
/// # Errors
/// [`Error::Engine`], [`Error::Parquet`], or [`Error::Bug`] when stages disagree on the rows.
pub fn run(
    slice: &SliceRef,
    facts: &Path,
    clusters: &[PathBuf],
    rules: &Rules<'_>,
    n: usize,
    folder: &Path,
) -> Result<Vec<String>> {
    let mut clustered = clustered(clusters, n)?.into_iter().peekable();
    let name = format!("{n:05}.parquet");
    let mut writer = TableWriter::create(&folder.join(&name), schema())?;
    let mut row = 0u32;
    for (left, right) in read(&slice.file)?.zip(read(facts)?) {
        let (left, right) = (left?, right?);
        if left.num_rows() != right.num_rows() {
            return Err(Error::Bug(format!("facts of slice {n} have other batches than the slice")));
        }
        let mut decided = Vec::with_capacity(left.num_rows());
        for i in 0..left.num_rows() {
            let cluster = clustered.next_if(|c| c.row == row);
            decided.push(decide(&left, &right, i, cluster, rules)?);
            row += 1;
        }
        writer.write(Decided::batch(&decided)?)?;
    }
    if clustered.next().is_some() {
        return Err(Error::Bug(format!("clusters of slice {n} name rows that it has not")));
    }
    writer.finish()?;
    Ok(vec![name])
}

fn clustered(clusters: &[PathBuf], n: usize) -> Result<Vec<Clustered>> {
    let engine = Engine::new([])?;
    engine.table("clusters", clusters)?;
    let mut found = Vec::new();
    let sql = format!("SELECT * FROM clusters WHERE slice = {n} ORDER BY row");
    engine.rows(&sql, |batch| {
        let (rows, sizes): (&UInt32Array, &UInt32Array) = (column(&batch, "row")?, column(&batch, "size")?);
        let survives: &BooleanArray = column(&batch, "is_survivor")?;
        let survivors: &FixedSizeBinaryArray = column(&batch, "survivor")?;
        let conclusions: &StringArray = column(&batch, "conclusion")?;
        let (sources, holders): (&StringArray, &StringArray) =
            (column(&batch, "sources")?, column(&batch, "rightsholders")?);
        for i in 0..batch.num_rows() {
            found.push(Clustered {
                row: rows.value(i),
                is_survivor: survives.value(i),
                survivor: doc_id(survivors, i)?,
                size: sizes.value(i),
                conclusion: from_json(conclusions.value(i))?,
                sources: from_json(sources.value(i))?,
                rightsholders: from_json(holders.value(i))?,
            });
        }
        Ok(())
    })?;
    Ok(found)
}

fn value(batch: &RecordBatch, name: &str, row: usize) -> Result<Option<String>> {
    let values: &StringArray = column(batch, name)?;
    Ok(values.is_valid(row).then(|| values.value(row).to_owned()))
}

/// A former stage's reason, which must be in the catalogue.
fn reason(batch: &RecordBatch, row: usize) -> Result<Option<Reason>> {
    let name = value(batch, "reason", row)?;
    name.map(|name| reason_named(&name)).transpose()
}

fn decide(
    slice: &RecordBatch,
    facts: &RecordBatch,
    row: usize,
    cluster: Option<Clustered>,
    rules: &Rules<'_>,
) -> Result<Decided> {
    if let Some(reason) = reason(slice, row)? {
        return Ok(Decided::dropped("read", reason, value(slice, "detail", row)?));
    }
    let filtered = reason(facts, row)?;
    let Some(cluster) = cluster else {
        return Ok(Decided::dropped("facts", filtered.unwrap_or(Reason::Panicked), value(facts, "detail", row)?));
    };
    let election = cluster.conclusion.expression.as_ref().and_then(|e| elect(&rules.elections, e, &cluster.sources));
    let cell = Cell::new(&cluster.conclusion, election, cluster.sources, cluster.rightsholders);
    let mut verdict = rules.gate.cell(&cell);
    let digests: &FixedSizeBinaryArray = column(facts, "digest")?;
    let text = digests.value(row).try_into().map_err(|_| Error::Bug("a digest is not 32 bytes".to_owned()))?;
    verdict.denials.extend(rules.gate.work(Sha256::from_bytes(text)));
    // What a line of the policy forbids says more than that no line permits it.
    let open = verdict.denials.first().filter(|d| d.reason == Reason::ElectionMissing);
    let denial = open.or_else(|| verdict.denials.iter().find(|d| d.rule.is_some())).or(verdict.denials.first());
    let mut decided = match (filtered, cluster.is_survivor, denial) {
        (Some(reason), _, _) => Decided::dropped("filter", reason, value(facts, "detail", row)?),
        (None, false, _) => Decided {
            duplicate_of: Some(cluster.survivor),
            matched: Some(cluster.survivor),
            ..Decided::dropped("cluster", Reason::ExactDuplicate, None)
        },
        (None, true, Some(denial)) => {
            let notes = cluster.conclusion.notes.join("; ");
            let detail = if notes.is_empty() { denial.detail.clone() } else { format!("{}: {notes}", denial.detail) };
            Decided::dropped("admit", denial.reason, Some(detail))
        }
        (None, true, None) => Decided::kept("admit"),
    };
    decided.cluster_size = (cluster.size > 1).then_some(cluster.size);
    decided.tier = Some(tier(&cell, &rules.gate.records));
    decided.evidence = cluster.conclusion.evidence;
    decided.cell = Some(to_json(&cell)?);
    Ok(decided)
}
