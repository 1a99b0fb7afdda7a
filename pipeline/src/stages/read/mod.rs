//! Read: sources → slices of documents with their claims and conclusions. One task a source; a slice ends after a
//! number of records or bytes, so that every later stage has many tasks of bounded size. Cutting is one thread's for
//! each part of a source; parsing and concluding is any thread's, slice by slice, and so is going on after a kill.

mod objects;
mod rows;
mod work;

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use corpus::claims::SourceClaims;
use corpus::optout::Sites;
use corpus::source::{Found, Objects, SourceSpec};
use manifests::record::Decision;

use crate::columns::from_json;
use crate::error::{Error, Result};
use crate::task::Stage;

pub use objects::{objects_schema, write_objects};
pub use work::run;

/// The stage.
pub const STAGE: Stage = Stage { name: "read", version: 4 };
/// The most records of a slice.
const SLICE_ROWS: usize = 4096;
/// The bytes of raw records after which a slice ends.
const SLICE_BYTES: usize = 8 << 20;

/// The columns of a slice. A failed record has a reason and no text.
#[must_use]
pub fn schema() -> Arc<Schema> {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        Field::new("doc_id", DataType::FixedSizeBinary(16), false),
        text("declared_id", true),
        text("path", false),
        text("url", true),
        Field::new("text", DataType::LargeUtf8, true),
        text("reason", true),
        text("detail", true),
        Field::new("bytes_in", DataType::UInt64, false),
        Field::new("bytes_added", DataType::UInt64, false),
        Field::new("bytes_removed", DataType::UInt64, false),
        text("claims", false),
        text("conclusion", false),
    ]))
}

/// A source and what was found of it.
pub struct ReadTask {
    /// The source.
    pub spec: Arc<SourceSpec>,
    /// Its objects.
    pub found: Vec<Found>,
}

/// What all sources are read with.
pub struct ReadWith<'a> {
    /// The folder of local objects.
    pub inputs: &'a Path,
    /// Gives objects.
    pub objects: Arc<dyn Objects>,
    /// The decisions that the recipe names.
    pub decisions: &'a [Decision],
}

/// What the recipe names and the source does not have, from the files of its read task.
///
/// # Errors
/// A file that can't be read.
pub fn unused(file: &Path) -> Result<Vec<String>> {
    from_json(&std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?)
}

/// What a source says beside its documents.
struct Said {
    evidence: SourceClaims,
    sites: Sites,
    spec: Arc<SourceSpec>,
    decisions: Vec<Decision>,
}
