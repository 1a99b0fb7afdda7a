//! Read: every source, and what the recipe names in vain.

use super::Run;
use crate::error::Result;
use crate::folders::folder_digest;
use crate::slice::SliceRef;
use crate::stages::read;
use crate::task::{Commit, Task, depends_on};

impl Run<'_> {
    pub(super) fn read(&mut self) -> Result<(Vec<SliceRef>, Vec<Commit>)> {
        let (recipe, inputs, decisions) = (self.recipe, self.inputs.clone(), self.decisions.clone());
        let decided = manifests::canonical::to_vec(&decisions)?;
        let mut tasks = Vec::new();
        for source in &recipe.sources {
            // A folder has no pin: its files' state is what the task depends on.
            let object = match source.sha256 {
                Some(digest) => digest,
                None => folder_digest(&inputs.join(source.place.name()))?,
            };
            let parts: [&[u8]; 3] = [recipe.digest.as_bytes(), object.as_bytes(), &decided];
            tasks.push(Task { input: source, depends: depends_on(parts) });
        }
        let commits =
            self.stage(&read::STAGE, &tasks, |source, n, folder| read::run(source, &inputs, &decisions, n, folder))?;
        let folder = self.runner.folder(&read::STAGE);
        Ok((SliceRef::list(recipe, &commits, &folder), commits))
    }

    /// What the recipe names and its sources do not have, told as soon as they are read.
    pub(super) fn unused(&self, commits: &[Commit]) -> Result<Vec<String>> {
        let folder = self.runner.folder(&read::STAGE);
        let mut warnings = Vec::new();
        for (source, commit) in self.recipe.sources.iter().zip(commits) {
            let said = read::unused(&folder.join(&commit.outputs[1].name))?;
            warnings.extend(said.into_iter().map(|what| format!("source `{}`: {what}", source.id)));
        }
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(warnings)
    }
}
