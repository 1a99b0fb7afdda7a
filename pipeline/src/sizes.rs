//! Sizes of the model and its jobs, and which tiers come first when there is a budget: a small TOML file beside the
//! recipe, every key of it optional.

use std::path::Path;

use manifests::id::{ExpertId, SetName};
use manifests::plan::{AnchorJob, ExpertJob, ModelShape, RowMethod};
use serde::Deserialize;

use crate::error::{Error, Result};

/// Model and job sizes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sizes {
    /// The fewest tokens of a tier that gets an expert.
    pub min_tokens: u64,
    /// Documents of each side that a router row is made from; at least 100.
    pub row_documents: u32,
    /// What comes first under a budget, best first: `SET`, or `SET/PROPERTY`.
    pub prefer: Vec<String>,
    d_model: u32,
    layers: u32,
    heads: u32,
    kv_heads: Option<u32>,
    d_ff: u32,
    sequence: u32,
    top_k: u32,
    anchor: AnchorSizes,
    expert: ExpertSizes,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AnchorSizes {
    tokens: Option<u64>,
    batch_tokens: u32,
    lr: f64,
    warmup: u32,
    weight_decay: f64,
    seed: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ExpertSizes {
    tokens: Option<u64>,
    contrast: f64,
    rank: u32,
    batch_tokens: u32,
    lr: f64,
    row_lr: Option<f64>,
    warmup: u32,
    row: RowMethod,
    seed: u64,
}

/// A model of about 60 million parameters beside its embeddings, one epoch of everything.
impl Default for Sizes {
    fn default() -> Self {
        Self {
            min_tokens: 100_000,
            row_documents: 100,
            prefer: Vec::new(),
            d_model: 768,
            layers: 8,
            heads: 12,
            kv_heads: None,
            d_ff: 2048,
            sequence: 1024,
            top_k: 2,
            anchor: AnchorSizes::default(),
            expert: ExpertSizes::default(),
        }
    }
}

impl Default for AnchorSizes {
    fn default() -> Self {
        Self { tokens: None, batch_tokens: 8192, lr: 1e-3, warmup: 100, weight_decay: 0.1, seed: 1 }
    }
}

impl Default for ExpertSizes {
    fn default() -> Self {
        Self {
            tokens: None,
            contrast: 1.0,
            rank: 32,
            batch_tokens: 8192,
            lr: 1e-3,
            row_lr: None,
            warmup: 50,
            row: RowMethod::Separating,
            seed: 1,
        }
    }
}

impl Sizes {
    /// Reads a sizes file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Recipe`] with line and column.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let wrong = |what: String| Error::Recipe { path: path.to_path_buf(), what };
        let sizes: Self = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        if sizes.row_documents < 100 {
            return Err(wrong("row_documents is below 100: a row averages at least 100 documents".to_owned()));
        }
        if sizes.heads == 0 || !sizes.d_model.is_multiple_of(sizes.heads) {
            return Err(wrong("d_model must be a multiple of heads".to_owned()));
        }
        Ok(sizes)
    }

    /// The rank of a tier under a budget; lower comes first.
    #[must_use]
    pub fn preference(&self, set: &SetName, tier: &str) -> usize {
        let fits = |wish: &String| match wish.split_once('/') {
            Some((name, property)) => name == set.as_str() && tier.contains(property),
            None => wish == set.as_str(),
        };
        self.prefer.iter().position(fits).unwrap_or(self.prefer.len())
    }

    /// The model's shape. The vocabulary is padded to a multiple of 64.
    #[must_use]
    pub fn model(&self, vocabulary: u32) -> ModelShape {
        ModelShape {
            vocabulary: vocabulary.next_multiple_of(64),
            d_model: self.d_model,
            layers: self.layers,
            heads: self.heads,
            kv_heads: self.kv_heads.unwrap_or(self.heads),
            d_ff: self.d_ff,
            sequence: self.sequence,
            top_k: self.top_k,
        }
    }

    /// The anchor's job; one epoch when no number of tokens is set.
    #[must_use]
    pub fn anchor(&self, set: SetName, tiers: Vec<String>, available: u64) -> AnchorJob {
        let sizes = &self.anchor;
        AnchorJob {
            set,
            tiers,
            tokens: sizes.tokens.unwrap_or(available),
            batch_tokens: sizes.batch_tokens,
            lr: sizes.lr,
            warmup: sizes.warmup,
            weight_decay: sizes.weight_decay,
            seed: sizes.seed,
        }
    }

    /// The job of expert number `number`; one epoch of its own tokens when no number is set, and as much public text
    /// as `contrast` asks.
    #[must_use]
    pub fn expert(&self, id: ExpertId, set: SetName, tiers: Vec<String>, available: u64, number: u64) -> ExpertJob {
        let sizes = &self.expert;
        let tokens = sizes.tokens.unwrap_or(available);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a ratio of token counts"
        )]
        let public_tokens = (tokens as f64 * sizes.contrast.max(0.0)).round() as u64;
        ExpertJob {
            id,
            set,
            tiers,
            available,
            tokens,
            public_tokens,
            rank: sizes.rank,
            batch_tokens: sizes.batch_tokens,
            lr: sizes.lr,
            row_lr: sizes.row_lr.unwrap_or(4.0 * sizes.lr),
            warmup: sizes.warmup,
            row: sizes.row,
            row_documents: self.row_documents,
            seed: sizes.seed + number,
        }
    }
}
