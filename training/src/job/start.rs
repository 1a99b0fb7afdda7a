//! What happens before and after the loop: plan, gate, sets; and the anchor's job from its first weights to its stamp.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::exposure::{Cell, CellCount, Exposure, Kind as ExposureKind};
use manifests::gate::{Gate, GateOptions};
use manifests::id::SetName;
use manifests::memory::Memory;
use manifests::plan::Plan;
use manifests::policy::Act;
use manifests::sign::PrivateKey;
use manifests::stamp::Subject;
use manifests::store::read_capped;
use tch::{Kind, Tensor};

use super::corpus::{OpenSet, Refused};
use super::feed::{Count, Feed, State as FeedState};
use super::finish::{BUILD, Finished, Product};
use super::trainer::{Next, Progress, Share, Sizes, Start, Trainer};
use crate::config::{AnchorConfig, to_json};
use crate::error::{Error, Result};
use crate::folder::{ANCHOR, Stamped};
use crate::model::{Anchor, Network, Size};
use crate::optim::{Optimizer, Parameter, Schedule};

/// What a job is run with.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The plan.
    pub plan: PathBuf,
    /// The corpus; absent: where the plan says.
    pub corpus: Option<PathBuf>,
    /// The policy for act `train`.
    pub policy: PathBuf,
    /// The trust file.
    pub trust: Option<PathBuf>,
    /// The records; absent: `records` in the corpus.
    pub records: Option<PathBuf>,
    /// The date of every verdict.
    pub as_of: Date,
    /// Where what was seen before is kept, against rollbacks.
    pub memory: Memory,
    /// The trainer's key.
    pub key: PathBuf,
    /// The job folder; absent: beside the plan, by the job's name.
    pub out: Option<PathBuf>,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
}

/// What a job says before it begins.
pub(super) type Say<'a> = &'a mut dyn FnMut(String);

/// A job with everything verified that it rests on.
pub(super) struct Opened {
    pub(super) plan: Plan,
    pub(super) plan_digest: Sha256,
    corpus: PathBuf,
    pub(super) gate: Gate,
    pub(super) key: PrivateKey,
    pub(super) out: PathBuf,
    pub(super) size: Size,
}

/// Sets may be read by a job: the set, its admitted cells, and what counts as its eos.
pub(super) struct Admitted {
    pub(super) set: OpenSet,
    pub(super) cells: BTreeSet<u32>,
}

impl Admitted {
    pub(super) fn feed(&self, seed: u64, name: &str, state: Option<&FeedState>) -> Result<Feed> {
        let groups = Box::new(self.set.training(self.cells.clone()));
        Feed::new(groups, seed, name, self.set.manifest.tokenizer.eos, state.cloned().unwrap_or_default())
    }
}

pub(super) fn open(inputs: &Inputs, name: &str) -> Result<Opened> {
    let (plan, plan_digest) = Plan::read(&inputs.plan)?;
    let beside = inputs.plan.parent().unwrap_or(Path::new("."));
    let corpus = inputs.corpus.clone().unwrap_or_else(|| beside.join(&plan.corpus));
    let gate = Gate::open(&GateOptions {
        policy: inputs.policy.clone(),
        trust: inputs.trust.clone(),
        records: inputs.records.clone().unwrap_or_else(|| corpus.join("records")),
        as_of: inputs.as_of,
        act: Act::Train,
        memory: inputs.memory.clone(),
    })?;
    let key = PrivateKey::read(&inputs.key)?;
    let out = inputs.out.clone().unwrap_or_else(|| beside.join(name));
    fs::create_dir_all(&out).map_err(|e| Error::io(&out, e))?;
    let size = size_of(&plan)?;
    Ok(Opened { plan, plan_digest, corpus, gate, key, out, size })
}

fn size_of(plan: &Plan) -> Result<Size> {
    let shape = &plan.model;
    if shape.kv_heads != shape.heads {
        return Err(Error::Usage("`model.kv_heads` must equal `model.heads`: grouped queries are not built in".into()));
    }
    let size = Size {
        vocab: shape.vocabulary.into(),
        d_model: shape.d_model.into(),
        n_layers: shape.layers as usize,
        n_heads: shape.heads.into(),
        d_ff: shape.d_ff.into(),
        max_len: shape.sequence.into(),
        rope_theta: 500_000.0,
        norm_eps: 1e-6,
    };
    size.problem().map_or(Ok(size), |problem| Err(Error::Usage(format!("`model`: {problem}"))))
}

impl Opened {
    /// Another job in this folder at the same time would write over this one's checkpoints.
    pub(super) fn lock(&self) -> Result<fs::File> {
        let path = self.out.join("job.lock");
        let file = fs::File::create(&path).map_err(|e| Error::io(&path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(_) => Err(Error::Usage(format!("another job runs in `{}`", self.out.display()))),
        }
    }

    pub(super) fn admit(&self, set: &SetName, tiers: &[String], say: Say<'_>) -> Result<Admitted> {
        let pinned = self.plan.sets.iter().find(|s| s.set == *set).map(|s| s.manifest);
        let set = OpenSet::open(&self.corpus, set, &self.gate.trust, self.gate.as_of, pinned)?;
        if let Some(denial) = self.gate.current(&set.manifest.corpus, &set.manifest.set, set.digest) {
            return Err(Error::Denied(format!("{} [{} {}]", denial.detail, denial.reason.code(), denial.reason)));
        }
        let (cells, refused) = set.admit(&self.gate, tiers)?;
        for Refused { label, tokens, reasons } in &refused {
            say(format!("not read: {tokens} tokens of {label} in {} ({})", set.manifest.set, reasons.join(", ")));
        }
        if cells.is_empty() {
            let (name, policy) = (&set.manifest.set, &self.gate.policy.id);
            return Err(Error::Denied(format!("policy `{policy}` permits nothing of set `{name}` for training")));
        }
        let tokenizer = &set.manifest.tokenizer;
        if i64::from(tokenizer.vocabulary) > self.size.vocab || tokenizer.eos >= tokenizer.vocabulary {
            let (has, model) = (tokenizer.vocabulary, self.size.vocab);
            return Err(Error::Usage(format!("the corpus has {has} token ids, the plan's model {model}")));
        }
        Ok(Admitted { set, cells })
    }

    pub(super) fn steps(&self, tokens: u64, batch: u32, every: u64) -> Result<Sizes> {
        let length = self.plan.model.sequence;
        if batch == 0 || !batch.is_multiple_of(length) || tokens == 0 {
            let why = format!("`batch_tokens` {batch} must be a multiple of `sequence` {length}, and `tokens` above 0");
            return Err(Error::Usage(why));
        }
        let sequences = u64::from(batch / length);
        Ok(Sizes { steps: tokens.div_ceil(batch.into()), sequences, length: length as usize, every: every.max(1) })
    }

    pub(super) fn done(&self) -> bool {
        self.out.join("model").is_dir()
    }

    pub(super) fn finished(&self, id: &str) -> Result<Finished> {
        let folder = self.out.join("model");
        let stamped = Stamped::open(&folder, id, &self.gate.trust, self.gate.as_of)?;
        if stamped.stamp.plan != self.plan_digest {
            let folder = self.out.display();
            return Err(Error::Usage(format!(
                "`{folder}` was finished under another plan; name another folder with `--out`"
            )));
        }
        let (files_root, steps) = (stamped.files_root(), stamped.stamp.steps);
        Ok(Finished { id: id.to_owned(), folder, files_root, stamp: stamped.digest, steps })
    }
}

/// The digest of everything that decides a job's bits.
pub(super) fn job_digest(parts: &[&dyn std::fmt::Debug]) -> Sha256 {
    let text: Vec<String> = parts.iter().map(|part| format!("{part:?}")).collect();
    Sha256::of(text.join("\n").as_bytes())
}

pub(super) fn consumed(trainer: &Trainer<'_>, sets: &[&Admitted]) -> Vec<Exposure> {
    let each = trainer.shares.iter().zip(sets);
    each.map(|(share, admitted)| admitted.set.consumed(ExposureKind::Gradient, share.feed.counts())).collect()
}

/// What the tokenizer was trained on, as far as the corpus knows.
fn tokenizer_exposure(opened: &Opened, set: &OpenSet) -> Result<Exposure> {
    let tokenizer = &set.manifest.tokenizer;
    // A gap is a cell `unknown`, never an omission.
    let unknown = CellCount { cell: Cell::unknown(), evidence: None, documents: None, tokens: Some(0) };
    if let Some(name) = tokenizer.name.strip_prefix("trained:") {
        let read = OpenSet::open(&opened.corpus, &name.parse()?, &opened.gate.trust, opened.gate.as_of, None)?;
        let tiers = read.manifest.tiers.iter();
        let cells: BTreeMap<u32, Count> = (0_u32..)
            .zip(read.manifest.cells.iter().zip(tiers))
            .filter(|(_, (_, tier))| read.manifest.anchor_tiers.contains(tier))
            .map(|(i, (c, _))| (i, Count { documents: c.documents.unwrap_or(0), tokens: c.tokens.unwrap_or(0) }))
            .collect();
        let known = read.consumed(ExposureKind::Tokenizer, &cells);
        if !read.manifest.is_rebuilt() {
            return Ok(known);
        }
        // The tokenizer was kept when documents were taken out: it has seen more than the set now says.
        let all = known.cells.into_iter().chain([unknown]).collect();
        return Ok(Exposure::open(ExposureKind::Tokenizer, known.set, known.manifest, all));
    }
    Ok(Exposure::open(ExposureKind::Tokenizer, tokenizer.name.parse()?, tokenizer.digest, vec![unknown]))
}

/// Trains the plan's anchor and stamps it. Run again after a stop, it goes on; when done, it says so.
///
/// # Errors
/// When anything does not verify, a policy refuses, a file can't be used, or training stops.
pub fn run_anchor(inputs: &Inputs, say: Say<'_>, watch: &mut dyn FnMut(Progress) -> Next) -> Result<Finished> {
    let opened = open(inputs, ANCHOR)?;
    let _lock = opened.lock()?;
    if opened.done() {
        return opened.finished(ANCHOR);
    }
    let job = opened.plan.anchor.clone();
    let public = opened.admit(&job.set, &job.tiers, say)?;
    let sizes = opened.steps(job.tokens, job.batch_tokens, inputs.checkpoint_every)?;
    let network = Network::new(Anchor::fresh(opened.size, job.seed, Kind::Float));
    let decays = |name: &str, tensor: &Tensor| tensor.dim() == 2 && name != "model.embed_tokens.weight";
    let parameters = network.anchor.named().into_iter().map(|(name, tensor)| {
        let decay = if decays(&name, &tensor) { job.weight_decay } else { 0.0 };
        Parameter::new(name, &tensor, 1.0, decay)
    });
    let schedule = Schedule { lr: job.lr, warmup: job.warmup.into(), steps: sizes.steps };
    let digest = job_digest(&[&opened.plan.model, &job, &public.set.digest, &public.cells, &BUILD]);
    let start = Start {
        network: &network,
        expert: None,
        optimizer: Optimizer::new(parameters.collect(), schedule),
        feeds: &|states| {
            let feed = public.feed(job.seed, "public", states.and_then(<[_]>::first))?;
            Ok(vec![Share { feed, weight: 1 }])
        },
        sizes,
        job: digest,
    };
    let mut trainer = Trainer::start(&opened.out, start)?;
    trainer.run(watch)?;
    let mut exposures = consumed(&trainer, &[&public]);
    exposures.push(tokenizer_exposure(&opened, &public.set)?);
    let eos = public.set.manifest.tokenizer.eos;
    let product = Product {
        subject: Subject::Anchor,
        id: ANCHOR.parse()?,
        demo: opened.plan.demo,
        weights: ("model.safetensors", network.anchor.named()),
        config: to_json(&AnchorConfig::new(&opened.size, eos, opened.plan.model.top_k as usize))?,
        tokenizer: Some(tokenizer(&opened.corpus, &public.set)?),
        anchor: None,
        exposures,
        row: None,
        plan: opened.plan_digest,
        job: digest,
        seed: job.seed,
        steps: sizes.steps,
    };
    product.publish(&opened.out.join("model"), &opened.key)
}

/// The corpus's tokenizer, which must be the one that the manifest names.
fn tokenizer(corpus: &Path, set: &OpenSet) -> Result<Vec<u8>> {
    let path = corpus.join("tokenizer.json");
    let bytes = read_capped(&path, 64 << 20)?;
    let (found, expected) = (Sha256::of(&bytes), set.manifest.tokenizer.digest);
    if found == expected {
        Ok(bytes)
    } else {
        Err(Error::unverified(&path, format!("it is {found}, the manifest names {expected}")))
    }
}
