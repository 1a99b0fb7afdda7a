//! What every object is to a reader: a sequence of members, each a path and a stream. A folder, an archive and a
//! single file differ only here.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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
}

/// A container shared with the stream of its current member.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Box<dyn Container>>>);

impl Shared {
    pub(super) fn new(container: Box<dyn Container>) -> Self {
        Self(Arc::new(Mutex::new(container)))
    }

    pub(super) fn next(&self) -> io::Result<Option<Member>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).read(buffer)
    }
}

/// A folder's regular files in sorted order; links are not followed. A single file is a folder of one.
pub(super) struct Folder {
    root: PathBuf,
    files: std::vec::IntoIter<String>,
    open: Option<File>,
}

impl Folder {
    /// Lists the folder at `root`.
    pub(super) fn list(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        files.sort_unstable();
        Ok(Self { root: root.to_path_buf(), files: files.into_iter(), open: None })
    }

    /// The single file at `path`.
    pub(super) fn of_file(path: &Path) -> Self {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let root = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Self { root, files: vec![name].into_iter(), open: None }
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("the name of `{}` is not UTF-8", entry.path().display()))
        })?;
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), &path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

impl Container for Folder {
    fn next(&mut self) -> io::Result<Option<Member>> {
        let Some(path) = self.files.next() else { return Ok(None) };
        self.open = Some(File::open(self.root.join(&path))?);
        Ok(Some(Member { path }))
    }
}

impl Read for Folder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.open.as_mut().map_or(Ok(0), |file| file.read(buffer))
    }
}
