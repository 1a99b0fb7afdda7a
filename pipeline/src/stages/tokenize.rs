//! Tokenize: one slice → the tokens of its kept and held-out documents, with what shards are ordered by.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryArray, FixedSizeBinaryBuilder, LargeStringArray, ListBuilder, StringArray,
    StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use corpus::tokenize::Tokenizer;
use manifests::digest::Hasher;
use manifests::exposure::Cell;
use manifests::ledger::Decision;

use super::decide::order_of;
use super::tokenizer::{DecidedSlice, failed};
use crate::columns::{column, doc_id, from_json, push_bytes};
use crate::error::{Error, Result};
use crate::table::{TableWriter, read};
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "tokenize", version: 1 };

/// The columns of a slice's tokens: one row a document that stays.
#[must_use]
pub fn schema() -> Arc<Schema> {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let item = Arc::new(Field::new("item", DataType::UInt32, false));
    Arc::new(Schema::new(vec![
        Field::new("row", DataType::UInt32, false),
        Field::new("doc_id", DataType::FixedSizeBinary(16), false),
        Field::new("text", DataType::FixedSizeBinary(32), false),
        text("decision"),
        text("tier"),
        text("license"),
        text("cell"),
        Field::new("evidence", DataType::Utf8, true),
        Field::new("order", DataType::UInt64, false),
        Field::new("n_tokens", DataType::UInt32, false),
        Field::new("tokens", DataType::List(item), false),
    ]))
}

/// Tokenizes one slice.
///
/// # Errors
/// [`Error::Tokenizer`], or a file that can't be read or written.
pub fn run(slice: &DecidedSlice, tokenizer: &Tokenizer, seed: u64, n: usize, folder: &Path) -> Result<Vec<String>> {
    let name = format!("{n:05}.parquet");
    let mut writer = TableWriter::create(&folder.join(&name), schema())?;
    let mut first = 0;
    let files = read(&slice.slice.file)?.zip(read(&slice.facts)?).zip(read(&slice.decisions)?);
    for ((rows, facts), decisions) in files {
        let (rows, facts, decisions) = (rows?, facts?, decisions?);
        writer.write(batch(&rows, &facts, &decisions, first, tokenizer, seed)?)?;
        first += rows.num_rows();
    }
    writer.finish()?;
    Ok(vec![name])
}

fn batch(
    rows: &RecordBatch,
    facts: &RecordBatch,
    decisions: &RecordBatch,
    first: usize,
    tokenizer: &Tokenizer,
    seed: u64,
) -> Result<RecordBatch> {
    let ids: &FixedSizeBinaryArray = column(rows, "doc_id")?;
    let (texts, edited): (&LargeStringArray, &LargeStringArray) = (column(rows, "text")?, column(facts, "text")?);
    let digests: &FixedSizeBinaryArray = column(facts, "digest")?;
    let (decision, tier): (&StringArray, &StringArray) = (column(decisions, "decision")?, column(decisions, "tier")?);
    let (cells, evidence): (&StringArray, &StringArray) = (column(decisions, "cell")?, column(decisions, "evidence")?);
    let [mut row, mut count] = [(); 2].map(|()| UInt32Builder::new());
    let (mut id, mut text) = (FixedSizeBinaryBuilder::new(16), FixedSizeBinaryBuilder::new(32));
    let [mut kept, mut tiers, mut license, mut cell, mut proof] = [(); 5].map(|()| StringBuilder::new());
    let mut order = UInt64Builder::new();
    let item = Arc::new(Field::new("item", DataType::UInt32, false));
    let mut tokens = ListBuilder::new(UInt32Builder::new()).with_field(item);
    let mut buffer = Vec::new();
    for i in (0..rows.num_rows()).filter(|i| decision.value(*i) != Decision::Dropped.as_str()) {
        buffer.clear();
        let words = if edited.is_valid(i) { edited.value(i) } else { texts.value(i) };
        tokenizer.encode_into(words, &mut buffer).map_err(failed)?;
        let number = |n: usize| u32::try_from(n).map_err(|_| Error::Bug("more than 2³² in one slice".to_owned()));
        row.append_value(number(first + i)?);
        push_bytes(&mut id, Some(ids.value(i)))?;
        push_bytes(&mut text, Some(digests.value(i)))?;
        kept.append_value(decision.value(i));
        tiers.append_value(tier.value(i));
        license.append_value(from_json::<Cell>(cells.value(i))?.label());
        cell.append_value(cells.value(i));
        proof.append_option(evidence.is_valid(i).then(|| evidence.value(i)));
        let mut hasher = Hasher::new();
        hasher.update(b"flexmix/order/1");
        hasher.field(&seed.to_le_bytes());
        hasher.field(doc_id(ids, i)?.as_bytes());
        order.append_value(order_of(hasher.finish()));
        count.append_value(number(buffer.len())?);
        tokens.values().append_slice(&buffer);
        tokens.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(row.finish()),
        Arc::new(id.finish()),
        Arc::new(text.finish()),
        Arc::new(kept.finish()),
        Arc::new(tiers.finish()),
        Arc::new(license.finish()),
        Arc::new(cell.finish()),
        Arc::new(proof.finish()),
        Arc::new(order.finish()),
        Arc::new(count.finish()),
        Arc::new(tokens.finish()),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}
