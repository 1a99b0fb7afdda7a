//! The training plan: what `flexmix train plan` writes, a trainer may edit, and every job is launched from. TOML,
//! strict; the digests of the manifests pin what may be read.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::id::{ExpertId, SetName};

/// The shape of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelShape {
    /// Token ids, padding included.
    pub vocabulary: u32,
    /// Width of the residual stream.
    pub d_model: u32,
    /// Layers.
    pub layers: u32,
    /// Attention heads.
    pub heads: u32,
    /// Key-value heads; equal to `heads` for plain attention.
    pub kv_heads: u32,
    /// Width of the feed-forward layer.
    pub d_ff: u32,
    /// Positions of a training sequence.
    pub sequence: u32,
    /// The most experts, the anchor's among them, that act on a token.
    pub top_k: u32,
}

/// A set as pinned by the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSet {
    /// The set.
    pub set: SetName,
    /// The digest of its manifest's payload.
    pub manifest: Sha256,
}

/// The anchor's job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorJob {
    /// The public set.
    pub set: SetName,
    /// The tiers of it that are read.
    pub tiers: Vec<String>,
    /// Positions to train on, repetition included.
    pub tokens: u64,
    /// Positions of one optimizer step.
    pub batch_tokens: u32,
    /// The peak learning rate.
    pub lr: f64,
    /// Steps of linear warm-up.
    pub warmup: u32,
    /// Weight decay, on matrices other than the embeddings.
    pub weight_decay: f64,
    /// Seed of initialisation and order.
    pub seed: u64,
}

/// How an expert's router row is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowMethod {
    /// The direction that separates own from public text.
    Separating,
    /// The mean of the documents' embeddings, as published.
    Mean,
}

/// An expert's job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpertJob {
    /// Its id.
    pub id: ExpertId,
    /// Its set.
    pub set: SetName,
    /// The tiers of the set that it reads.
    pub tiers: Vec<String>,
    /// The tokens that these tiers hold.
    pub available: u64,
    /// Own positions to train on, repetition included.
    pub tokens: u64,
    /// Public positions mixed in (public contrast).
    pub public_tokens: u64,
    /// Rank of the three differences; 0 is full rank.
    pub rank: u32,
    /// Positions of one optimizer step.
    pub batch_tokens: u32,
    /// The peak learning rate.
    pub lr: f64,
    /// The row's peak learning rate.
    pub row_lr: f64,
    /// Steps of linear warm-up.
    pub warmup: u32,
    /// How the row is made.
    pub row: RowMethod,
    /// Documents of each side that the row is made from; at least 100.
    pub row_documents: u32,
    /// Seed of initialisation and order.
    pub seed: u64,
}

/// A tier that gets no expert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The set.
    pub set: SetName,
    /// The tier.
    pub tier: String,
    /// Its training tokens.
    pub tokens: u64,
    /// Why.
    pub reason: String,
}

/// What one of the given policies would leave usable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyOutlook {
    /// The policy's id and version.
    pub policy: String,
    /// Experts that stay.
    pub usable: Vec<ExpertId>,
    /// Experts that go, each with a reason code's name.
    pub excluded: Vec<String>,
    /// The anchor's reason code, when it is denied and nothing would run.
    pub anchor_denied: Option<String>,
    /// Planned experts' tokens that stay, in parts per million.
    pub usable_ppm: u32,
}

/// A training plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Always `flexmix/plan/v1`.
    pub schema: String,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// The corpus folder, relative to the plan's own folder.
    pub corpus: String,
    /// The date that the plan was made for.
    pub as_of: Date,
    /// The model.
    pub model: ModelShape,
    /// The pinned sets.
    #[serde(default, rename = "set")]
    pub sets: Vec<PlannedSet>,
    /// The anchor.
    pub anchor: AnchorJob,
    /// The experts.
    #[serde(default, rename = "expert")]
    pub experts: Vec<ExpertJob>,
    /// What gets no expert.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// What each given policy would leave.
    #[serde(default)]
    pub outlook: Vec<PolicyOutlook>,
}

impl Plan {
    /// Reads and checks a plan; also gives the digest of its bytes.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Malformed`] with line and column.
    pub fn read(path: &Path) -> Result<(Self, Sha256)> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let text = std::str::from_utf8(&bytes).map_err(|e| Error::malformed("plan", path, e))?;
        let plan: Self = toml::from_str(text).map_err(|e| Error::malformed("plan", path, e))?;
        plan.check().map_err(|what| Error::malformed("plan", path, what))?;
        Ok((plan, Sha256::of(&bytes)))
    }

    /// The plan as TOML.
    ///
    /// # Errors
    /// [`Error::Contract`] when a value has no TOML form.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|e| Error::Contract(format!("the plan has no TOML form: {e}")))
    }

    fn check(&self) -> std::result::Result<(), String> {
        if self.schema != "flexmix/plan/v1" {
            return Err(format!("schema is `{}`; this build reads `flexmix/plan/v1`", self.schema));
        }
        let shape = &self.model;
        if shape.heads == 0
            || !shape.d_model.is_multiple_of(shape.heads)
            || shape.kv_heads == 0
            || !shape.heads.is_multiple_of(shape.kv_heads)
        {
            return Err("`model.d_model` must be a multiple of `heads`, and `heads` of `kv_heads`".to_owned());
        }
        let pinned = |set: &SetName| self.sets.iter().any(|s| s.set == *set);
        for set in self.experts.iter().map(|e| &e.set).chain([&self.anchor.set]) {
            if !pinned(set) {
                return Err(format!("set `{set}` is used and not pinned by a `[[set]]` table"));
            }
        }
        match self.experts.iter().find(|e| e.row_documents < 100) {
            Some(expert) => Err(format!("expert `{}`: a row is made from at least 100 documents", expert.id)),
            None => Ok(()),
        }
    }
}
