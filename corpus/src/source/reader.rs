//! Reads a source from its first member to its last: decode, cut, extract. Each record comes out once, as a document
//! or as a failed record; only a disk that fails stops the reading. One record is held at a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use manifests::claim::Claim;
use manifests::digest::Sha256;

use super::container::{Container, Folder, Member, Shared};
use super::decode::{decoded, is_broken, is_too_large};
use super::error::{Error, Result};
use super::records::{MAX_RECORD, Piece, Records};
use super::spec::SourceSpec;
use super::tar::Tar;
use super::unused::Unused;
use super::zip::Zip;
use crate::document::{Context, Document, FailReason, FailedRecord, Outcome};
use crate::extract::{Extracted, Format};

/// Opens a source: checks the object's digest against the recipe's, then reads nothing until asked.
///
/// # Errors
/// [`Error::Io`] when the object cannot be read, [`Error::Changed`] when it is not the pinned one,
/// [`Error::Recipe`] when a file has no pin.
pub fn open(spec: SourceSpec, inputs: &Path) -> Result<SourceReader> {
    let path = inputs.join(&spec.object);
    let is_file = std::fs::metadata(&path).map_err(|e| Error::io(&path, e))?.is_file();
    match (is_file, spec.sha256) {
        (true, Some(expected)) => {
            let (_, found) = Sha256::of_file(&path).map_err(|e| unwrap_io(&path, e))?;
            if found != expected {
                return Err(Error::Changed { id: spec.id.to_string(), path, expected, found });
            }
        }
        (true, None) => return Err(Error::recipe(spec.id.as_str(), format!("`{}` has no `sha256`", spec.object))),
        (false, Some(_)) => return Err(Error::recipe(spec.id.as_str(), "a folder has no `sha256`")),
        (false, None) => {}
    }
    let (unused, inputs) = (spec.unused.clone(), inputs.to_path_buf());
    let seen = BTreeSet::new();
    let mut reader = SourceReader { spec, path, inputs, shared: None, object: None, seen, unused, done: false };
    reader.start()?;
    Ok(reader)
}

fn unwrap_io(path: &Path, error: manifests::Error) -> Error {
    match error {
        manifests::Error::Io { path, source } => Error::io(path, source),
        other => Error::io(path, io::Error::other(other)),
    }
}

/// The records of a source, in a fixed order.
pub struct SourceReader {
    spec: SourceSpec,
    path: PathBuf,
    inputs: PathBuf,
    shared: Option<Shared>,
    object: Option<Object>,
    seen: BTreeSet<String>,
    unused: Unused,
    done: bool,
}

/// The member that is being read.
struct Object {
    path: String,
    claims: Vec<Claim>,
    records: Records,
    next: u64,
}

impl SourceReader {
    /// The source's specification.
    #[must_use]
    pub const fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    /// The object's place on disk.
    pub(super) fn object_path(&self) -> &Path {
        &self.path
    }

    /// The folder of all objects.
    pub(super) fn inputs(&self) -> &Path {
        &self.inputs
    }

    /// What the recipe names and nothing that was read so far has: after the last record, its slips.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        self.unused.list()
    }

    fn start(&mut self) -> Result<()> {
        match container(&self.path) {
            Ok(container) => self.shared = Some(Shared::new(container)),
            Err(e) if is_broken(&e) => self.shared = Some(Shared::new(Box::new(Unreadable(Some(e))))),
            Err(e) => return Err(Error::io(&self.path, e)),
        }
        Ok(())
    }

    /// Steps to the next member that the recipe includes; a broken container gives a failed record.
    fn advance(&mut self) -> Result<Option<FailedRecord>> {
        let Some(shared) = self.shared.clone() else { return Ok(None) };
        loop {
            let member = match shared.next() {
                Ok(Some(member)) => member,
                Ok(None) => {
                    self.done = true;
                    return Ok(None);
                }
                Err(e) if is_broken(&e) => {
                    self.done = true;
                    let reason = broken_reason(&e);
                    return Ok(Some(self.failed(self.spec.object.clone(), 0, 0, reason, 0, e.to_string())));
                }
                Err(e) => return Err(Error::io(&self.path, e)),
            };
            let Some(path) = stripped(&member.path, self.spec.strip) else { continue };
            self.unused.path(path);
            if !includes(&self.spec, path) {
                continue;
            }
            if !self.seen.insert(path.to_owned()) {
                let detail = "the archive has this path more than once; the first one is read".to_owned();
                let mut names =
                    std::iter::once(format!("{path}@again")).chain((3u64..).map(|n| format!("{path}@again-{n}")));
                let name = names.find(|name| self.seen.insert(name.clone())).unwrap_or_default();
                return Ok(Some(self.failed(name, 0, 0, FailReason::UnsupportedFormat, 0, detail)));
            }
            let stream = decoded(path, Box::new(shared.clone())).map_err(|e| Error::io(&self.path, e))?;
            let records = Records::new(stream, self.spec.format.cut(), MAX_RECORD);
            let claims = self.spec.claims_on(path);
            self.object = Some(Object { path: path.to_owned(), claims, records, next: 0 });
            return Ok(None);
        }
    }

    /// The next outcome of the current member.
    fn record(&mut self) -> Result<Option<Outcome>> {
        let Some(object) = self.object.as_mut() else { return Ok(None) };
        if self.spec.first_records.is_some_and(|most| object.next >= most) {
            self.object = None;
            return Ok(None);
        }
        let Some((offset, piece)) = object.records.next().map_err(|e| Error::io(&self.path, e))? else {
            self.object = None;
            return Ok(None);
        };
        let (path, record) = (object.path.clone(), object.next);
        object.next += 1;
        let bytes = match piece {
            Piece::Record(bytes) => bytes,
            Piece::TooLarge(length) => {
                let detail = format!("the record is over the cap of {MAX_RECORD} bytes");
                return Ok(Some(Outcome::Failed(self.failed(
                    path,
                    record,
                    offset,
                    FailReason::RecordTooLarge,
                    length,
                    detail,
                ))));
            }
            Piece::Broken(length, error) => {
                let reason = broken_reason(&error);
                return Ok(Some(Outcome::Failed(self.failed(path, record, offset, reason, length, error.to_string()))));
            }
        };
        if self.spec.format.is_trailer(&bytes) {
            self.object = None;
            return Ok(None);
        }
        let claims = object.claims.clone();
        let length = bytes.len() as u64;
        Ok(Some(match self.spec.format.extract(&bytes) {
            Ok(extracted) => {
                self.has_fields(&extracted);
                Outcome::Document(self.document(path, record, &bytes, claims, extracted))
            }
            Err((reason, detail)) => Outcome::Failed(self.failed(path, record, offset, reason, length, detail)),
        }))
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

    fn document(&self, path: String, record: u64, raw: &[u8], claims: Vec<Claim>, extracted: Extracted) -> Document {
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
            claims,
            context,
            path,
        }
    }

    fn failed(
        &self,
        path: String,
        record: u64,
        offset: u64,
        reason: FailReason,
        bytes_in: u64,
        detail: String,
    ) -> FailedRecord {
        FailedRecord { source: self.spec.id.clone(), path, record, offset, reason, bytes_in, detail }
    }
}

impl Iterator for SourceReader {
    type Item = Result<Outcome>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.record() {
                Ok(Some(outcome)) => return Some(Ok(outcome)),
                Ok(None) if self.done => return None,
                Ok(None) => {}
                Err(error) => {
                    (self.done, self.object) = (true, None);
                    return Some(Err(error));
                }
            }
            match self.advance() {
                Ok(Some(failed)) => return Some(Ok(Outcome::Failed(failed))),
                Ok(None) => {}
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// A container whose directory could not be read: one broken member.
struct Unreadable(Option<io::Error>);

impl Container for Unreadable {
    fn next(&mut self) -> io::Result<Option<Member>> {
        self.0.take().map_or(Ok(None), Err)
    }
}

impl Read for Unreadable {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

fn broken_reason(error: &io::Error) -> FailReason {
    if is_too_large(error) { FailReason::RecordTooLarge } else { FailReason::TruncatedStream }
}

/// The container that the object's name says it is.
pub(super) fn container(path: &Path) -> io::Result<Box<dyn Container>> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let is = |endings: &[&str]| endings.iter().any(|e| name.ends_with(e));
    if path.is_dir() {
        Ok(Box::new(Folder::list(path)?))
    } else if is(&[".whl", ".zip"]) {
        Ok(Box::new(Zip::new(File::open(path)?)?))
    } else if is(&[".tar.gz", ".tgz", ".crate", ".tar.zst", ".tar"]) {
        Ok(Box::new(Tar::new(decoded(&name, Box::new(File::open(path)?))?)))
    } else {
        Ok(Box::new(Folder::of_file(path)))
    }
}

/// The path without the archive's top folder, when the recipe strips it.
pub(super) fn stripped(path: &str, strip: u8) -> Option<&str> {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    let path = if strip == 0 { path } else { path.split_once('/')?.1 };
    (!path.is_empty()).then_some(path)
}

fn includes(spec: &SourceSpec, path: &str) -> bool {
    (spec.include.is_empty() || spec.include.matches(path)) && !spec.exclude.matches(path)
}
