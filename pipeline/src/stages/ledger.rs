//! Ledger: one slice → one row for every document or failed record of it, kept or not, with its claims and the facts
//! about it beside. The
//! law of bytes is checked here, row by row; nothing is published from a ledger that breaks it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, StringArray, StringBuilder,
    UInt32Builder, UInt64Array, UInt64Builder,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use corpus::filter::Chain;
use manifests::claim::{Claim, Signal, Statement};
use manifests::digest::hex;
use manifests::exposure::Cell;
use manifests::ledger::{claims_schema, ledger_schema};

use super::decided::{Decided, DecidedSlice, Rows};
use crate::columns::{column, from_json, push_bytes};
use crate::error::{Error, Result};
use crate::table::TableWriter;
use crate::task::Stage;
use crate::udf::fact_fields;

/// The stage.
pub const STAGE: Stage = Stage { name: "ledger", version: 3 };

/// Where a kept row of a slice went.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its tokens.
    pub n_tokens: u32,
    /// How often training reads it.
    pub copies: u32,
    /// The shard.
    pub shard: String,
    /// The row in it.
    pub row: u32,
}

/// Writes the ledger, the claims and the facts of one slice, in this order.
///
/// # Errors
/// [`Error::Unbalanced`] when a row breaks the law of bytes or has no shard, or a file that can't be read or written.
pub fn run(
    slice: &DecidedSlice,
    placed: &BTreeMap<u32, Placed>,
    chain: &Chain,
    n: usize,
    folder: &Path,
) -> Result<Vec<String>> {
    let names =
        vec![format!("ledger-{n:05}.parquet"), format!("claims-{n:05}.parquet"), format!("facts-{n:05}.parquet")];
    let mut facts = TableWriter::create(&folder.join(&names[2]), facts_schema(chain))?;
    let mut ledger = TableWriter::create(&folder.join(&names[0]), ledger_schema())?;
    let mut claims = TableWriter::create(&folder.join(&names[1]), claims_schema())?;
    slice.each(|rows| {
        ledger.write(batch(slice, &rows, placed)?)?;
        claims.write(claims_of(slice, &rows.slice)?)?;
        facts.write(facts_of(&rows, chain)?)
    })?;
    ledger.finish()?;
    facts.finish()?;
    claims.finish()?;
    Ok(names)
}

/// Columns of a slice's facts that are not published: the text, and what the ledger has.
const ELSEWHERE: [&str; 6] = ["digest", "text", "reason", "detail", "bytes_added", "bytes_removed"];

/// The columns of `facts/NNNNN.parquet`: the id of each document that could be read, where a filter's decision met what,
/// sizes, and the facts of the recipe's chain.
#[must_use]
pub fn facts_schema(chain: &Chain) -> Arc<Schema> {
    let facts = fact_fields(chain);
    let facts = facts.iter().filter(|field| !ELSEWHERE.contains(&field.name().as_str())).map(|f| f.as_ref().clone());
    let id = Field::new("doc_id", DataType::FixedSizeBinary(16), false);
    Arc::new(Schema::new(std::iter::once(id).chain(facts).collect::<Vec<_>>()))
}

fn facts_of(rows: &Rows, chain: &Chain) -> Result<RecordBatch> {
    let digests: &FixedSizeBinaryArray = column(&rows.facts, "digest")?;
    let schema = facts_schema(chain);
    let mut columns: Vec<ArrayRef> = vec![Arc::new(column::<FixedSizeBinaryArray>(&rows.slice, "doc_id")?.clone())];
    for field in schema.fields().iter().skip(1) {
        let values = rows.facts.column_by_name(field.name());
        columns.push(values.cloned().ok_or_else(|| Error::Bug(format!("no fact is called `{}`", field.name())))?);
    }
    let readable: BooleanArray = (0..digests.len()).map(|row| Some(digests.is_valid(row))).collect();
    Ok(filter_record_batch(&RecordBatch::try_new(schema, columns)?, &readable)?)
}

/// Writes the claims that cover a whole source.
///
/// # Errors
/// A file that can't be read or written.
pub fn source_claims(source: &str, file: &Path, name: &str, folder: &Path) -> Result<()> {
    let bytes = std::fs::read(file).map_err(|e| Error::io(file, e))?;
    let claims: Vec<Claim> = serde_json::from_slice(&bytes).map_err(|e| Error::Bug(e.to_string()))?;
    let mut columns = ClaimColumns::new();
    for claim in &claims {
        columns.push(None, source, claim)?;
    }
    let mut writer = TableWriter::create(&folder.join(name), claims_schema())?;
    writer.write(columns.finish()?)?;
    writer.finish()?;
    Ok(())
}

/// Bytes of a row: in + added = out + removed, or the ledger does not balance.
fn bytes(rows: &Rows, i: usize) -> Result<[u64; 4]> {
    let get = |batch: &RecordBatch, name: &str| -> Result<u64> { Ok(column::<UInt64Array>(batch, name)?.value(i)) };
    let decided = &rows.decided[i];
    let read = get(&rows.slice, "bytes_in")?;
    let added = get(&rows.slice, "bytes_added")? + get(&rows.facts, "bytes_added")?;
    let removed = get(&rows.slice, "bytes_removed")? + get(&rows.facts, "bytes_removed")? + decided.bytes_removed;
    let out = rows.text(i)?.map_or(0, |text| text.len() as u64);
    if read + added != out + removed {
        return Err(Error::Unbalanced(format!("{read} bytes in + {added} added is not {out} out + {removed} removed")));
    }
    Ok(if decided.stays() { [read, added, removed, out] } else { [read, added, read + added, 0] })
}

fn batch(slice: &DecidedSlice, rows: &Rows, placed: &BTreeMap<u32, Placed>) -> Result<RecordBatch> {
    let ids: &FixedSizeBinaryArray = column(&rows.slice, "doc_id")?;
    let digests: &FixedSizeBinaryArray = column(&rows.facts, "digest")?;
    let decisions = Decided::batch(&rows.decided)?;
    let first = u32::try_from(rows.first).map_err(|_| Error::Bug("more than 2³² rows of a slice".to_owned()))?;
    let [mut digest, mut source, mut set, mut state, mut license, mut cell_id, mut shard] =
        [(); 7].map(|()| StringBuilder::new());
    let [mut b0, mut b1, mut b2, mut b3, mut n_tokens] = [(); 5].map(|()| UInt64Builder::new());
    let [mut copies, mut shard_row] = [(); 2].map(|()| UInt32Builder::new());
    let mut id = FixedSizeBinaryBuilder::new(16);
    for ((i, decided), row) in rows.decided.iter().enumerate().zip(first..) {
        let stays = decided.stays();
        let place = placed.get(&row);
        if stays != place.is_some() {
            return Err(Error::Unbalanced(format!(
                "row {row} of a slice of `{}` is {} and {} in a shard",
                slice.slice.source.id,
                decided.decision.as_str(),
                if place.is_some() { "is" } else { "is not" }
            )));
        }
        push_bytes(&mut id, Some(ids.value(i)))?;
        digest.append_option(digests.is_valid(i).then(|| format!("sha256:{}", hex(digests.value(i)))));
        source.append_value(slice.slice.source.id.as_str());
        set.append_value(slice.slice.source.set.as_str());
        let cell: Option<Cell> = decided.cell.as_deref().map(from_json).transpose()?;
        state.append_option(cell.as_ref().map(|c| c.state.as_str()));
        license.append_option(cell.as_ref().map(Cell::label));
        cell_id.append_option(cell.as_ref().map(Cell::digest).transpose()?.map(|d| d.to_string()));
        for (builder, value) in [&mut b0, &mut b1, &mut b2, &mut b3].into_iter().zip(bytes(rows, i)?) {
            builder.append_value(value);
        }
        n_tokens.append_value(place.map_or(0, |p| u64::from(p.n_tokens)));
        copies.append_value(place.map_or(0, |p| p.copies));
        shard.append_option(place.map(|p| p.shard.as_str()));
        shard_row.append_option(place.map(|p| p.row));
    }
    let taken = |batch: &RecordBatch, name: &str| -> Result<ArrayRef> {
        batch.column_by_name(name).cloned().ok_or_else(|| Error::Bug(format!("no column `{name}`")))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(id.finish()),
        taken(&rows.slice, "declared_id")?,
        Arc::new(digest.finish()),
        Arc::new(source.finish()),
        taken(&rows.slice, "path")?,
        Arc::new(set.finish()),
        taken(&decisions, "decision")?,
        taken(&decisions, "stage")?,
        taken(&decisions, "reason")?,
        taken(&decisions, "detail")?,
        Arc::new(state.finish()),
        Arc::new(license.finish()),
        Arc::new(cell_id.finish()),
        taken(&decisions, "tier")?,
        Arc::new(b0.finish()),
        Arc::new(b1.finish()),
        Arc::new(b2.finish()),
        Arc::new(b3.finish()),
        Arc::new(n_tokens.finish()),
        Arc::new(copies.finish()),
        taken(&decisions, "duplicate_of")?,
        taken(&decisions, "matched")?,
        taken(&decisions, "cluster_size")?,
        Arc::new(shard.finish()),
        Arc::new(shard_row.finish()),
        taken(&rows.slice, "url")?,
    ];
    Ok(RecordBatch::try_new(ledger_schema(), columns)?)
}

fn claims_of(slice: &DecidedSlice, rows: &RecordBatch) -> Result<RecordBatch> {
    let ids: &FixedSizeBinaryArray = column(rows, "doc_id")?;
    let claims: &StringArray = column(rows, "claims")?;
    let mut columns = ClaimColumns::new();
    for i in 0..rows.num_rows() {
        for claim in from_json::<Vec<Claim>>(claims.value(i))? {
            columns.push(Some(ids.value(i)), slice.slice.source.id.as_str(), &claim)?;
        }
    }
    columns.finish()
}

/// The columns of `claims/*.parquet` under way.
struct ClaimColumns {
    doc_id: FixedSizeBinaryBuilder,
    text: [StringBuilder; 9],
}

impl ClaimColumns {
    fn new() -> Self {
        Self { doc_id: FixedSizeBinaryBuilder::new(16), text: [(); 9].map(|()| StringBuilder::new()) }
    }

    fn push(&mut self, doc_id: Option<&[u8]>, source: &str, claim: &Claim) -> Result<()> {
        push_bytes(&mut self.doc_id, doc_id)?;
        let (kind, expression) = match &claim.statement {
            Statement::License { expression } => ("license", expression.clone()),
            Statement::PublicDomain { places } => ("public-domain", Some(places.join("+"))),
            Statement::Contract { id, expression } => ("contract", Some(format!("{id}: {expression}"))),
            Statement::OptOut { signal, reserved } => ("opt-out", Some(optout(*signal, *reserved))),
            Statement::Copyright => ("copyright", None),
            Statement::Attribution => ("attribution", None),
        };
        let name = |value: serde_json::Result<serde_json::Value>| {
            value.ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let values = [
            Some(source.to_owned()),
            Some(name(serde_json::to_value(claim.speaker))),
            Some(name(serde_json::to_value(claim.scope))),
            Some(kind.to_owned()),
            expression,
            Some(claim.raw.clone()),
            Some(claim.locator.clone()),
            Some(claim.digest.to_string()),
            claim.date.map(|d| d.to_string()),
        ];
        for (builder, value) in self.text.iter_mut().zip(values) {
            builder.append_option(value);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.doc_id.finish())];
        columns.extend(self.text.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef));
        Ok(RecordBatch::try_new(claims_schema(), columns)?)
    }
}

/// `robots: reserved`, `tdmrep: clear`, `rsl: unreadable`.
fn optout(signal: Signal, reserved: Option<bool>) -> String {
    let said = match reserved {
        Some(true) => "reserved",
        Some(false) => "clear",
        None => "unreadable",
    };
    format!("{}: {said}", format!("{signal:?}").to_lowercase())
}
