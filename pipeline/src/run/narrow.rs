//! Narrow: what goes, or is cut out of a text, after admission, and what is held out. Each stage takes every slice's
//! decisions from the one before; one that the recipe does not ask for is not there.

use std::path::Path;

use super::{Run, paths};
use crate::error::Result;
use crate::stages::decided::DecidedSlice;
use crate::stages::hold_out::{self, Share};
use crate::task::{Stage, Task, depends_on, depends_on_commits};

impl Run<'_> {
    /// The decisions that stand when all is decided.
    pub(super) fn narrow(&mut self, slices: Vec<DecidedSlice>) -> Result<Vec<DecidedSlice>> {
        let share = Share { seed: self.recipe.seed, ppm: self.recipe.held_out_ppm };
        let parameters = [&share.seed.to_le_bytes()[..], &share.ppm.to_le_bytes()].concat();
        self.redecide(&hold_out::STAGE, slices, &parameters, |slice, n, folder| hold_out::run(slice, share, n, folder))
    }

    /// Runs a stage that takes each slice's decisions and writes its next ones.
    pub(super) fn redecide(
        &mut self,
        stage: &Stage,
        mut slices: Vec<DecidedSlice>,
        parameters: &[u8],
        work: impl Fn(&DecidedSlice, usize, &Path) -> Result<Vec<String>> + Sync,
    ) -> Result<Vec<DecidedSlice>> {
        let depends = |slice: &DecidedSlice| depends_on([parameters, slice.digest.as_bytes()]);
        let tasks: Vec<Task<&DecidedSlice>> =
            slices.iter().map(|slice| Task { input: slice, depends: depends(slice) }).collect();
        let commits = self.stage(stage, &tasks, |slice, n, folder| work(slice, n, folder))?;
        let files = paths(&self.runner.folder(stage), &commits);
        for ((slice, decisions), commit) in slices.iter_mut().zip(files).zip(&commits) {
            slice.decisions = decisions;
            slice.digest = depends_on([&slice.digest.as_bytes()[..], depends_on_commits(b"", [commit]).as_bytes()]);
        }
        Ok(slices)
    }
}
