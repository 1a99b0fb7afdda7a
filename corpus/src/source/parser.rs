//! Parses raw records: each comes out once, as a document or as a failed record. Depends on the record and the source's
//! specification alone, so that any thread may do it.

use std::sync::Arc;

use manifests::claim::Claim;
use manifests::digest::Sha256;

use super::raw::{Body, RawRecord};
use super::spec::SourceSpec;
use super::unused::Unused;
use crate::document::{Context, Document, FailedRecord, Outcome};
use crate::extract::{Extracted, Format};

/// Parses the records of one source.
#[derive(Debug)]
pub struct Parser {
    spec: Arc<SourceSpec>,
    unused: Unused,
    /// The recipe's claims on the object of the last record.
    claims: Option<(Arc<str>, Vec<Claim>)>,
}

impl Parser {
    pub(super) fn new(spec: Arc<SourceSpec>) -> Self {
        Self { unused: spec.unused.fields_alone(), spec, claims: None }
    }

    /// The document, or why the record is none.
    pub fn parse(&mut self, raw: RawRecord) -> Outcome {
        let RawRecord { path, record, offset, body } = raw;
        let failed = |reason, bytes_in, detail| {
            let (source, path) = (self.spec.id.clone(), path.to_string());
            Outcome::Failed(FailedRecord { source, path, record, offset, reason, bytes_in, detail })
        };
        let bytes = match body {
            Body::Bytes(bytes) => bytes,
            Body::Failed { reason, bytes_in, detail } => return failed(reason, bytes_in, detail),
        };
        match self.spec.format.extract(&bytes) {
            Ok(extracted) => {
                self.has_fields(&extracted);
                Outcome::Document(self.document(&path, record, &bytes, extracted))
            }
            Err((reason, detail)) => failed(reason, bytes.len() as u64, detail),
        }
    }

    /// The fields that the recipe names and no record that was parsed so far has, one sentence each.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        self.unused.list()
    }

    /// Marks the fields that the record has.
    fn has_fields(&mut self, extracted: &Extracted) {
        let Some(named) = self.spec.format.record_fields() else { return };
        let said = extracted.license.iter().chain(&extracted.attributions).chain(&extracted.headers);
        said.for_each(|field| self.unused.has_field(&field.name));
        let found = [(&named.id, extracted.declared_id.is_some()), (&named.url, extracted.url.is_some())];
        found.into_iter().filter(|(_, found)| *found).for_each(|(name, _)| {
            name.iter().for_each(|name| self.unused.has_field(name));
        });
    }

    /// The recipe's claims on an object.
    fn claims(&mut self, path: &Arc<str>) -> Vec<Claim> {
        match &self.claims {
            Some((of, claims)) if of == path => claims.clone(),
            _ => {
                let claims = self.spec.claims_on(path);
                self.claims = Some((Arc::clone(path), claims.clone()));
                claims
            }
        }
    }

    fn document(&mut self, path: &Arc<str>, record: u64, raw: &[u8], extracted: Extracted) -> Document {
        let at = |field: &str| format!("{path}#{record}/{field}");
        let head = raw.get(..Context::HEAD).unwrap_or(raw);
        let context = Context {
            record_digest: Sha256::of(raw),
            head: String::from_utf8_lossy(head).trim_end_matches('\u{fffd}').to_owned(),
            page: (self.spec.format == Format::Html).then(|| String::from_utf8_lossy(raw).into_owned()),
            url: extracted.url.or_else(|| self.spec.address.as_ref().map(|address| format!("{address}{path}"))),
            headers: extracted.headers.map(|field| field.at(at)),
            license: extracted.license.map(|field| field.at(at)),
            copyright: extracted.copyright.map(|field| field.at(at)),
            attributions: extracted.attributions.into_iter().map(|field| field.at(at)).collect(),
        };
        let (bytes_in, bytes_out) = (raw.len() as u64, extracted.text.len() as u64);
        Document {
            source: self.spec.id.clone(),
            record,
            ordinal: 0,
            declared_id: extracted.declared_id,
            bytes_in,
            bytes_added: bytes_out.saturating_sub(bytes_in),
            bytes_removed: bytes_in.saturating_sub(bytes_out),
            text: extracted.text,
            claims: self.claims(path),
            context,
            path: path.to_string(),
        }
    }
}
