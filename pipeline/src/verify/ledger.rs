//! Reads the ledger once, for what verification needs of it: what became of each set's documents, the bytes law of
//! each row, and the text digests of what was kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{UInt32Type, UInt64Type};
use manifests::digest::Sha256;
use manifests::id::DocId;
use manifests::manifest::Funnel;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::{Error, Result};

/// What the ledger says of one set.
#[derive(Debug, Default)]
pub(super) struct SetLedger {
    /// What became of its input.
    pub funnel: Funnel,
    /// Rows whose bytes do not add up, the first few.
    pub unbalanced: Vec<DocId>,
    /// The kept and held-out documents.
    pub kept: BTreeMap<DocId, Stays>,
    /// Ids that stand twice.
    pub repeated: BTreeSet<DocId>,
}

/// What the ledger says of a document that stays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stays {
    /// The digest of its normalised text.
    pub text: Sha256,
    /// The digest of its exposure cell.
    pub cell: Sha256,
    /// Its tokens as stored, and how often training reads it.
    pub tokens: (u64, u32),
}

/// The ledger files, by name. What is no plain file is none: manifests name it, and then it is missing.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let entry = entry.map_err(|e| Error::io(folder, e))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(|e| Error::io(folder, e))?);
        if path.extension().is_some_and(|e| e == "parquet") && kind.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Adds one file's rows. Gives what is wrong with the file, if it is no ledger.
pub(super) fn read(path: &Path, sets: &mut BTreeMap<String, SetLedger>) -> std::result::Result<(), String> {
    const COLUMNS: [&str; 12] = [
        "doc_id",
        "digest",
        "set",
        "decision",
        "reason",
        "cell",
        "bytes_in",
        "bytes_added",
        "bytes_removed",
        "bytes_out",
        "n_tokens",
        "copies",
    ];
    let text = |e: &dyn std::fmt::Display| format!("is no ledger: {e}");
    let file = File::open(path).map_err(|e| text(&e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| text(&e))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    let reader = builder.with_projection(mask).build().map_err(|e| text(&e))?;
    for batch in reader {
        rows(&batch.map_err(|e| text(&e))?, sets)?;
    }
    Ok(())
}

fn rows(batch: &RecordBatch, sets: &mut BTreeMap<String, SetLedger>) -> std::result::Result<(), String> {
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| format!("the column `{name}` is missing"));
    let text = |name: &'static str| column(name)?.as_string_opt::<i32>().ok_or_else(|| format!("`{name}` is no Utf8"));
    let count = |name: &'static str| {
        column(name)?.as_primitive_opt::<UInt64Type>().ok_or_else(|| format!("`{name}` is no UInt64"))
    };
    let ids = column("doc_id")?.as_fixed_size_binary_opt().ok_or("`doc_id` is no FixedSizeBinary(16)")?;
    let (digests, names, decisions, reasons) = (text("digest")?, text("set")?, text("decision")?, text("reason")?);
    let cells = text("cell")?;
    let tokens = count("n_tokens")?;
    let copies = column("copies")?.as_primitive_opt::<UInt32Type>().ok_or("`copies` is no UInt32")?;
    let bytes = [count("bytes_in")?, count("bytes_added")?, count("bytes_out")?, count("bytes_removed")?];
    for row in 0..batch.num_rows() {
        let id = <[u8; 16]>::try_from(ids.value(row)).map_err(|_| "`doc_id` is not 16 bytes".to_owned())?;
        let id = DocId::from_bytes(id);
        if !sets.contains_key(names.value(row)) {
            sets.insert(names.value(row).to_owned(), SetLedger::default());
        }
        let Some(set) = sets.get_mut(names.value(row)) else { continue };
        set.funnel.read += 1;
        let [into, added, out, removed] = bytes.map(|b| u128::from(b.value(row)));
        if into + added != out + removed && set.unbalanced.len() < 5 {
            set.unbalanced.push(id);
        }
        let dropped = match decisions.value(row) {
            "kept" => {
                set.funnel.kept += 1;
                false
            }
            "held-out" => {
                set.funnel.held_out += 1;
                false
            }
            "dropped" => true,
            other => return Err(format!("document {id} has the decision `{other}`")),
        };
        if dropped {
            let reason = if reasons.is_null(row) { "" } else { reasons.value(row) };
            *set.funnel.dropped.entry(reason.to_owned()).or_default() += 1;
            continue;
        }
        let digest = |column: &StringArray| -> std::result::Result<Sha256, String> {
            let text = if column.is_null(row) { "" } else { column.value(row) };
            text.parse().map_err(|e| format!("document {id}: {e}"))
        };
        let stays =
            Stays { text: digest(digests)?, cell: digest(cells)?, tokens: (tokens.value(row), copies.value(row)) };
        if set.kept.insert(id, stays).is_some() {
            set.repeated.insert(id);
        }
    }
    Ok(())
}
