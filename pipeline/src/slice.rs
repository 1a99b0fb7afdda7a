//! A slice of a source, as every stage after `read` knows it: made by the read stage's commit, and by nothing else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use corpus::source::SourceSpec;
use manifests::manifest::Access;

use crate::recipe::Recipe;
use crate::task::{Commit, Output};

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
        let of_source = |(source, commit): (&SourceSpec, &Commit)| {
            let source = Arc::new(source.clone());
            let slices = commit.outputs.iter().filter(|o| o.name.ends_with(".parquet")).cloned();
            slices.map(|output| Self { source: Arc::clone(&source), file: folder.join(&output.name), output }).collect()
        };
        recipe.sources.iter().zip(commits).flat_map(of_source as fn(_) -> Vec<Self>).collect()
    }

    /// Where equal texts may meet: all public sets together, each closed set alone.
    #[must_use]
    pub fn domain(&self) -> &str {
        match self.source.access {
            Access::Public => "public",
            Access::Closed => self.source.set.as_str(),
        }
    }
}
