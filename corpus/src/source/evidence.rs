//! The files of a source that speak about terms: package metadata, license texts, notices and readmes. They are given
//! as bytes; what they say is for `claims` to find.

use std::io::{self, Read};

use manifests::digest::{Hasher, Sha256};

use super::cutter::stripped;
use super::error::Result;
use super::parts::Source;

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
    /// Whether it speaks for the whole source: it stands at the top, or the recipe names it. Any other speaks for what
    /// lies in its folder.
    pub whole: bool,
}

impl Source {
    /// Every evidence file, sorted by path: metadata, license texts, notices and readmes, and whatever the recipe's
    /// `license_files` match. The archive is read once for it; a broken archive gives what comes before the break.
    ///
    /// # Errors
    /// [`Error::Io`](super::Error::Io) when an object cannot be read.
    pub fn evidence(&self) -> Result<Vec<EvidenceFile>> {
        let mut files = Vec::new();
        self.unless_broken(self.collect(&mut files))?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Ok(files)
    }

    fn collect(&self, files: &mut Vec<EvidenceFile>) -> io::Result<()> {
        let mut container = self.whole()?;
        while let Some(member) = container.next()? {
            let Some(path) = stripped(&member.path, self.spec().strip) else { continue };
            let (at_top, named) = (is_at_top(path), self.spec().license_files.matches(path));
            if !(named || at_top && is_evidence(path) || is_nested_evidence(path)) {
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
            let (path, whole) = (path.to_owned(), at_top || named);
            files.push(EvidenceFile { path, bytes, digest: hasher.finish(), whole });
        }
        Ok(())
    }
}

/// Whether a file stands at the top or in `.dist-info`, where package clients look.
fn is_at_top(path: &str) -> bool {
    path.split_once('/').is_none_or(|(top, _)| top.ends_with(".dist-info"))
}

/// Metadata that says something of terms.
const METADATA: [&str; 8] = [
    "METADATA",
    "PKG-INFO",
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
    "composer.json",
    "CITATION.cff",
    "REUSE.toml",
];

/// Whether the name is one that package clients and habit give to evidence.
fn is_evidence(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let upper = name.to_uppercase();
    let is_text = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE", "README", "AUTHORS", "CREDITS"];
    let is_text = is_text.iter().any(|t| upper.starts_with(t)) && !is_program(&upper);
    METADATA.contains(&name) || folder.contains(".dist-info/licenses") || is_text || upper.ends_with(".LICENSE")
}

/// The same for any folder, where names like `license.rst` are more often a document's: the name is one of the usual
/// ones and nothing more but a suffix, as in `LICENSE-MIT`, `COPYING.LESSER` or `NOTICE.txt`.
fn is_nested_evidence(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if METADATA.contains(&name) || path.ends_with(".license") || is_dep5(path) {
        return true;
    }
    let stem = name.split(['.', '-', '_']).next().unwrap_or_default();
    let usual = ["LICENSE", "LICENCE", "COPYING", "UNLICENSE", "NOTICE", "README", "AUTHORS"];
    let upper = stem.to_uppercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    let shouted =
        stem == upper && stem != "README" || ["txt", "md"].contains(&ending.as_str()) || stem.len() == name.len();
    usual.contains(&upper.as_str()) && shouted && !is_program(&name.to_uppercase())
}

/// Whether a name ends as source code does: `license.py` is no license.
fn is_program(upper: &str) -> bool {
    let endings =
        [".PY", ".RS", ".GO", ".JS", ".TS", ".C", ".H", ".JAVA", ".RB", ".CS", ".CPP", ".JSX", ".TSX", ".CSS"];
    endings.iter().any(|ending| upper.ends_with(ending))
}

/// Debian's machine-readable copyright file, or REUSE's old place for one.
fn is_dep5(path: &str) -> bool {
    ["debian/copyright", ".reuse/dep5"].iter().any(|p| path == *p || path.ends_with(&format!("/{p}")))
}
