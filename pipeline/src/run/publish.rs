//! Publish: what the stages committed, under its published names; manifests after it, and `run.json` last.

use std::collections::BTreeMap;
use std::path::Path;

use manifests::closed::Secret;
use manifests::digest::Sha256;
use manifests::id::SetName;
use manifests::manifest::ManifestShard;
use manifests::merkle::FileLeaf;
use manifests::sign::PrivateKey;
use manifests::store::write_atomic;

use super::{Built, Run};
use crate::build::{BUILD, BuildOptions, BuildReport, RunRecord};
use crate::error::{Error, Result};
use crate::folders::clear;
use crate::stages::publish::{self, Common};
use crate::stages::{excluded, shard};

impl Run<'_> {
    /// Publishes the corpus.
    pub(super) fn publish(
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
        for (n, file) in built.excluded.iter().enumerate() {
            publish::place(file, &out.join(excluded::FOLDER).join(format!("{n:05}.parquet")))?;
        }
        self.runner.timings().write(out)?;
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

/// Publishes ledger, claims and facts, and says which files are of which set.
fn place_evidence(built: &Built, out: &Path) -> Result<BTreeMap<SetName, Vec<FileLeaf>>> {
    let mut of_sets: BTreeMap<SetName, Vec<FileLeaf>> = BTreeMap::new();
    let ledgers = built.ledgers.iter().zip(&built.slices).enumerate();
    let ledgers = ledgers.map(|(n, (file, slice))| (file, format!("ledger/{n:05}.parquet"), &slice.slice.source.set));
    let evidence = built.evidence.iter().map(|(file, name, set)| (file, name.clone(), set));
    for (file, name, set) in ledgers.chain(evidence) {
        publish::place(file, &out.join(&name))?;
        let (length, digest) = Sha256::of_file(file)?;
        of_sets.entry(set.clone()).or_default().push(FileLeaf { path: name.parse()?, length, digest });
    }
    Ok(of_sets)
}
