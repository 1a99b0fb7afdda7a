//! Decide: one slice → what becomes of each of its rows: dropped with the first reason in the dataflow's order (read,
//! filter, duplicate, admission), held out, or kept. The text stays where it is; decisions zip with it row by row.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, StringArray, StringBuilder,
    UInt32Array,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use manifests::conclusion::Conclusion;
use manifests::digest::{Hasher, Sha256};
use manifests::exposure::Cell;
use manifests::gate::Gate;
use manifests::id::{DocId, SourceId};
use manifests::ledger::Decision;
use manifests::reason::Reason;
use manifests::record::Election;
use manifests::records::elect;
use manifests::tier::tier;

use crate::columns::{column, doc_id, from_json, push_bytes, to_json};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::slice::SliceRef;
use crate::table::{TableWriter, read};
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "decide", version: 1 };

/// The columns of a slice's decisions.
#[must_use]
pub fn schema() -> Arc<Schema> {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("decision", false),
        text("stage", false),
        text("reason", true),
        text("detail", true),
        text("cell", true),
        text("tier", true),
        text("evidence", true),
        Field::new("duplicate_of", DataType::FixedSizeBinary(16), true),
    ]))
}

/// What decisions rest on beside the rows.
pub struct Rules<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
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
    conclusion: Conclusion,
    sources: BTreeSet<SourceId>,
    rightsholders: BTreeSet<String>,
}

/// A decision on one row.
struct Decided {
    decision: Decision,
    stage: &'static str,
    reason: Option<Reason>,
    detail: Option<String>,
    cell: Option<Cell>,
    tier: Option<String>,
    evidence: Option<String>,
    duplicate_of: Option<DocId>,
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
        writer.write(batch(&decided)?)?;
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
        let rows: &UInt32Array = column(&batch, "row")?;
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
                conclusion: from_json(conclusions.value(i))?,
                sources: from_json(sources.value(i))?,
                rightsholders: from_json(holders.value(i))?,
            });
        }
        Ok(())
    })?;
    Ok(found)
}

fn dropped(stage: &'static str, reason: Reason, detail: Option<String>) -> Decided {
    Decided {
        decision: Decision::Dropped,
        stage,
        reason: Some(reason),
        detail,
        cell: None,
        tier: None,
        evidence: None,
        duplicate_of: None,
    }
}

fn value(batch: &RecordBatch, name: &str, row: usize) -> Result<Option<String>> {
    let values: &StringArray = column(batch, name)?;
    Ok(values.is_valid(row).then(|| values.value(row).to_owned()))
}

/// A former stage's reason, which must be in the catalogue.
fn reason(batch: &RecordBatch, row: usize) -> Result<Option<Reason>> {
    let name = value(batch, "reason", row)?;
    name.map(|n| n.parse().map_err(|_| Error::Bug(format!("reason `{n}` is not in the catalogue")))).transpose()
}

fn decide(
    slice: &RecordBatch,
    facts: &RecordBatch,
    row: usize,
    cluster: Option<Clustered>,
    rules: &Rules<'_>,
) -> Result<Decided> {
    if let Some(reason) = reason(slice, row)? {
        return Ok(dropped("read", reason, value(slice, "detail", row)?));
    }
    let filtered = reason(facts, row)?;
    let Some(cluster) = cluster else {
        return Ok(dropped("facts", filtered.unwrap_or(Reason::Panicked), value(facts, "detail", row)?));
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
        (Some(reason), _, _) => dropped("filter", reason, value(facts, "detail", row)?),
        (None, false, _) => {
            Decided { duplicate_of: Some(cluster.survivor), ..dropped("cluster", Reason::ExactDuplicate, None) }
        }
        (None, true, Some(denial)) => {
            let notes = cluster.conclusion.notes.join("; ");
            let detail = if notes.is_empty() { denial.detail.clone() } else { format!("{}: {notes}", denial.detail) };
            dropped("admit", denial.reason, Some(detail))
        }
        (None, true, None) => {
            let kept = if is_held_out(rules.recipe, digests.value(row)) { Decision::HeldOut } else { Decision::Kept };
            Decided { decision: kept, reason: None, ..dropped("hold-out", Reason::Empty, None) }
        }
    };
    decided.tier = Some(tier(&cell, &rules.gate.records));
    decided.evidence = cluster.conclusion.evidence;
    decided.cell = Some(cell);
    Ok(decided)
}

/// Whether a text is held out: by seed and normalised digest, so that equal texts are always on one side.
fn is_held_out(recipe: &Recipe, digest: &[u8]) -> bool {
    let mut hasher = Hasher::new();
    hasher.update(b"flexmix/hold-out/1");
    hasher.field(&recipe.seed.to_le_bytes());
    hasher.field(digest);
    order_of(hasher.finish()) % 1_000_000 < u64::from(recipe.held_out_ppm)
}

/// The first eight bytes of a digest as a number.
pub(super) fn order_of(digest: Sha256) -> u64 {
    digest.as_bytes()[..8].iter().fold(0, |n, b| n << 8 | u64::from(*b))
}

fn batch(decided: &[Decided]) -> Result<RecordBatch> {
    let [mut decision, mut stage, mut reason, mut detail, mut cell, mut tier, mut evidence] =
        [(); 7].map(|()| StringBuilder::new());
    let mut duplicate = FixedSizeBinaryBuilder::new(16);
    for one in decided {
        decision.append_value(one.decision.as_str());
        stage.append_value(one.stage);
        reason.append_option(one.reason.map(Reason::name));
        detail.append_option(one.detail.as_deref());
        cell.append_option(one.cell.as_ref().map(to_json).transpose()?);
        tier.append_option(one.tier.as_deref());
        evidence.append_option(one.evidence.as_deref());
        push_bytes(&mut duplicate, one.duplicate_of.as_ref().map(|id| &id.as_bytes()[..]))?;
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(decision.finish()),
        Arc::new(stage.finish()),
        Arc::new(reason.finish()),
        Arc::new(detail.finish()),
        Arc::new(cell.finish()),
        Arc::new(tier.finish()),
        Arc::new(evidence.finish()),
        Arc::new(duplicate.finish()),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}
