//! Excluded: on request, one slice → the text of every document that was dropped, as it was then, with the rule that
//! dropped it. It is kept for the eyes of who tunes a recipe: no record names it, no digest covers it, nothing that is
//! published depends on it, and it stays in its owner's house.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, Float64Array, Float64Builder,
    LargeStringBuilder, StringArray, StringBuilder, UInt64Array, UInt64Builder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, UInt64Type};
use arrow::record_batch::RecordBatch;
use manifests::reason::Reason;

use super::decided::{DecidedSlice, Rows};
use crate::columns::{column, push_bytes};
use crate::error::{Error, Result};
use crate::table::TableWriter;
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "excluded", version: 1 };
/// The folder of its files in a corpus.
pub const FOLDER: &str = "excluded";

/// The columns of `excluded/NNNNN.parquet`.
#[must_use]
pub fn schema() -> Arc<Schema> {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        Field::new("doc_id", DataType::FixedSizeBinary(16), false),
        text("set", false),
        text("source", false),
        text("path", false),
        text("stage", false),
        text("reason", true),
        text("detail", true),
        text("filter", true),
        Field::new("value", DataType::Float64, true),
        Field::new("threshold", DataType::Float64, true),
        Field::new("span_start", DataType::UInt64, true),
        Field::new("span_end", DataType::UInt64, true),
        Field::new("text", DataType::LargeUtf8, true),
    ]))
}

/// Writes what one slice lost as `NNNNN.parquet`. `filters` are the names of the recipe's, in their order.
///
/// # Errors
/// A file that can't be read or written.
pub fn run(slice: &DecidedSlice, filters: &[String], n: usize, folder: &Path) -> Result<Vec<String>> {
    let name = format!("{n:05}.parquet");
    let mut writer = TableWriter::create(&folder.join(&name), schema())?;
    slice.each(|rows| writer.write(batch(slice, &rows, filters)?))?;
    writer.finish()?;
    Ok(vec![name])
}

/// What the filter that dropped a document found, where facts have it.
struct Found {
    filter: Option<UInt64Array>,
    value: Option<Float64Array>,
    threshold: Option<Float64Array>,
    span_start: Option<UInt64Array>,
    span_end: Option<UInt64Array>,
}

impl Found {
    fn of(facts: &RecordBatch) -> Result<Self> {
        let whole = |name: &str| -> Result<Option<UInt64Array>> {
            let Some(array) = facts.column_by_name(name) else { return Ok(None) };
            Ok(Some(cast(array, &DataType::UInt64)?.as_primitive::<UInt64Type>().clone()))
        };
        let real = |name: &str| -> Result<Option<Float64Array>> {
            let Some(array) = facts.column_by_name(name) else { return Ok(None) };
            Ok(Some(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone()))
        };
        Ok(Self {
            filter: whole("filter")?,
            value: real("value")?,
            threshold: real("threshold")?,
            span_start: whole("span_start")?,
            span_end: whole("span_end")?,
        })
    }
}

fn batch(slice: &DecidedSlice, rows: &Rows, filters: &[String]) -> Result<RecordBatch> {
    let ids: &FixedSizeBinaryArray = column(&rows.slice, "doc_id")?;
    let paths: &StringArray = column(&rows.slice, "path")?;
    let found = Found::of(&rows.facts)?;
    let mut id = FixedSizeBinaryBuilder::new(16);
    let [mut set, mut source, mut path, mut stage, mut reason, mut detail, mut filter] =
        [(); 7].map(|()| StringBuilder::new());
    let [mut value, mut threshold] = [(); 2].map(|()| Float64Builder::new());
    let [mut start, mut end] = [(); 2].map(|()| UInt64Builder::new());
    let mut text = LargeStringBuilder::new();
    for (i, decided) in rows.decided.iter().enumerate().filter(|(_, decided)| !decided.stays()) {
        push_bytes(&mut id, Some(ids.value(i)))?;
        set.append_value(slice.slice.source.set.as_str());
        source.append_value(slice.slice.source.id.as_str());
        path.append_value(paths.value(i));
        stage.append_value(&decided.stage);
        reason.append_option(decided.reason.map(Reason::name));
        detail.append_option(decided.detail.as_deref());
        let by_filter = decided.stage == "filter";
        let whole =
            |array: &Option<UInt64Array>| array.as_ref().filter(|a| by_filter && a.is_valid(i)).map(|a| a.value(i));
        let real =
            |array: &Option<Float64Array>| array.as_ref().filter(|a| by_filter && a.is_valid(i)).map(|a| a.value(i));
        let name = whole(&found.filter).and_then(|place| filters.get(usize::try_from(place).ok()?));
        filter.append_option(name);
        value.append_option(real(&found.value));
        threshold.append_option(real(&found.threshold));
        start.append_option(whole(&found.span_start));
        end.append_option(whole(&found.span_end));
        text.append_option(if by_filter { rows.filtered(i)? } else { rows.text(i)? });
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(id.finish()),
        Arc::new(set.finish()),
        Arc::new(source.finish()),
        Arc::new(path.finish()),
        Arc::new(stage.finish()),
        Arc::new(reason.finish()),
        Arc::new(detail.finish()),
        Arc::new(filter.finish()),
        Arc::new(value.finish()),
        Arc::new(threshold.finish()),
        Arc::new(start.finish()),
        Arc::new(end.finish()),
        Arc::new(text.finish()),
    ];
    RecordBatch::try_new(schema(), columns).map_err(Error::from)
}
