//! Facts: one slice → its facts (digest of the normalised text, first filter reason, edits) and the keys by which
//! equal texts find each other. Text goes no further than this stage's own file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, FixedSizeBinaryArray, FixedSizeBinaryBuilder, StringArray, StringBuilder,
    StructArray, UInt32Builder,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use corpus::filter::Chain;
use xxhash_rust::xxh64::xxh64;

use crate::columns::{column, push_bytes};
use crate::engine::{Engine, literal};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::slice::SliceRef;
use crate::table::TableWriter;
use crate::task::Stage;
use crate::udf::{DocumentFacts, fact_fields};

/// The stage.
pub const STAGE: Stage = Stage { name: "facts", version: 2 };
/// Buckets that keys are exchanged through: a constant, so that bytes don't depend on the machine.
pub const BUCKETS: u32 = 16;

/// The columns of a slice's facts: the struct of `document_facts`, flat.
#[must_use]
pub fn schema(chain: &Chain) -> Arc<Schema> {
    Arc::new(Schema::new(fact_fields(chain)))
}

/// The columns of a slice's keys.
#[must_use]
pub fn keys_schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("bucket", DataType::UInt32, false),
        Field::new("domain", DataType::Utf8, false),
        Field::new("digest", DataType::FixedSizeBinary(32), false),
        Field::new("failed", DataType::Boolean, false),
        Field::new("slice", DataType::UInt32, false),
        Field::new("row", DataType::UInt32, false),
        Field::new("doc_id", DataType::FixedSizeBinary(16), false),
        Field::new("source", DataType::Utf8, false),
        Field::new("rightsholder", DataType::Utf8, true),
        Field::new("conclusion", DataType::Utf8, false),
    ]))
}

/// Computes the facts of one slice, through a one-partition plan whose root projection holds the function once, and
/// asks the recipe's rules what they say of them.
///
/// # Errors
/// [`Error::Engine`], [`Error::Parquet`], or [`Error::Bug`] when the plan ran the function on a row twice.
pub fn run(slice: &SliceRef, recipe: &Recipe, n: usize, folder: &Path) -> Result<Vec<String>> {
    let chain = &recipe.chain;
    let (function, calls) = DocumentFacts::counted(Arc::clone(chain));
    let engine = Engine::new([function])?;
    engine.table("slice", std::slice::from_ref(&slice.file))?;
    let json = chain.to_json().map_err(|e| Error::Bug(e.to_string()))?;
    let sql = format!(
        "SELECT doc_id, declared_id, path, url, conclusion, document_facts(text, url, {}, {}) AS facts FROM slice",
        literal(slice.source.set.as_str()),
        literal(&json),
    );
    let names = [format!("{n:05}.parquet"), format!("{n:05}-keys.parquet")];
    let schema = schema(chain);
    let mut facts = TableWriter::create(&folder.join(&names[0]), Arc::clone(&schema))?;
    let mut keys = TableWriter::create(&folder.join(&names[1]), keys_schema())?;
    let mut rows = 0;
    engine.rows(&sql, |batch| {
        let structure: &StructArray = column(&batch, "facts")?;
        let found = RecordBatch::try_new(Arc::clone(&schema), structure.columns().to_vec())?;
        let found = recipe.rules.apply(&batch, &found, slice)?;
        keys.write(keys_of(&batch, &found, slice, n, rows)?)?;
        rows += batch.num_rows();
        facts.write(found)
    })?;
    let called = calls.load(std::sync::atomic::Ordering::Relaxed);
    if called != rows as u64 {
        return Err(Error::Bug(format!("document_facts ran {called} times over {rows} rows")));
    }
    facts.finish()?;
    keys.finish()?;
    Ok(names.to_vec())
}

/// The place of a slice's facts and keys.
#[must_use]
pub fn files(folder: &Path, n: usize) -> (PathBuf, PathBuf) {
    (folder.join(format!("{n:05}.parquet")), folder.join(format!("{n:05}-keys.parquet")))
}

/// The keys of the readable rows of a batch.
fn keys_of(batch: &RecordBatch, facts: &RecordBatch, slice: &SliceRef, n: usize, first: usize) -> Result<RecordBatch> {
    let ids: &FixedSizeBinaryArray = column(batch, "doc_id")?;
    let conclusions: &StringArray = column(batch, "conclusion")?;
    let digests: &FixedSizeBinaryArray = column(facts, "digest")?;
    let reasons: &StringArray = column(facts, "reason")?;
    let number = |value: usize| u32::try_from(value).map_err(|_| Error::Bug("more than 2³² rows".to_owned()));
    let [mut bucket, mut slices, mut rows] = [(); 3].map(|()| UInt32Builder::new());
    let [mut domain, mut source, mut holder, mut conclusion] = [(); 4].map(|()| StringBuilder::new());
    let (mut digest, mut id) = (FixedSizeBinaryBuilder::new(32), FixedSizeBinaryBuilder::new(16));
    let mut failed = BooleanBuilder::new();
    for row in (0..batch.num_rows()).filter(|row| digests.is_valid(*row)) {
        bucket.append_value(u32::try_from(xxh64(digests.value(row), 0) % u64::from(BUCKETS)).unwrap_or(0));
        domain.append_value(slice.domain());
        push_bytes(&mut digest, Some(digests.value(row)))?;
        failed.append_value(reasons.is_valid(row));
        slices.append_value(number(n)?);
        rows.append_value(number(first + row)?);
        push_bytes(&mut id, Some(ids.value(row)))?;
        source.append_value(slice.source.id.as_str());
        holder.append_option(slice.source.rightsholder.as_deref());
        conclusion.append_value(conclusions.value(row));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(bucket.finish()),
        Arc::new(domain.finish()),
        Arc::new(digest.finish()),
        Arc::new(failed.finish()),
        Arc::new(slices.finish()),
        Arc::new(rows.finish()),
        Arc::new(id.finish()),
        Arc::new(source.finish()),
        Arc::new(holder.finish()),
        Arc::new(conclusion.finish()),
    ];
    Ok(RecordBatch::try_new(keys_schema(), columns)?)
}
