//! Progress on stderr: a bar on a terminal, a plain line now and then elsewhere. Nothing here reaches a result.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use training::job::trainer::{Next, Progress};
use training::{Error, Result};

/// Seconds between plain lines.
const EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Watcher {
    name: String,
    bar: Option<ProgressBar>,
    stop: Arc<AtomicBool>,
    begun: Option<(Instant, u64)>,
    said: Option<Instant>,
}

impl Watcher {
    /// Watches a job, and SIGTERM and SIGINT: they ask for a checkpoint, not for an end in the middle.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            signal_hook::flag::register(signal, Arc::clone(&stop))
                .map_err(|source| Error::Io { path: "signals".into(), source })?;
        }
        let terminal = std::io::stderr().is_terminal();
        Ok(Self { name: name.to_owned(), bar: terminal.then(bar), stop, begun: None, said: None })
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub(crate) fn step(&mut self, progress: Progress) -> Next {
        let Progress { step, steps, loss, tokens } = progress;
        let (since, first) = *self.begun.get_or_insert_with(|| (Instant::now(), step));
        let seconds = since.elapsed().as_secs_f64().max(1e-3);
        let rate = (step - first) as f64 / seconds;
        let text = format!("loss {loss:.3}, {:.0} tokens/s", rate * tokens as f64);
        if let Some(bar) = &self.bar {
            bar.set_length(steps);
            bar.set_position(step);
            bar.set_message(format!("{} {text}", self.name));
        } else if step == steps || self.said.is_none_or(|said| said.elapsed() >= EVERY) {
            self.said = Some(Instant::now());
            let left = if rate > 0.0 { (steps - step) as f64 / rate } else { 0.0 };
            drop(writeln!(std::io::stderr(), "{}: step {step} of {steps}, {text}, {left:.0} s left", self.name));
        }
        if self.stop.load(Ordering::Relaxed) { Next::Stop } else { Next::GoOn }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar
}
