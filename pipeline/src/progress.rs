//! How a run tells what it is doing, to whoever listens: a terminal, a log, or nobody. Counts tasks and what they work
//! on, and never time: who listens has a clock, and no output depends on it.

use crate::timings::Load;

/// Listens to a run. Called from several threads.
pub trait Progress: Sync {
    /// A stage starts and will run so many tasks.
    fn stage(&self, name: &str, tasks: usize);

    /// What the tasks of the stages that follow work on, all together: for rates.
    fn load(&self, load: Load);

    /// One task of the current stage is done, or was found done.
    fn task_done(&self);

    /// A line worth reading: what was resumed, skipped or decided.
    fn note(&self, text: &str);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _name: &str, _tasks: usize) {}

    fn load(&self, _load: Load) {}

    fn task_done(&self) {}

    fn note(&self, _text: &str) {}
}
