//! Checkpoints: one file with every trained tensor, both moments and the job's state, published atomically. A
//! process may be killed at any instruction; what is at the path is always one whole checkpoint.

use std::path::Path;

use manifests::digest::Sha256;
use manifests::store::write_atomic;
use serde::{Deserialize, Serialize};

use super::feed;
use crate::error::{Error, Result};
use crate::optim::Optimizer;
use crate::tensors::{TensorFile, to_bytes};

const SCHEMA: &str = "flexmix/checkpoint/v1";
const KEY: &str = "flexmix";

/// What a checkpoint says beside its tensors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    schema: String,
    /// The digest of the job's configuration: another job's checkpoint is refused.
    pub job: Sha256,
    /// Optimizer steps done.
    pub step: u64,
    /// Every feed's place.
    pub feeds: Vec<feed::State>,
    /// Length of the metrics file at this step; what is beyond was written by steps that are lost.
    pub metrics: u64,
}

impl State {
    /// The state of a job at `step`.
    #[must_use]
    pub fn new(job: Sha256, step: u64, feeds: Vec<feed::State>, metrics: u64) -> Self {
        Self { schema: SCHEMA.to_owned(), job, step, feeds, metrics }
    }
}

/// Publishes a checkpoint.
///
/// # Errors
/// When it can't be written.
pub fn save(path: &Path, state: &State, optimizer: &Optimizer) -> Result<()> {
    let text = serde_json::to_string(state).map_err(|e| Error::format(path, e))?;
    Ok(write_atomic(path, &to_bytes(&optimizer.state(), Some((KEY, text)))?)?)
}

/// Reads the state of the checkpoint at `path`, if there is one; `restore` then takes its tensors.
///
/// # Errors
/// When the file is no checkpoint, or one of another job.
pub fn open(path: &Path, job: Sha256) -> Result<Option<(State, TensorFile)>> {
    match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path, e)),
        Ok(_) => {}
    }
    let file = TensorFile::open(path, None)?;
    let text = file.metadata(KEY).ok_or_else(|| Error::format(path, "it is no checkpoint of flexmix"))?;
    let state: State = serde_json::from_str(text).map_err(|e| Error::format(path, e))?;
    if state.schema != SCHEMA {
        return Err(Error::format(path, format!("its schema is `{}`, this build reads `{SCHEMA}`", state.schema)));
    }
    if state.job != job {
        let why = format!("`{}` is the checkpoint of another plan, corpus, anchor or build", path.display());
        return Err(Error::Usage(format!("{why}; name another `--out`, or delete that folder")));
    }
    Ok(Some((state, file)))
}
