//! How long each stage of a build took: `timings.json`, beside `run.json` and outside of every digest and signature. It
//! tells of a machine and not of a corpus: two builds of the same bytes have two of them, and a corpus without one is
//! whole. Nothing that a build writes depends on it.

use std::path::Path;

use manifests::store::write_atomic;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The file's name.
pub const TIMINGS_FILE: &str = "timings.json";
const SCHEMA: &str = "flexmix/timings/v1";

/// The times of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timings {
    /// Always `flexmix/timings/v1`.
    pub schema: String,
    /// Tasks that ran at once.
    pub threads: u64,
    /// The stages, in the order in which they ran.
    pub stages: Vec<StageTime>,
}

/// What a stage works on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Documents.
    pub documents: u64,
    /// Bytes of their text.
    pub bytes: u64,
}

/// The time of one stage. Times are microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageTime {
    /// The stage.
    pub stage: String,
    /// Its tasks.
    pub tasks: u64,
    /// Those that a former run, or another process, had done; their time is in `busy_us` and not in `wall_us`.
    pub done_before: u64,
    /// From its start to its end, in this run.
    pub wall_us: u64,
    /// What its tasks took together, in whichever run.
    pub busy_us: u64,
    /// Documents that it worked on.
    pub documents: u64,
    /// Bytes of their text.
    pub bytes: u64,
}

impl StageTime {
    /// Documents a second of one core's time.
    #[must_use]
    pub fn documents_a_second(&self) -> Option<u64> {
        rate(self.documents, self.busy_us)
    }

    /// Bytes of text a second of one core's time.
    #[must_use]
    pub fn bytes_a_second(&self) -> Option<u64> {
        rate(self.bytes, self.busy_us)
    }
}

/// So much a second, in whole numbers.
fn rate(amount: u64, microseconds: u64) -> Option<u64> {
    let rate = (u128::from(amount) * 1_000_000).checked_div(u128::from(microseconds))?;
    u64::try_from(rate).ok().filter(|_| amount > 0)
}

impl Timings {
    /// Times of stages that ran `threads` tasks at once.
    #[must_use]
    pub fn new(threads: usize, stages: Vec<StageTime>) -> Self {
        Self { schema: SCHEMA.to_owned(), threads: threads as u64, stages }
    }

    /// Writes `timings.json` into a corpus folder.
    ///
    /// # Errors
    /// [`Error::Record`] with the path.
    pub fn write(&self, folder: &Path) -> Result<()> {
        Ok(write_atomic(&folder.join(TIMINGS_FILE), &manifests::canonical::to_vec(self)?)?)
    }

    /// The times of a corpus; none where the file is not there.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Record`] when it is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(TIMINGS_FILE);
        match std::fs::read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io(&path, e)),
            Ok(bytes) => Ok(Some(manifests::canonical::from_slice("timings", &path, &bytes)?)),
        }
    }
}
