//! Cluster: every readable document with the same normalised text, before any is dropped, so that a restricted copy
//! that goes must still contradict (semantics.md §6). One task a bucket of digests; a closed set clusters by itself,
//! since nothing of it may show in another set's records.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, FixedSizeBinaryArray, FixedSizeBinaryBuilder, StringArray, StringBuilder,
    UInt32Array, UInt32Builder,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use manifests::conclusion::{Conclusion, conclude_cluster_with};
use manifests::digest::Sha256;
use manifests::record::Decision;

use crate::columns::{column, from_json, push_bytes, to_json};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::TableWriter;
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "cluster", version: 2 };

/// The columns of a bucket's clusters: one row a document.
#[must_use]
pub fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("slice", DataType::UInt32, false),
        Field::new("row", DataType::UInt32, false),
        Field::new("is_survivor", DataType::Boolean, false),
        Field::new("survivor", DataType::FixedSizeBinary(16), false),
        Field::new("size", DataType::UInt32, false),
        Field::new("conclusion", DataType::Utf8, false),
        Field::new("sources", DataType::Utf8, false),
        Field::new("rightsholders", DataType::Utf8, false),
    ]))
}

/// One document of a cluster under way.
struct Member {
    slice: u32,
    row: u32,
    doc_id: Vec<u8>,
    source: String,
    rightsholder: Option<String>,
    conclusion: Conclusion,
}

/// Clusters one bucket of every slice's keys. The survivor is the first document, in input order, that no filter
/// dropped. `decisions` are those that the recipe names.
///
/// # Errors
/// [`crate::Error::Engine`] or [`crate::Error::Parquet`].
pub fn run(bucket: u32, keys: &[PathBuf], decisions: &[Decision], folder: &Path) -> Result<Vec<String>> {
    let engine = Engine::new([])?;
    engine.table("keys", keys)?;
    let sql = format!(
        "SELECT domain, digest, slice, row, doc_id, source, rightsholder, conclusion FROM keys \
         WHERE bucket = {bucket} ORDER BY domain, digest, failed, slice, row"
    );
    let name = format!("{bucket:05}.parquet");
    let mut writer = TableWriter::create(&folder.join(&name), schema())?;
    let mut key: Option<(String, Vec<u8>)> = None;
    let mut members: Vec<Member> = Vec::new();
    engine.rows(&sql, |batch| {
        let (domains, digests): (&StringArray, &FixedSizeBinaryArray) =
            (column(&batch, "domain")?, column(&batch, "digest")?);
        for (row, member) in members_of(&batch)?.into_iter().enumerate() {
            let here = (domains.value(row).to_owned(), digests.value(row).to_vec());
            if key.as_ref() != Some(&here) {
                write_cluster(&mut writer, key.as_ref(), &members, decisions)?;
                members.clear();
                key = Some(here);
            }
            members.push(member);
        }
        Ok(())
    })?;
    write_cluster(&mut writer, key.as_ref(), &members, decisions)?;
    writer.finish()?;
    Ok(vec![name])
}

fn members_of(batch: &RecordBatch) -> Result<Vec<Member>> {
    let (slices, rows): (&UInt32Array, &UInt32Array) = (column(batch, "slice")?, column(batch, "row")?);
    let ids: &FixedSizeBinaryArray = column(batch, "doc_id")?;
    let (sources, holders): (&StringArray, &StringArray) = (column(batch, "source")?, column(batch, "rightsholder")?);
    let conclusions: &StringArray = column(batch, "conclusion")?;
    let member = |i: usize| {
        Ok(Member {
            slice: slices.value(i),
            row: rows.value(i),
            doc_id: ids.value(i).to_vec(),
            source: sources.value(i).to_owned(),
            rightsholder: holders.is_valid(i).then(|| holders.value(i).to_owned()),
            conclusion: from_json(conclusions.value(i))?,
        })
    };
    (0..batch.num_rows()).map(member).collect()
}

fn write_cluster(
    writer: &mut TableWriter,
    key: Option<&(String, Vec<u8>)>,
    members: &[Member],
    decisions: &[Decision],
) -> Result<()> {
    let (Some(first), Some((_, digest))) = (members.first(), key) else { return Ok(()) };
    let text =
        <[u8; 32]>::try_from(digest.as_slice()).map_err(|_| Error::Bug("a digest is not 32 bytes".to_owned()))?;
    let conclusions: Vec<Conclusion> = members.iter().map(|m| m.conclusion.clone()).collect();
    let conclusion = to_json(&conclude_cluster_with(&conclusions, Sha256::from_bytes(text), decisions))?;
    let sources = to_json(&members.iter().map(|m| &m.source).collect::<BTreeSet<_>>())?;
    let holders = to_json(&members.iter().filter_map(|m| m.rightsholder.as_ref()).collect::<BTreeSet<_>>())?;
    let size = u32::try_from(members.len()).map_err(|_| Error::Bug("a cluster of 2³² documents".to_owned()))?;
    let [mut slices, mut rows, mut sizes] = [(); 3].map(|()| UInt32Builder::new());
    let [mut concluded, mut from, mut held] = [(); 3].map(|()| StringBuilder::new());
    let (mut survives, mut survivor) = (BooleanBuilder::new(), FixedSizeBinaryBuilder::new(16));
    for (i, member) in members.iter().enumerate() {
        slices.append_value(member.slice);
        rows.append_value(member.row);
        survives.append_value(i == 0);
        push_bytes(&mut survivor, Some(&first.doc_id))?;
        sizes.append_value(size);
        concluded.append_value(&conclusion);
        from.append_value(&sources);
        held.append_value(&holders);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(slices.finish()),
        Arc::new(rows.finish()),
        Arc::new(survives.finish()),
        Arc::new(survivor.finish()),
        Arc::new(sizes.finish()),
        Arc::new(concluded.finish()),
        Arc::new(from.finish()),
        Arc::new(held.finish()),
    ];
    writer.write(RecordBatch::try_new(schema(), columns)?)
}
