//! How long each stage took, from `timings.json`. Nobody signed it and no digest covers it: it tells of the machine,
//! not of the corpus.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::query::Engine;
use crate::timings::StageTime;

/// The times of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Throughput {
    /// Tasks that ran at once.
    pub threads: u64,
    /// From the first stage's start to the last one's end, in microseconds, where no task was found done.
    pub wall_us: u64,
    /// The stages, in the order in which they ran.
    pub stages: Vec<StageTime>,
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
    let stages: Vec<StageTime> = engine.sql(STAGES)?.read()?;
    let threads = engine.sql(THREADS)?.read::<Threads>()?.first().map_or(0, |t| t.threads);
    let wall_us = stages.iter().map(|s| s.wall_us).sum();
    Ok((!stages.is_empty()).then_some(Throughput { threads, wall_us, stages }))
}
