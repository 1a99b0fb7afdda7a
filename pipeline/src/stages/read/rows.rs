//! The rows of one slice: documents with their claims and conclusions, and failed records.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryBuilder, LargeStringBuilder, StringBuilder, UInt64Builder};
use arrow::record_batch::RecordBatch;
use corpus::claims::document_claims;
use corpus::document::{Document, FailedRecord};
use manifests::claim::Claim;
use manifests::conclusion::conclude_with;

use super::{Said, schema};
use crate::columns::{push_bytes, to_json};
use crate::error::Result;
use crate::table::TableWriter;

/// The rows of a slice under way.
pub(super) struct Rows {
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
}

impl Rows {
    pub(super) fn new() -> Self {
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
        }
    }

    pub(super) fn document(&mut self, document: &Document, said: &Said) -> Result<()> {
        let date = Some(said.spec.read_at);
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
        let (own, conclusion) = (to_json(&own)?, to_json(&conclude_with(&all, &said.decisions))?);
        self.claims.append_value(own);
        self.conclusion.append_value(conclusion);
        Ok(())
    }

    pub(super) fn failed(&mut self, failed: &FailedRecord) -> Result<()> {
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
        Ok(())
    }

    /// Writes the slice under a name.
    pub(super) fn write(mut self, name: &str, folder: &Path) -> Result<()> {
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
        let mut writer = TableWriter::create(&folder.join(name), schema())?;
        writer.write(RecordBatch::try_new(schema(), columns)?)?;
        writer.finish()?;
        Ok(())
    }
}
