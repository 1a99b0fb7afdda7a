//! Progress on a terminal as a bar, elsewhere as plain lines, both on standard error, with the pace and how long it will
//! take. Nothing when told to be quiet.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use pipeline::progress::{Progress, Silent};
use pipeline::timings::Load;
use pipeline::words::{rate, thousands};

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

/// How fast a stage goes and when it will be done, as far as its first second and tasks of about one size tell:
/// `, 1,234 documents/s, 5.6 MB/s, about 12 s left`.
fn pace(load: Load, done: u64, all: u64, elapsed: Duration) -> String {
    let mut text = String::new();
    let microseconds = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if done == 0 || microseconds < 1_000_000 {
        return text;
    }
    let a_second = |amount: u64| {
        let so_far = u128::from(amount) * u128::from(done) / u128::from(all.max(1));
        u64::try_from(so_far * 1_000_000 / u128::from(microseconds)).unwrap_or(u64::MAX)
    };
    if load.documents > 0 {
        let (documents, bytes) = (a_second(load.documents), a_second(load.bytes));
        _ = write!(text, ", {} documents/s, {} MB/s", thousands(documents), rate(bytes));
    }
    if done < all {
        let left = u128::from(microseconds) * u128::from(all - done) / u128::from(done) / 1_000_000;
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        _ = match left {
            0..120 => write!(text, ", about {left} s left"),
            120..7200 => write!(text, ", about {} min left", left / 60),
            _ => write!(text, ", about {} h left", thousands(left / 3600)),
        };
    }
    text
}

#[derive(Default)]
struct Bar {
    current: Mutex<Option<ProgressBar>>,
    load: Mutex<Load>,
}

impl Bar {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        // A panic elsewhere while drawing must not hide itself behind a second one here.
        act(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Progress for Bar {
    fn stage(&self, name: &str, tasks: usize) {
        let bar = ProgressBar::new(tasks as u64);
        let load = *self.load.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(style) = ProgressStyle::with_template("{msg:16} {bar:32} {pos}/{len} {elapsed}{pace}") {
            bar.set_style(style.with_key("pace", move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                _ = out.write_str(&pace(load, state.pos(), state.len().unwrap_or(0), state.elapsed()));
            }));
        }
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        self.with(|current| {
            if let Some(done) = current.replace(bar) {
                done.finish();
            }
        });
    }

    fn load(&self, load: Load) {
        *self.load.lock().unwrap_or_else(PoisonError::into_inner) = load;
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

/// The stage under way.
#[derive(Clone, Copy)]
struct Under {
    done: usize,
    all: usize,
    since: Instant,
}

#[derive(Default)]
struct Lines {
    under: Mutex<Option<Under>>,
    load: Mutex<Load>,
}

impl Progress for Lines {
    fn stage(&self, name: &str, tasks: usize) {
        let under = Under { done: 0, all: tasks, since: Instant::now() };
        *self.under.lock().unwrap_or_else(PoisonError::into_inner) = Some(under);
        to_stderr(&format!("{name}: {tasks} tasks\n"));
    }

    fn load(&self, load: Load) {
        *self.load.lock().unwrap_or_else(PoisonError::into_inner) = load;
    }

    fn task_done(&self) {
        let mut under = self.under.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Under { done, all, since }) = under.as_mut() else { return };
        *done += 1;
        // Ten lines a stage at most: a log is for reading.
        if *all > 10 && done.is_multiple_of(all.div_ceil(10)) && done < all {
            let load = *self.load.lock().unwrap_or_else(PoisonError::into_inner);
            let pace = pace(load, *done as u64, *all as u64, since.elapsed());
            to_stderr(&format!("  {done}/{all}{pace}\n"));
        }
    }

    fn note(&self, text: &str) {
        to_stderr(&format!("{text}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_told_when_there_is_one() {
        let load = Load { documents: 1000, bytes: 50_000_000 };
        let at = |done, seconds| pace(load, done, 100, Duration::from_secs(seconds));
        assert_eq!(at(10, 2), ", 50 documents/s, 2.5 MB/s, about 18 s left");
        assert_eq!(at(100, 20), ", 50 documents/s, 2.5 MB/s");
        assert_eq!([at(0, 9), at(5, 0)], ["", ""]);
        assert_eq!(pace(Load::default(), 1, 100, Duration::from_secs(60)), ", about 99 min left");
        assert_eq!(pace(Load::default(), 1, 100, Duration::from_secs(3600)), ", about 99 h left");
    }
}
