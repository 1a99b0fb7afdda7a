//! Reads a shard that a manifest commits to. The file is read once; length and digest are checked over the very bytes
//! that are then decoded, the footer's extents must tile them, and the counts are recounted.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray, ListArray, RecordBatch, UInt32Array};
use arrow::compute::concat_batches;
use arrow::datatypes::UInt32Type;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData};

use super::schema::{CREATED_BY, SCHEMA_KEY, SCHEMA_VALUE, column, schema};
use super::{CellTallies, Row, ShardEntry};
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::id::DocId;
use crate::store::open_beneath;

const MAGIC: &[u8; 4] = b"PAR1";
/// The longest shard that is read: it is held in memory.
const MAX_LENGTH: u64 = 16 << 30;

/// An open shard: its bytes are those that the entry names.
#[derive(Clone, Debug)]
pub struct ShardReader {
    place: PathBuf,
    bytes: Bytes,
    metadata: ArrowReaderMetadata,
    entry: ShardEntry,
}

/// The columns of a row group that a loader needs, row by row.
#[derive(Clone, Debug)]
pub struct TokenColumns {
    /// The exposure cell.
    pub cell: UInt32Array,
    /// How often training reads the row.
    pub copies: UInt32Array,
    /// The tokens: list of u32.
    pub tokens: ListArray,
}

impl TokenColumns {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cell.len()
    }

    /// Whether there are none; a shard has no empty row group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cell.is_empty()
    }

    /// The tokens of a row, or nothing beyond the last.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&[u32]> {
        let offsets = self.tokens.value_offsets().get(row..=row + 1)?;
        let range = usize::try_from(offsets[0]).ok()?..usize::try_from(offsets[1]).ok()?;
        self.tokens.values().as_primitive::<UInt32Type>().values().get(range)
    }
}

impl ShardReader {
    /// Opens the shard that `entry` names beneath `root` and verifies it.
    ///
    /// # Errors
    /// [`Error::Io`] when it is not there, and [`Error::Verification`] naming the file when anything about it is not
    /// what the entry says.
    pub fn open(root: &Path, entry: &ShardEntry) -> Result<Self> {
        let place = entry.path.beneath(root);
        let bytes = read_verified(root, entry, &place)?;
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_column_index_policy(PageIndexPolicy::Optional)
            .with_offset_index_policy(PageIndexPolicy::Required);
        let load = || ArrowReaderMetadata::load(&bytes, options).map_err(|e| refused(&place, e));
        let metadata = guarded(&place, load)?;
        check_tiling(metadata.metadata(), &bytes).map_err(|what| refused(&place, what))?;
        check_schema(&metadata).map_err(|what| refused(&place, what))?;
        check_rows(metadata.metadata(), entry).map_err(|what| refused(&place, what))?;
        let reader = Self { place, bytes, metadata, entry: entry.clone() };
        reader.recount()?;
        Ok(reader)
    }

    /// The entry that the shard was opened by.
    #[must_use]
    pub const fn entry(&self) -> &ShardEntry {
        &self.entry
    }

    /// How many row groups.
    #[must_use]
    pub fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Row group `group`, every column.
    ///
    /// # Errors
    /// [`Error::Verification`] when it cannot be decoded or holds what no writer of ours writes.
    pub fn rows(&self, group: usize) -> Result<Vec<Row>> {
        let batch = self.batch(group, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])?;
        self.check_counts(&batch, column::CELL, column::N_TOKENS, column::COPIES, Some(column::TOKENS))?;
        (0..batch.num_rows()).map(|row| self.row(&batch, row)).collect()
    }

    /// Row group `group` as an Arrow batch of [`schema`], every column.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn record_batch(&self, group: usize) -> Result<RecordBatch> {
        let batch = self.batch(group, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])?;
        self.check_counts(&batch, column::CELL, column::N_TOKENS, column::COPIES, Some(column::TOKENS))?;
        Ok(batch)
    }

    /// Row group `group`, only what a loader needs.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn tokens(&self, group: usize) -> Result<TokenColumns> {
        let batch = self.batch(group, &[column::CELL, column::N_TOKENS, column::COPIES, column::TOKENS])?;
        self.check_counts(&batch, 0, 1, 2, Some(3))?;
        let number = |i: usize| batch.column(i).as_primitive::<UInt32Type>().clone();
        Ok(TokenColumns { cell: number(0), copies: number(2), tokens: batch.column(3).as_list::<i32>().clone() })
    }

    /// Documents and tokens by cell, recounted from the rows. Reads no token.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn cells(&self) -> Result<CellTallies> {
        let mut tallies = CellTallies::default();
        for group in 0..self.row_groups() {
            let batch = self.batch(group, &[column::CELL, column::N_TOKENS, column::COPIES])?;
            let number = |i: usize| batch.column(i).as_primitive::<UInt32Type>().values();
            for ((cell, n_tokens), copies) in number(0).iter().zip(number(1)).zip(number(2)) {
                tallies.add(*cell, *n_tokens, *copies)?;
            }
        }
        Ok(tallies)
    }

    /// Decodes everything: every row is well formed, and no document stands twice.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn verify(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        for group in 0..self.row_groups() {
            for row in self.rows(group)? {
                if !seen.insert(row.doc_id) {
                    return Err(refused(&self.place, format!("document `{}` stands twice", row.doc_id)));
                }
            }
        }
        Ok(())
    }

    fn batch(&self, group: usize, columns: &[usize]) -> Result<RecordBatch> {
        let metadata = self.metadata.metadata();
        if group >= metadata.num_row_groups() {
            return Err(Error::Contract(format!("the shard `{}` has no row group {group}", self.entry.path)));
        }
        let rows = usize::try_from(metadata.row_group(group).num_rows()).map_err(|e| refused(&self.place, e))?;
        let mask = ProjectionMask::roots(metadata.file_metadata().schema_descr(), columns.iter().copied());
        let failed = |e: &dyn std::fmt::Display| refused(&self.place, format!("row group {group}: {e}"));
        let decode = || {
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone())
                .with_row_groups(vec![group])
                .with_projection(mask)
                .with_batch_size(rows)
                .build()
                .map_err(|e| failed(&e))?
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(|e| failed(&e))
        };
        let batches = guarded(&self.place, decode)?;
        let one = match batches.as_slice() {
            [only] => only.clone(),
            several => {
                let fields = Arc::new(schema().project(columns).map_err(|e| failed(&e))?);
                concat_batches(&fields, several).map_err(|e| failed(&e))?
            }
        };
        if one.num_rows() == rows { Ok(one) } else { Err(failed(&"it has not the rows that it declares")) }
    }

    /// Rows and tokens, against the entry; `n_tokens` is compared with the tokens themselves when they are decoded.
    fn recount(&self) -> Result<()> {
        let (mut rows, mut tokens) = (0u64, 0u64);
        for group in 0..self.row_groups() {
            let batch = self.batch(group, &[column::CELL, column::N_TOKENS, column::COPIES])?;
            self.check_counts(&batch, 0, 1, 2, None)?;
            rows += batch.num_rows() as u64;
            tokens += batch.column(1).as_primitive::<UInt32Type>().values().iter().map(|n| u64::from(*n)).sum::<u64>();
        }
        let found = (rows, tokens, self.row_groups() as u64);
        if found == (self.entry.rows, self.entry.tokens, u64::from(self.entry.row_groups)) {
            return Ok(());
        }
        let ShardEntry { rows, tokens, row_groups, .. } = self.entry;
        let (r, t, g) = found;
        let what = format!("{r} rows, {t} tokens and {g} row groups, not {rows}, {tokens} and {row_groups}");
        Err(refused(&self.place, what))
    }

    fn check_counts(
        &self,
        batch: &RecordBatch,
        cell: usize,
        n: usize,
        copies: usize,
        tokens: Option<usize>,
    ) -> Result<()> {
        let number = |i: usize| batch.column(i).as_primitive::<UInt32Type>();
        if batch.columns().iter().any(|c| c.null_count() > 0) || number(cell).len() != batch.num_rows() {
            return Err(refused(&self.place, "it holds nulls"));
        }
        if number(copies).values().contains(&0) {
            return Err(refused(&self.place, "a row has no copies"));
        }
        let Some(tokens) = tokens else { return Ok(()) };
        let offsets = batch.column(tokens).as_list::<i32>().value_offsets();
        let lengths = offsets.windows(2).map(|w| i64::from(w[1]) - i64::from(w[0]));
        if lengths.ne(number(n).values().iter().map(|n| i64::from(*n))) {
            return Err(refused(&self.place, "`n_tokens` is not the number of tokens"));
        }
        Ok(())
    }

    fn row(&self, batch: &RecordBatch, row: usize) -> Result<Row> {
        let text = |i: usize| batch.column(i).as_string::<i32>().value(row).to_owned();
        let number = |i: usize| batch.column(i).as_primitive::<UInt32Type>().value(row);
        let list = |i: usize| batch.column(i).as_list::<i32>().value(row);
        let bytes = batch.column(column::DOC_ID).as_fixed_size_binary().value(row);
        let doc_id = <[u8; 16]>::try_from(bytes).map_err(|e| refused(&self.place, e))?;
        let sources = list(column::SOURCE);
        let source = sources.as_string::<i32>().iter().flatten().map(str::parse).collect::<Result<Vec<_>>>();
        let source = source.map_err(|e| refused(&self.place, e))?;
        if source.is_empty() {
            return Err(refused(&self.place, "a row has no source"));
        }
        let holders = list(column::RIGHTSHOLDER);
        Ok(Row {
            doc_id: DocId::from_bytes(doc_id),
            source,
            set: text(column::SET).parse().map_err(|e| refused(&self.place, e))?,
            tier: text(column::TIER),
            license: text(column::LICENSE),
            rightsholder: holders.as_string::<i32>().iter().flatten().map(str::to_owned).collect(),
            cell: number(column::CELL),
            copies: number(column::COPIES),
            tokens: list(column::TOKENS).as_primitive::<UInt32Type>().values().to_vec(),
        })
    }
}

/// Runs the Parquet library on bytes that may be a liar's: where it panics, they are refused.
fn guarded<T>(place: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    ended.unwrap_or_else(|_| Err(refused(place, "its pages are not what a writer writes")))
}

fn refused(place: &Path, what: impl std::fmt::Display) -> Error {
    Error::verification(place, what.to_string())
}

/// The file's bytes, once they are as long as the entry says and have its digest.
fn read_verified(root: &Path, entry: &ShardEntry, place: &Path) -> Result<Bytes> {
    let file = open_beneath(root, &entry.path)?;
    let length = file.metadata().map_err(|e| Error::io(place, e))?.len();
    if length != entry.length || length > MAX_LENGTH {
        return Err(refused(place, format!("{length} bytes, signed are {}", entry.length)));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(|e| refused(place, e))?);
    // A file that grows meanwhile is cut here and refused by its digest.
    file.take(length).read_to_end(&mut bytes).map_err(|e| Error::io(place, e))?;
    let digest = Sha256::of(&bytes);
    if digest != entry.digest {
        return Err(refused(place, format!("its digest is {digest}, signed is {}", entry.digest)));
    }
    Ok(bytes.into())
}

/// Names, types, format and writer.
fn check_schema(metadata: &ArrowReaderMetadata) -> std::result::Result<(), String> {
    let expected = schema();
    let plain = |f: &arrow::datatypes::Field| (f.name().clone(), f.data_type().clone(), f.is_nullable());
    let fields = metadata.schema().fields();
    if !fields.iter().map(|f| plain(f)).eq(expected.fields().iter().map(|f| plain(f))) {
        return Err("its columns are not those of a shard".to_owned());
    }
    let file = metadata.metadata().file_metadata();
    let entries = file.key_value_metadata().map_or(&[][..], Vec::as_slice);
    match entries {
        [entry] if entry.key == SCHEMA_KEY && entry.value.as_deref() == Some(SCHEMA_VALUE) => {}
        _ => return Err(format!("its metadata is not `{SCHEMA_KEY}` = `{SCHEMA_VALUE}` alone")),
    }
    if file.created_by() == Some(CREATED_BY) { Ok(()) } else { Err(format!("it was not created by `{CREATED_BY}`")) }
}

/// The rows that the footer declares, before memory is taken for them: an id is 16 bytes that nothing compresses, so
/// that a file which declares more rows than it has room for is none of ours.
fn check_rows(metadata: &ParquetMetaData, entry: &ShardEntry) -> std::result::Result<(), String> {
    let mut groups = metadata.row_groups().iter().map(|group| u64::try_from(group.num_rows()).ok());
    let declared = groups.try_fold(0u64, |sum, rows| sum.checked_add(rows?)).ok_or("its rows cannot be counted")?;
    if declared.checked_mul(16).is_none_or(|bytes| bytes > entry.length) {
        return Err(format!("it declares {declared} rows in {} bytes", entry.length));
    }
    if declared == entry.rows {
        Ok(())
    } else {
        Err(format!("its row groups hold {declared} rows, signed are {}", entry.rows))
    }
}

/// Every byte of the file belongs to exactly one of: the magic numbers, a page, a page index, the footer. Text can't
/// hide between them, where readers don't look.
fn check_tiling(metadata: &ParquetMetaData, bytes: &[u8]) -> std::result::Result<(), String> {
    let length = bytes.len() as u64;
    let tail = bytes.last_chunk::<8>().ok_or("it is too short")?;
    let footer = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    let start = length.checked_sub(8 + footer).ok_or("its footer is longer than the file")?;
    let mut extents = vec![(0, 4), (start, footer + 8)];
    for (group, row_group) in metadata.row_groups().iter().enumerate() {
        if row_group.num_rows() <= 0 {
            return Err(format!("row group {group} is empty"));
        }
        for (number, chunk) in row_group.columns().iter().enumerate() {
            let pages = metadata
                .offset_index()
                .and_then(|index| index.get(group)?.get(number))
                .ok_or("it has no offset index")?;
            let pages = pages.page_locations().iter().map(|page| (page.offset, i64::from(page.compressed_page_size)));
            let first = pages.clone().next().map(|(offset, _)| offset).ok_or("a column has no page")?;
            chunk_extents(chunk, first, pages, &mut extents)
                .map_err(|what| format!("row group {group}, column {number}: {what}"))?;
        }
    }
    extents.sort_unstable();
    let end =
        extents.iter().try_fold(0, |end, (offset, size)| if *offset == end { end.checked_add(*size) } else { None });
    if !bytes.starts_with(MAGIC) || end != Some(length) {
        return Err("bytes between its parts belong to none of them".to_owned());
    }
    Ok(())
}

/// The extents of a column chunk's pages, which must tile it, and of its indexes.
fn chunk_extents(
    chunk: &ColumnChunkMetaData,
    first_page: i64,
    pages: impl Iterator<Item = (i64, i64)>,
    extents: &mut Vec<(u64, u64)>,
) -> std::result::Result<(), String> {
    let mut push = |offset: i64, size: i64| match (u64::try_from(offset), u64::try_from(size)) {
        (Ok(offset), Ok(size)) if size > 0 => {
            extents.push((offset, size));
            Ok(())
        }
        _ => Err("an extent is not one".to_owned()),
    };
    let start = chunk.dictionary_page_offset().unwrap_or(first_page);
    let mut end = start;
    if start != first_page {
        push(start, first_page - start)?;
        end = first_page;
    }
    for (offset, size) in pages {
        if offset != end {
            return Err("its pages don't follow each other".to_owned());
        }
        push(offset, size)?;
        end += size;
    }
    if end - start != chunk.compressed_size() || chunk.data_page_offset() != first_page {
        return Err("its pages don't fill it".to_owned());
    }
    if chunk.bloom_filter_offset().is_some() || chunk.index_page_offset().is_some() {
        return Err("it has a bloom filter or index page, which no shard has".to_owned());
    }
    for (offset, size) in [
        (chunk.column_index_offset(), chunk.column_index_length()),
        (chunk.offset_index_offset(), chunk.offset_index_length()),
    ] {
        match (offset, size) {
            (Some(offset), Some(size)) => push(offset, size.into())?,
            (None, None) => {}
            _ => return Err("a page index has no extent".to_owned()),
        }
    }
    Ok(())
}
