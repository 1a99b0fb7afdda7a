//! Writes an outward tree: beside its place first, each copy checked against the digest that a record names, and then
//! by one rename. A tree that is there in part does not exist.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use manifests::digest::HashingWriter;
use manifests::publication::PUBLICATION_FILE;
use manifests::store::{open_beneath, write_atomic};

use super::{From, Item};
use crate::error::{Error, Result};

/// Refuses a place that holds something.
pub(super) fn check_free(out: &Path) -> Result<()> {
    let free = match fs::read_dir(out) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => true,
        entries => entries.map_err(|e| Error::io(out, e))?.next().is_none(),
    };
    if free {
        return Ok(());
    }
    let what = format!("`{}` is not empty", out.display());
    Err(Error::usage(what, "name another folder: what is handed out holds nothing else"))
}

/// Writes the tree at `out`.
pub(super) fn write(corpus: &Path, out: &Path, items: &[Item], list: &[u8]) -> Result<()> {
    let partial = beside(out)?;
    match fs::remove_dir_all(&partial) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&partial, e)),
        _ => {}
    }
    let written = fill(corpus, &partial, items, list);
    if written.is_err() {
        // What is half written must not be mistaken for what may leave.
        _ = fs::remove_dir_all(&partial);
        return written;
    }
    // An empty folder may stand at the place.
    _ = fs::remove_dir(out);
    fs::rename(&partial, out).map_err(|e| Error::io(out, e))
}

fn beside(out: &Path) -> Result<PathBuf> {
    let whole = std::path::absolute(out).map_err(|e| Error::io(out, e))?;
    let name = whole.file_name().map(|n| format!(".{}.partial", n.to_string_lossy()));
    let name = name.ok_or_else(|| Error::usage(format!("`{}` names no folder", out.display()), "name a new folder"))?;
    Ok(whole.with_file_name(name))
}

fn fill(corpus: &Path, partial: &Path, items: &[Item], list: &[u8]) -> Result<()> {
    fs::create_dir_all(partial).map_err(|e| Error::io(partial, e))?;
    for item in items {
        let to = item.file.file.path.beneath(partial);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        }
        match &item.from {
            From::Made(bytes) => write_atomic(&to, bytes)?,
            From::Corpus(from) => {
                let mut source = open_beneath(corpus, from)?;
                let mut target = HashingWriter::new(File::create_new(&to).map_err(|e| Error::io(&to, e))?);
                std::io::copy(&mut source, &mut target).map_err(|e| Error::io(&to, e))?;
                let (file, length, digest) = target.finish();
                file.sync_all().map_err(|e| Error::io(&to, e))?;
                if (length, digest) != (item.file.file.length, item.file.file.digest) {
                    let what = "it is not the file that its record names [FM-T-007 digest-mismatch]";
                    return Err(manifests::Error::verification(from.beneath(corpus), what).into());
                }
            }
        }
    }
    Ok(write_atomic(&partial.join(PUBLICATION_FILE), list)?)
}
