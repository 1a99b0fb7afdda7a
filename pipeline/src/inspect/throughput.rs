//! How long each stage took, from `timings.json`. Nobody signed it and no digest covers it: it tells of the machine,
//! not of the corpus.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::query::Engine;

/// The times of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Throughput {
    /// Tasks that ran at once.
    pub threads: u64,
    /// From the first stage's start to the last one's end, in microseconds, where no task was found done.
    pub wall_us: u64,
    /// The stages, in the order in which they ran.
    pub stages: Vec<StageRow>,
}

/// The times of one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRow {
    /// The stage.
    pub stage: String,
    /// Its tasks.
    pub tasks: u64,
    /// Those that a former run, or another process, had done; their time is in `busy_us` and not in `wall_us`.
    pub done_before: u64,
    /// From its start to its end, in microseconds.
    pub wall_us: u64,
    /// What its tasks took together, in microseconds.
    pub busy_us: u64,
    /// Documents that it worked on.
    pub documents: u64,
    /// Bytes of their text.
    pub bytes: u64,
}

impl StageRow {
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

const STAGES: &str = "
SELECT stage, tasks, done_before, wall_us, busy_us, documents, bytes FROM timings ORDER BY place";
const THREADS: &str = "SELECT coalesce(max(threads), 0) AS threads FROM timings";

#[derive(Deserialize)]
struct Threads {
    threads: u64,
}

/// Asks for times.
pub(super) fn ask(engine: &Engine) -> Result<Option<Throughput>> {
    let stages: Vec<StageRow> = engine.sql(STAGES)?.read()?;
    let threads = engine.sql(THREADS)?.read::<Threads>()?.first().map_or(0, |t| t.threads);
    let wall_us = stages.iter().map(|s| s.wall_us).sum();
    Ok((!stages.is_empty()).then_some(Throughput { threads, wall_us, stages }))
}
