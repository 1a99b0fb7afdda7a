//! Cuts one part of a source from its first record to its last: decompress, find where records end, look into none.
//! Only a disk or a network that fails stops it; whatever is broken in the bytes is a raw record that says so. Memory
//! is bounded by the longest record that is allowed and the size of a slice.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;

use manifests::digest::Sha256;

use super::container::{Container, Member, Shared};
use super::decode::{decoded, is_broken, is_too_large};
use super::error::{Error, Result};
use super::raw::{Body, RawRecord};
use super::records::{MAX_RECORD, Piece, Records};
use super::spec::SourceSpec;
use super::unused::Unused;
use crate::document::FailReason;

/// The raw records of a part, in a fixed order.
pub struct Cutter {
    spec: Arc<SourceSpec>,
    shared: Shared,
    member: Option<Cut>,
    seen: BTreeSet<String>,
    unused: Unused,
    window: Window,
    done: bool,
}

/// The member that is being cut.
struct Cut {
    path: Arc<str>,
    records: Records,
    next: u64,
}

/// Which of the part's records are given.
struct Window {
    skip: u64,
    left: u64,
}

impl Cutter {
    /// Cuts what the container holds; one that cannot be opened is a broken member.
    pub(super) fn new(spec: Arc<SourceSpec>, container: io::Result<Box<dyn Container>>) -> Result<Self> {
        let container = match container {
            Err(e) if is_broken(&e) => Box::new(Unreadable(Some(e))),
            Err(e) => return Err(Error::io(spec.place.to_string(), e)),
            Ok(container) => container,
        };
        let window = Window { skip: spec.skip, left: spec.limit.unwrap_or(u64::MAX) };
        let (shared, unused) = (Shared::new(container), spec.unused.patterns_alone());
        Ok(Self { spec, shared, member: None, seen: BTreeSet::new(), unused, window, done: false })
    }

    /// The next records, up to so many of them or so many bytes; a record that is longer stands alone or last. Nothing
    /// when the part is at its end.
    ///
    /// # Errors
    /// [`Error::Io`] when bytes cannot be had.
    pub fn slice(&mut self, bytes: usize, records: usize) -> Result<Option<Vec<RawRecord>>> {
        let (mut slice, mut size) = (Vec::new(), 0);
        while size < bytes && slice.len() < records {
            let Some(record) = self.record()? else { break };
            size += record.size();
            slice.push(record);
        }
        Ok((!slice.is_empty()).then_some(slice))
    }

    /// The patterns of the recipe that met no path so far, one sentence each.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        self.unused.list()
    }

    /// The digests of the objects that were read to their end, by path, where they were not known before.
    #[must_use]
    pub fn digests(&self) -> Vec<(String, Sha256)> {
        self.shared.digests()
    }

    /// The next raw record.
    pub(super) fn record(&mut self) -> Result<Option<RawRecord>> {
        while !self.done && self.window.left > 0 {
            let record = match self.piece()? {
                Some(record) => Some(record),
                None => self.advance()?,
            };
            match record {
                Some(_) if self.window.skip > 0 => self.window.skip -= 1,
                Some(record) => {
                    self.window.left -= 1;
                    return Ok(Some(record));
                }
                None => {}
            }
        }
        self.member = None;
        Ok(None)
    }

    /// Steps to the next member that the recipe includes; a broken container gives a failed record.
    fn advance(&mut self) -> Result<Option<RawRecord>> {
        loop {
            let member = match self.shared.next() {
                Ok(Some(member)) => member,
                Ok(None) => {
                    self.done = true;
                    return Ok(None);
                }
                Err(e) if is_broken(&e) => {
                    self.done = true;
                    return Ok(Some(failed(self.spec.place.name(), broken_reason(&e), e.to_string())));
                }
                Err(e) => return Err(self.io(e)),
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
                return Ok(Some(failed(&name, FailReason::UnsupportedFormat, detail)));
            }
            let stream = decoded(path, Box::new(self.shared.clone())).map_err(|e| self.io(e))?;
            let records = Records::new(stream, self.spec.format.cut(), MAX_RECORD);
            self.member = Some(Cut { path: path.into(), records, next: 0 });
            return Ok(None);
        }
    }

    /// The next record of the current member.
    fn piece(&mut self) -> Result<Option<RawRecord>> {
        let Some(member) = self.member.as_mut() else { return Ok(None) };
        if self.spec.first_records.is_some_and(|most| member.next >= most) {
            self.member = None;
            return Ok(None);
        }
        let (offset, piece) = match member.records.next() {
            Ok(Some(next)) => next,
            Ok(None) => {
                self.member = None;
                return Ok(None);
            }
            Err(e) => return Err(self.io(e)),
        };
        let (path, record) = (Arc::clone(&member.path), member.next);
        member.next += 1;
        let body = match piece {
            Piece::Record(bytes) if self.spec.format.is_trailer(&bytes) => {
                self.member = None;
                return Ok(None);
            }
            Piece::Record(bytes) => Body::Bytes(bytes),
            Piece::TooLarge(bytes_in) => {
                let detail = format!("the record is over the cap of {MAX_RECORD} bytes");
                Body::Failed { reason: FailReason::RecordTooLarge, bytes_in, detail }
            }
            Piece::Broken(bytes_in, e) => Body::Failed { reason: broken_reason(&e), bytes_in, detail: e.to_string() },
        };
        Ok(Some(RawRecord { path, record, offset, body }))
    }

    /// The error of the object that is being read.
    fn io(&self, error: io::Error) -> Error {
        let address = self.shared.address().unwrap_or_else(|| self.spec.place.to_string());
        Error::io(address, error)
    }
}

/// The record of a member that cannot be read.
fn failed(path: &str, reason: FailReason, detail: String) -> RawRecord {
    RawRecord { path: path.into(), record: 0, offset: 0, body: Body::Failed { reason, bytes_in: 0, detail } }
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

/// The path without the archive's top folder, when the recipe strips it.
pub(super) fn stripped(path: &str, strip: u8) -> Option<&str> {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    let path = if strip == 0 { path } else { path.split_once('/')?.1 };
    (!path.is_empty()).then_some(path)
}

fn includes(spec: &SourceSpec, path: &str) -> bool {
    (spec.include.is_empty() || spec.include.matches(path)) && !spec.exclude.matches(path)
}
