//! Shards: tokens of what stays, the shards that they lie in, and the ledger of everything that was read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use corpus::tokenize::Tokenizer;
use manifests::digest::Sha256;
use manifests::manifest::TokenizerRef;

use super::{Built, EvidenceFile, Run, paths};
use crate::error::{Error, Result};
use crate::recipe::{Recipe, TokenizerPlan};
use crate::slice::SliceRef;
use crate::stages::decided::DecidedSlice;
use crate::stages::ledger::Placed;
use crate::stages::read::write_objects;
use crate::stages::shard::{Copies, SetPlan};
use crate::stages::{ledger, mix, read, shard, tokenize, tokenizer};
use crate::task::{Commit, Task, depends_on, depends_on_commits};

impl Run<'_> {
    /// Tokens, shards and ledger of what was decided.
    pub(super) fn shards(&mut self, slices: Vec<DecidedSlice>) -> Result<Built> {
        let recipe = self.recipe;
        let all =
            depends_on(slices.iter().flat_map(|s| [&s.slice.output.digest, &s.digest]).map(|d| &d.as_bytes()[..]));

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
                depends: depends_on([
                    &slice.digest.as_bytes()[..],
                    parameters.as_bytes(),
                    slice.slice.output.digest.as_bytes(),
                ]),
            })
            .collect();
        let commits = self.stage(&tokenize::STAGE, &tasks, |slice, n, folder| {
            tokenize::run(slice, &tokenizer, recipe.seed, n, folder)
        })?;
        let tokens = paths(&self.runner.folder(&tokenize::STAGE), &commits);
        let (slices, mixed) = self.mix(slices, &tokens, &commits)?;
        let sets = self.shard(&slices, &tokens, mixed.as_deref(), &commits)?;
        let all =
            depends_on(slices.iter().flat_map(|s| [&s.slice.output.digest, &s.digest]).map(|d| &d.as_bytes()[..]));
        self.runner.load(SliceRef::load(slices.iter().map(|s| &s.slice))?);
        let (ledgers, evidence) = self.ledger(&slices, &sets, all)?;
        let (excluded, warnings) = (Vec::new(), Vec::new());
        Ok(Built { slices, sets, ledgers, evidence, excluded, tokenizer: tokenizer_file, tokenizer_ref, warnings })
    }

    /// How often each document is read, where the recipe mixes; what is mixed out is decided anew.
    fn mix(
        &mut self,
        slices: Vec<DecidedSlice>,
        tokens: &[PathBuf],
        commits: &[Commit],
    ) -> Result<(Vec<DecidedSlice>, Option<Vec<Copies>>)> {
        let Some(shares) = &self.recipe.mix else { return Ok((slices, None)) };
        let tasks: Vec<Task<(&DecidedSlice, &PathBuf)>> = slices
            .iter()
            .zip(tokens)
            .zip(commits)
            .map(|(input, commit)| Task { input, depends: depends_on_commits(input.0.digest.as_bytes(), [commit]) })
            .collect();
        let commits = self
            .stage(&mix::SHARES, &tasks, |(slice, tokens), n, folder| mix::shares(slice, tokens, shares, n, folder))?;
        let files = paths(&self.runner.folder(&mix::SHARES), &commits);
        let rows = files.iter().map(|file| mix::list(file)).collect::<Result<Vec<_>>>()?;
        let light: Vec<_> = rows.iter().flatten().map(|(_, light)| *light).collect();
        let (copies, got) = shares.copies(&light)?;
        for share in &got {
            self.runner.note(&format!("mix: {} tokens of {} wanted for {}", share.got, share.wanted, share.words));
        }
        let mut copies = copies.into_iter();
        let mut mixed: Vec<Copies> = Vec::new();
        let mut out: Vec<Vec<u32>> = Vec::new();
        for slice in &rows {
            let (gone, read): (Vec<_>, Vec<_>) =
                slice.iter().map(|(row, _)| *row).zip(copies.by_ref()).partition(|(_, copies)| *copies == 0);
            mixed.push(read.into_iter().collect());
            out.push(gone.into_iter().map(|(row, _)| row).collect());
        }
        let depends = depends_on_commits(b"", &commits);
        let slices = self.redecide(&mix::STAGE, slices, depends.as_bytes(), |slice, n, folder| {
            mix::run(slice, &out[n], n, folder)
        })?;
        Ok((slices, Some(mixed)))
    }

    fn shard(
        &mut self,
        slices: &[DecidedSlice],
        tokens: &[PathBuf],
        mixed: Option<&[Copies]>,
        commits: &[Commit],
    ) -> Result<Vec<SetPlan>> {
        let recipe = self.recipe;
        let sets = shard::plan(slices, tokens, mixed, recipe.shard_tokens)?;
        let limits = [recipe.shard_tokens.to_le_bytes(), recipe.row_group_tokens.to_le_bytes()].concat();
        let decided = depends_on(slices.iter().map(|s| &s.digest.as_bytes()[..]));
        let depends = depends_on_commits(&[&limits[..], decided.as_bytes()].concat(), commits);
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
    ) -> Result<(Vec<PathBuf>, Vec<EvidenceFile>)> {
        let recipe = self.recipe;
        let mut placed: Vec<BTreeMap<u32, Placed>> = vec![BTreeMap::new(); slices.len()];
        for set in sets {
            for shard in &set.shards {
                for (kept, row) in set.kept[shard.range.clone()].iter().zip(0..) {
                    let place = Placed { n_tokens: kept.n_tokens, copies: kept.copies, shard: shard.name.clone(), row };
                    placed[kept.place.0].insert(kept.slice_row, place);
                }
            }
        }
        let shards = self.stages.get(shard::STAGE.name).map_or(all, |s| s.outputs);
        let depends = depends_on([all.as_bytes(), &shards.as_bytes()[..]]);
        let inputs = slices.iter().zip(&placed);
        let tasks: Vec<Task<(&DecidedSlice, &BTreeMap<u32, Placed>)>> =
            inputs.map(|input| Task { input, depends }).collect();
        let commits = self.stage(&ledger::STAGE, &tasks, |(slice, placed), n, folder| {
            ledger::run(slice, placed, &recipe.chain, n, folder)
        })?;
        let folder = self.runner.folder(&ledger::STAGE);
        let (mut ledgers, mut evidence) = (Vec::new(), Vec::new());
        for (n, commit) in commits.iter().enumerate() {
            let [ledger, claims, facts] = &commit.outputs[..] else {
                return Err(Error::Bug("a ledger task wrote other files than ledger, claims and facts".to_owned()));
            };
            ledgers.push(folder.join(&ledger.name));
            let set = &slices[n].slice.source.set;
            evidence.push((folder.join(&claims.name), format!("claims/documents-{n:05}.parquet"), set.clone()));
            evidence.push((folder.join(&facts.name), format!("facts/{n:05}.parquet"), set.clone()));
        }
        Ok((ledgers, evidence))
    }

    /// The claims that cover whole sources, and the objects of those behind a network.
    pub(super) fn source_claims(&self, commits: &[Commit]) -> Result<Vec<EvidenceFile>> {
        let (from, to) = (self.runner.folder(&read::STAGE), self.runner.folder(&ledger::STAGE));
        let mut files = Vec::new();
        for (n, (source, commit)) in self.recipe.sources.iter().zip(commits).enumerate() {
            let name = format!("source-{n:05}.parquet");
            ledger::source_claims(source.id.as_str(), &from.join(&commit.outputs[0].name), &name, &to)?;
            files.push((to.join(&name), format!("claims/{name}"), source.set.clone()));
            let (list, name) = (from.join(&commit.outputs[2].name), format!("objects-{n:05}.parquet"));
            if let Some(file) = write_objects(source.id.as_str(), &list, &to.join(name))? {
                files.push((file, format!("objects/{n:05}.parquet"), source.set.clone()));
            }
        }
        Ok(files)
    }
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
