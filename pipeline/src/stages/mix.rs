//! Mix: the share of every document that training would read, slice by slice; then, when the driver has said how often
//! each is read, the decisions of those that are not. Held-out documents are neither mixed out nor read twice.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, StringArray, UInt32Array, UInt32Builder, UInt64Array, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use manifests::ledger::Decision;
use manifests::reason::Reason;

use super::decided::DecidedSlice;
use crate::columns::column;
use crate::error::{Error, Result};
use crate::mix::{Light, Mix};
use crate::rules::known;
use crate::table::{TableWriter, project, read};
use crate::task::Stage;

/// The stage that finds each document's share.
pub const SHARES: Stage = Stage { name: "mix-shares", version: 1 };
/// The stage that drops what is mixed out.
pub const STAGE: Stage = Stage { name: "mix", version: 1 };

fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("row", DataType::UInt32, false),
        Field::new("share", DataType::UInt32, true),
        Field::new("order", DataType::UInt64, false),
        Field::new("n_tokens", DataType::UInt32, false),
    ]))
}

/// Writes the share of each document of a slice that is kept, with its tokens.
///
/// # Errors
/// [`Error::Engine`] when a condition can't be computed, or a file that can't be read or written.
pub fn shares(slice: &DecidedSlice, tokens: &Path, mix: &Mix, n: usize, folder: &Path) -> Result<Vec<String>> {
    let name = format!("{n:05}.parquet");
    let mut writer = TableWriter::create(&folder.join(&name), schema())?;
    let mut counts = Vec::new();
    for batch in project(tokens, &["row", "order", "n_tokens"])? {
        let batch = batch?;
        let (rows, orders): (&UInt32Array, &UInt64Array) = (column(&batch, "row")?, column(&batch, "order")?);
        let n_tokens: &UInt32Array = column(&batch, "n_tokens")?;
        counts.extend((0..batch.num_rows()).map(|i| (rows.value(i), orders.value(i), n_tokens.value(i))));
    }
    let mut counts = counts.into_iter().peekable();
    slice.each(|rows| {
        let tier: StringArray = rows.decided.iter().map(|d| d.tier.as_deref()).collect();
        let facts = known(&rows.slice, &rows.facts, &slice.slice)?;
        let schema_of = facts.schema();
        let tier_field = Arc::new(Field::new("tier", DataType::Utf8, true));
        let columns = schema_of.fields().iter().cloned().chain([tier_field]).collect::<Vec<_>>();
        let values = facts.columns().iter().cloned().chain([Arc::new(tier) as _]).collect();
        let found = mix.shares(&RecordBatch::try_new(Arc::new(Schema::new(columns)), values)?)?;
        let [mut row, mut share, mut tokens] = [(); 3].map(|()| UInt32Builder::new());
        let mut order = UInt64Builder::new();
        for (i, decided) in rows.decided.iter().enumerate().filter(|(_, d)| d.stays()) {
            let (at, place, n_tokens) =
                counts.next().ok_or_else(|| Error::Bug("a document that stays has no tokens".to_owned()))?;
            if at as usize != rows.first + i {
                return Err(Error::Bug("tokens and decisions are of different rows".to_owned()));
            }
            if decided.decision == Decision::Kept {
                row.append_value(at);
                share.append_option(found[i]);
                order.append_value(place);
                tokens.append_value(n_tokens);
            }
        }
        let columns: Vec<arrow::array::ArrayRef> =
            vec![Arc::new(row.finish()), Arc::new(share.finish()), Arc::new(order.finish()), Arc::new(tokens.finish())];
        writer.write(RecordBatch::try_new(schema(), columns)?)
    })?;
    writer.finish()?;
    Ok(vec![name])
}

/// The documents of a file of shares, each with its row.
///
/// # Errors
/// A file that can't be read.
pub fn list(file: &Path) -> Result<Vec<(u32, Light)>> {
    let mut all = Vec::new();
    for batch in read(file)? {
        let batch = batch?;
        let number = |name: &str| column::<UInt32Array>(&batch, name);
        let (rows, shares, counts) = (number("row")?, number("share")?, number("n_tokens")?);
        let orders: &UInt64Array = column(&batch, "order")?;
        all.extend((0..batch.num_rows()).map(|i| {
            let share = shares.is_valid(i).then(|| shares.value(i));
            (rows.value(i), Light { share, order: orders.value(i), n_tokens: counts.value(i) })
        }));
    }
    Ok(all)
}

/// Drops the rows of a slice that are mixed out; `out` are their numbers, in order.
///
/// # Errors
/// A file that can't be read or written.
pub fn run(slice: &DecidedSlice, out: &[u32], n: usize, folder: &Path) -> Result<Vec<String>> {
    slice.rewrite(n, folder, |rows| {
        for (i, decided) in rows.decided.iter_mut().enumerate() {
            let row = u32::try_from(rows.first + i).map_err(|_| Error::Bug("more than 2³² rows".to_owned()))?;
            if out.binary_search(&row).is_ok() {
                decided.drop(STAGE.name, Reason::MixedOut, None);
            }
        }
        Ok(())
    })
}
