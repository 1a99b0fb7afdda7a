//! Tables that a corpus need not have: facts about every document, the text of what was dropped, and how long stages
//! took. What is not there is an empty table, so that a query over it answers nothing rather than fails.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::engine::parquet_files;
use crate::error::{Error, Result};
use crate::timings::{StageTime, Timings};

/// The columns of `facts` that reports rely on, for a corpus without one; a real one has its filters' facts too.
fn facts_schema() -> SchemaRef {
    let of = |name, kind| Field::new(name, kind, true);
    Arc::new(Schema::new(vec![
        of("doc_id", DataType::FixedSizeBinary(16)),
        of("filter", DataType::UInt32),
        of("value", DataType::Float64),
        of("threshold", DataType::Float64),
        of("span_start", DataType::UInt64),
        of("span_end", DataType::UInt64),
        of("words", DataType::UInt64),
    ]))
}

/// The files of facts, with their columns.
pub(super) fn facts(root: &Path) -> Result<(Vec<String>, SchemaRef)> {
    let files = files(&root.join("facts"))?;
    let schema = files.first().map_or_else(|| Ok(facts_schema()), |first| schema_of(first))?;
    Ok((files, schema))
}

/// The Parquet files of a folder that need not be there, by name.
fn files(folder: &Path) -> Result<Vec<String>> {
    if folder.is_dir() { parquet_files(folder) } else { Ok(vec![]) }
}

/// The columns of a file.
fn schema_of(file: &str) -> Result<SchemaRef> {
    let path = Path::new(file);
    let open = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(open).map_err(|e| Error::parquet(path, e))?;
    Ok(Arc::clone(builder.schema()))
}

/// The files of excluded text, with their columns. Nobody signed them: what cannot be read is as if it were not there,
/// so that no report on signed records fails for it.
pub(super) fn excluded(root: &Path) -> (Vec<String>, SchemaRef) {
    let wanted = crate::stages::excluded::schema();
    let found = files(&root.join("excluded")).unwrap_or_default();
    let fits = |file: &String| schema_of(file).is_ok_and(|schema| schema.fields() == wanted.fields());
    let (files, strange): (Vec<String>, Vec<String>) = found.into_iter().partition(fits);
    strange.iter().for_each(|file| tracing::warn!("`{file}` is no table of excluded text"));
    (files, wanted)
}

/// The times of a build, in the order of its stages; none where nobody can read them.
pub(super) fn timings(root: &Path) -> Result<RecordBatch> {
    let read = Timings::read(root).unwrap_or_else(|error| {
        tracing::warn!("{error}");
        None
    });
    let timings = read.unwrap_or_default();
    let count = |f: fn(&StageTime) -> u64| -> ArrayRef {
        Arc::new(timings.stages.iter().map(|s| Some(f(s))).collect::<UInt64Array>())
    };
    let places: ArrayRef = Arc::new(UInt64Array::from_iter_values(0..timings.stages.len() as u64));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(timings.stages.iter().map(|s| s.stage.as_str())));
    let threads: ArrayRef = Arc::new(UInt64Array::from(vec![timings.threads; timings.stages.len()]));
    let columns = [
        ("place", places),
        ("stage", names),
        ("threads", threads),
        ("tasks", count(|s| s.tasks)),
        ("done_before", count(|s| s.done_before)),
        ("wall_us", count(|s| s.wall_us)),
        ("busy_us", count(|s| s.busy_us)),
        ("documents", count(|s| s.documents)),
        ("bytes", count(|s| s.bytes)),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))?)
}
