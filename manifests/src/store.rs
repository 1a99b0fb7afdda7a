//! Files that can be trusted to be whole: atomic publication (temporary file, fsync, rename, fsync of the folder), and
//! opening beneath a root by a checked relative path without following links. Knows nothing of what the files hold.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// A path inside a record: relative, `/`-separated, of ASCII letters, digits, `.`, `_`, `-`; no part starts with `.`
/// or `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(String);

impl RelPath {
    /// The path's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the separators; at least one.
    #[must_use]
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The place of this path beneath `root`.
    #[must_use]
    pub fn beneath(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }

    /// This path inside the folder `part`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `part` breaks the grammar.
    pub fn inside(&self, part: &str) -> Result<Self> {
        format!("{part}/{self}").parse()
    }
}

impl FromStr for RelPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let part = |p: &str| !p.is_empty() && !p.starts_with(['.', '-']) && p.bytes().all(inner) && p.len() <= 255;
        if text.len() <= 1024 && text.split('/').all(part) {
            return Ok(Self(text.to_owned()));
        }
        let expected = "parts of ASCII letters, digits, `.`, `_`, `-`, none starting with `.` or `-`, joined by `/`";
        Err(Error::invalid("relative path", text, expected))
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RelPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Refuses a list of paths in which two are equal or differ only by case (one file on some file systems).
///
/// # Errors
/// [`Error::Contract`] naming the second of the two.
pub fn check_distinct<'a>(paths: impl IntoIterator<Item = &'a RelPath>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for path in paths {
        if !seen.insert(path.0.to_ascii_lowercase()) {
            return Err(Error::Contract(format!(
                "the path `{path}` stands twice, or differs from another only by case"
            )));
        }
    }
    Ok(())
}

/// Opens the regular file at `path` beneath `root`, following no link below the root.
///
/// # Errors
/// [`Error::Io`] when it cannot be opened (a link gives "too many levels of symbolic links" or "not a directory");
/// [`Error::Verification`] when it is not a regular file.
pub fn open_beneath(root: &Path, path: &RelPath) -> Result<File> {
    let full = path.beneath(root);
    let failed = |e: rustix::io::Errno| Error::io(&full, e.into());
    let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at: OwnedFd = rustix::fs::open(root, folder, Mode::empty()).map_err(failed)?;
    let mut parts: Vec<&str> = path.parts().collect();
    let name = parts.pop().unwrap_or_default();
    for part in parts {
        at = rustix::fs::openat(&at, part, folder | OFlags::NOFOLLOW, Mode::empty()).map_err(failed)?;
    }
    // NONBLOCK: opening a FIFO must not wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(&at, name, flags, Mode::empty()).map_err(failed)?);
    if !file.metadata().map_err(|e| Error::io(&full, e))?.is_file() {
        return Err(Error::verification(&full, "it is not a regular file"));
    }
    Ok(file)
}

/// Reads a whole file of at most `cap` bytes; a longer one is refused before it is read.
///
/// # Errors
/// [`Error::Io`], or [`Error::Verification`] when it is longer than `cap`.
pub fn read_capped(path: &Path, cap: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    read_file(file, path, cap)
}

/// [`open_beneath`], then the whole file of at most `cap` bytes.
///
/// # Errors
/// Those of [`open_beneath`] and [`read_capped`].
pub fn read_beneath(root: &Path, path: &RelPath, cap: u64) -> Result<Vec<u8>> {
    read_file(open_beneath(root, path)?, &path.beneath(root), cap)
}

fn read_file(file: File, path: &Path, cap: u64) -> Result<Vec<u8>> {
    let length = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let too_long = |n: u64| Error::verification(path, format!("{n} bytes, more than the {cap} allowed"));
    if length > cap {
        return Err(too_long(length));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // One byte more than the cap: a file that grew since is noticed, and a device never fills memory.
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    if bytes.len() as u64 > cap {
        return Err(too_long(bytes.len() as u64));
    }
    Ok(bytes)
}

/// Publishes `bytes` at `path`: whole and durable when this returns, or not at all. Replaces what was there.
///
/// # Errors
/// [`Error::Io`].
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(|e| Error::io(path, e))?;
    file.publish()
}

/// [`write_atomic`] for a file that must not exist yet, with permission bits `mode`.
///
/// # Errors
/// [`Error::Io`] of kind `AlreadyExists` when something is there.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let mut file = AtomicFile::create_with(path, mode)?;
    file.write_all(bytes).map_err(|e| Error::io(path, e))?;
    file.publish_new()
}

/// A file that appears at its path only when it is published; dropped before that, it leaves nothing.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    published: bool,
}

impl AtomicFile {
    /// Starts a file that will be at `path`, whose folder must exist.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: &Path) -> Result<Self> {
        Self::create_with(path, 0o644)
    }

    fn create_with(path: &Path, mode: u32) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = path.file_name().ok_or_else(|| Error::Contract(format!("`{}` names no file", path.display())))?;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{number}.tmp", std::process::id()));
            let temporary = path.with_file_name(hidden);
            match OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary) {
                Ok(file) => return Ok(Self { file, temporary, path: path.to_path_buf(), published: false }),
                // Left by a killed process that had our number.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::io(path, e)),
            }
        }
    }

    /// Makes the bytes durable and moves them to the path.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn publish(mut self) -> Result<()> {
        self.file.sync_all().map_err(|e| Error::io(&self.path, e))?;
        fs::rename(&self.temporary, &self.path).map_err(|e| Error::io(&self.path, e))?;
        self.published = true;
        sync_folder(&self.path)
    }

    /// As [`Self::publish`], but a hard link instead of a rename: that refuses to replace.
    fn publish_new(self) -> Result<()> {
        self.file.sync_all().map_err(|e| Error::io(&self.path, e))?;
        fs::hard_link(&self.temporary, &self.path).map_err(|e| Error::io(&self.path, e))?;
        sync_folder(&self.path)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.published {
            // Nothing can be done about a failure here, and the name says what the file is.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Makes the folder's entry for `path` durable.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io(folder, e))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn path_grammar() {
        for good in ["a", "sets/web/shard-00000.parquet", "a/b.c/D_e-1"] {
            assert_eq!(good.parse::<RelPath>().unwrap().to_string(), good);
        }
        for bad in ["", "/a", "a/", "a//b", "..", "a/../b", "./a", ".git/x", "-f", "a b", "a\\b", "caf\u{e9}", "a\0"] {
            assert!(bad.parse::<RelPath>().is_err(), "{bad:?}");
        }
        let paths: Vec<RelPath> = ["a/B", "a/b"].iter().map(|p| p.parse().unwrap()).collect();
        assert!(check_distinct(&paths).is_err());
        assert!(check_distinct(&paths[..1]).is_ok());
    }

    #[test]
    fn links_and_other_kinds_of_file_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        write_atomic(&root.join("sub/file"), b"inside").unwrap();
        write_atomic(&dir.path().join("outside"), b"outside").unwrap();
        symlink("../outside", root.join("link")).unwrap();
        symlink("sub", root.join("folder-link")).unwrap();
        symlink("sub/file", root.join("inner-link")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, root.join("fifo"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        let open = |p: &str| open_beneath(&root, &p.parse().unwrap());
        assert!(open("sub/file").is_ok());
        for refused in ["link", "inner-link", "folder-link/file", "sub", "fifo", "missing"] {
            let error = open(refused).unwrap_err();
            assert!(error.to_string().contains(refused), "{error}");
        }
        assert_eq!(read_beneath(&root, &"sub/file".parse().unwrap(), 6).unwrap(), b"inside");
        assert!(read_beneath(&root, &"sub/file".parse().unwrap(), 5).unwrap_err().is_verification());
        assert!(read_capped(Path::new("/dev/zero"), 100).is_err());
    }

    #[test]
    fn publication_is_whole_or_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("record.json");
        write_atomic(&path, b"one").unwrap();
        let mut unfinished = AtomicFile::create(&path).unwrap();
        unfinished.write_all(b"tw").unwrap();
        drop(unfinished);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert!(write_new(&path, b"two", 0o600).is_err());
        write_atomic(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    }
}
