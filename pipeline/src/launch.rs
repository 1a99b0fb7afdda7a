//! Running the jobs of a plan: the anchor first, then the experts, each as a process of its own. A job whose stamp is
//! there and names this very plan is done, so a launch that was stopped can be run again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use manifests::digest::Sha256;
use manifests::plan::Plan;
use manifests::sign::{Envelope, Statement};
use manifests::stamp::Stamp;

use crate::error::Result;
use crate::progress::Progress;
use crate::query::STAMP_FILE;
use crate::torch::{Torch, TorchError};

/// The exit code of a job that stopped at a checkpoint.
pub const CHECKPOINT: i32 = 75;

/// One job of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// `anchor`, or the expert's id: also its folder, beside the plan.
    pub name: String,
    /// What `flexmix-torch` is told, before the arguments of all jobs.
    pub command: Vec<OsString>,
}

/// A plan's jobs in order: the anchor, then the experts.
#[must_use]
pub fn jobs(plan: &Plan, path: &Path) -> Vec<Job> {
    let words = |kind: &str, id: Option<&str>| {
        let head = ["train", kind].map(OsString::from).into_iter().chain([path.as_os_str().to_owned()]);
        head.chain(id.map(OsString::from)).collect()
    };
    let anchor = Job { name: "anchor".to_owned(), command: words("anchor", None) };
    let experts =
        plan.experts.iter().map(|e| Job { name: e.id.to_string(), command: words("expert", Some(e.id.as_str())) });
    std::iter::once(anchor).chain(experts).collect()
}

/// Whether a job's stamp is there and is of this plan.
///
/// # Errors
/// [`crate::Error::Record`] when there is a stamp that cannot be read.
pub fn is_finished(folder: &Path, plan: Sha256) -> Result<bool> {
    let path = folder.join(STAMP_FILE);
    if !path.is_file() {
        return Ok(false);
    }
    // Only routes: whoever merges the folder verifies the signature.
    let stamp = Statement::<Stamp>::peek_unverified(&Envelope::read(&path)?, &path)?.predicate;
    Ok(stamp.plan == plan)
}

/// Runs what is not finished, `side_by_side` experts at once. Gives the exit code of the first job in the plan's order
/// that did not succeed, or 0. After a failure no further job starts; those that run are waited for.
///
/// # Errors
/// As [`Plan::read`] and [`is_finished`]; a job that cannot be started counts as failed, with its error told to
/// `progress`.
pub fn launch(
    torch: &Torch,
    path: &Path,
    arguments: &[OsString],
    side_by_side: usize,
    progress: &dyn Progress,
) -> Result<i32> {
    let (plan, digest) = Plan::read(path)?;
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    let mut waiting = Vec::new();
    let all = jobs(&plan, path);
    progress.stage("train", all.len());
    for job in all {
        if is_finished(&folder.join(&job.name).join("model"), digest)? {
            progress.note(&format!("{}: finished before", job.name));
            progress.task_done();
        } else {
            waiting.push(job);
        }
    }
    let run = |job: &Job| -> std::result::Result<(), TorchError> {
        progress.note(&format!("{}: starts", job.name));
        let code = torch.run(job.command.iter().chain(arguments))?;
        if code != 0 {
            return Err(TorchError::Failed { job: job.name.clone(), code });
        }
        progress.task_done();
        Ok(())
    };
    // Experts are trained against the anchor, so it is alone and first.
    let anchors = waiting.iter().take_while(|j| j.name == "anchor").count();
    for group in [&waiting[..anchors], &waiting[anchors..]] {
        let code = run_group(group, side_by_side, progress, &run);
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

fn run_group(
    group: &[Job],
    side_by_side: usize,
    progress: &dyn Progress,
    run: &(impl Fn(&Job) -> std::result::Result<(), TorchError> + Sync),
) -> i32 {
    let next = AtomicUsize::new(0);
    let codes = Mutex::new(vec![0; group.len()]);
    std::thread::scope(|scope| {
        for _ in 0..side_by_side.min(group.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = group.get(index) else { return };
                    let Err(error) = run(job) else { continue };
                    progress.note(&error.to_string());
                    let code = if let TorchError::Failed { code, .. } = error { code } else { 3 };
                    if let Ok(mut codes) = codes.lock() {
                        codes[index] = code;
                    }
                    next.store(group.len(), Ordering::Relaxed);
                }
            });
        }
    });
    let codes = codes.into_inner().unwrap_or_default();
    // A failure says more than a checkpoint: running again would not help.
    let failed = codes.iter().copied().find(|c| *c != 0 && *c != CHECKPOINT);
    failed.or_else(|| codes.iter().copied().find(|c| *c != 0)).unwrap_or(0)
}
