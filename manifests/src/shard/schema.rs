//! The shard's columns, in Arrow and in Parquet, and everything that fixes its bytes. A change of any value here is a
//! new version of the format (docs/formats.md).

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

/// The key of the metadata entry that names the format.
pub const SCHEMA_KEY: &str = "flexmix.schema";
/// The value of that entry.
pub const SCHEMA_VALUE: &str = "flexmix/shard/v1";
/// What `created_by` says, whatever version wrote it: bytes depend on the format alone.
pub const CREATED_BY: &str = "flexmix";

/// Column numbers, in order.
pub(super) mod column {
    pub(in crate::shard) const DOC_ID: usize = 0;
    pub(in crate::shard) const SOURCE: usize = 1;
    pub(in crate::shard) const SET: usize = 2;
    pub(in crate::shard) const TIER: usize = 3;
    pub(in crate::shard) const LICENSE: usize = 4;
    pub(in crate::shard) const RIGHTSHOLDER: usize = 5;
    pub(in crate::shard) const CELL: usize = 6;
    pub(in crate::shard) const N_TOKENS: usize = 7;
    pub(in crate::shard) const COPIES: usize = 8;
    pub(in crate::shard) const TOKENS: usize = 9;
}

const ZSTD_LEVEL: i32 = 3;
const PAGE_BYTES: usize = 1 << 20;
const PAGE_ROWS: usize = 20_000;
const DICTIONARY_BYTES: usize = 1 << 20;
const TRUNCATE: usize = 64;
/// The Parquet column paths, with their dictionary and the finest level that they have statistics of.
const COLUMNS: [(&[&str], bool, EnabledStatistics); 10] = [
    (&["doc_id"], false, EnabledStatistics::Chunk),
    (&["source", "list", "element"], true, EnabledStatistics::Page),
    (&["set"], true, EnabledStatistics::Page),
    (&["tier"], true, EnabledStatistics::Page),
    (&["license"], true, EnabledStatistics::Page),
    (&["rightsholder", "list", "element"], true, EnabledStatistics::Page),
    (&["cell"], true, EnabledStatistics::Page),
    (&["n_tokens"], false, EnabledStatistics::Chunk),
    (&["copies"], true, EnabledStatistics::Chunk),
    (&["tokens", "list", "element"], false, EnabledStatistics::Chunk),
];

/// The name and type of a list's items; nothing in a shard is null.
pub(super) fn element(item: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", item, false))
}

/// The Arrow schema of a shard: what [`super::ShardWriter::write`] takes and every reader gets.
#[must_use]
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let list = |item| DataType::List(element(item));
        let column = |name, kind| Field::new(name, kind, false);
        Arc::new(Schema::new(vec![
            column("doc_id", DataType::FixedSizeBinary(16)),
            column("source", list(DataType::Utf8)),
            column("set", DataType::Utf8),
            column("tier", DataType::Utf8),
            column("license", DataType::Utf8),
            column("rightsholder", list(DataType::Utf8)),
            column("cell", DataType::UInt32),
            column("n_tokens", DataType::UInt32),
            column("copies", DataType::UInt32),
            column("tokens", list(DataType::UInt32)),
        ]))
    });
    SCHEMA.clone()
}

/// The writer's properties: every one that bytes depend on is explicit, so that a default that changes changes nothing.
pub(super) fn properties() -> Result<WriterProperties, ParquetError> {
    let path = |parts: &[&str]| ColumnPath::new(parts.iter().map(|p| (*p).to_owned()).collect());
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_write_batch_size(1024)
        .set_statistics_truncate_length(Some(TRUNCATE))
        .set_column_index_truncate_length(Some(TRUNCATE))
        .set_offset_index_disabled(false)
        .set_write_page_header_statistics(false)
        .set_bloom_filter_enabled(false)
        .set_coerce_types(false)
        .set_content_defined_chunking(None)
        // Row groups are closed by the shard writer alone.
        .set_max_row_group_row_count(None)
        .set_max_row_group_bytes(None)
        .set_key_value_metadata(Some(vec![KeyValue::new(SCHEMA_KEY.to_owned(), SCHEMA_VALUE.to_owned())]));
    for (parts, dictionary, statistics) in COLUMNS {
        builder = builder
            .set_column_dictionary_enabled(path(parts), dictionary)
            .set_column_statistics_enabled(path(parts), statistics)
            .set_column_encoding(path(parts), Encoding::PLAIN);
    }
    Ok(builder.build())
}
