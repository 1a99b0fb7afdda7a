//! The records of a corpus's rebuilds, `rebuilds/NNNNN.dsse.json`, in their order.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Their folder beneath the corpus.
pub(crate) const REBUILDS: &str = "rebuilds";

/// The records of a corpus's rebuilds, in their order.
pub(crate) fn records(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join(REBUILDS);
    if !folder.is_dir() {
        return Ok(vec![]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| Error::io(&folder, e))? {
        found.push(entry.map_err(|e| Error::io(&folder, e))?.path());
    }
    found.sort();
    Ok(found)
}
