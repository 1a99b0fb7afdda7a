//! What a build is asked for, what it reports, and what `run.json` says of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::id::SetName;
use manifests::manifest::{Funnel, SetManifest};
use manifests::memory::Memory;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::query::{Folder, Signed};
use crate::ranks::Ranks;
use crate::recipe::Recipe;

/// The build of this program: the digest of all sources that decide its output, and of the lock file.
pub const BUILD: &str = concat!(env!("FLEXMIX_BUILD"), "-", env!("CARGO_PKG_VERSION"));

/// What a build is asked to do.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The recipe.
    pub recipe: PathBuf,
    /// The corpus folder.
    pub out: PathBuf,
    /// The builder's private key.
    pub key: PathBuf,
    /// The folder that the recipe's objects are in; the recipe's own by default.
    pub inputs: Option<PathBuf>,
    /// How many tasks run at once.
    pub threads: usize,
    /// Whether to go on where a former run stopped.
    pub resume: bool,
    /// The owner's secret, for closed sets.
    pub secret: Option<PathBuf>,
    /// Whether the text of what is dropped is kept in `excluded/`.
    pub keep_excluded: bool,
    /// The trust file.
    pub trust: Option<PathBuf>,
    /// The records folder.
    pub records: PathBuf,
    /// The date that the admission policy is read for.
    pub as_of: Date,
    /// Which share of the tasks is this process's.
    pub ranks: Ranks,
    /// Where what was seen before is kept, against rollbacks.
    pub memory: Memory,
}

/// What a build did.
#[derive(Clone, Debug, Serialize)]
pub struct BuildReport {
    /// Always `flexmix/build-report/v1`.
    pub schema: &'static str,
    /// What became of each set's input.
    pub sets: BTreeMap<SetName, Funnel>,
    /// The digest of each set's manifest.
    pub manifests: BTreeMap<SetName, Sha256>,
    /// What the recipe names and the sources do not have, one sentence each; empty for a corpus that was finished before.
    pub warnings: Vec<String>,
}

/// `run.json`: what was built, from what, by which stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Always `flexmix/run/v1`.
    pub schema: String,
    /// Made for a demonstration.
    pub demo: bool,
    /// The recipe's text.
    pub recipe: String,
    /// The digest of the recipe's bytes.
    pub recipe_digest: Sha256,
    /// The build of flexmix.
    pub build: String,
    /// Tasks and the digest of their outputs, by stage.
    pub stages: BTreeMap<String, StageRecord>,
    /// What became of each set's input.
    pub funnels: BTreeMap<SetName, Funnel>,
    /// The digest of each set's manifest.
    pub manifests: BTreeMap<SetName, Sha256>,
}

impl RunRecord {
    /// `run.json`, which is not signed, as far as the signed manifests bear it out, and the recipe in it.
    ///
    /// # Errors
    /// [`Error::Io`] when it is not there, [`Error::Record`] when it is not the run of the folder's manifests.
    pub(crate) fn read(folder: &Folder) -> Result<(Self, Recipe)> {
        let path = folder.root.join("run.json");
        let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
        let run: Self = manifests::canonical::from_slice("run record", &path, &bytes)?;
        let text = Sha256::of(run.recipe.as_bytes());
        let other =
            |m: &Signed<SetManifest>| m.record.recipe != text || run.manifests.get(&m.record.set) != Some(&m.digest);
        if folder.manifests.iter().any(other) {
            let what = "it is not the run of these manifests [FM-T-007 digest-mismatch]";
            return Err(manifests::Error::verification(&path, what).into());
        }
        let recipe = Recipe::parse(&path, run.recipe.clone())?;
        Ok((run, recipe))
    }
}

/// What one stage did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRecord {
    /// Its version.
    pub version: u32,
    /// Its tasks.
    pub tasks: u64,
    /// The digest over all files that they wrote.
    pub outputs: Sha256,
}
