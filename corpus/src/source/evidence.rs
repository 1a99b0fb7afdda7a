//! The files of a source that speak about terms: package metadata, license texts, notices and readmes. They are given
//! as bytes; what they say is for `claims` to find.

use std::io::{self, Read};

use manifests::digest::{Hasher, Sha256};

use super::decode::is_broken;
use super::error::{Error, Result};
use super::reader::{SourceReader, container, stripped};

/// The most bytes of a file that are kept; the digest covers all of it.
const MAX_KEPT: usize = 1 << 20;

/// One file that may hold evidence on terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Its path in the source.
    pub path: String,
    /// Its first MiB.
    pub bytes: Vec<u8>,
    /// The digest of the whole file.
    pub digest: Sha256,
}

impl SourceReader {
    /// Every evidence file, sorted by path: metadata and license files at the top (or in a wheel's `.dist-info`), and
    /// whatever the recipe's `license_files` match. The archive is read once for it; a broken archive gives what
    /// comes before the break.
    ///
    /// # Errors
    /// [`Error::Io`] when the object cannot be read.
    pub fn evidence(&self) -> Result<Vec<EvidenceFile>> {
        let mut files = Vec::new();
        match self.collect(&mut files) {
            Err(e) if !is_broken(&e) => return Err(Error::io(self.object_path(), e)),
            _ => {}
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Ok(files)
    }

    fn collect(&self, files: &mut Vec<EvidenceFile>) -> io::Result<()> {
        let mut container = container(self.object_path())?;
        while let Some(member) = container.next()? {
            let Some(path) = stripped(&member.path, self.spec().strip) else { continue };
            if !is_evidence(path) && !self.spec().license_files.matches(path) {
                continue;
            }
            let (mut bytes, mut hasher) = (Vec::new(), Hasher::new());
            let mut buffer = vec![0; 1 << 16];
            loop {
                let n = container.read(&mut buffer)?;
                if n == 0 {
                    break;
                }
                hasher.update(&buffer[..n]);
                let room = MAX_KEPT - bytes.len();
                bytes.extend_from_slice(&buffer[..n.min(room)]);
            }
            files.push(EvidenceFile { path: path.to_owned(), bytes, digest: hasher.finish() });
        }
        Ok(())
    }
}

/// Whether the name is one that package clients and habit give to evidence, at the top or in `.dist-info`.
fn is_evidence(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let at_place = folder.is_empty() || folder.split('/').next().is_some_and(|top| top.ends_with(".dist-info"));
    let upper = name.to_uppercase();
    let is_text = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE", "README"];
    let named = ["METADATA", "PKG-INFO", "Cargo.toml", "package.json"].contains(&name);
    let in_licenses = folder.contains(".dist-info/licenses");
    at_place && (named || in_licenses || is_text.iter().any(|t| upper.starts_with(t)))
}
