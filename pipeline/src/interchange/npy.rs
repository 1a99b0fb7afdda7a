//! OLMo-core's and dolma's token files: `.npy` is a raw array of ids with no header, `.csv.gz` has a row for each
//! document: start, end, id, source, place (dolma 1.2.1 `tokenizer/memmap_writer.py`).

use std::io::Write as _;
use std::path::Path;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use super::export::Written;
use super::tokens::{Document, push};
use crate::error::{Error, Result};

/// A file under way.
pub(super) struct NpyFile {
    ids: Vec<u8>,
    rows: GzEncoder<Vec<u8>>,
    width: u8,
    at: u64,
}

impl NpyFile {
    pub(super) fn new(width: u8) -> Self {
        // No time stands in the header, so that equal rows give equal bytes.
        let rows = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(6));
        Self { ids: Vec::new(), rows, width, at: 0 }
    }

    pub(super) fn push(&mut self, document: &Document<'_>) -> Result<()> {
        push(document.tokens, self.width, &mut self.ids);
        let end = self.at + document.tokens.len() as u64;
        // Ids and names of sources hold neither comma nor quote; Python's csv module ends lines so.
        let row = format!("{},{end},{},{},{}\r\n", self.at, document.id, document.source, document.row);
        self.rows.write_all(row.as_bytes()).map_err(|e| Error::Bug(e.to_string()))?;
        self.at = end;
        Ok(())
    }

    pub(super) fn finish(self, base: &str, root: &Path, written: &mut Written) -> Result<()> {
        let rows = self.rows.finish().map_err(|e| Error::Bug(e.to_string()))?;
        written.write(root, &format!("{base}.npy"), &self.ids)?;
        written.write(root, &format!("{base}.csv.gz"), &rows)
    }
}
