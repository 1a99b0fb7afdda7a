//! Verifies one shard: length and digest first, then every row recounted against the manifest's cell table.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt32Type;
use manifests::id::DocId;
use manifests::manifest::{ManifestShard, SetManifest};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use manifests::digest::Sha256;

/// What a shard was found to hold.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Its documents: id, index of the cell, stored tokens.
    pub documents: Vec<(DocId, u32, u32)>,
}

/// Checks the file against its entry, then its rows. Gives what it holds, or the first thing that is wrong.
pub(super) fn verify(path: &Path, shard: &ManifestShard, manifest: &SetManifest) -> Result<Counted, String> {
    let (length, digest) = Sha256::of_file(path).map_err(|e| match e {
        manifests::Error::Io { source, .. } => format!("cannot be read: {source}"),
        other => other.to_string(),
    })?;
    if (length, digest) != (shard.file.length, shard.file.digest) {
        let entry = &shard.file;
        return Err(format!("{length} bytes {digest}, the manifest names {} bytes {}", entry.length, entry.digest));
    }
    recount(path, shard, manifest)
}

fn recount(path: &Path, shard: &ManifestShard, manifest: &SetManifest) -> Result<Counted, String> {
    const COLUMNS: [&str; 7] = ["doc_id", "set", "tier", "cell", "n_tokens", "copies", "tokens"];
    let text = |e: &dyn std::fmt::Display| format!("is no shard: {e}");
    let file = File::open(path).map_err(|e| text(&e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| text(&e))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    let reader = builder.with_projection(mask).with_batch_size(1024).build().map_err(|e| text(&e))?;
    let mut counted = Counted::default();
    let mut cells: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for batch in reader {
        rows(&batch.map_err(|e| text(&e))?, manifest, &mut counted, &mut cells)?;
    }
    let named: BTreeMap<u32, (u64, u64)> = shard.cells.iter().map(|c| (c.cell, (c.documents, c.tokens))).collect();
    if cells != named {
        return Err("its documents and tokens by cell are not those that the manifest names".to_owned());
    }
    Ok(counted)
}

fn rows(
    batch: &RecordBatch,
    manifest: &SetManifest,
    counted: &mut Counted,
    cells: &mut BTreeMap<u32, (u64, u64)>,
) -> Result<(), String> {
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| format!("the column `{name}` is missing"));
    let ids = column("doc_id")?.as_fixed_size_binary_opt().ok_or("`doc_id` is no FixedSizeBinary(16)")?;
    let sets = column("set")?.as_string_opt::<i32>().ok_or("`set` is no Utf8")?;
    let tiers = column("tier")?.as_string_opt::<i32>().ok_or("`tier` is no Utf8")?;
    let number = |name: &'static str| {
        column(name)?.as_primitive_opt::<UInt32Type>().ok_or_else(|| format!("`{name}` is no UInt32"))
    };
    let (cell, n_tokens, copies) = (number("cell")?, number("n_tokens")?, number("copies")?);
    let tokens = column("tokens")?.as_list_opt::<i32>().ok_or("`tokens` is no List")?;
    for row in 0..batch.num_rows() {
        let id = <[u8; 16]>::try_from(ids.value(row)).map_err(|_| "`doc_id` is not 16 bytes".to_owned())?;
        let id = DocId::from_bytes(id);
        let (index, stored) = (cell.value(row), n_tokens.value(row));
        if sets.value(row) != manifest.set.as_str() {
            return Err(format!("document {id} says it is of set `{}`", sets.value(row)));
        }
        if manifest.tiers.get(index as usize).map(String::as_str) != Some(tiers.value(row)) {
            return Err(format!("document {id} says tier `{}`, its cell {index} another", tiers.value(row)));
        }
        if tokens.value_length(row) != i32::try_from(stored).unwrap_or(i32::MAX) {
            return Err(format!("document {id} says {stored} tokens and holds {}", tokens.value_length(row)));
        }
        let sum = cells.entry(index).or_default();
        *sum = (sum.0 + 1, sum.1 + u64::from(stored) * u64::from(copies.value(row)));
        counted.documents.push((id, index, stored));
    }
    Ok(())
}
