//! A slice of a source, as every stage after `read` knows it: made by the read stage's commit, and by nothing else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use corpus::source::SourceSpec;
use manifests::manifest::Access;

use crate::error::Result;
use crate::recipe::Recipe;
use crate::table::size;
use crate::task::{Commit, Output};
use crate::timings::Load;

/// One slice file and the source that it is of.
#[derive(Clone, Debug)]
pub struct SliceRef {
    /// The source.
    pub source: Arc<SourceSpec>,
    /// The file.
    pub file: PathBuf,
    /// The file as committed.
    pub output: Output,
}

impl SliceRef {
    /// Every slice that the read stage committed, in source order.
    #[must_use]
    pub fn list(recipe: &Recipe, commits: &[Commit], folder: &Path) -> Vec<Self> {
        let mut slices = Vec::new();
        for (source, commit) in recipe.sources.iter().zip(commits) {
            let source = Arc::new(source.clone());
            for output in commit.outputs.iter().filter(|o| o.name.ends_with(".parquet")) {
                let (source, file) = (Arc::clone(&source), folder.join(&output.name));
                slices.push(Self { source, file, output: output.clone() });
            }
        }
        slices
    }

    /// The documents of slices and the bytes of their text.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn load<'a>(slices: impl IntoIterator<Item = &'a Self>) -> Result<Load> {
        slices.into_iter().try_fold(Load::default(), |all, slice| {
            let (rows, bytes) = size(&slice.file, "text")?;
            Ok(Load { documents: all.documents + rows, bytes: all.bytes + bytes })
        })
    }

    /// Where equal texts may meet: all public sets together, each closed set alone.
    #[must_use]
    pub fn domain(&self) -> &str {
        match self.source.access {
            // No set has an empty name, so no closed set can meet the public ones here.
            Access::Public => "",
            Access::Closed => self.source.set.as_str(),
        }
    }
}
