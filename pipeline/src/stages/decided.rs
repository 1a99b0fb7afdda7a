//! Decided: a slice whose rows have decisions, the hand-over from `decide` to every later stage. Each stage after it
//! reads the decisions of the one before and writes its own, whole; text stays where it is, but for what a stage edits.
//! Knows nothing of what decides.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryArray, FixedSizeBinaryBuilder, LargeStringArray, LargeStringBuilder, StringArray,
    StringBuilder, UInt32Array, UInt32Builder, UInt64Array, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use manifests::digest::Sha256;
use manifests::id::DocId;
use manifests::ledger::Decision;
use manifests::reason::Reason;

use crate::columns::{column, doc_id, push_bytes};
use crate::error::{Error, Result};
use crate::slice::SliceRef;
use crate::table::{TableWriter, project, read};
use crate::timings::Load;

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
        Field::new("matched", DataType::FixedSizeBinary(16), true),
        Field::new("cluster_size", DataType::UInt32, true),
        Field::new("edited", DataType::LargeUtf8, true),
        Field::new("bytes_removed", DataType::UInt64, false),
    ]))
}

/// The decision on one row.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What becomes of it, as things stand.
    pub decision: Decision,
    /// What decided.
    pub stage: Cow<'static, str>,
    /// Why it was dropped.
    pub reason: Option<Reason>,
    /// In words.
    pub detail: Option<String>,
    /// Its exposure cell, as canonical JSON.
    pub cell: Option<String>,
    /// Its terms tier.
    pub tier: Option<String>,
    /// The place of a claim.
    pub evidence: Option<String>,
    /// The document that stands for its cluster.
    pub duplicate_of: Option<DocId>,
    /// The document that it was found equal or near to.
    pub matched: Option<DocId>,
    /// Documents of its cluster, itself among them; none when it is alone.
    pub cluster_size: Option<u32>,
    /// The text as stages after the filters left it; none when they changed nothing.
    pub edited: Option<String>,
    /// Bytes that these edits removed.
    pub bytes_removed: u64,
}

impl Decided {
    /// A row that stays, as `stage` says.
    #[must_use]
    pub const fn kept(stage: &'static str) -> Self {
        Self {
            decision: Decision::Kept,
            stage: Cow::Borrowed(stage),
            reason: None,
            detail: None,
            cell: None,
            tier: None,
            evidence: None,
            duplicate_of: None,
            matched: None,
            cluster_size: None,
            edited: None,
            bytes_removed: 0,
        }
    }

    /// A row that goes.
    #[must_use]
    pub fn dropped(stage: &'static str, reason: Reason, detail: Option<String>) -> Self {
        let mut dropped = Self::kept(stage);
        dropped.drop(stage, reason, detail);
        dropped
    }

    /// Drops a row that stood until now; what was found out about its terms stays.
    pub fn drop(&mut self, stage: &'static str, reason: Reason, detail: Option<String>) {
        (self.decision, self.stage) = (Decision::Dropped, Cow::Borrowed(stage));
        (self.reason, self.detail) = (Some(reason), detail);
    }

    /// Whether it stays, as things stand.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.decision != Decision::Dropped
    }

    fn list(batch: &RecordBatch) -> Result<Vec<Self>> {
        let text = |name: &str| column::<StringArray>(batch, name);
        let id = |name: &str| column::<FixedSizeBinaryArray>(batch, name);
        let (decisions, stages, reasons) = (text("decision")?, text("stage")?, text("reason")?);
        let [details, cells, tiers, evidence] = [text("detail")?, text("cell")?, text("tier")?, text("evidence")?];
        let (duplicates, matches) = (id("duplicate_of")?, id("matched")?);
        let (sizes, removed): (&UInt32Array, &UInt64Array) =
            (column(batch, "cluster_size")?, column(batch, "bytes_removed")?);
        let edited: &LargeStringArray = column(batch, "edited")?;
        let owned = |array: &StringArray, i: usize| array.is_valid(i).then(|| array.value(i).to_owned());
        let some = |array: &FixedSizeBinaryArray, i: usize| array.is_valid(i).then(|| doc_id(array, i)).transpose();
        let one = |i: usize| {
            Ok(Self {
                decision: named(decisions.value(i))?,
                stage: Cow::Owned(stages.value(i).to_owned()),
                reason: owned(reasons, i).map(|name| reason_named(&name)).transpose()?,
                detail: owned(details, i),
                cell: owned(cells, i),
                tier: owned(tiers, i),
                evidence: owned(evidence, i),
                duplicate_of: some(duplicates, i)?,
                matched: some(matches, i)?,
                cluster_size: sizes.is_valid(i).then(|| sizes.value(i)),
                edited: edited.is_valid(i).then(|| edited.value(i).to_owned()),
                bytes_removed: removed.value(i),
            })
        };
        (0..batch.num_rows()).map(one).collect()
    }

    /// A batch of decisions.
    ///
    /// # Errors
    /// [`Error::Engine`] when the columns do not fit the schema.
    pub fn batch(decided: &[Self]) -> Result<RecordBatch> {
        let [mut decision, mut stage, mut reason, mut detail, mut cell, mut tier, mut evidence] =
            [(); 7].map(|()| StringBuilder::new());
        let [mut duplicate, mut matched] = [(); 2].map(|()| FixedSizeBinaryBuilder::new(16));
        let (mut size, mut edited, mut removed) =
            (UInt32Builder::new(), LargeStringBuilder::new(), UInt64Builder::new());
        for one in decided {
            decision.append_value(one.decision.as_str());
            stage.append_value(&one.stage);
            reason.append_option(one.reason.map(Reason::name));
            detail.append_option(one.detail.as_deref());
            cell.append_option(one.cell.as_deref());
            tier.append_option(one.tier.as_deref());
            evidence.append_option(one.evidence.as_deref());
            push_bytes(&mut duplicate, one.duplicate_of.as_ref().map(|id| &id.as_bytes()[..]))?;
            push_bytes(&mut matched, one.matched.as_ref().map(|id| &id.as_bytes()[..]))?;
            size.append_option(one.cluster_size);
            edited.append_option(one.edited.as_deref());
            removed.append_value(one.bytes_removed);
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
            Arc::new(matched.finish()),
            Arc::new(size.finish()),
            Arc::new(edited.finish()),
            Arc::new(removed.finish()),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

fn named(name: &str) -> Result<Decision> {
    let all = [Decision::Kept, Decision::HeldOut, Decision::Dropped];
    let found = all.into_iter().find(|d| d.as_str() == name);
    found.ok_or_else(|| Error::Bug(format!("`{name}` is no decision")))
}

/// The reason of a former stage, which must be in the catalogue.
pub(super) fn reason_named(name: &str) -> Result<Reason> {
    name.parse().map_err(|_| Error::Bug(format!("reason `{name}` is not in the catalogue")))
}

/// A slice with what former stages found out about it.
#[derive(Clone, Debug)]
pub struct DecidedSlice {
    /// The slice.
    pub slice: SliceRef,
    /// Its facts.
    pub facts: PathBuf,
    /// Its decisions, as the stage before left them.
    pub decisions: PathBuf,
    /// The digest of the decisions' commit: what later stages depend on.
    pub digest: Sha256,
}

/// One batch of a slice with its facts and decisions, row by row the same documents.
pub struct Rows {
    /// The row of the slice that the batch begins with.
    pub first: usize,
    /// The slice's columns.
    pub slice: RecordBatch,
    /// The facts' columns.
    pub facts: RecordBatch,
    /// The decisions.
    pub decided: Vec<Decided>,
}

impl Rows {
    /// The text of a row as it stands: as a stage edited it, else as the filters left it, else as read; none for a
    /// failed record.
    ///
    /// # Errors
    /// [`Error::Bug`] when a column is missing.
    pub fn text(&self, row: usize) -> Result<Option<&str>> {
        if let Some(edited) = &self.decided[row].edited {
            return Ok(Some(edited));
        }
        self.filtered(row)
    }

    /// The text of a row as the filters left it.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn filtered(&self, row: usize) -> Result<Option<&str>> {
        let (texts, edited): (&LargeStringArray, &LargeStringArray) =
            (column(&self.slice, "text")?, column(&self.facts, "text")?);
        Ok(if edited.is_valid(row) { Some(edited.value(row)) } else { texts.is_valid(row).then(|| texts.value(row)) })
    }
}

impl DecidedSlice {
    /// The documents that stay and the bytes of their text, from columns of numbers alone.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn load(slices: &[Self]) -> Result<Load> {
        let mut load = Load::default();
        for slice in slices {
            let rows = project(&slice.slice.file, &["bytes_in", "bytes_added", "bytes_removed"])?;
            let facts = project(&slice.facts, &["bytes_added", "bytes_removed"])?;
            let decided = project(&slice.decisions, &["decision", "bytes_removed"])?;
            for ((rows, facts), decided) in rows.zip(facts).zip(decided) {
                let (rows, facts, decided) = (rows?, facts?, decided?);
                let decisions: &StringArray = column(&decided, "decision")?;
                let number = |batch, name, i| -> Result<u64> { Ok(column::<UInt64Array>(batch, name)?.value(i)) };
                for i in (0..rows.num_rows()).filter(|i| decisions.value(*i) != Decision::Dropped.as_str()) {
                    let before = number(&rows, "bytes_in", i)? + number(&rows, "bytes_added", i)?;
                    let before = before + number(&facts, "bytes_added", i)?;
                    let gone = number(&rows, "bytes_removed", i)? + number(&facts, "bytes_removed", i)?;
                    load.documents += 1;
                    load.bytes += before.saturating_sub(gone + number(&decided, "bytes_removed", i)?);
                }
            }
        }
        Ok(load)
    }

    /// Every batch of the slice, in order.
    ///
    /// # Errors
    /// A file that can't be read, [`Error::Bug`] when the files disagree on the rows, or what `each` returns.
    pub fn each(&self, mut each: impl FnMut(Rows) -> Result<()>) -> Result<()> {
        let mut first = 0;
        for ((slice, facts), decisions) in read(&self.slice.file)?.zip(read(&self.facts)?).zip(read(&self.decisions)?) {
            let (slice, facts, decisions) = (slice?, facts?, decisions?);
            let rows = slice.num_rows();
            if (facts.num_rows(), decisions.num_rows()) != (rows, rows) {
                return Err(Error::Bug(format!("stages disagree on the rows of `{}`", self.slice.file.display())));
            }
            each(Rows { first, slice, facts, decided: Decided::list(&decisions)? })?;
            first += rows;
        }
        Ok(())
    }

    /// Writes the slice's next decisions as `NNNNN.parquet`: those that stand, after `edit` changed them.
    ///
    /// # Errors
    /// As [`Self::each`], or a file that can't be written.
    pub fn rewrite(
        &self,
        n: usize,
        folder: &Path,
        mut edit: impl FnMut(&mut Rows) -> Result<()>,
    ) -> Result<Vec<String>> {
        let name = format!("{n:05}.parquet");
        let mut writer = TableWriter::create(&folder.join(&name), schema())?;
        self.each(|mut rows| {
            edit(&mut rows)?;
            writer.write(Decided::batch(&rows.decided)?)
        })?;
        writer.finish()?;
        Ok(vec![name])
    }
}
