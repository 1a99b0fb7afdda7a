//! Progress on a terminal as a bar, elsewhere as plain lines, both on standard error. Nothing when told to be quiet.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use pipeline::progress::{Progress, Silent};

use crate::output::{Output, to_stderr};

/// The listener for a run.
pub(crate) fn listener(output: &Output) -> Box<dyn Progress> {
    if !output.shows_progress() {
        Box::new(Silent)
    } else if std::io::stderr().is_terminal() {
        Box::new(Bar::default())
    } else {
        Box::new(Lines::default())
    }
}

#[derive(Default)]
struct Bar {
    current: Mutex<Option<ProgressBar>>,
}

impl Bar {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        // A panic elsewhere while drawing must not hide itself behind a second one here.
        act(&mut self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Progress for Bar {
    fn stage(&self, name: &str, tasks: usize) {
        let bar = ProgressBar::new(tasks as u64);
        if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:32} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(250));
        self.with(|current| {
            if let Some(done) = current.replace(bar) {
                done.finish();
            }
        });
    }

    fn task_done(&self) {
        self.with(|current| {
            if let Some(bar) = current {
                bar.inc(1);
            }
        });
    }

    fn note(&self, text: &str) {
        self.with(|current| match current {
            Some(bar) => bar.suspend(|| to_stderr(&format!("{text}\n"))),
            None => to_stderr(&format!("{text}\n")),
        });
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.with(|current| {
            if let Some(bar) = current.take() {
                bar.finish();
            }
        });
    }
}

/// Done and all tasks of the current stage.
#[derive(Default)]
struct Lines {
    count: Mutex<(usize, usize)>,
}

impl Progress for Lines {
    fn stage(&self, name: &str, tasks: usize) {
        *self.count.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = (0, tasks);
        to_stderr(&format!("{name}: {tasks} tasks\n"));
    }

    fn task_done(&self) {
        let mut count = self.count.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        count.0 += 1;
        let (done, all) = *count;
        // Ten lines a stage at most: a log is for reading.
        let step = all.div_ceil(10);
        if all > 10 && done.is_multiple_of(step) && done < all {
            to_stderr(&format!("  {done}/{all}\n"));
        }
    }

    fn note(&self, text: &str) {
        to_stderr(&format!("{text}\n"));
    }
}
