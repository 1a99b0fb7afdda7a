//! Tokenize: one slice → the tokens of its kept and held-out documents, with what shards are ordered by.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, FixedSizeBinaryBuilder, ListBuilder, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use corpus::tokenize::Tokenizer;
use manifests::digest::Hasher;
use manifests::exposure::Cell;

use super::decided::{DecidedSlice, Rows};
use super::hold_out::order_of;
use super::tokenizer::failed;
use crate::columns::{column, doc_id, from_json, push_bytes};
use crate::error::{Error, Result};
use crate::table::TableWriter;
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
    slice.each(|rows| writer.write(batch(&rows, tokenizer, seed)?))?;
    writer.finish()?;
    Ok(vec![name])
}

fn batch(rows: &Rows, tokenizer: &Tokenizer, seed: u64) -> Result<RecordBatch> {
    let ids: &FixedSizeBinaryArray = column(&rows.slice, "doc_id")?;
    let digests: &FixedSizeBinaryArray = column(&rows.facts, "digest")?;
    let [mut row, mut count] = [(); 2].map(|()| UInt32Builder::new());
    let (mut id, mut text) = (FixedSizeBinaryBuilder::new(16), FixedSizeBinaryBuilder::new(32));
    let [mut kept, mut tiers, mut license, mut cell, mut proof] = [(); 5].map(|()| StringBuilder::new());
    let mut order = UInt64Builder::new();
    let item = Arc::new(Field::new("item", DataType::UInt32, false));
    let mut tokens = ListBuilder::new(UInt32Builder::new()).with_field(item);
    let mut buffer = Vec::new();
    for (i, decided) in rows.decided.iter().enumerate().filter(|(_, row)| row.stays()) {
        buffer.clear();
        let missing = |what: &str| Error::Bug(format!("a document that stays has no {what}"));
        let words = rows.text(i)?.ok_or_else(|| missing("text"))?;
        tokenizer.encode_into(words, &mut buffer).map_err(failed)?;
        let number = |n: usize| u32::try_from(n).map_err(|_| Error::Bug("more than 2³² in one slice".to_owned()));
        row.append_value(number(rows.first + i)?);
        push_bytes(&mut id, Some(ids.value(i)))?;
        push_bytes(&mut text, Some(digests.value(i)))?;
        kept.append_value(decided.decision.as_str());
        tiers.append_value(decided.tier.as_ref().ok_or_else(|| missing("tier"))?);
        let of = decided.cell.as_ref().ok_or_else(|| missing("cell"))?;
        license.append_value(from_json::<Cell>(of)?.label());
        cell.append_value(of);
        proof.append_option(decided.evidence.as_deref());
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
