//! A stream of an object: a task reads ahead by a few MiB, asks for ranges, and goes on at its offset after a broken
//! connection. Every answer must be of the object that was found; another one ends the stream with its name.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use corpus::source::{Found, Unavailable};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::unavailable;

/// Bytes of a piece, and how many are read ahead: 4 MiB together.
const PIECE: usize = 64 << 10;
const AHEAD: usize = 64;
/// Bytes of one request to a store. A single host is asked for all at once, since it may know no ranges.
const RANGE: u64 = 16 << 20;
/// Failures in a row, with nothing read between them, after which the object counts as gone.
const ATTEMPTS: u32 = 6;
/// The first wait after a failure; each further one is twice as long.
const WAIT: Duration = Duration::from_millis(100);

/// An object as a store tells it.
pub(super) fn found(address: &str, path: String, meta: &ObjectMeta) -> Found {
    Found { path, address: address.to_owned(), length: Some(meta.size), etag: Some(state(meta)), sha256: None }
}

/// What tells one state of an object from another: its ETag, or the time of its last change where it has none.
fn state(meta: &ObjectMeta) -> String {
    meta.e_tag.clone().unwrap_or_else(|| format!("last-modified {}", meta.last_modified.to_rfc3339()))
}

/// What was read ahead.
pub(super) struct Stream {
    pieces: Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Stream {
    /// Starts to read at an offset.
    pub(super) fn start(runtime: &Runtime, store: Arc<dyn ObjectStore>, path: Path, found: Found, offset: u64) -> Self {
        let (send, pieces) = channel(AHEAD);
        runtime.spawn(async move {
            let mut pump = Pump { store, path, found, offset, skips: false };
            if let Err(error) = pump.run(&send).await {
                _ = send.send(Err(error)).await;
            }
        });
        Self { pieces, current: Bytes::new() }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.current = piece?,
            }
        }
        let n = buffer.len().min(self.current.len());
        buffer[..n].copy_from_slice(&self.current.split_to(n));
        Ok(n)
    }
}

/// Reads one object from its offset to its end.
struct Pump {
    store: Arc<dyn ObjectStore>,
    path: Path,
    found: Found,
    offset: u64,
    /// The server knows no ranges: what was read before is passed over.
    skips: bool,
}

/// Why an attempt ended early.
enum Broken {
    /// It may be tried again.
    Again(io::Error),
    /// It may not.
    Final(io::Error),
    /// Nobody listens any more.
    Left,
}

impl Pump {
    async fn run(&mut self, send: &Sender<io::Result<Bytes>>) -> io::Result<()> {
        let length = self.found.length.unwrap_or(u64::MAX);
        let mut failures = 0;
        while self.offset < length {
            let before = self.offset;
            match self.range(length, send).await {
                Ok(()) => failures = 0,
                Err(Broken::Left) => return Ok(()),
                Err(Broken::Final(error)) => return Err(error),
                Err(Broken::Again(error)) => {
                    failures = if self.offset > before { 1 } else { failures + 1 };
                    if failures >= ATTEMPTS {
                        return Err(error);
                    }
                    tracing::debug!(object = self.found.address, offset = self.offset, %error, "goes on at its offset");
                    tokio::time::sleep(WAIT * 2u32.pow(failures - 1)).await;
                }
            }
        }
        Ok(())
    }

    /// Reads one range.
    async fn range(&mut self, length: u64, send: &Sender<io::Result<Bytes>>) -> Result<(), Broken> {
        let whole = self.found.address.starts_with("http");
        let end = if whole { length } else { length.min(self.offset + RANGE) };
        let ranged = !self.skips && (!whole || self.offset > 0);
        let strong = self.found.etag.clone().filter(|etag| etag.starts_with('"'));
        let options = GetOptions {
            range: ranged.then_some(GetRange::Bounded(self.offset..end)),
            if_match: strong,
            ..GetOptions::default()
        };
        let result = match self.store.get_opts(&self.path, options).await {
            Ok(result) => result,
            Err(error) => return Err(self.refused(&error, ranged && whole)),
        };
        self.same(&result)?;
        let mut passed_over = if ranged { 0 } else { self.offset };
        let mut stream = result.into_stream();
        while let Some(chunk) = stream.next().await {
            let mut chunk = chunk.map_err(|e| Broken::Again(unavailable(&self.found.address, &e)))?;
            let over = usize::try_from(passed_over).unwrap_or(usize::MAX).min(chunk.len());
            passed_over -= over as u64;
            _ = chunk.split_to(over);
            while !chunk.is_empty() {
                let piece = chunk.split_to(PIECE.min(chunk.len()));
                self.offset += piece.len() as u64;
                send.send(Ok(piece)).await.map_err(|_| Broken::Left)?;
            }
        }
        if self.offset < end {
            let what = format!("`{}` ended at byte {}, expected {end}", self.found.address, self.offset);
            return Err(Broken::Again(Unavailable(what).into()));
        }
        Ok(())
    }

    /// What a refused request means.
    fn refused(&mut self, error: &object_store::Error, of_host: bool) -> Broken {
        use object_store::Error::{NotFound, NotSupported, PermissionDenied, Precondition, Unauthenticated};
        let said = unavailable(&self.found.address, error);
        match error {
            Precondition { .. } => Broken::Final(self.changed("another state")),
            NotFound { .. } | PermissionDenied { .. } | Unauthenticated { .. } => Broken::Final(said),
            NotSupported { .. } if of_host => {
                self.skips = true;
                Broken::Again(said)
            }
            _ => Broken::Again(said),
        }
    }

    /// Checks that the answer is of the object that was found.
    fn same(&self, result: &GetResult) -> Result<(), Broken> {
        let now = state(&result.meta);
        if self.found.etag.as_ref().is_some_and(|etag| *etag != now) {
            return Err(Broken::Final(self.changed(&now)));
        }
        match self.found.length {
            Some(length) if length != result.meta.size => {
                Err(Broken::Final(self.changed(&format!("{} bytes", result.meta.size))))
            }
            _ => Ok(()),
        }
    }

    fn changed(&self, now: &str) -> io::Error {
        let (address, etag) = (&self.found.address, self.found.etag.as_deref().unwrap_or("no ETag"));
        Unavailable(format!("`{address}` changed while it was read: it was {etag}, and is {now}")).into()
    }
}
