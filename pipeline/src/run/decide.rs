//! Decide: facts of every slice, clusters of equal texts, and what the policy says of them.

use std::path::PathBuf;

use super::{Run, gate_state, paths, unsigned};
use crate::error::{Error, Result};
use crate::slice::SliceRef;
use crate::stages::decide::Rules;
use crate::stages::decided::DecidedSlice;
use crate::stages::{cluster, decide, facts};
use crate::task::{Task, depends_on, depends_on_commits};

impl Run<'_> {
    /// Facts, clusters and decisions.
    pub(super) fn decide(&mut self, slices: Vec<SliceRef>) -> Result<Vec<DecidedSlice>> {
        let (recipe, gate) = (self.recipe, self.gate);
        let chain = self.recipe.chain.to_json().map_err(|e| Error::Bug(e.to_string()))?;
        let task = |slice: &SliceRef, more: &[u8]| depends_on([slice.output.digest.as_bytes(), chain.as_bytes(), more]);
        let tasks: Vec<Task<&SliceRef>> = slices.iter().map(|s| Task { input: s, depends: task(s, b"") }).collect();
        let fact_commits =
            self.stage(&facts::STAGE, &tasks, |slice, n, folder| facts::run(slice, recipe, n, folder))?;
        let folder = self.runner.folder(&facts::STAGE);
        let (fact_files, keys): (Vec<PathBuf>, Vec<PathBuf>) =
            (0..slices.len()).map(|n| facts::files(&folder, n)).unzip();

        let decisions = self.decisions.clone();
        let depends = depends_on_commits(&manifests::canonical::to_vec(&decisions)?, &fact_commits);
        let tasks: Vec<Task<u32>> = (0..facts::BUCKETS).map(|bucket| Task { input: bucket, depends }).collect();
        let cluster_commits =
            self.stage(&cluster::STAGE, &tasks, |bucket, _, folder| cluster::run(*bucket, &keys, &decisions, folder))?;
        let clusters = paths(&self.runner.folder(&cluster::STAGE), &cluster_commits);

        let elections = gate.records.elections.iter().filter(|e| self.recipe.elections.contains(&e.id)).cloned();
        let rules = Rules { gate, elections: elections.collect() };
        self.known_elections(&rules)?;
        let parts = [gate_state(gate)?, self.recipe.digest];
        let parts = depends_on(parts.iter().map(|part| &part.as_bytes()[..]));
        let depends = depends_on_commits(parts.as_bytes(), fact_commits.iter().chain(&cluster_commits));
        let tasks: Vec<Task<(&SliceRef, &PathBuf)>> = slices
            .iter()
            .zip(&fact_files)
            .map(|input| Task { input, depends: task(input.0, depends.as_bytes()) })
            .collect();
        let commits = self.stage(&decide::STAGE, &tasks, |(slice, facts), n, folder| {
            decide::run(slice, facts, &clusters, &rules, n, folder)
        })?;
        let decisions = paths(&self.runner.folder(&decide::STAGE), &commits);
        let digests = slices.iter().zip(&fact_commits).zip(&commits);
        let digests = digests.map(|((s, f), d)| depends_on_commits(s.output.digest.as_bytes(), [f, d]));
        let digests: Vec<_> = digests.collect();
        let joined = slices.into_iter().zip(fact_files).zip(decisions).zip(digests);
        Ok(joined
            .map(|(((slice, facts), decisions), digest)| DecidedSlice { slice, facts, decisions, digest })
            .collect())
    }

    fn known_elections(&self, rules: &Rules<'_>) -> Result<()> {
        let missing = self.recipe.elections.iter().find(|id| !rules.elections.iter().any(|e| e.id == **id));
        missing.map_or(Ok(()), |id| Err(unsigned("election", id)))
    }
}
