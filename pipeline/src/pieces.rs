//! Tasks that are done together, piece by piece: each piece has its own commit record, so that a task which was killed
//! goes on at its last piece, and any thread may work on any piece of any task. Knows nothing of what pieces hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use manifests::digest::Sha256;
use manifests::store::write_atomic;

use crate::error::{Error, Result};
use crate::task::{Commit, Output, Runner, Stage, Task, committed, depends_on, microseconds};

/// The tasks of a stage that this process has to do.
pub struct Pieces<'a> {
    folder: PathBuf,
    /// How many threads may work at once.
    pub threads: usize,
    /// The numbers of the tasks to do.
    pub tasks: Vec<usize>,
    keys: Vec<Sha256>,
    stage: &'static str,
    started: Instant,
    done: Mutex<BTreeMap<usize, Commit>>,
    tell: &'a (dyn Fn() + Sync),
}

impl Runner<'_> {
    /// Runs a stage whose tasks share the threads. `work` does all that are to do and commits each one.
    ///
    /// # Errors
    /// What `work` says; [`Error::FinishedElsewhere`] when another process has published the corpus meanwhile.
    pub fn run_together<I: Sync>(
        &self,
        stage: &Stage,
        tasks: &[Task<I>],
        work: impl FnOnce(&Pieces<'_>) -> Result<()>,
    ) -> Result<Vec<Commit>> {
        let folder = self.folder(stage);
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        self.begin(stage, tasks.len());
        let keys: Vec<Sha256> = tasks.iter().map(|task| self.key(stage, task)).collect();
        let mut before = BTreeMap::new();
        for n in (0..tasks.len()).filter(|n| self.owns(*n)) {
            if let Some(commit) = committed(&record(&folder, &format!("{n:05}")), &folder, keys[n]) {
                before.insert(n, commit);
                self.task_done();
            }
        }
        let mut done_before = before.len() as u64;
        let todo = (0..tasks.len()).filter(|n| self.owns(*n) && !before.contains_key(n)).collect();
        let (started, tell) = (Instant::now(), || self.task_done());
        let pieces = Pieces {
            folder: folder.clone(),
            threads: self.threads(),
            tasks: todo,
            keys,
            stage: stage.name,
            started,
            done: Mutex::new(before),
            tell: &tell,
        };
        work(&pieces)?;
        let mut done = pieces.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut commits = Vec::with_capacity(tasks.len());
        for (n, task) in tasks.iter().enumerate() {
            commits.push(match done.remove(&n) {
                Some(commit) => commit,
                None if self.owns(n) => {
                    return Err(Error::Bug(format!("a task of stage `{}` was not run", stage.name)));
                }
                None => {
                    done_before += 1;
                    self.of_another(stage, &folder, task, n)?
                }
            });
        }
        self.timed(stage, &commits, done_before, started.elapsed());
        Ok(commits)
    }
}

impl Pieces<'_> {
    /// The stage's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn key(&self, n: usize, piece: &str) -> Sha256 {
        depends_on([&self.keys[n].as_bytes()[..], piece.as_bytes()])
    }

    /// The files of a piece of task `n`, when it was committed before.
    #[must_use]
    pub fn former(&self, n: usize, piece: &str) -> Option<Vec<Output>> {
        let commit = committed(&record(&self.folder, piece), &self.folder, self.key(n, piece))?;
        tracing::debug!(stage = self.stage, piece, "done before");
        Some(commit.outputs)
    }

    /// Commits a piece of task `n` that wrote these files.
    ///
    /// # Errors
    /// A file that can't be read or written.
    pub fn commit_piece(&self, n: usize, piece: &str, files: &[String]) -> Result<Vec<Output>> {
        let outputs = files.iter().map(|name| self.output(name)).collect::<Result<Vec<_>>>()?;
        let commit = Commit { key: self.key(n, piece), outputs, busy_us: 0 };
        write_atomic(&record(&self.folder, piece), &manifests::canonical::to_vec(&commit)?)?;
        tracing::debug!(stage = self.stage, piece, "committed");
        Ok(commit.outputs)
    }

    /// A file as it was written.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn output(&self, name: &str) -> Result<Output> {
        let (length, digest) = Sha256::of_file(&self.folder.join(name))?;
        Ok(Output { name: name.to_owned(), length, digest })
    }

    /// Commits task `n` with all of its files.
    ///
    /// # Errors
    /// A record that can't be written.
    pub fn commit(&self, n: usize, outputs: Vec<Output>) -> Result<()> {
        let commit = Commit { key: self.keys[n], outputs, busy_us: microseconds(self.started.elapsed()) };
        write_atomic(&record(&self.folder, &format!("{n:05}")), &manifests::canonical::to_vec(&commit)?)?;
        tracing::debug!(stage = self.stage, task = n, files = commit.outputs.len(), "committed");
        self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(n, commit);
        (self.tell)();
        Ok(())
    }
}

fn record(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.commit.json"))
}
