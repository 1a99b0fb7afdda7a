//! The objects of a source that lies behind a network, as they were read: what its store called each, and the digest of
//! the bytes that came. Evidence of the set, as a table that people can query.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use corpus::source::{Found, is_address};

use crate::columns::from_json;
use crate::error::{Error, Result};
use crate::table::TableWriter;

/// The columns: one row an object. The digest is absent where the recipe asked for the beginning of an object alone, or
/// for nothing in it.
#[must_use]
pub fn objects_schema() -> Arc<Schema> {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("source", false),
        text("path", false),
        text("address", false),
        Field::new("length", DataType::UInt64, true),
        text("etag", true),
        text("sha256", true),
    ]))
}

/// Writes the table of a source, from the file of its read task; nothing when all of it lies in the inputs folder.
///
/// # Errors
/// A file that can't be read or written.
pub fn write_objects(source: &str, list: &Path, to: &Path) -> Result<Option<PathBuf>> {
    let found: Vec<Found> = from_json(&std::fs::read_to_string(list).map_err(|e| Error::io(list, e))?)?;
    if !found.iter().any(|object| is_address(&object.address)) {
        return Ok(None);
    }
    let [mut sources, mut path, mut address, mut etag, mut sha256] = [(); 5].map(|()| StringBuilder::new());
    let mut length = UInt64Builder::new();
    for object in &found {
        sources.append_value(source);
        path.append_value(&object.path);
        address.append_value(&object.address);
        length.append_option(object.length);
        etag.append_option(object.etag.as_deref());
        sha256.append_option(object.sha256.map(|digest| digest.to_string()));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(sources.finish()),
        Arc::new(path.finish()),
        Arc::new(address.finish()),
        Arc::new(length.finish()),
        Arc::new(etag.finish()),
        Arc::new(sha256.finish()),
    ];
    let mut writer = TableWriter::create(to, objects_schema())?;
    writer.write(RecordBatch::try_new(objects_schema(), columns)?)?;
    writer.finish()?;
    Ok(Some(to.to_path_buf()))
}
