//! Jobs without a corpus's files: resuming bitwise, atomic checkpoints, stopping on NaN, shares that add up.

use std::path::Path;

use manifests::digest::Sha256;
use tch::{Kind, Tensor};

use super::feed::{Document, Feed, Groups, State};
use super::trainer::{CHECKPOINT, METRICS, Next, Share, Sizes, Start, Trainer};
use crate::error::{Error, Result};
use crate::model::{Anchor, Expert, Network, Rank, Size};
use crate::optim::{Optimizer, Parameter, Schedule};
use crate::rng::Stream;

struct Fixed(Vec<Vec<Document>>);

impl Groups for Fixed {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn read(&self, index: usize) -> Result<Vec<Document>> {
        Ok(self.0[index].clone())
    }
}

fn size() -> Size {
    Size { vocab: 64, d_model: 32, n_layers: 2, n_heads: 2, d_ff: 48, max_len: 32, rope_theta: 5e5, norm_eps: 1e-6 }
}

fn groups(seed: u64) -> Box<dyn Groups> {
    let stream = Stream::new(seed, "documents");
    let document = |d: u64| Document {
        cell: u32::try_from(d % 2).unwrap(),
        copies: 1,
        tokens: (0..5 + d % 40).map(|i| u32::try_from(stream.below(d * 1000 + i, 63)).unwrap()).collect(),
    };
    Box::new(Fixed((0..6).map(|g| (g * 5..g * 5 + 5).map(document).collect()).collect()))
}

/// Runs a job of ten steps in `folder`; `watch` may end it early. Returns the trained tensors.
fn run(folder: &Path, expert: bool, lr: f64, watch: &mut dyn FnMut(u64) -> Next) -> Result<Vec<Tensor>> {
    let network = Network::new(Anchor::fresh(size(), 3, Kind::Float));
    let rows: Vec<Tensor> = (0..2).map(|_| Tensor::zeros([32], (Kind::Float, tch::Device::Cpu))).collect();
    let side = expert.then(|| Expert::fresh(&network.anchor, Rank(4), &rows, 5, Kind::Float));
    let named = side.as_ref().map_or_else(|| network.anchor.named(), |side| side.named(&size()));
    let parameters = named.into_iter().map(|(name, tensor)| Parameter::new(name, &tensor, 1.0, 0.1)).collect();
    let feeds = |states: Option<&[State]>| {
        let names = ["own", "public"];
        let feed = |i: usize| {
            let state = states.map_or_else(State::default, |states| states[i].clone());
            Ok(Share { feed: Feed::new(groups(i as u64), 7, names[i], 63, state)?, weight: 3 - i as u64 })
        };
        (0..2).map(feed).collect::<Result<Vec<_>>>()
    };
    let start = Start {
        network: &network,
        expert: side.as_ref(),
        optimizer: Optimizer::new(parameters, Schedule { lr, warmup: 2, steps: 10 }),
        feeds: &feeds,
        sizes: Sizes { steps: 10, sequences: 4, length: 32, every: 3 },
        job: Sha256::of(b"job"),
    };
    let mut trainer = Trainer::start(folder, start)?;
    trainer.run(&mut |progress| watch(progress.step))?;
    let total: u64 = trainer.shares.iter().flat_map(|s| s.feed.counts().values()).map(|c| c.tokens).sum();
    assert_eq!(total, 10 * 4 * 32, "every position of every step is counted once");
    Ok(trainer.optimizer.state().into_iter().map(|(_, tensor)| tensor).collect())
}

fn metrics(folder: &Path) -> String {
    std::fs::read_to_string(folder.join(METRICS)).unwrap()
}

#[test]
fn killed_anywhere_and_run_again_is_the_unbroken_run() {
    for expert in [false, true] {
        let unbroken = tempfile::tempdir().unwrap();
        let want = run(unbroken.path(), expert, 1e-2, &mut |_| Next::GoOn).unwrap();
        let broken = tempfile::tempdir().unwrap();
        // Killed after steps 2 (before any checkpoint), 5 and 8, and stopped in good order after 7.
        for (at, how) in [(2, Next::Drop), (5, Next::Drop), (7, Next::Stop), (8, Next::Drop)] {
            let end = run(broken.path(), expert, 1e-2, &mut |step| if step == at { how } else { Next::GoOn });
            assert!(matches!(end, Err(Error::Stopped { step, .. }) if step == at));
        }
        let got = run(broken.path(), expert, 1e-2, &mut |_| Next::GoOn).unwrap();
        assert!(want.iter().zip(&got).all(|(a, b)| a.equal(b)));
        assert_eq!(metrics(unbroken.path()), metrics(broken.path()));
        assert_eq!(metrics(broken.path()).lines().count(), 10);
    }
}

#[test]
fn a_half_written_checkpoint_is_never_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    drop(run(folder.path(), false, 1e-2, &mut |step| if step == 4 { Next::Drop } else { Next::GoOn }));
    // What a kill in the middle of writing leaves: a temporary file that nobody reads.
    std::fs::write(folder.path().join(format!(".{CHECKPOINT}.1-0.tmp")), b"half").unwrap();
    let want = {
        let fresh = tempfile::tempdir().unwrap();
        run(fresh.path(), false, 1e-2, &mut |_| Next::GoOn).unwrap()
    };
    let got = run(folder.path(), false, 1e-2, &mut |_| Next::GoOn).unwrap();
    assert!(want.iter().zip(&got).all(|(a, b)| a.equal(b)));
    // A checkpoint that is cut short is an error with its path, never a silent fresh start.
    let path = folder.path().join(CHECKPOINT);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = run(folder.path(), false, 1e-2, &mut |_| Next::GoOn).unwrap_err();
    assert!(error.to_string().contains(CHECKPOINT));
}

#[test]
fn loss_that_is_no_number_stops_the_job_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(folder.path(), false, f64::INFINITY, &mut |_| Next::GoOn).unwrap_err();
    assert!(matches!(error, Error::NotFinite { .. }), "{error}");
    assert!(error.to_string().contains("step"));
    assert!(error.hint().unwrap().contains("lr"));
}
