//! The training loop: one batch from the feeds, one optimizer step, one line of metrics; checkpoints in between.
//! Killed anywhere and run again, it writes the same metrics and weights as if it had never stopped.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use manifests::digest::Sha256;
use tch::{Kind, Tensor};

use super::checkpoint::{self, State};
use super::feed::{Feed, NO_TARGET, Packed};
use crate::error::{Error, Result};
use crate::model::{Documents, Expert, Mixture, Network};
use crate::optim::Optimizer;
use crate::shim;

/// One feed's share of every step.
pub struct Share {
    /// Its documents.
    pub feed: Feed,
    /// Its part of the sequences, relative to the other feeds' weights.
    pub weight: u64,
}

/// The sizes of a job.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Optimizer steps.
    pub steps: u64,
    /// Sequences in a step.
    pub sequences: u64,
    /// Positions in a sequence.
    pub length: usize,
    /// Steps between checkpoints.
    pub every: u64,
}

/// What a step did, for whoever watches.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Mean loss of the step, nats per predicted token.
    pub loss: f64,
    /// Positions of a step.
    pub tokens: u64,
}

/// What the watcher wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    GoOn,
    /// Write a checkpoint and stop (SIGTERM).
    Stop,
    /// Stop as if killed, with nothing written: for tests of resuming.
    Drop,
}

/// A job that is under way.
pub struct Trainer<'a> {
    /// The anchor.
    pub network: &'a Network,
    /// The expert that trains beside it, if this is an expert's job.
    pub expert: Option<&'a Expert>,
    /// What is trained.
    pub optimizer: Optimizer,
    /// Where text comes from.
    pub shares: Vec<Share>,
    /// Sizes.
    pub sizes: Sizes,
    /// The digest of the job's configuration.
    pub job: Sha256,
    folder: PathBuf,
    metrics: File,
    metrics_length: u64,
}

/// Makes a job's feeds, each at its place.
pub type Feeds<'a> = dyn Fn(Option<&[super::feed::State]>) -> Result<Vec<Share>> + 'a;

/// What a job needs to begin.
pub struct Start<'a> {
    /// The anchor.
    pub network: &'a Network,
    /// The expert, if any.
    pub expert: Option<&'a Expert>,
    /// What is trained.
    pub optimizer: Optimizer,
    /// Makes the feeds, each at its place (none: at its beginning).
    pub feeds: &'a Feeds<'a>,
    /// Sizes.
    pub sizes: Sizes,
    /// The digest of the job's configuration.
    pub job: Sha256,
}

/// The checkpoint's name in a job folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// The name of the metrics in a job folder.
pub const METRICS: &str = "metrics.jsonl";

impl<'a> Trainer<'a> {
    /// Begins a job in `folder`, or takes it up at its checkpoint.
    ///
    /// # Errors
    /// When the folder can't be used or holds another job.
    pub fn start(folder: &Path, start: Start<'a>) -> Result<Self> {
        let Start { network, expert, mut optimizer, feeds, sizes, job } = start;
        let path = folder.join(CHECKPOINT);
        let (shares, metrics_length) = match checkpoint::open(&path, job)? {
            None => (feeds(None)?, 0),
            Some((state, file)) => {
                optimizer.restore(state.step, |name, shape| file.get(name, shape))?;
                (feeds(Some(&state.feeds))?, state.metrics)
            }
        };
        let path = folder.join(METRICS);
        let open = OpenOptions::new().create(true).append(true).open(&path);
        let metrics = open.map_err(|e| Error::io(&path, e))?;
        metrics.set_len(metrics_length).map_err(|e| Error::io(&path, e))?;
        Ok(Self { network, expert, optimizer, shares, sizes, job, folder: folder.to_owned(), metrics, metrics_length })
    }

    /// Runs to the last step. `watch` is told of every step.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the watcher asked for it, [`Error::NotFinite`] when loss or gradient is no number.
    pub fn run(&mut self, watch: &mut dyn FnMut(Progress) -> Next) -> Result<()> {
        let steps = self.sizes.steps;
        while self.optimizer.steps_done() < steps {
            let step = self.optimizer.steps_done() + 1;
            let loss = self.step(step)?;
            if step.is_multiple_of(self.sizes.every) || step == steps {
                self.checkpoint()?;
            }
            let tokens = self.sizes.sequences * self.sizes.length as u64;
            match watch(Progress { step, steps, loss, tokens }) {
                Next::GoOn => {}
                Next::Drop => return Err(Error::Stopped { step, steps }),
                Next::Stop => {
                    self.checkpoint()?;
                    return Err(Error::Stopped { step, steps });
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, step: u64) -> Result<f64> {
        let (packed, parts) = self.batch(step)?;
        let (tokens, targets) = (Tensor::from_slice(&packed.tokens), Tensor::from_slice(&packed.targets));
        let experts: Vec<&Expert> = self.expert.into_iter().collect();
        let mixture = Mixture { experts: &experts, top_k: 2 };
        let nll = self.network.nll(&tokens, &targets, &mut Documents::new(&packed.lengths), mixture)?;
        let predicted = |range: std::ops::Range<usize>| {
            packed.targets[range].iter().filter(|&&target| target != NO_TARGET).count().max(1)
        };
        let all = predicted(0..packed.targets.len());
        let mean = |from: usize, to: usize| -> Result<f64> {
            let part = nll.detach().narrow(0, from as i64, (to - from) as i64).contiguous();
            Ok(shim::sum(&part)? / predicted(from..to) as f64)
        };
        let loss = mean(0, packed.targets.len())?;
        if !loss.is_finite() {
            return Err(Error::NotFinite { what: "loss", value: loss, step });
        }
        // Only the gradient of this sum is used, and that is one constant: libtorch's order of adding is no matter.
        let done = self.optimizer.step(&(nll.sum(Kind::Float) / all as f64))?;
        if !done.gradient_norm.is_finite() {
            return Err(Error::NotFinite { what: "gradient norm", value: done.gradient_norm, step });
        }
        let mut from = 0;
        let mut by_feed = Vec::new();
        for length in parts {
            by_feed.push(if length == 0 { None } else { Some(mean(from, from + length)?) });
            from += length;
        }
        let line = serde_json::json!({
            "step": step, "loss": loss, "loss_by_feed": by_feed, "lr": done.lr, "gradient_norm": done.gradient_norm,
        });
        self.note(&format!("{line}\n"))?;
        Ok(loss)
    }

    /// The step's sequences and how many positions each feed gave.
    fn batch(&mut self, step: u64) -> Result<(Packed, Vec<usize>)> {
        let (mut packed, mut parts) = (Packed::default(), Vec::new());
        let whole: u128 = self.shares.iter().map(|share| u128::from(share.weight)).sum();
        let sequences = u128::from(self.sizes.sequences);
        let (mut upto, mut given) = (0, 0);
        for share in &mut self.shares {
            // Each feed's sequences so far are its share of all, rounded down; the shares add up in every step.
            upto += u128::from(share.weight);
            let until = |step: u64| u128::from(step) * sequences * upto / whole;
            let mine = until(step) - until(step - 1) - given;
            given += mine;
            let before = packed.tokens.len();
            for _ in 0..mine {
                share.feed.pack(self.sizes.length, &mut packed)?;
            }
            parts.push(packed.tokens.len() - before);
        }
        Ok((packed, parts))
    }

    fn note(&mut self, line: &str) -> Result<()> {
        let path = self.folder.join(METRICS);
        self.metrics.write_all(line.as_bytes()).map_err(|e| Error::io(&path, e))?;
        self.metrics_length += line.len() as u64;
        Ok(())
    }

    fn checkpoint(&self) -> Result<()> {
        self.metrics.sync_all().map_err(|e| Error::io(&self.folder.join(METRICS), e))?;
        let feeds = self.shares.iter().map(|share| share.feed.state().clone()).collect();
        let state = State::new(self.job, self.optimizer.steps_done(), feeds, self.metrics_length);
        checkpoint::save(&self.folder.join(CHECKPOINT), &state, &self.optimizer)
    }
}
