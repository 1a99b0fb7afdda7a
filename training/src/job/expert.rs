//! An expert's job: the frozen anchor, a router row from own against public text, training, exposure and stamp.

use std::path::Path;

use manifests::exposure::{Exposure, Kind as ExposureKind};
use manifests::id::ExpertId;
use manifests::plan::{ExpertJob, Plan, RowMethod};
use manifests::stamp::{RouterRow, Subject};
use tch::{Kind, Tensor};

use super::feed::State as FeedState;
use super::finish::{BUILD, Finished, Product, row_digest};
use super::start::{Admitted, Inputs, Opened, Say, consumed, job_digest, open};
use super::trainer::{Next, Progress, Share, Start, Trainer};
use crate::config::{ExpertConfig, to_json};
use crate::contrast::{self, Moments};
use crate::error::{Error, Result};
use crate::folder::{ANCHOR, Stamped};
use crate::model::{Expert, Network, Rank};
use crate::optim::{Optimizer, Parameter, Schedule};

/// The verified anchor that an expert trains against. Its exposure must be permitted for training.
fn anchor_for(opened: &Opened, folder: &Path) -> Result<(Stamped, Network)> {
    let nested = folder.join("model");
    let folder = if nested.is_dir() { nested } else { folder.to_owned() };
    let stamped = Stamped::open(&folder, ANCHOR, &opened.gate.trust, opened.gate.as_of)?;
    let decision = opened.gate.exposures(stamped.files_root(), &stamped.stamp.exposures);
    if let Some(first) = decision.findings.first() {
        let (policy, reason) = (&opened.gate.policy.id, first.denial.reason.name());
        let detail = &first.denial.detail;
        return Err(Error::Denied(format!(
            "policy `{policy}` does not permit the anchor for training: {reason} ({detail})"
        )));
    }
    let (config, anchor) = stamped.anchor()?;
    if config.size() != opened.size {
        return Err(Error::Usage(format!("the anchor in `{}` has other sizes than the plan", folder.display())));
    }
    Ok((stamped, Network::new(anchor)))
}

/// Own and public text of an expert's job.
struct Sides {
    own: Admitted,
    public: Admitted,
}

impl Sides {
    fn feeds(&self, job: &ExpertJob, states: Option<&[FeedState]>) -> Result<Vec<Share>> {
        let state = |i: usize| states.and_then(|states| states.get(i));
        let mut shares = vec![Share { feed: self.own.feed(job.seed, "own", state(0))?, weight: job.tokens }];
        if job.public_tokens > 0 {
            let feed = self.public.feed(job.seed, "public", state(1))?;
            shares.push(Share { feed, weight: job.public_tokens });
        }
        Ok(shares)
    }

    /// The layers' rows, what they were made from, and how many documents of each side.
    fn rows(&self, job: &ExpertJob, network: &Network) -> Result<(Vec<Tensor>, Vec<Exposure>, [u64; 2])> {
        let longest = usize::try_from(network.anchor.size.max_len).unwrap_or(usize::MAX);
        let mut sampled = Vec::new();
        let mut exposures = Vec::new();
        for (side, admitted) in [("own", &self.own), ("public", &self.public)] {
            let mut feed = admitted.feed(job.seed, &format!("{side} row"), None)?;
            let documents = feed.sample(job.row_documents as usize, longest)?;
            exposures.push(admitted.set.consumed(ExposureKind::RowInit, feed.counts()));
            sampled.push(Moments::of(network, side, &documents)?);
        }
        let counts = [sampled[0].documents() as u64, sampled[1].documents() as u64];
        Ok((contrast::rows(&sampled[0], &sampled[1])?, exposures, counts))
    }
}

fn job_of<'a>(plan: &'a Plan, id: &ExpertId) -> Result<&'a ExpertJob> {
    let Some(job) = plan.experts.iter().find(|expert| expert.id == *id) else {
        let known: Vec<&str> = plan.experts.iter().map(|e| e.id.as_str()).collect();
        return Err(Error::Usage(format!("the plan has no expert `{id}`; it has `{}`", known.join("`, `"))));
    };
    match job.row {
        RowMethod::Separating => Ok(job),
        RowMethod::Mean => {
            Err(Error::Usage(format!("expert `{id}`: `row = \"mean\"` needs an embedder, which is not built in")))
        }
    }
}

fn config_of(job: &ExpertJob, anchor: &Stamped) -> ExpertConfig {
    let (id, set, tiers) = (job.id.clone(), job.set.clone(), job.tiers.clone());
    ExpertConfig::new(id, set, tiers, job.rank.into(), anchor.files_root())
}

/// Trains one expert of the plan against the stamped anchor in `anchor` and stamps it.
///
/// # Errors
/// As [`super::run_anchor`].
pub fn run_expert(
    inputs: &Inputs,
    id: &ExpertId,
    anchor: Option<&Path>,
    say: Say<'_>,
    watch: &mut dyn FnMut(Progress) -> Next,
) -> Result<Finished> {
    let opened = open(inputs, id.as_str())?;
    let _lock = opened.lock()?;
    if opened.done() {
        return opened.finished(id.as_str());
    }
    let job = job_of(&opened.plan, id)?;
    let beside = inputs.plan.parent().unwrap_or(Path::new(".")).join(ANCHOR);
    let (stamped, network) = anchor_for(&opened, anchor.unwrap_or(&beside))?;
    let own = opened.admit(&job.set, &job.tiers, say)?;
    let public = opened.admit(&opened.plan.anchor.set, &opened.plan.anchor.tiers, say)?;
    let sides = Sides { own, public };
    let (rows, row_exposures, row_documents) = sides.rows(job, &network)?;
    let expert = Expert::fresh(&network.anchor, Rank(job.rank.into()), &rows, job.seed, Kind::Float);
    let sizes = opened.steps(job.tokens + job.public_tokens, job.batch_tokens, inputs.checkpoint_every)?;
    let parameters = expert.named(&opened.size).into_iter().map(|(name, tensor)| {
        let scale = if name.ends_with("mlp.gate.weight") { job.row_lr / job.lr } else { 1.0 };
        Parameter::new(name, &tensor, scale, 0.0)
    });
    let schedule = Schedule { lr: job.lr, warmup: job.warmup.into(), steps: sizes.steps };
    let cells = (&sides.own.cells, &sides.public.cells);
    let sets = (sides.own.set.digest, sides.public.set.digest);
    let digest = job_digest(&[&opened.plan.model, job, &sets, &cells, &stamped.digest, &BUILD]);
    let start = Start {
        network: &network,
        expert: Some(&expert),
        optimizer: Optimizer::new(parameters.collect(), schedule),
        feeds: &|states| sides.feeds(job, states),
        sizes,
        job: digest,
    };
    let mut trainer = Trainer::start(&opened.out, start)?;
    trainer.run(watch)?;
    let mut exposures = consumed(&trainer, &[&sides.own, &sides.public]);
    exposures.extend(row_exposures);
    exposures.extend(stamped.stamp.exposures.iter().cloned());
    let trained: Vec<Tensor> = expert.layers.iter().map(|layer| layer.row.shallow_clone()).collect();
    let product = Product {
        subject: Subject::Expert,
        id: id.clone(),
        demo: opened.plan.demo,
        weights: ("expert.safetensors", expert.named(&opened.size)),
        config: to_json(&config_of(job, &stamped))?,
        tokenizer: None,
        anchor: Some(stamped.digest),
        exposures,
        row: Some(RouterRow {
            method: "separating".into(),
            own_documents: row_documents[0],
            public_documents: row_documents[1],
            digest: row_digest(&trained),
        }),
        plan: opened.plan_digest,
        job: digest,
        seed: job.seed,
        steps: sizes.steps,
    };
    product.publish(&opened.out.join("model"), &opened.key)
}
