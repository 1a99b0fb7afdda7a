//! Read: every source, and what the recipe names in vain.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use corpus::source::{Found, Objects, find, is_address};
use manifests::store::write_atomic;

use super::Run;
use crate::build::StageRecord;
use crate::error::{Error, Result};
use crate::objects::Places;
use crate::slice::SliceRef;
use crate::stages::read::{self, ReadTask, ReadWith};
use crate::task::{Commit, Task, depends_on, depends_on_commits};

impl Run<'_> {
    pub(super) fn read(&mut self) -> Result<(Vec<SliceRef>, Vec<Commit>)> {
        let (recipe, inputs, decisions) = (self.recipe, self.inputs.clone(), self.decisions.clone());
        let decided = manifests::canonical::to_vec(&decisions)?;
        let folder = self.runner.folder(&read::STAGE);
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        let objects: Arc<dyn Objects> = Arc::new(Places::new(&inputs, folder.join("copies")));
        let found = self.find(&inputs, objects.as_ref())?;
        let mut tasks = Vec::new();
        let mut reads = Vec::new();
        for (source, found) in recipe.sources.iter().zip(found) {
            let pins = manifests::canonical::to_vec(&found)?;
            let parts: [&[u8]; 3] = [recipe.digest.as_bytes(), &pins, &decided];
            tasks.push(Task { input: (), depends: depends_on(parts) });
            reads.push(ReadTask { spec: Arc::new(source.clone()), found });
        }
        let with = ReadWith { inputs: &inputs, objects, decisions: &decisions };
        let commits = self.runner.run_together(&read::STAGE, &tasks, |pieces| read::run(&reads, &with, pieces))?;
        let outputs = depends_on_commits(b"", &commits);
        let record = StageRecord { version: read::STAGE.version, tasks: tasks.len() as u64, outputs };
        self.stages.insert(read::STAGE.name.to_owned(), record);
        Ok((SliceRef::list(recipe, &commits, &folder), commits))
    }

    /// The objects of every source, each pinned.
    fn find(&self, inputs: &Path, objects: &dyn Objects) -> Result<Vec<Vec<Found>>> {
        let sources = &self.recipe.sources;
        let folder = self.runner.folder(&read::STAGE);
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..self.runner.threads().min(sources.len()) {
                scope.spawn(|| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let Some(source) = sources.get(n) else { return };
                        let one = find(source, inputs, objects).map_err(Error::from);
                        let one = one.and_then(|found| pinned(&folder.join(format!("{n:05}-found.json")), found));
                        found.lock().unwrap_or_else(PoisonError::into_inner).push((n, one));
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(n, _)| *n);
        found.into_iter().map(|(_, one)| one).collect()
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

/// What was found first is what is read: an object behind a network that is another one now, or gone, is an error; one
/// that came since is left out. Files need no such list, since their digests say all.
fn pinned(list: &PathBuf, found: Vec<Found>) -> Result<Vec<Found>> {
    if !found.iter().any(|object| is_address(&object.address)) {
        return Ok(found);
    }
    let bytes = match std::fs::read(list) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            write_atomic(list, &manifests::canonical::to_vec(&found)?)?;
            return Ok(found);
        }
        Err(e) => return Err(Error::io(list, e)),
    };
    let first: Vec<Found> = manifests::canonical::from_slice("list of objects", list, &bytes)?;
    for object in &first {
        let now = found.iter().find(|now| now.path == object.path);
        if now != Some(object) {
            let what = now.map_or("is gone", |_| "changed");
            return Err(Error::Refused {
                what: format!("`{}` {what} since this build began", object.address),
                hint: Some("build into another folder, or bring the object back".to_owned()),
            });
        }
    }
    Ok(first)
}
