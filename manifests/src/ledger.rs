//! The ledger's columns: one row for every input document or failed record, kept or not. The reader of a corpus
//! relies on these names; docs/formats.md lists them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// In a training shard.
    Kept,
    /// In a held-out shard.
    HeldOut,
    /// Dropped, with a reason.
    Dropped,
}

impl Decision {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::HeldOut => "held-out",
            Self::Dropped => "dropped",
        }
    }
}

/// The schema of `ledger/*.parquet`.
///
/// Bytes obey, in each row that was read whole, `bytes_in + bytes_added = bytes_out + bytes_removed`; a dropped row
/// has `bytes_out` 0 and all its bytes removed by its reason.
#[must_use]
pub fn ledger_schema() -> Arc<Schema> {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    let count = |name| Field::new(name, DataType::UInt64, false);
    Arc::new(Schema::new(vec![
        Field::new("doc_id", DataType::FixedSizeBinary(16), false),
        text("declared_id", true),
        text("digest", true),
        text("source", false),
        text("path", false),
        text("set", false),
        text("decision", false),
        text("stage", false),
        text("reason", true),
        text("detail", true),
        text("state", true),
        text("license", true),
        text("cell", true),
        text("tier", true),
        count("bytes_in"),
        count("bytes_added"),
        count("bytes_removed"),
        count("bytes_out"),
        count("n_tokens"),
        Field::new("copies", DataType::UInt32, false),
        Field::new("duplicate_of", DataType::FixedSizeBinary(16), true),
        Field::new("matched", DataType::FixedSizeBinary(16), true),
        Field::new("cluster_size", DataType::UInt32, true),
        text("shard", true),
        Field::new("row", DataType::UInt32, true),
        text("url", true),
    ]))
}

/// The schema of `claims/*.parquet`: every claim on every document, kept or not, as found.
#[must_use]
pub fn claims_schema() -> Arc<Schema> {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        Field::new("doc_id", DataType::FixedSizeBinary(16), true),
        text("source", false),
        text("speaker", false),
        text("scope", false),
        text("kind", false),
        text("expression", true),
        text("raw", false),
        text("locator", false),
        text("digest", false),
        text("date", true),
    ]))
}
