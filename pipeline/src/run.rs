//! A build run: strings the stages together over one work folder and publishes what they committed. `run.json` says
//! what ran; it is written last, so that a folder with it is whole. The dataflow is `Run::stages`; each part of it is
//! one file of `run/`: read ▶ decide (facts, clusters, admission) ▶ narrow (what goes or is cut after admission) ▶ shards
//! (tokens to ledger) ▶ publish.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use manifests::closed::Secret;
use manifests::digest::Sha256;
use manifests::gate::{Gate, GateOptions};
use manifests::id::SetName;
use manifests::manifest::{Access, TokenizerRef};
use manifests::policy::Act;
use manifests::record::Decision;
use manifests::sign::PrivateKey;
use manifests::trust::Role;

use crate::build::{BUILD, BuildOptions, BuildReport, StageRecord};
use crate::error::{Error, Result};
use crate::folders::{claim_folder, finished, is_there};
use crate::progress::Progress;
use crate::ranks;
use crate::recipe::Recipe;
use crate::slice::SliceRef;
use crate::stages::decided::DecidedSlice;
use crate::stages::shard::SetPlan;
use crate::task::{Commit, Runner, Stage, Task, depends_on, depends_on_commits};

mod decide;
mod excluded;
mod narrow;
mod publish;
mod read;
mod shards;

/// Builds a corpus.
///
/// # Errors
/// [`Error::Usage`] for a folder that is in use, and what any stage says.
pub fn build(options: &BuildOptions, progress: &dyn Progress) -> Result<BuildReport> {
    let recipe = Recipe::read(&options.recipe)?;
    let key = PrivateKey::read(&options.key)?;
    let secret = options.secret.as_deref().map(Secret::read).transpose()?;
    if secret.is_none() && recipe.access.values().any(|a| *a == Access::Closed) {
        return Err(Error::usage(
            "the recipe has a closed set, and its commitments need the owner's secret",
            "give one with `--secret FILE` (at least 32 random bytes)",
        ));
    }
    let gate = Gate::open(&GateOptions {
        policy: recipe.policy.clone(),
        trust: options.trust.clone(),
        records: options.records.clone(),
        as_of: options.as_of,
        act: Act::Build,
        memory: options.memory.clone(),
    })?;
    let id = key.public().id();
    if let Some(set) = recipe.access.keys().find(|s| !gate.trust.may_sign(&id, Role::Builder, s.as_str(), gate.as_of)) {
        return Err(Error::Refused {
            what: format!(
                "key `{id}` does not hold the role `builder` for set `{set}` on {} [FM-T-003 role-missing]",
                gate.as_of
            ),
            hint: Some("nobody would accept what it signs; give a builder's key with `--key`".to_owned()),
        });
    }
    claim_folder(options)?;
    if let Some(report) = finished(options, &recipe, &gate)? {
        progress.note("this corpus is finished");
        return Ok(report);
    }
    ranks::join(options, recipe.digest, gate_state(&gate)?)?;
    let inputs = options.inputs.clone().or_else(|| options.recipe.parent().map(Path::to_path_buf)).unwrap_or_default();
    // What tasks write depends on the recipe in more ways than their inputs show: another recipe, other tasks.
    let build = format!("{BUILD} {}", recipe.digest);
    let runner = Runner::new(&options.out.join("work"), build, options.threads, options.ranks, progress)?;
    let decisions = decisions(&recipe, &gate)?;
    let mut run = Run { recipe: &recipe, gate: &gate, decisions, runner, inputs, stages: BTreeMap::new() };
    let built = run.stages(options);
    if options.ranks.leads() {
        return run.publish(options, &built?, &key, secret.as_ref());
    }
    // The one that leads may be done before this one has read the last of what it cleared away.
    if let Err(error) = built
        && !is_there(&options.out.join("run.json"))?
    {
        return Err(error);
    }
    progress.note("this rank's tasks are done; rank 0 publishes");
    loop {
        if let Some(report) = finished(options, &recipe, &gate)? {
            return Ok(report);
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

/// What decisions rest on beside the recipe: policy, records and day.
fn gate_state(gate: &Gate) -> Result<Sha256> {
    let head = manifests::canonical::to_vec(&gate.records.head)?;
    Ok(depends_on([&gate.policy.digest.as_bytes()[..], &head, gate.as_of.to_string().as_bytes()]))
}

/// The decisions that the recipe names, from the signed records.
fn decisions(recipe: &Recipe, gate: &Gate) -> Result<Vec<Decision>> {
    let named = |d: &&Decision| recipe.decisions.contains(&d.id);
    let found: Vec<Decision> = gate.records.decisions.iter().filter(named).cloned().collect();
    let missing = recipe.decisions.iter().find(|id| !found.iter().any(|d| d.id == **id));
    missing.map_or(Ok(found), |id| Err(unsigned("decision", id)))
}

fn unsigned(kind: &str, id: &str) -> Error {
    Error::Refused {
        what: format!("the recipe relies on {kind} `{id}`, which is not among the signed records"),
        hint: Some(format!("sign it with `flexmix sign {kind}` by two legal keys, then renew the head")),
    }
}

/// A run under way.
struct Run<'a> {
    recipe: &'a Recipe,
    gate: &'a Gate,
    decisions: Vec<Decision>,
    runner: Runner<'a>,
    inputs: PathBuf,
    stages: BTreeMap<String, StageRecord>,
}

/// A file of claims or facts, the path that it is published under and its set.
type EvidenceFile = (PathBuf, String, SetName);

/// What the stages committed.
struct Built {
    slices: Vec<DecidedSlice>,
    sets: Vec<SetPlan>,
    ledgers: Vec<PathBuf>,
    evidence: Vec<EvidenceFile>,
    excluded: Vec<PathBuf>,
    tokenizer: PathBuf,
    tokenizer_ref: TokenizerRef,
    warnings: Vec<String>,
}

impl Run<'_> {
    fn stage<I: Sync>(
        &mut self,
        stage: &Stage,
        tasks: &[Task<I>],
        work: impl Fn(&I, usize, &Path) -> Result<Vec<String>> + Sync,
    ) -> Result<Vec<Commit>> {
        let commits = self.runner.run(stage, tasks, work)?;
        let outputs = depends_on_commits(b"", &commits);
        let record = StageRecord { version: stage.version, tasks: tasks.len() as u64, outputs };
        self.stages.insert(stage.name.to_owned(), record);
        Ok(commits)
    }

    fn stages(&mut self, options: &BuildOptions) -> Result<Built> {
        let (slices, read_commits) = self.read()?;
        self.runner.load(SliceRef::load(&slices)?);
        let warnings = self.unused(&read_commits)?;
        let slices = self.decide(slices)?;
        let slices = self.narrow(slices)?;
        self.runner.load(DecidedSlice::load(&slices)?);
        let mut built = self.shards(slices)?;
        built.evidence.extend(self.source_claims(&read_commits)?);
        built.warnings = warnings;
        if options.keep_excluded {
            built.excluded = self.excluded(&built.slices)?;
        }
        Ok(built)
    }
}

fn paths(folder: &Path, commits: &[Commit]) -> Vec<PathBuf> {
    commits.iter().filter_map(|c| c.outputs.first()).map(|o| folder.join(&o.name)).collect()
}
