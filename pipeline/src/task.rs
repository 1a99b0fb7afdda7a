//! Tasks: the unit of work, of resume and of scale-out. A stage is a list of tasks fixed from the input and never
//! from the machine. A task writes files and then its commit record, which holds the key of everything that its
//! output depends on; a task whose record has the same key and whose files have the same sizes is not run again. Of
//! several processes each runs its share and takes the others' from their commit records.
//!
//! Knows nothing of what tasks do.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use manifests::digest::{Hasher, Sha256};
use manifests::store::write_atomic;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::folders::is_there;
use crate::progress::Progress;
use crate::ranks::Ranks;
use crate::timings::{Load, StageTime, Timings};

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
    /// What the task took, in microseconds. Nothing depends on it.
    pub busy_us: u64,
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
    ranks: Ranks,
    progress: &'a dyn Progress,
    times: Mutex<Times>,
}

/// What was timed so far, and what the stage under way works on.
#[derive(Default)]
struct Times {
    load: Load,
    stages: Vec<StageTime>,
}

/// How long a process sleeps between two looks for what another one commits.
const LOOK: Duration = Duration::from_millis(50);
/// Looks after which it says whom it waits for.
const LOOKS: usize = 600;

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
    pub fn new(work: &Path, build: String, threads: usize, ranks: Ranks, progress: &'a dyn Progress) -> Result<Self> {
        std::fs::create_dir_all(work).map_err(|e| Error::io(work, e))?;
        Ok(Self { work: work.to_path_buf(), build, threads: threads.max(1), ranks, progress, times: Mutex::default() })
    }

    /// The folder of a stage.
    #[must_use]
    pub fn folder(&self, stage: &Stage) -> PathBuf {
        self.work.join(stage.name)
    }

    /// How many tasks run at once.
    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    /// Whether task `n` of a stage is this process's.
    pub(crate) const fn owns(&self, n: usize) -> bool {
        self.ranks.owns(n)
    }

    /// Says that a stage begins.
    pub(crate) fn begin(&self, stage: &Stage, tasks: usize) {
        self.progress.stage(stage.name, tasks);
    }

    /// Says that a task is done.
    pub(crate) fn task_done(&self) {
        self.progress.task_done();
    }

    /// Says something that belongs to no task.
    pub fn note(&self, text: &str) {
        self.progress.note(text);
    }

    /// Says what the stages that follow work on; for the stages before them that found it out, too.
    pub fn load(&self, load: Load) {
        self.progress.load(load);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        for stage in times.stages.iter_mut().filter(|s| s.documents == 0) {
            (stage.documents, stage.bytes) = (load.documents, load.bytes);
        }
        times.load = load;
    }

    /// How long the stages took.
    #[must_use]
    pub fn timings(&self) -> Timings {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        Timings::new(self.threads, times.stages.clone())
    }

    pub(crate) fn timed(&self, stage: &Stage, commits: &[Commit], done_before: u64, wall: Duration) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let Load { documents, bytes } = times.load;
        times.stages.push(StageTime {
            stage: stage.name.to_owned(),
            tasks: commits.len() as u64,
            done_before,
            wall_us: microseconds(wall),
            busy_us: commits.iter().map(|c| c.busy_us).sum(),
            documents,
            bytes,
        });
    }

    /// Runs a stage's tasks, `threads` at a time, and gives their commits in task order. `work` gets the task's input,
    /// its number and the stage's folder, and returns the names of the files that it wrote there, each by an atomic
    /// rename.
    ///
    /// # Errors
    /// The error of the first task, in task order, that failed; tasks that were done stay done.
    /// [`Error::FinishedElsewhere`] when another process has published the corpus meanwhile.
    pub fn run<I: Sync>(
        &self,
        stage: &Stage,
        tasks: &[Task<I>],
        work: impl Fn(&I, usize, &Path) -> Result<Vec<String>> + Sync,
    ) -> Result<Vec<Commit>> {
        let folder = self.folder(stage);
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        self.progress.stage(stage.name, tasks.len());
        let (started, before) = (Instant::now(), AtomicU64::new(0));
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
                        if !self.ranks.owns(n) {
                            continue;
                        }
                        let result = self.one(stage, &folder, &tasks[n], n, &work, &before);
                        if result.is_err() {
                            failed.fetch_min(n, Ordering::Relaxed);
                        }
                        self.progress.task_done();
                        *done[n].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                    }
                });
            }
        });
        let first = failed.into_inner();
        let mut commits = Vec::with_capacity(tasks.len());
        for (n, slot) in done.into_iter().enumerate() {
            let result = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
            commits.push(match result {
                Some(result) => result?,
                // What failed stands later in the list, and is what this run has to say.
                None if first < tasks.len() => continue,
                None if self.ranks.owns(n) => {
                    return Err(Error::Bug(format!("a task of stage `{}` was not run", stage.name)));
                }
                None => {
                    before.fetch_add(1, Ordering::Relaxed);
                    self.of_another(stage, &folder, &tasks[n], n)?
                }
            });
        }
        self.timed(stage, &commits, before.into_inner(), started.elapsed());
        Ok(commits)
    }

    /// What everything that a task writes depends on.
    pub(crate) fn key<I>(&self, stage: &Stage, task: &Task<I>) -> Sha256 {
        let version = stage.version.to_le_bytes();
        depends_on([stage.name.as_bytes(), &version, self.build.as_bytes(), task.depends.as_bytes()])
    }

    /// The commit of a task that another process runs, as soon as it is there.
    pub(crate) fn of_another<I>(&self, stage: &Stage, folder: &Path, task: &Task<I>, n: usize) -> Result<Commit> {
        let (key, record) = (self.key(stage, task), folder.join(format!("{n:05}.commit.json")));
        for look in 1usize.. {
            if let Some(commit) = committed(&record, folder, key) {
                self.progress.task_done();
                return Ok(commit);
            }
            // The one that leads clears the work folder after publishing: what is not there may be done with.
            if is_there(&self.work.with_file_name("run.json"))? {
                return Err(Error::FinishedElsewhere);
            }
            if look.is_multiple_of(LOOKS) {
                let owner = self.ranks.owner(n);
                self.progress.note(&format!(
                    "waiting for rank {owner}: task {n} of stage `{}`; if that process ended, start it again",
                    stage.name
                ));
            }
            std::thread::sleep(LOOK);
        }
        Err(Error::FinishedElsewhere)
    }

    fn one<I>(
        &self,
        stage: &Stage,
        folder: &Path,
        task: &Task<I>,
        n: usize,
        work: &(impl Fn(&I, usize, &Path) -> Result<Vec<String>> + Sync),
        before: &AtomicU64,
    ) -> Result<Commit> {
        let key = self.key(stage, task);
        let record = folder.join(format!("{n:05}.commit.json"));
        if let Some(commit) = committed(&record, folder, key) {
            before.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(stage = stage.name, task = n, "done before");
            return Ok(commit);
        }
        let mut outputs = Vec::new();
        let started = Instant::now();
        for name in work(&task.input, n, folder)? {
            let (length, digest) = Sha256::of_file(&folder.join(&name))?;
            outputs.push(Output { name, length, digest });
        }
        let commit = Commit { key, outputs, busy_us: microseconds(started.elapsed()) };
        write_atomic(&record, &manifests::canonical::to_vec(&commit)?)?;
        tracing::debug!(stage = stage.name, task = n, files = commit.outputs.len(), "committed");
        Ok(commit)
    }
}

pub(crate) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A former commit, when it has this key and its files are there at their sizes.
pub(crate) fn committed(record: &Path, folder: &Path, key: Sha256) -> Option<Commit> {
    let bytes = std::fs::read(record).ok()?;
    let commit: Commit = manifests::canonical::from_slice("commit record", record, &bytes).ok()?;
    let whole = |o: &Output| std::fs::metadata(folder.join(&o.name)).is_ok_and(|m| m.len() == o.length);
    (commit.key == key && commit.outputs.iter().all(whole)).then_some(commit)
}
