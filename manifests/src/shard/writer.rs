//! Writes a shard: the same rows give the same bytes, however they arrive. Rows are copied into batches cut at fixed
//! numbers, and row groups end where the count of tokens or rows says, never where an input batch does.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryBuilder, ListBuilder, RecordBatch, StringBuilder, UInt32Builder,
};
use arrow::datatypes::{DataType, FieldRef, UInt32Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;

use super::schema::{column, element, properties, schema};
use super::{CellTallies, Role, Row, ShardEntry};
use crate::digest::HashingWriter;
use crate::error::{Error, Result};
use crate::id::SourceId;
use crate::store::{AtomicFile, RelPath};

/// Rows in a batch handed to the encoder: page boundaries depend on it.
const BATCH_ROWS: usize = 1024;

/// The most tokens of a row, and of a row group before its last row: a batch's 32-bit offsets hold both together.
const MAX_TOKENS: u64 = (1 << 30) - 1;

/// Where row groups end: after the row that reaches either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Stored tokens.
    pub tokens: u64,
    /// Rows.
    pub rows: usize,
}

impl Default for Limits {
    /// One to two million tokens: the last row may be long.
    fn default() -> Self {
        Self { tokens: 1 << 20, rows: 1 << 16 }
    }
}

/// Writes one shard, which appears at its path when it is finished.
pub struct ShardWriter {
    place: PathBuf,
    path: RelPath,
    role: Role,
    limits: Limits,
    writer: ArrowWriter<HashingWriter<AtomicFile>>,
    columns: Columns,
    /// Rows and tokens of the open row group.
    group: (usize, u64),
    rows: u64,
    tokens: u64,
    row_groups: u32,
    cells: CellTallies,
}

/// One row, borrowed from wherever it is.
struct RowRef<'a, S, H> {
    doc_id: &'a [u8],
    source: S,
    set: &'a str,
    tier: &'a str,
    license: &'a str,
    rightsholder: H,
    cell: u32,
    copies: u32,
    tokens: &'a [u32],
}

impl ShardWriter {
    /// Starts the shard `path` beneath `root`, whose folders must exist.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(root: &Path, path: RelPath, role: Role, limits: Limits) -> Result<Self> {
        let place = path.beneath(root);
        let file = HashingWriter::new(AtomicFile::create(&place)?);
        let failed = |e: parquet::errors::ParquetError| Error::Contract(format!("cannot start a shard: {e}"));
        let options = ArrowWriterOptions::new()
            .with_properties(properties().map_err(failed)?)
            // Parquet's own types say all of it, and Arrow's entry would change with Arrow.
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, schema(), options).map_err(failed)?;
        Ok(Self {
            place,
            path,
            role,
            limits,
            writer,
            columns: Columns::new(),
            group: (0, 0),
            rows: 0,
            tokens: 0,
            row_groups: 0,
            cells: CellTallies::default(),
        })
    }

    /// Adds a document.
    ///
    /// # Errors
    /// [`Error::Contract`] for a row that has no source, no copies or more than 2^30 − 1 tokens; [`Error::Io`].
    pub fn push(&mut self, row: &Row) -> Result<()> {
        self.add(&RowRef {
            doc_id: row.doc_id.as_bytes(),
            source: row.source.iter().map(SourceId::as_str),
            set: row.set.as_str(),
            tier: &row.tier,
            license: &row.license,
            rightsholder: row.rightsholder.iter().map(String::as_str),
            cell: row.cell,
            copies: row.copies,
            tokens: &row.tokens,
        })
    }

    /// Adds the documents of a batch, which must have [`schema`]'s names and types and no nulls.
    ///
    /// # Errors
    /// As [`Self::push`], and [`Error::Contract`] for another schema or an `n_tokens` that is not the tokens' number.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let path = self.path.clone();
        let broken = |what: &str| Error::Contract(format!("rows for the shard `{path}`: {what}"));
        let expected = schema();
        let same =
            |(have, want): (&FieldRef, &FieldRef)| have.name() == want.name() && have.data_type() == want.data_type();
        let fields = batch.schema();
        if fields.fields().len() != expected.fields().len() || !fields.fields().iter().zip(expected.fields()).all(same)
        {
            return Err(broken("their schema is not that of shards"));
        }
        if batch.columns().iter().any(|c| c.null_count() > 0) {
            return Err(broken("they hold nulls"));
        }
        let doc_id = batch.column(column::DOC_ID).as_fixed_size_binary();
        let text = |i: usize| batch.column(i).as_string::<i32>();
        let number = |i: usize| batch.column(i).as_primitive::<UInt32Type>();
        let list = |i: usize| batch.column(i).as_list::<i32>();
        for row in 0..batch.num_rows() {
            let (source, rightsholder) = (list(column::SOURCE).value(row), list(column::RIGHTSHOLDER).value(row));
            let tokens = list(column::TOKENS).value(row);
            let tokens = tokens.as_primitive::<UInt32Type>();
            if tokens.len() != number(column::N_TOKENS).value(row) as usize {
                return Err(broken("`n_tokens` is not the number of tokens"));
            }
            self.add(&RowRef {
                doc_id: doc_id.value(row),
                source: source.as_string::<i32>().iter().flatten(),
                set: text(column::SET).value(row),
                tier: text(column::TIER).value(row),
                license: text(column::LICENSE).value(row),
                rightsholder: rightsholder.as_string::<i32>().iter().flatten(),
                cell: number(column::CELL).value(row),
                copies: number(column::COPIES).value(row),
                tokens: tokens.values(),
            })?;
        }
        Ok(())
    }

    /// What was added so far, by cell.
    #[must_use]
    pub const fn cells(&self) -> &CellTallies {
        &self.cells
    }

    /// Ends the shard and publishes it: durable when this returns.
    ///
    /// # Errors
    /// [`Error::Contract`] for a shard of no rows; [`Error::Io`].
    pub fn finish(mut self) -> Result<(ShardEntry, CellTallies)> {
        if self.rows == 0 {
            return Err(Error::Contract(format!("the shard `{}` has no rows", self.path)));
        }
        self.close_group()?;
        let place = self.place;
        let file = self.writer.into_inner().map_err(|e| failed(&place, e))?;
        let (mut file, length, digest) = file.finish();
        file.flush().map_err(|e| Error::io(&place, e))?;
        file.publish()?;
        let entry = ShardEntry {
            path: self.path,
            role: self.role,
            length,
            digest,
            rows: self.rows,
            tokens: self.tokens,
            row_groups: self.row_groups,
        };
        Ok((entry, self.cells))
    }

    fn add<'a, S, H>(&mut self, row: &RowRef<'a, S, H>) -> Result<()>
    where
        S: Iterator<Item = &'a str> + Clone,
        H: Iterator<Item = &'a str> + Clone,
    {
        let broken = |what: &str| Error::Contract(format!("row {} of the shard `{}` {what}", self.rows, self.path));
        if row.source.clone().next().is_none() {
            return Err(broken("has no source"));
        }
        if row.copies == 0 {
            return Err(broken("has no copies: a document that training never reads is dropped, not stored"));
        }
        let n_tokens = u32::try_from(row.tokens.len()).ok().filter(|n| u64::from(*n) <= MAX_TOKENS);
        let n_tokens = n_tokens.ok_or_else(|| broken("has more than 2^30 - 1 tokens"))?;
        self.cells.add(row.cell, n_tokens, row.copies)?;
        self.columns.append(row, n_tokens)?;
        self.rows += 1;
        self.tokens += u64::from(n_tokens);
        self.group = (self.group.0 + 1, self.group.1 + u64::from(n_tokens));
        if self.group.0 >= self.limits.rows || self.group.1 >= self.limits.tokens.min(MAX_TOKENS) {
            self.close_group()
        } else if self.group.0.is_multiple_of(BATCH_ROWS) {
            self.encode()
        } else {
            Ok(())
        }
    }

    /// Hands the rows gathered to the encoder.
    fn encode(&mut self) -> Result<()> {
        let batch = self.columns.finish().map_err(|e| Error::Contract(format!("cannot build a batch: {e}")))?;
        if batch.num_rows() > 0 {
            self.writer.write(&batch).map_err(|e| failed(&self.place, e))?;
        }
        Ok(())
    }

    fn close_group(&mut self) -> Result<()> {
        if self.group.0 > 0 {
            self.encode()?;
            self.writer.flush().map_err(|e| failed(&self.place, e))?;
            self.row_groups += 1;
            self.group = (0, 0);
        }
        Ok(())
    }
}

fn failed(path: &Path, error: parquet::errors::ParquetError) -> Error {
    Error::io(path, std::io::Error::other(error))
}

/// The batch being filled.
struct Columns {
    doc_id: FixedSizeBinaryBuilder,
    source: ListBuilder<StringBuilder>,
    set: StringBuilder,
    tier: StringBuilder,
    license: StringBuilder,
    rightsholder: ListBuilder<StringBuilder>,
    cell: UInt32Builder,
    n_tokens: UInt32Builder,
    copies: UInt32Builder,
    tokens: ListBuilder<UInt32Builder>,
}

impl Columns {
    fn new() -> Self {
        let strings = || ListBuilder::new(StringBuilder::new()).with_field(element(DataType::Utf8));
        Self {
            doc_id: FixedSizeBinaryBuilder::new(16),
            source: strings(),
            set: StringBuilder::new(),
            tier: StringBuilder::new(),
            license: StringBuilder::new(),
            rightsholder: strings(),
            cell: UInt32Builder::new(),
            n_tokens: UInt32Builder::new(),
            copies: UInt32Builder::new(),
            tokens: ListBuilder::new(UInt32Builder::new()).with_field(element(DataType::UInt32)),
        }
    }

    fn append<'a, S, H>(&mut self, row: &RowRef<'a, S, H>, n_tokens: u32) -> Result<()>
    where
        S: Iterator<Item = &'a str> + Clone,
        H: Iterator<Item = &'a str> + Clone,
    {
        self.doc_id.append_value(row.doc_id).map_err(|e| Error::Contract(format!("document id: {e}")))?;
        row.source.clone().for_each(|s| self.source.values().append_value(s));
        self.source.append(true);
        self.set.append_value(row.set);
        self.tier.append_value(row.tier);
        self.license.append_value(row.license);
        row.rightsholder.clone().for_each(|h| self.rightsholder.values().append_value(h));
        self.rightsholder.append(true);
        self.cell.append_value(row.cell);
        self.n_tokens.append_value(n_tokens);
        self.copies.append_value(row.copies);
        self.tokens.values().append_slice(row.tokens);
        self.tokens.append(true);
        Ok(())
    }

    fn finish(&mut self) -> std::result::Result<RecordBatch, arrow::error::ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.doc_id.finish()),
            Arc::new(self.source.finish()),
            Arc::new(self.set.finish()),
            Arc::new(self.tier.finish()),
            Arc::new(self.license.finish()),
            Arc::new(self.rightsholder.finish()),
            Arc::new(self.cell.finish()),
            Arc::new(self.n_tokens.finish()),
            Arc::new(self.copies.finish()),
            Arc::new(self.tokens.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}
