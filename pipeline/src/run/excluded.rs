//! Excluded: the text of what was dropped, where the one who builds asked for it.

use std::path::PathBuf;

use super::{Run, paths};
use crate::error::Result;
use crate::stages::decided::DecidedSlice;
use crate::stages::excluded;
use crate::task::{Task, depends_on};

impl Run<'_> {
    /// A file for each slice. Neither manifests nor `run.json` name the stage: the corpus is the same without it.
    pub(super) fn excluded(&self, slices: &[DecidedSlice]) -> Result<Vec<PathBuf>> {
        let filters = self.recipe.filter_names()?;
        let task = |slice| -> Task<&DecidedSlice> {
            Task { input: slice, depends: depends_on([&slice.digest.as_bytes()[..]]) }
        };
        let tasks: Vec<Task<&DecidedSlice>> = slices.iter().map(task).collect();
        let commits =
            self.runner.run(&excluded::STAGE, &tasks, |slice, n, folder| excluded::run(slice, &filters, n, folder))?;
        Ok(paths(&self.runner.folder(&excluded::STAGE), &commits))
    }
}
