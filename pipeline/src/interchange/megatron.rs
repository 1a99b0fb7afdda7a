//! Megatron's indexed dataset: `.bin` has the ids, `.idx` lengths, offsets and document ends (megatron-core 0.16.1
//! `datasets/indexed_dataset.py`). Each document is one sequence.

use std::path::Path;

use super::export::Written;
use super::tokens::{Document, push};
use crate::error::{Error, Result};

const HEADER: &[u8; 9] = b"MMIDIDX\0\0";

/// A file under way.
pub(super) struct MegatronFile {
    ids: Vec<u8>,
    lengths: Vec<i32>,
    width: u8,
}

impl MegatronFile {
    pub(super) const fn new(width: u8) -> Self {
        Self { ids: Vec::new(), lengths: Vec::new(), width }
    }

    pub(super) fn push(&mut self, document: &Document<'_>) -> Result<()> {
        push(document.tokens, self.width, &mut self.ids);
        let length = i32::try_from(document.tokens.len());
        self.lengths.push(length.map_err(|_| Error::Bug("a document has more than 2³¹ tokens".to_owned()))?);
        Ok(())
    }

    pub(super) fn finish(self, base: &str, root: &Path, written: &mut Written) -> Result<()> {
        written.write(root, &format!("{base}.bin"), &self.ids)?;
        written.write(root, &format!("{base}.idx"), &self.index())
    }

    fn index(&self) -> Vec<u8> {
        let count = self.lengths.len() as u64;
        let mut index = HEADER.to_vec();
        index.extend(1u64.to_le_bytes());
        // Megatron's number of the type: uint16 is 8, int32 is 4.
        index.push(if self.width == 2 { 8 } else { 4 });
        index.extend(count.to_le_bytes());
        index.extend((count + 1).to_le_bytes());
        index.extend(self.lengths.iter().flat_map(|n| n.to_le_bytes()));
        let mut offset = 0i64;
        for length in &self.lengths {
            index.extend(offset.to_le_bytes());
            offset += i64::from(*length) * i64::from(self.width);
        }
        index.extend((0..=count).flat_map(u64::to_le_bytes));
        index
    }
}
