//! Where bytes come from: objects that are found once, pinned as they were then, and opened at any offset. Local files
//! are such objects here; what lies behind a network is for whoever implements [`Objects`], since nothing in this
//! crate opens a connection.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use manifests::digest::Sha256;
use serde::{Deserialize, Serialize};

/// An object as it was when it was found. Whatever reads it reads these bytes or fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Its path relative to the source's root, `/` between folders: part of the ids of its documents.
    pub path: String,
    /// Where it lies: a path in the inputs folder or an address.
    pub address: String,
    /// Its length in bytes; absent where the server does not say.
    pub length: Option<u64>,
    /// What the store calls this state of it.
    pub etag: Option<String>,
    /// Its digest, where it was read or the recipe pins it.
    pub sha256: Option<Sha256>,
}

/// The bytes of an object.
pub trait Object: Send + Sync {
    /// A stream from `offset` to the end.
    ///
    /// # Errors
    /// Errors of the system, or one that holds [`Unavailable`].
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + Send>>;

    /// A file that holds the object and nothing else, for formats whose directory stands at the end. A distant object is
    /// copied first, whole.
    ///
    /// # Errors
    /// Errors of the system, or one that holds [`Unavailable`].
    fn file(&self) -> io::Result<File>;
}

/// Gives objects by what was found.
pub trait Objects: Send + Sync {
    /// What is at an address or path, as it is now; its path is for the caller to say.
    ///
    /// # Errors
    /// Errors of the system, or one that holds [`Unavailable`].
    fn head(&self, address: &str) -> io::Result<Found>;

    /// Everything under a prefix or in a folder, with paths relative to it, in any order.
    ///
    /// # Errors
    /// Errors of the system, or one that holds [`Unavailable`].
    fn list(&self, prefix: &str) -> io::Result<Vec<Found>>;

    /// The object that was found.
    ///
    /// # Errors
    /// Errors of the system, or one that holds [`Unavailable`].
    fn object(&self, found: &Found) -> io::Result<Box<dyn Object>>;
}

/// The object could not be had, or is no longer what was found: an error of the run, never a row of the ledger.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

impl From<Unavailable> for io::Error {
    fn from(error: Unavailable) -> Self {
        Self::other(error)
    }
}

/// The objects of an inputs folder.
#[derive(Clone, Debug)]
pub struct Inputs(PathBuf);

impl Inputs {
    /// Objects are named by their paths in `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }
}

impl Objects for Inputs {
    fn head(&self, address: &str) -> io::Result<Found> {
        let length = Some(std::fs::metadata(self.0.join(address))?.len());
        let path = address.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Found { path, address: address.to_owned(), length, etag: None, sha256: None })
    }

    /// A folder's regular files in sorted order; links are not followed.
    fn list(&self, folder: &str) -> io::Result<Vec<Found>> {
        let mut files = Vec::new();
        walk(&self.0.join(folder), "", &mut files)?;
        files.sort_unstable();
        let found = |(path, length): (String, u64)| {
            let address = format!("{folder}/{path}");
            Found { path, address, length: Some(length), etag: None, sha256: None }
        };
        Ok(files.into_iter().map(found).collect())
    }

    fn object(&self, found: &Found) -> io::Result<Box<dyn Object>> {
        Ok(Box::new(LocalFile(self.0.join(&found.address))))
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<(String, u64)>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
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
            files.push((path, entry.metadata()?.len()));
        }
    }
    Ok(())
}

/// A file on this machine.
struct LocalFile(PathBuf);

impl Object for LocalFile {
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let mut file = self.file()?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(file))
    }

    fn file(&self) -> io::Result<File> {
        File::open(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_object_is_opened_at_an_offset() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.txt"), "0123456789").unwrap();
        let found = Found { path: "a.txt".into(), address: "a.txt".into(), length: Some(10), etag: None, sha256: None };
        let mut rest = String::new();
        let object = Inputs::new(folder.path()).object(&found).unwrap();
        object.open(7).unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "789");
        object.file().unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "7890123456789");
    }
}
