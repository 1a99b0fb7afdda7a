//! Tasks: the unit of work, of resume and of scale-out. A stage is a list of tasks fixed from the input and never
//! from the machine. A task writes files and then its commit record, which holds the key of everything that its
//! output depends on; a task whose record has the same key and whose files have the same sizes is not run again.
//!
//! Knows nothing of what tasks do.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use manifests::digest::{Hasher, Sha256};
use manifests::store::write_atomic;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::progress::Progress;

/// A file that a task wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its name in the stage's folder.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
    /// Its digest.
    pub digest: Sha256,
}

/// The commit record of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Digest of all that the output depends on.
    pub key: Sha256,
    /// The files, in the order that the task names them.
    pub outputs: Vec<Output>,
}

/// A stage: a name, a version that rises with its behaviour, and a folder for its files.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// Its version, part of every task's key and of every manifest.
    pub version: u32,
}

/// One task: what its output depends on, beside stage and build.
#[derive(Clone, Debug)]
pub struct Task<I> {
    /// What it works on.
    pub input: I,
    /// Digest of its inputs and parameters.
    pub depends: Sha256,
}

/// Runs stages in a work folder.
pub struct Runner<'a> {
    work: PathBuf,
    build: String,
    threads: usize,
    progress: &'a dyn Progress,
}

/// Digest of a list of parts that an output depends on.
#[must_use]
pub fn depends_on<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Sha256 {
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.field(part);
    }
    hasher.finish()
}

/// Digest of the files of former tasks.
#[must_use]
pub fn depends_on_commits<'a>(parameters: &[u8], commits: impl IntoIterator<Item = &'a Commit>) -> Sha256 {
    let mut hasher = Hasher::new();
    hasher.field(parameters);
    for output in commits.into_iter().flat_map(|c| &c.outputs) {
        hasher.field(output.name.as_bytes());
        hasher.field(output.digest.as_bytes());
    }
    hasher.finish()
}

impl<'a> Runner<'a> {
    /// A runner over `work`, for one build of flexmix.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder can't be made.
    pub fn new(work: &Path, build: String, threads: usize, progress: &'a dyn Progress) -> Result<Self> {
        std::fs::create_dir_all(work).map_err(|e| Error::io(work, e))?;
        Ok(Self { work: work.to_path_buf(), build, threads: threads.max(1), progress })
    }

    /// The folder of a stage.
    #[must_use]
    pub fn folder(&self, stage: &Stage) -> PathBuf {
        self.work.join(stage.name)
    }

    /// Says something that belongs to no task.
    pub fn note(&self, text: &str) {
        self.progress.note(text);
    }

    /// Runs a stage's tasks, `threads` at a time, and gives their commits in task order. `work` gets the task's input,
    /// its number and the stage's folder, and returns the names of the files that it wrote there, each by an atomic
    /// rename.
    ///
    /// # Errors
    /// The error of the first task, in task order, that failed; tasks that were done stay done.
    pub fn run<I: Sync>(
        &self,
        stage: &Stage,
        tasks: &[Task<I>],
        work: impl Fn(&I, usize, &Path) -> Result<Vec<String>> + Sync,
    ) -> Result<Vec<Commit>> {
        let folder = self.folder(stage);
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        self.progress.stage(stage.name, tasks.len());
        let next = AtomicUsize::new(0);
        let done: Vec<Mutex<Option<Result<Commit>>>> = tasks.iter().map(|_| Mutex::new(None)).collect();
        let failed = AtomicUsize::new(usize::MAX);
        std::thread::scope(|scope| {
            for _ in 0..self.threads.min(tasks.len()) {
                scope.spawn(|| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= tasks.len() || failed.load(Ordering::Relaxed) < n {
                            return;
                        }
                        let result = self.one(stage, &folder, &tasks[n], n, &work);
                        if result.is_err() {
                            failed.fetch_min(n, Ordering::Relaxed);
                        }
                        self.progress.task_done();
                        *done[n].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                    }
                });
            }
        });
        let take = |slot: Mutex<Option<Result<Commit>>>| {
            let result = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
            result.unwrap_or_else(|| Err(Error::Bug(format!("a task of stage `{}` was not run", stage.name))))
        };
        let mut results: Vec<Result<Commit>> = done.into_iter().map(take).collect();
        let first = failed.into_inner();
        if first < results.len() {
            return Err(results
                .swap_remove(first)
                .err()
                .unwrap_or_else(|| Error::Bug("a task failed and did not".into())));
        }
        results.into_iter().collect()
    }

    fn one<I>(
        &self,
        stage: &Stage,
        folder: &Path,
        task: &Task<I>,
        n: usize,
        work: &(impl Fn(&I, usize, &Path) -> Result<Vec<String>> + Sync),
    ) -> Result<Commit> {
        let version = stage.version.to_le_bytes();
        let parts: [&[u8]; 4] = [stage.name.as_bytes(), &version, self.build.as_bytes(), task.depends.as_bytes()];
        let key = depends_on(parts);
        let record = folder.join(format!("{n:05}.commit.json"));
        if let Some(commit) = committed(&record, folder, key) {
            tracing::debug!(stage = stage.name, task = n, "done before");
            return Ok(commit);
        }
        let mut outputs = Vec::new();
        for name in work(&task.input, n, folder)? {
            let (length, digest) = Sha256::of_file(&folder.join(&name))?;
            outputs.push(Output { name, length, digest });
        }
        let commit = Commit { key, outputs };
        write_atomic(&record, &manifests::canonical::to_vec(&commit)?)?;
        tracing::debug!(stage = stage.name, task = n, files = commit.outputs.len(), "committed");
        Ok(commit)
    }
}

/// A former commit, when it has this key and its files are there at their sizes.
fn committed(record: &Path, folder: &Path, key: Sha256) -> Option<Commit> {
    let bytes = std::fs::read(record).ok()?;
    let commit: Commit = manifests::canonical::from_slice("commit record", record, &bytes).ok()?;
    let whole = |o: &Output| std::fs::metadata(folder.join(&o.name)).is_ok_and(|m| m.len() == o.length);
    (commit.key == key && commit.outputs.iter().all(whole)).then_some(commit)
}
