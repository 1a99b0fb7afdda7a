//! Read: sources → slices of documents with their claims and conclusions. One task a source; a slice ends after a
//! number of documents or bytes of text, so that every later stage has many tasks of bounded size.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryBuilder, LargeStringBuilder, StringBuilder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use corpus::claims::{SourceClaims, document_claims, source_claims};
use corpus::document::{Document, FailedRecord, Outcome};
use corpus::optout::Sites;
use corpus::source::{SourceSpec, open};
use manifests::claim::{Claim, Speaker};
use manifests::conclusion::conclude_with;
use manifests::record::Decision;
use manifests::store::write_atomic;

use crate::columns::{from_json, push_bytes, to_json};
use crate::error::{Error, Result};
use crate::table::TableWriter;
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "read", version: 3 };
/// The most documents of a slice.
const SLICE_ROWS: usize = 4096;
/// The most bytes of text of a slice.
const SLICE_BYTES: usize = 8 << 20;
/// The files of a task beside its slices.
pub const SIDE_FILES: usize = 2;

/// The columns of a slice. A failed record has a reason and no text.
#[must_use]
pub fn schema() -> Arc<Schema> {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        Field::new("doc_id", DataType::FixedSizeBinary(16), false),
        text("declared_id", true),
        text("path", false),
        text("url", true),
        Field::new("text", DataType::LargeUtf8, true),
        text("reason", true),
        text("detail", true),
        Field::new("bytes_in", DataType::UInt64, false),
        Field::new("bytes_added", DataType::UInt64, false),
        Field::new("bytes_removed", DataType::UInt64, false),
        text("claims", false),
        text("conclusion", false),
    ]))
}

/// Reads one source into slices `NNNNN-KKKKK.parquet`, after its own claims in `NNNNN-claims.json` and what the recipe
/// names in vain in `NNNNN-unused.json`. `decisions` are those that the recipe names.
///
/// # Errors
/// What the source's reader says, or a file that can't be written.
pub fn run(source: &SourceSpec, inputs: &Path, decisions: &[Decision], n: usize, folder: &Path) -> Result<Vec<String>> {
    let mut reader = open(source.clone(), inputs)?;
    let evidence = source_claims(
        &reader.source().evidence()?,
        source.metadata_speaker.unwrap_or(Speaker::Detector),
        Some(source.read_at),
    );
    let said = Said { evidence, sites: reader.source().sites()?, source, decisions };
    let mut names = vec![format!("{n:05}-claims.json"), format!("{n:05}-unused.json")];
    write_atomic(&folder.join(&names[0]), &manifests::canonical::to_vec(&said.evidence.claims)?)?;
    let mut slice = Slice::new();
    for outcome in reader.by_ref() {
        match outcome? {
            Outcome::Document(document) => slice.document(&document, &said)?,
            Outcome::Failed(failed) => slice.failed(&failed)?,
        }
        if slice.is_full() {
            names.push(slice.write(n, names.len() - SIDE_FILES, folder)?);
            slice = Slice::new();
        }
    }
    if slice.rows > 0 {
        names.push(slice.write(n, names.len() - SIDE_FILES, folder)?);
    }
    write_atomic(&folder.join(&names[1]), &manifests::canonical::to_vec(&reader.unused())?)?;
    Ok(names)
}

/// What the recipe names and the source does not have, from the files of its read task.
///
/// # Errors
/// A file that can't be read.
pub fn unused(file: &Path) -> Result<Vec<String>> {
    from_json(&std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?)
}

/// What a source says beside its documents.
struct Said<'a> {
    evidence: SourceClaims,
    sites: Sites,
    source: &'a SourceSpec,
    decisions: &'a [Decision],
}

/// The rows of a slice under way.
struct Slice {
    doc_id: FixedSizeBinaryBuilder,
    declared_id: StringBuilder,
    path: StringBuilder,
    url: StringBuilder,
    text: LargeStringBuilder,
    reason: StringBuilder,
    detail: StringBuilder,
    bytes_in: UInt64Builder,
    bytes_added: UInt64Builder,
    bytes_removed: UInt64Builder,
    claims: StringBuilder,
    conclusion: StringBuilder,
    rows: usize,
    bytes: usize,
}

impl Slice {
    fn new() -> Self {
        Self {
            doc_id: FixedSizeBinaryBuilder::new(16),
            declared_id: StringBuilder::new(),
            path: StringBuilder::new(),
            url: StringBuilder::new(),
            text: LargeStringBuilder::new(),
            reason: StringBuilder::new(),
            detail: StringBuilder::new(),
            bytes_in: UInt64Builder::new(),
            bytes_added: UInt64Builder::new(),
            bytes_removed: UInt64Builder::new(),
            claims: StringBuilder::new(),
            conclusion: StringBuilder::new(),
            rows: 0,
            bytes: 0,
        }
    }

    const fn is_full(&self) -> bool {
        self.rows >= SLICE_ROWS || self.bytes >= SLICE_BYTES
    }

    fn document(&mut self, document: &Document, said: &Said<'_>) -> Result<()> {
        let date = Some(said.source.read_at);
        let mut own = document_claims(document, &said.evidence, date);
        own.extend(said.sites.claims(document, date));
        own.extend(document.claims.iter().cloned());
        own.sort();
        own.dedup();
        let all: Vec<Claim> = own.iter().cloned().chain(said.evidence.above(&document.path)).collect();
        push_bytes(&mut self.doc_id, Some(document.doc_id().as_bytes()))?;
        self.declared_id.append_option(document.declared_id.as_deref());
        self.path.append_value(&document.path);
        self.url.append_option(document.context.url.as_deref());
        self.text.append_value(&document.text);
        self.reason.append_null();
        self.detail.append_null();
        self.bytes_in.append_value(document.bytes_in);
        self.bytes_added.append_value(document.bytes_added);
        self.bytes_removed.append_value(document.bytes_removed);
        let (own, conclusion) = (to_json(&own)?, to_json(&conclude_with(&all, said.decisions))?);
        self.bytes += document.text.len() + own.len() + conclusion.len();
        self.claims.append_value(own);
        self.conclusion.append_value(conclusion);
        self.rows += 1;
        Ok(())
    }

    fn failed(&mut self, failed: &FailedRecord) -> Result<()> {
        push_bytes(&mut self.doc_id, Some(failed.doc_id().as_bytes()))?;
        self.declared_id.append_null();
        self.path.append_value(&failed.path);
        self.url.append_null();
        self.text.append_null();
        self.reason.append_value(failed.reason.to_string());
        self.detail.append_value(format!("record {} at byte {}: {}", failed.record, failed.offset, failed.detail));
        self.bytes_in.append_value(failed.bytes_in);
        self.bytes_added.append_value(0);
        self.bytes_removed.append_value(failed.bytes_in);
        self.claims.append_value("[]");
        self.conclusion.append_value("null");
        self.rows += 1;
        Ok(())
    }

    fn write(mut self, n: usize, k: usize, folder: &Path) -> Result<String> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.doc_id.finish()),
            Arc::new(self.declared_id.finish()),
            Arc::new(self.path.finish()),
            Arc::new(self.url.finish()),
            Arc::new(self.text.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.detail.finish()),
            Arc::new(self.bytes_in.finish()),
            Arc::new(self.bytes_added.finish()),
            Arc::new(self.bytes_removed.finish()),
            Arc::new(self.claims.finish()),
            Arc::new(self.conclusion.finish()),
        ];
        let name = format!("{n:05}-{k:05}.parquet");
        let mut writer = TableWriter::create(&folder.join(&name), schema())?;
        writer.write(RecordBatch::try_new(schema(), columns)?)?;
        writer.finish()?;
        Ok(name)
    }
}
