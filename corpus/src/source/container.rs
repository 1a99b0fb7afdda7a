//! What every place is to a reader: a sequence of members, each a path and a stream. A folder, a list, an archive and
//! a single file differ only here.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use manifests::digest::{Hasher, Sha256};

use super::object::{Found, Object, Objects, Unavailable};
use super::place::is_address;

/// The next member of an object.
pub(super) struct Member {
    /// Its path as the container has it, `/` between folders.
    pub(super) path: String,
}

/// Members in a fixed order: archive order for tar (its digest is pinned), sorted by path for zip and folders.
/// Reading gives the bytes of the member that [`Container::next`] gave last; whatever is left of it is skipped.
pub(super) trait Container: Read + Send {
    /// Steps to the next regular file.
    fn next(&mut self) -> io::Result<Option<Member>>;

    /// Where the current member lies, when it is an object of its own.
    fn address(&self) -> Option<String> {
        None
    }

    /// The digests of objects that were taken while they were read, by path.
    fn digests(&self) -> Vec<(String, Sha256)> {
        Vec::new()
    }
}

/// A container shared with the stream of its current member.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Box<dyn Container>>>);

impl Shared {
    pub(super) fn new(container: Box<dyn Container>) -> Self {
        Self(Arc::new(Mutex::new(container)))
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn Container>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next(&self) -> io::Result<Option<Member>> {
        self.lock().next()
    }

    pub(super) fn address(&self) -> Option<String> {
        self.lock().address()
    }

    pub(super) fn digests(&self) -> Vec<(String, Sha256)> {
        self.lock().digests()
    }
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buffer)
    }
}

/// A place in a file that others read at other places.
#[derive(Clone)]
pub(super) struct Positioned {
    file: Arc<File>,
    at: u64,
}

impl Positioned {
    /// The file's beginning.
    pub(super) const fn new(file: Arc<File>) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Positioned {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Objects one after the other. The digest of one that is not pinned by its digest is taken as it is read.
pub(super) struct Files {
    found: std::vec::IntoIter<Found>,
    objects: Arc<dyn Objects>,
    open: Option<Open>,
    to_the_end: bool,
    digests: Vec<(String, Sha256)>,
}

/// The current object; it is opened when it is read, so that what the recipe leaves out is never asked for.
struct Open {
    found: Found,
    object: Box<dyn Object>,
    stream: Option<Box<dyn Read + Send>>,
    hasher: Option<Hasher>,
}

impl Files {
    /// These objects, each read to its end or only as far as its records are asked for.
    pub(super) fn new(found: Vec<Found>, objects: Arc<dyn Objects>, to_the_end: bool) -> Self {
        Self { found: found.into_iter(), objects, open: None, to_the_end, digests: Vec::new() }
    }

    /// Leaves the current object: what is left of it belongs to its digest.
    fn leave(&mut self) -> io::Result<()> {
        let read = |open: &Open| open.hasher.is_some() && open.stream.is_some();
        let Some(mut open) = self.open.take().filter(read) else { return Ok(()) };
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = open.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            if !self.to_the_end {
                return Ok(());
            }
        }
        let digest = open.hasher.take().map(Hasher::finish);
        match (open.found.sha256, digest) {
            (Some(expected), Some(found)) if expected != found => Err(Unavailable(format!(
                "`{}` changed: its digest is {found}, the recipe pins {expected}",
                open.found.address
            ))
            .into()),
            (_, digest) => {
                self.digests.extend(digest.map(|digest| (open.found.path, digest)));
                Ok(())
            }
        }
    }
}

impl Read for Open {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => self.stream.insert(self.object.open(0)?),
        };
        let n = stream.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..n]);
        }
        Ok(n)
    }
}

impl Container for Files {
    fn next(&mut self) -> io::Result<Option<Member>> {
        self.leave()?;
        let Some(found) = self.found.next() else { return Ok(None) };
        let hasher = is_address(&found.address).then(Hasher::new);
        let (object, path) = (self.objects.object(&found)?, found.path.clone());
        self.open = Some(Open { found, object, stream: None, hasher });
        Ok(Some(Member { path }))
    }

    fn address(&self) -> Option<String> {
        self.open.as_ref().map(|open| open.found.address.clone())
    }

    fn digests(&self) -> Vec<(String, Sha256)> {
        self.digests.clone()
    }
}

impl Read for Files {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.open.as_mut().map_or(Ok(0), |open| open.read(buffer))
    }
}
