//! Parquet as stages write and read it: our own writer only, re-cut into batches of fixed size from row 0, with every
//! setting that decides bytes written out, and published by an atomic rename.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use manifests::store::AtomicFile;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

use crate::error::{Error, Result};

/// Rows of a batch; a row group holds [`GROUP`] of them.
const BATCH: usize = 1024;
const GROUP: usize = 64 * BATCH;

/// Writes one file of a stage.
pub struct TableWriter {
    path: std::path::PathBuf,
    schema: Arc<Schema>,
    writer: ArrowWriter<AtomicFile>,
    pending: Vec<RecordBatch>,
    rows: usize,
    written: usize,
}

impl TableWriter {
    /// Starts a file that appears under `path` when it is finished.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`] with the path.
    pub fn create(path: &Path, schema: Arc<Schema>) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_created_by("flexmix".to_owned())
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_dictionary_enabled(true)
            .set_dictionary_page_size_limit(1 << 20)
            .set_data_page_size_limit(1 << 20)
            .set_write_batch_size(BATCH)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(Some(GROUP))
            .build();
        let file = AtomicFile::create(path)?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties));
        let writer = writer.map_err(|e| Error::parquet(path, e))?;
        Ok(Self { path: path.to_path_buf(), schema, writer, pending: Vec::new(), rows: 0, written: 0 })
    }

    /// Adds rows; their batching does not show in the file.
    ///
    /// # Errors
    /// [`Error::Parquet`] with the path.
    pub fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        self.pending.push(batch);
        if self.rows >= BATCH { self.cut(false) } else { Ok(()) }
    }

    fn cut(&mut self, last: bool) -> Result<()> {
        let all = concat_batches(&self.schema, &self.pending)?;
        self.pending.clear();
        let whole = if last { all.num_rows() } else { all.num_rows() / BATCH * BATCH };
        let mut at = 0;
        while at < whole {
            let n = BATCH.min(whole - at);
            self.writer.write(&all.slice(at, n)).map_err(|e| Error::parquet(&self.path, e))?;
            self.written += n;
            at += n;
        }
        self.rows = all.num_rows() - whole;
        if self.rows > 0 {
            self.pending.push(all.slice(whole, self.rows));
        }
        Ok(())
    }

    /// Writes the rest and publishes the file. Gives the number of rows.
    ///
    /// # Errors
    /// [`Error::Parquet`] or [`Error::Io`] with the path.
    pub fn finish(mut self) -> Result<usize> {
        self.cut(true)?;
        let mut file = self.writer.into_inner().map_err(|e| Error::parquet(&self.path, e))?;
        file.flush().map_err(|e| Error::io(&self.path, e))?;
        file.publish()?;
        Ok(self.written)
    }
}

/// Reads a file of a stage in batches of up to 1,024 rows, in order.
///
/// # Errors
/// [`Error::Io`] or [`Error::Parquet`] with the path.
pub fn read(path: &Path) -> Result<ParquetRecordBatchReader> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| Error::parquet(path, e))?;
    builder.with_batch_size(BATCH).build().map_err(|e| Error::parquet(path, e))
}

/// [`read`] of some columns alone.
///
/// # Errors
/// As [`read`].
pub fn project(path: &Path, columns: &[&str]) -> Result<ParquetRecordBatchReader> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| Error::parquet(path, e))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    builder.with_projection(mask).with_batch_size(BATCH).build().map_err(|e| Error::parquet(path, e))
}

/// Rows of a file and the bytes of one text column in it, from its footer alone.
///
/// # Errors
/// [`Error::Io`] or [`Error::Parquet`] with the path.
pub fn size(path: &Path, column: &str) -> Result<(u64, u64)> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| Error::parquet(path, e))?;
    let (mut rows, mut bytes) = (0, 0);
    for group in builder.metadata().row_groups() {
        rows += u64::try_from(group.num_rows()).unwrap_or(0);
        let texts = group.columns().iter().filter(|c| c.column_path().string() == column);
        let of = |c: &ColumnChunkMetaData| c.unencoded_byte_array_data_bytes().unwrap_or(c.uncompressed_size());
        bytes += texts.map(|c| u64::try_from(of(c)).unwrap_or(0)).sum::<u64>();
    }
    Ok((rows, bytes))
}
