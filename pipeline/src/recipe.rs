//! The recipe: what to build. A strict TOML file, checked into its meaning before anything is read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use corpus::filter::{Chain, FilterToml};
use corpus::source::{SourceSpec, SourceToml};
use manifests::digest::Sha256;
use manifests::id::SetName;
use manifests::manifest::Access;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::mix::{Mix, MixToml};
use crate::rules::{RuleToml, Rules};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeToml {
    schema: String,
    name: String,
    #[serde(default)]
    demo: bool,
    seed: u64,
    #[serde(default = "two_percent")]
    held_out: f64,
    policy: String,
    #[serde(default)]
    elections: Vec<String>,
    #[serde(default)]
    decisions: Vec<String>,
    public_set: SetName,
    anchor_tiers: Vec<String>,
    #[serde(default)]
    tokenizer: TokenizerToml,
    #[serde(default)]
    shards: ShardsToml,
    #[serde(default)]
    filter: Vec<FilterToml>,
    #[serde(default)]
    rule: Vec<RuleToml>,
    mix: Option<MixToml>,
    #[serde(default)]
    source: Vec<SourceToml>,
}

const fn two_percent() -> f64 {
    0.02
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenizerToml {
    #[serde(rename = "use")]
    named: Option<String>,
    train_on: Option<SetName>,
    vocabulary: Option<u32>,
}

impl Default for TokenizerToml {
    fn default() -> Self {
        Self { named: Some("dolma2".to_owned()), train_on: None, vocabulary: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShardsToml {
    #[serde(default = "ShardsToml::tokens")]
    tokens: u64,
    #[serde(default = "ShardsToml::row_group_tokens")]
    row_group_tokens: u64,
}

impl ShardsToml {
    const fn tokens() -> u64 {
        100_000_000
    }

    const fn row_group_tokens() -> u64 {
        1_000_000
    }
}

impl Default for ShardsToml {
    fn default() -> Self {
        Self { tokens: Self::tokens(), row_group_tokens: Self::row_group_tokens() }
    }
}

/// Where the tokenizer comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenizerPlan {
    /// The dolma2 tokenizer.
    Dolma2,
    /// A byte-level BPE trained on a set's anchor tiers: a barrier in the run.
    Train {
        /// The set.
        set: SetName,
        /// Token ids, the end of text among them.
        vocabulary: u32,
    },
}

/// A checked recipe.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// Made for a demonstration.
    pub demo: bool,
    /// The seed of hold-out and order.
    pub seed: u64,
    /// The share of documents held out, in parts per million.
    pub held_out_ppm: u32,
    /// The admission policy, by path.
    pub policy: PathBuf,
    /// The elections that the recipe relies on, by id.
    pub elections: BTreeSet<String>,
    /// The decisions that the recipe relies on, by id.
    pub decisions: BTreeSet<String>,
    /// The set that anchor, tokenizer and contrast read.
    pub public_set: SetName,
    /// The tiers of it that they read.
    pub anchor_tiers: BTreeSet<String>,
    /// The tokenizer.
    pub tokenizer: TokenizerPlan,
    /// The most tokens of a shard.
    pub shard_tokens: u64,
    /// The most tokens of a row group.
    pub row_group_tokens: u64,
    /// The filters.
    pub chain: Arc<Chain>,
    /// What is asked of a document's facts after the filters.
    pub rules: Rules,
    /// How the tokens of what stays are mixed; absent: each document once.
    pub mix: Option<Mix>,
    /// The sources, in the recipe's order.
    pub sources: Vec<SourceSpec>,
    /// Who may read each set.
    pub access: BTreeMap<SetName, Access>,
    /// The digest of the file's exact bytes.
    pub digest: Sha256,
    /// The file's text.
    pub text: String,
}

impl Recipe {
    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Recipe`] with line and column or the source that is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let wrong = |what: String| Error::Recipe { path: path.to_path_buf(), what };
        Self::parse(path, String::from_utf8(bytes).map_err(|e| wrong(e.to_string()))?)
    }

    /// Checks the text of a recipe that was found at `path`.
    ///
    /// # Errors
    /// [`Error::Recipe`] with line and column or the source that is wrong.
    pub fn parse(path: &Path, text: String) -> Result<Self> {
        let wrong = |what: String| Error::Recipe { path: path.to_path_buf(), what };
        let raw: RecipeToml = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::check(raw, text, folder).map_err(wrong)
    }

    /// The filters' names, in their order.
    ///
    /// # Errors
    /// [`Error::Bug`] when the chain has no JSON.
    pub fn filter_names(&self) -> Result<Vec<String>> {
        Ok(self
            .filter_settings()?
            .iter()
            .map(|filter| filter["name"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// The filters with every threshold spelled out, in their order.
    ///
    /// # Errors
    /// As [`Self::filter_names`].
    pub fn filter_settings(&self) -> Result<Vec<serde_json::Value>> {
        let bug = |e: String| Error::Bug(format!("the chain has no JSON: {e}"));
        let json = self.chain.to_json().map_err(|e| bug(e.to_string()))?;
        serde_json::from_str(&json).map_err(|e| bug(e.to_string()))
    }

    fn check(raw: RecipeToml, text: String, folder: &Path) -> std::result::Result<Self, String> {
        if raw.schema != "flexmix/recipe/v1" {
            return Err(format!("schema is `{}`; this build reads `flexmix/recipe/v1`", raw.schema));
        }
        if !(0.0..=0.5).contains(&raw.held_out) {
            return Err(format!("held_out is {}, expected a share from 0 to 0.5", raw.held_out));
        }
        let mut sources = Vec::new();
        let mut ids = BTreeSet::new();
        let mut access = BTreeMap::new();
        for source in raw.source {
            let spec = source.validate().map_err(|e| e.to_string())?;
            if !ids.insert(spec.id.clone()) {
                return Err(format!("source `{}` stands twice", spec.id));
            }
            if *access.entry(spec.set.clone()).or_insert(spec.access) != spec.access {
                return Err(format!("set `{}` is both public and closed; a set is wholly one of them", spec.set));
            }
            sources.push(spec);
        }
        if access.get(&raw.public_set) != Some(&Access::Public) {
            return Err(format!("public_set `{}` has no public source", raw.public_set));
        }
        if raw.anchor_tiers.is_empty() {
            return Err("anchor_tiers is empty; list the tiers that the anchor reads".to_owned());
        }
        let chain = Chain::new(raw.filter).map_err(|e| e.to_string())?;
        Ok(Self {
            rules: Rules::new(raw.rule, &chain)?,
            mix: raw.mix.map(|mix| Mix::new(mix, &chain)).transpose()?,
            chain: Arc::new(chain),
            tokenizer: tokenizer(raw.tokenizer, &access, &raw.public_set)?,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in 0 to 0.5")]
            held_out_ppm: (raw.held_out * 1e6).round() as u32,
            policy: folder.join(raw.policy),
            elections: raw.elections.into_iter().collect(),
            decisions: raw.decisions.into_iter().collect(),
            anchor_tiers: raw.anchor_tiers.into_iter().collect(),
            shard_tokens: raw.shards.tokens.max(1),
            row_group_tokens: raw.shards.row_group_tokens.max(1),
            digest: Sha256::of(text.as_bytes()),
            name: raw.name,
            demo: raw.demo,
            seed: raw.seed,
            public_set: raw.public_set,
            sources,
            access,
            text,
        })
    }
}

fn tokenizer(
    raw: TokenizerToml,
    access: &BTreeMap<SetName, Access>,
    public_set: &SetName,
) -> std::result::Result<TokenizerPlan, String> {
    match (raw.named.as_deref(), raw.train_on, raw.vocabulary) {
        (Some("dolma2"), None, None) => Ok(TokenizerPlan::Dolma2),
        (Some(other), None, None) => Err(format!("tokenizer.use is `{other}`, expected `dolma2`")),
        (None, Some(set), Some(vocabulary)) => match access.get(&set) {
            Some(Access::Public) if set != *public_set => {
                Err(format!("tokenizer.train_on: `{set}` is not the public_set `{public_set}`"))
            }
            Some(Access::Public) => Ok(TokenizerPlan::Train { set, vocabulary }),
            Some(Access::Closed) => Err(format!("tokenizer.train_on: set `{set}` is closed")),
            None => Err(format!("tokenizer.train_on: no source has set `{set}`")),
        },
        _ => Err("tokenizer takes `use`, or `train_on` and `vocabulary`".to_owned()),
    }
}
