//! A build run: strings the stages together over one work folder and publishes what they committed. `run.json` says
//! what ran; it is written last, so that a folder with it is whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use corpus::tokenize::Tokenizer;
use manifests::closed::Secret;
use manifests::digest::Sha256;
use manifests::gate::{Gate, GateOptions};
use manifests::id::SetName;
use manifests::manifest::{Access, ManifestShard, TokenizerRef};
use manifests::merkle::FileLeaf;
use manifests::policy::Act;
use manifests::record::Decision;
use manifests::sign::PrivateKey;
use manifests::store::write_atomic;
use manifests::trust::Role;

use crate::build::{BUILD, BuildOptions, BuildReport, RunRecord, StageRecord};
use crate::error::{Error, Result};
use crate::folders::{claim_folder, clear, finished, folder_digest, is_there};
use crate::progress::Progress;
use crate::ranks;
use crate::recipe::{Recipe, TokenizerPlan};
use crate::slice::SliceRef;
use crate::stages::decide::Rules;
use crate::stages::ledger::Placed;
use crate::stages::publish::Common;
use crate::stages::shard::SetPlan;
use crate::stages::tokenizer::DecidedSlice;
use crate::stages::{cluster, decide, facts, ledger, publish, read, shard, tokenize, tokenizer};
use crate::task::{Commit, Runner, Stage, Task, depends_on, depends_on_commits};

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
    let built = run.stages();
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

/// A file of claims, its published name and its set.
type ClaimsFile = (PathBuf, String, SetName);

/// What the stages committed.
struct Built {
    slices: Vec<DecidedSlice>,
    sets: Vec<SetPlan>,
    ledgers: Vec<PathBuf>,
    claims: Vec<ClaimsFile>,
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

    fn stages(&mut self) -> Result<Built> {
        let (recipe, gate) = (self.recipe, self.gate);
        let (slices, read_commits) = self.read()?;
        let warnings = self.unused(&read_commits)?;
        let slices = self.decide(slices, gate)?;
        let all = depends_on(slices.iter().flat_map(|s| [&s.0.slice.output.digest, &s.1]).map(|d| &d.as_bytes()[..]));
        let slices: Vec<DecidedSlice> = slices.into_iter().map(|(slice, _)| slice).collect();

        let plan = format!("{:?} {:?}", recipe.tokenizer, recipe.anchor_tiers);
        let depends = depends_on([plan.as_bytes(), all.as_bytes()]);
        let tokenizer_commit = self.stage(&tokenizer::STAGE, &[Task { input: (), depends }], |(), _, folder| {
            tokenizer::run(recipe, &slices, folder)
        })?;
        let tokenizer_file = self.runner.folder(&tokenizer::STAGE).join("tokenizer.json");
        let (tokenizer, tokenizer_ref) = load_tokenizer(&tokenizer_file, recipe)?;

        let parameters = depends_on_commits(&recipe.seed.to_le_bytes(), &tokenizer_commit);
        let tasks: Vec<Task<&DecidedSlice>> = slices
            .iter()
            .map(|slice| Task {
                input: slice,
                depends: depends_on([&all.as_bytes()[..], parameters.as_bytes(), slice.slice.output.digest.as_bytes()]),
            })
            .collect();
        let commits = self.stage(&tokenize::STAGE, &tasks, |slice, n, folder| {
            tokenize::run(slice, &tokenizer, recipe.seed, n, folder)
        })?;
        let tokens = paths(&self.runner.folder(&tokenize::STAGE), &commits);
        let sets = self.shard(&slices, &tokens, &commits)?;
        let (ledgers, mut claims) = self.ledger(&slices, &sets, all)?;
        claims.extend(self.source_claims(&read_commits)?);
        Ok(Built { slices, sets, ledgers, claims, tokenizer: tokenizer_file, tokenizer_ref, warnings })
    }

    fn read(&mut self) -> Result<(Vec<SliceRef>, Vec<Commit>)> {
        let (recipe, inputs, decisions) = (self.recipe, self.inputs.clone(), self.decisions.clone());
        let decided = manifests::canonical::to_vec(&decisions)?;
        let mut tasks = Vec::new();
        for source in &recipe.sources {
            // A folder has no pin: its files' state is what the task depends on.
            let object = match source.sha256 {
                Some(digest) => digest,
                None => folder_digest(&inputs.join(&source.object))?,
            };
            let parts: [&[u8]; 3] = [recipe.digest.as_bytes(), object.as_bytes(), &decided];
            tasks.push(Task { input: source, depends: depends_on(parts) });
        }
        let commits =
            self.stage(&read::STAGE, &tasks, |source, n, folder| read::run(source, &inputs, &decisions, n, folder))?;
        let folder = self.runner.folder(&read::STAGE);
        Ok((SliceRef::list(recipe, &commits, &folder), commits))
    }

    /// What the recipe names and its sources do not have, told as soon as they are read.
    fn unused(&self, commits: &[Commit]) -> Result<Vec<String>> {
        let folder = self.runner.folder(&read::STAGE);
        let mut warnings = Vec::new();
        for (source, commit) in self.recipe.sources.iter().zip(commits) {
            let said = read::unused(&folder.join(&commit.outputs[1].name))?;
            warnings.extend(said.into_iter().map(|what| format!("source `{}`: {what}", source.id)));
        }
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(warnings)
    }

    /// Facts, clusters and decisions; each slice with the digest of its decisions.
    fn decide(&mut self, slices: Vec<SliceRef>, gate: &Gate) -> Result<Vec<(DecidedSlice, Sha256)>> {
        let chain = self.recipe.chain.to_json().map_err(|e| Error::Bug(e.to_string()))?;
        let task = |slice: &SliceRef, more: &[u8]| depends_on([slice.output.digest.as_bytes(), chain.as_bytes(), more]);
        let tasks: Vec<Task<&SliceRef>> = slices.iter().map(|s| Task { input: s, depends: task(s, b"") }).collect();
        let fact_commits =
            self.stage(&facts::STAGE, &tasks, |slice, n, folder| facts::run(slice, &chain, n, folder))?;
        let folder = self.runner.folder(&facts::STAGE);
        let (fact_files, keys): (Vec<PathBuf>, Vec<PathBuf>) =
            (0..slices.len()).map(|n| facts::files(&folder, n)).unzip();

        let decisions = self.decisions.clone();
        let depends = depends_on_commits(&manifests::canonical::to_vec(&decisions)?, &fact_commits);
        let tasks: Vec<Task<u32>> = (0..facts::BUCKETS).map(|bucket| Task { input: bucket, depends }).collect();
        let cluster_commits =
            self.stage(&cluster::STAGE, &tasks, |bucket, _, folder| cluster::run(*bucket, &keys, &decisions, folder))?;
        let clusters = paths(&self.runner.folder(&cluster::STAGE), &cluster_commits);

        let elections = gate.records.elections.iter().filter(|e| self.recipe.elections.contains(&e.id)).cloned();
        let rules = Rules { recipe: self.recipe, gate, elections: elections.collect() };
        self.known_elections(&rules)?;
        let parts = [gate_state(gate)?, self.recipe.digest];
        let parts = depends_on(parts.iter().map(|part| &part.as_bytes()[..]));
        let depends = depends_on_commits(parts.as_bytes(), fact_commits.iter().chain(&cluster_commits));
        let tasks: Vec<Task<(&SliceRef, &PathBuf)>> = slices
            .iter()
            .zip(&fact_files)
            .map(|input| Task { input, depends: task(input.0, depends.as_bytes()) })
            .collect();
        let commits = self.stage(&decide::STAGE, &tasks, |(slice, facts), n, folder| {
            decide::run(slice, facts, &clusters, &rules, n, folder)
        })?;
        let decisions = paths(&self.runner.folder(&decide::STAGE), &commits);
        let digests = commits.iter().map(|c| depends_on_commits(b"", [c]));
        let joined = slices.into_iter().zip(fact_files).zip(decisions).zip(digests);
        Ok(joined
            .map(|(((slice, facts), decisions), digest)| (DecidedSlice { slice, facts, decisions }, digest))
            .collect())
    }

    fn known_elections(&self, rules: &Rules<'_>) -> Result<()> {
        let missing = self.recipe.elections.iter().find(|id| !rules.elections.iter().any(|e| e.id == **id));
        missing.map_or(Ok(()), |id| Err(unsigned("election", id)))
    }

    fn shard(&mut self, slices: &[DecidedSlice], tokens: &[PathBuf], commits: &[Commit]) -> Result<Vec<SetPlan>> {
        let recipe = self.recipe;
        let sets = shard::plan(slices, tokens, recipe.shard_tokens)?;
        let limits = [recipe.shard_tokens.to_le_bytes(), recipe.row_group_tokens.to_le_bytes()].concat();
        let depends = depends_on_commits(&limits, commits);
        let inputs = sets.iter().flat_map(|set| set.shards.iter().map(move |shard| (set, shard)));
        let tasks: Vec<Task<(&SetPlan, &shard::ShardPlan)>> = inputs.map(|input| Task { input, depends }).collect();
        self.stage(&shard::STAGE, &tasks, |(set, shard), _, folder| {
            shard::run(set, shard, tokens, recipe.row_group_tokens, folder)
        })?;
        Ok(sets)
    }

    fn ledger(
        &mut self,
        slices: &[DecidedSlice],
        sets: &[SetPlan],
        all: Sha256,
    ) -> Result<(Vec<PathBuf>, Vec<ClaimsFile>)> {
        let mut placed: Vec<BTreeMap<u32, Placed>> = vec![BTreeMap::new(); slices.len()];
        for set in sets {
            for shard in &set.shards {
                for (kept, row) in set.kept[shard.range.clone()].iter().zip(0..) {
                    let place = Placed { n_tokens: kept.n_tokens, shard: shard.name.clone(), row };
                    placed[kept.place.0].insert(kept.slice_row, place);
                }
            }
        }
        let shards = self.stages.get(shard::STAGE.name).map_or(all, |s| s.outputs);
        let depends = depends_on([all.as_bytes(), &shards.as_bytes()[..]]);
        let inputs = slices.iter().zip(&placed);
        let tasks: Vec<Task<(&DecidedSlice, &BTreeMap<u32, Placed>)>> =
            inputs.map(|input| Task { input, depends }).collect();
        let commits =
            self.stage(&ledger::STAGE, &tasks, |(slice, placed), n, folder| ledger::run(slice, placed, n, folder))?;
        let folder = self.runner.folder(&ledger::STAGE);
        let (mut ledgers, mut claims) = (Vec::new(), Vec::new());
        for (n, commit) in commits.iter().enumerate() {
            ledgers.push(folder.join(&commit.outputs[0].name));
            let set = slices[n].slice.source.set.clone();
            claims.push((folder.join(&commit.outputs[1].name), format!("documents-{n:05}.parquet"), set));
        }
        Ok((ledgers, claims))
    }

    fn source_claims(&self, commits: &[Commit]) -> Result<Vec<ClaimsFile>> {
        let (from, to) = (self.runner.folder(&read::STAGE), self.runner.folder(&ledger::STAGE));
        let mut files = Vec::new();
        for (n, (source, commit)) in self.recipe.sources.iter().zip(commits).enumerate() {
            let name = format!("source-{n:05}.parquet");
            ledger::source_claims(source.id.as_str(), &from.join(&commit.outputs[0].name), &name, &to)?;
            files.push((to.join(&name), name, source.set.clone()));
        }
        Ok(files)
    }

    fn publish(
        &self,
        options: &BuildOptions,
        built: &Built,
        key: &PrivateKey,
        secret: Option<&Secret>,
    ) -> Result<BuildReport> {
        let (out, recipe) = (&options.out, self.recipe);
        publish::sweep(out)?;
        let funnels = publish::funnels(&built.ledgers)?;
        publish::place(&built.tokenizer, &out.join("tokenizer.json"))?;
        let mut evidence = place_evidence(built, out)?;
        let common = Common {
            recipe,
            policy: self.gate.policy.digest,
            tokenizer: built.tokenizer_ref.clone(),
            stages: self.stages.iter().map(|(name, s)| (name.clone(), s.version)).collect(),
            build: BUILD.to_owned(),
            key,
            secret,
        };
        let mut digests = BTreeMap::new();
        for set in &built.sets {
            let (from, to) =
                (self.runner.folder(&shard::STAGE).join(set.set.as_str()), out.join("sets").join(set.set.as_str()));
            std::fs::create_dir_all(&to).map_err(|e| Error::io(&to, e))?;
            let mut shards: Vec<ManifestShard> = Vec::new();
            for shard in &set.shards {
                publish::place(&from.join(&shard.name), &to.join(&shard.name))?;
                let entry = from.join(format!("{}.json", shard.name));
                let bytes = std::fs::read(&entry).map_err(|e| Error::io(&entry, e))?;
                shards.push(manifests::canonical::from_slice("shard entry", &entry, &bytes)?);
            }
            let funnel = funnels.get(&set.set).cloned().unwrap_or_default();
            let evidence = evidence.remove(&set.set).unwrap_or_default();
            digests.insert(set.set.clone(), publish::manifest(set, shards, evidence, funnel, &common, &to)?);
        }
        let record = RunRecord {
            schema: "flexmix/run/v1".to_owned(),
            demo: recipe.demo,
            recipe: recipe.text.clone(),
            recipe_digest: recipe.digest,
            build: BUILD.to_owned(),
            stages: self.stages.clone(),
            funnels: funnels.clone(),
            manifests: digests.clone(),
        };
        write_atomic(&out.join("run.json"), &manifests::canonical::to_vec(&record)?)?;
        self.runner.note(&format!(
            "{} documents of {} slices accounted for",
            funnels.values().map(|f| f.read).sum::<u64>(),
            built.slices.len()
        ));
        clear(&out.join("work"))?;
        let warnings = built.warnings.clone();
        Ok(BuildReport { schema: "flexmix/build-report/v1", sets: funnels, manifests: digests, warnings })
    }
}

/// Publishes ledger and claims, and says which files are of which set.
fn place_evidence(built: &Built, out: &Path) -> Result<BTreeMap<SetName, Vec<FileLeaf>>> {
    let mut of_sets: BTreeMap<SetName, Vec<FileLeaf>> = BTreeMap::new();
    let ledgers = built.ledgers.iter().zip(&built.slices).enumerate();
    let ledgers = ledgers.map(|(n, (file, slice))| (file, format!("ledger/{n:05}.parquet"), &slice.slice.source.set));
    let claims = built.claims.iter().map(|(file, name, set)| (file, format!("claims/{name}"), set));
    for (file, name, set) in ledgers.chain(claims) {
        publish::place(file, &out.join(&name))?;
        let (length, digest) = Sha256::of_file(file)?;
        of_sets.entry(set.clone()).or_default().push(FileLeaf { path: name.parse()?, length, digest });
    }
    Ok(of_sets)
}

fn paths(folder: &Path, commits: &[Commit]) -> Vec<PathBuf> {
    commits.iter().filter_map(|c| c.outputs.first()).map(|o| folder.join(&o.name)).collect()
}

fn load_tokenizer(file: &Path, recipe: &Recipe) -> Result<(Tokenizer, TokenizerRef)> {
    let json = std::fs::read(file).map_err(|e| Error::io(file, e))?;
    let tokenizer = Tokenizer::from_json(&json).map_err(|e| Error::Tokenizer(e.to_string()))?;
    let name = match &recipe.tokenizer {
        TokenizerPlan::Dolma2 => "dolma2".to_owned(),
        TokenizerPlan::Train { set, .. } => format!("trained:{set}"),
    };
    let vocabulary = u32::try_from(tokenizer.vocabulary_size()).map_err(|e| Error::Tokenizer(e.to_string()))?;
    let reference = TokenizerRef { name, digest: Sha256::of(&json), vocabulary, eos: tokenizer.eos() };
    Ok((tokenizer, reference))
}
