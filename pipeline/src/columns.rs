//! Typed access to a batch's columns by name, and builders for those that every stage writes.

use arrow::array::{Array, FixedSizeBinaryArray, FixedSizeBinaryBuilder};
use arrow::record_batch::RecordBatch;
use manifests::id::DocId;

use crate::error::{Error, Result};

/// A column as its array type.
///
/// # Errors
/// [`Error::Bug`] when the batch has no such column of that type: stages write what stages read.
pub fn column<'a, A: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a A> {
    let found = batch.column_by_name(name).and_then(|c| c.as_any().downcast_ref());
    found.ok_or_else(|| Error::Bug(format!("a stage's file has no column `{name}` of the expected type")))
}

/// The document id in a row of a 16-byte column.
///
/// # Errors
/// [`Error::Bug`] when the value is not 16 bytes.
pub fn doc_id(column: &FixedSizeBinaryArray, row: usize) -> Result<DocId> {
    let bytes = column.value(row).try_into().map_err(|_| Error::Bug("a document id is not 16 bytes".to_owned()))?;
    Ok(DocId::from_bytes(bytes))
}

/// Appends 16 or 32 bytes.
///
/// # Errors
/// [`Error::Engine`] when the length is wrong.
pub fn push_bytes(builder: &mut FixedSizeBinaryBuilder, bytes: Option<&[u8]>) -> Result<()> {
    match bytes {
        Some(bytes) => Ok(builder.append_value(bytes)?),
        None => {
            builder.append_null();
            Ok(())
        }
    }
}

/// A value from its canonical JSON in a text column.
///
/// # Errors
/// [`Error::Bug`] when it is not that.
pub fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::Bug(format!("a stage wrote JSON that it cannot read: {e}")))
}

/// A value as canonical JSON.
///
/// # Errors
/// [`Error::Record`] when it has no canonical form.
pub fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    String::from_utf8(manifests::canonical::to_vec(value)?).map_err(|e| Error::Bug(e.to_string()))
}
