//! `config.json` of anchors (Hugging Face's Olmo2, with our part under `flexmix`) and of experts.

use std::path::Path;

use manifests::digest::Sha256;
use manifests::id::{ExpertId, SetName};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Size;

/// An anchor's configuration as Hugging Face reads it. Both rope keys are written: version 4 reads one, 5 the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorConfig {
    architectures: Vec<String>,
    model_type: String,
    vocab_size: i64,
    hidden_size: i64,
    intermediate_size: i64,
    num_hidden_layers: usize,
    num_attention_heads: i64,
    num_key_value_heads: i64,
    hidden_act: String,
    max_position_embeddings: i64,
    initializer_range: f64,
    rms_norm_eps: f64,
    rope_theta: f64,
    rope_parameters: RopeParameters,
    tie_word_embeddings: bool,
    attention_bias: bool,
    attention_dropout: f64,
    bos_token_id: Option<u32>,
    eos_token_id: u32,
    pad_token_id: Option<u32>,
    torch_dtype: String,
    flexmix: AnchorExtra,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RopeParameters {
    rope_type: String,
    rope_theta: f64,
}

/// What Hugging Face has no word for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorExtra {
    schema: String,
    /// The most experts, the anchor among them, that act on a token.
    pub top_k: usize,
    /// The anchor's router row: `zero` (public contrast).
    pub public_row: String,
}

impl AnchorConfig {
    /// The configuration of an anchor of these sizes.
    #[must_use]
    pub fn new(size: &Size, eos: u32, top_k: usize) -> Self {
        Self {
            architectures: vec!["Olmo2ForCausalLM".into()],
            model_type: "olmo2".into(),
            vocab_size: size.vocab,
            hidden_size: size.d_model,
            intermediate_size: size.d_ff,
            num_hidden_layers: size.n_layers,
            num_attention_heads: size.n_heads,
            num_key_value_heads: size.n_heads,
            hidden_act: "silu".into(),
            max_position_embeddings: size.max_len,
            initializer_range: 0.02,
            rms_norm_eps: size.norm_eps,
            rope_theta: size.rope_theta,
            rope_parameters: RopeParameters { rope_type: "default".into(), rope_theta: size.rope_theta },
            tie_word_embeddings: false,
            attention_bias: false,
            attention_dropout: 0.0,
            bos_token_id: None,
            eos_token_id: eos,
            pad_token_id: None,
            torch_dtype: "float32".into(),
            flexmix: AnchorExtra { schema: "flexmix/anchor-config/v1".into(), top_k, public_row: "zero".into() },
        }
    }

    /// Reads a configuration and refuses what this build would not compute as written.
    ///
    /// # Errors
    /// [`Error::Format`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let config: Self = serde_json::from_slice(bytes).map_err(|e| Error::format(path, e))?;
        let fresh = Self::new(&config.size(), config.eos_token_id, config.flexmix.top_k);
        if config != fresh {
            return Err(Error::format(path, "it asks for something that this build does not compute"));
        }
        match config.size().problem() {
            Some(problem) => Err(Error::format(path, problem)),
            None => Ok(config),
        }
    }

    /// Sizes.
    #[must_use]
    pub fn size(&self) -> Size {
        Size {
            vocab: self.vocab_size,
            d_model: self.hidden_size,
            n_layers: self.num_hidden_layers,
            n_heads: self.num_attention_heads,
            d_ff: self.intermediate_size,
            max_len: self.max_position_embeddings,
            rope_theta: self.rope_theta,
            norm_eps: self.rms_norm_eps,
        }
    }

    /// Choices for each token.
    #[must_use]
    pub fn top_k(&self) -> usize {
        self.flexmix.top_k
    }

    /// The id that ends a document.
    #[must_use]
    pub fn eos(&self) -> u32 {
        self.eos_token_id
    }
}

/// An expert's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpertConfig {
    schema: String,
    /// Its id.
    pub id: ExpertId,
    /// The set that it was trained on.
    pub set: SetName,
    /// The tiers of the set.
    pub tiers: Vec<String>,
    /// Rank of its differences, 0 for full matrices (FlexMoRE's key, one entry for one expert).
    pub expert_ranks: Vec<i64>,
    /// The Merkle root of the anchor's files.
    pub anchor: Sha256,
}

impl ExpertConfig {
    /// The configuration of an expert.
    #[must_use]
    pub fn new(id: ExpertId, set: SetName, tiers: Vec<String>, rank: i64, anchor: Sha256) -> Self {
        Self { schema: "flexmix/expert-config/v1".into(), id, set, tiers, expert_ranks: vec![rank], anchor }
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// [`Error::Format`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let config: Self = serde_json::from_slice(bytes).map_err(|e| Error::format(path, e))?;
        match config.expert_ranks.as_slice() {
            [rank] if *rank >= 0 && config.schema == "flexmix/expert-config/v1" => Ok(config),
            _ => Err(Error::format(path, "it is no configuration of one expert, version 1")),
        }
    }

    /// Rank of its differences.
    #[must_use]
    pub fn rank(&self) -> i64 {
        self.expert_ranks.first().copied().unwrap_or(0)
    }
}

/// A configuration as it is written.
///
/// # Errors
/// Never seen: both kinds have a JSON form.
pub fn to_json(config: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(config).map_err(|e| Error::Usage(format!("configuration: {e}")))?;
    bytes.push(b'\n');
    Ok(bytes)
}
