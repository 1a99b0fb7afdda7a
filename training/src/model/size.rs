//! The sizes of a network, as they stand in a plan and in Hugging Face's `config.json`.

use serde::{Deserialize, Serialize};

/// Sizes of the anchor; experts have the same, but for their rank.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Rows of the embedding and of the head.
    pub vocab: i64,
    /// Width of the residual stream.
    pub d_model: i64,
    /// Blocks.
    pub n_layers: usize,
    /// Attention heads; each is `d_model / n_heads` wide.
    pub n_heads: i64,
    /// Width of the feed-forward network.
    pub d_ff: i64,
    /// Longest sequence, in tokens.
    pub max_len: i64,
    /// Base of the rotary embedding.
    pub rope_theta: f64,
    /// Added to the mean square in a norm.
    pub norm_eps: f64,
}

impl Size {
    /// Width of one attention head.
    #[must_use]
    pub fn head_dim(&self) -> i64 {
        self.d_model / self.n_heads
    }

    /// What makes these sizes impossible, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let least = [self.vocab, self.d_model, self.n_heads, self.d_ff, self.max_len].into_iter().min();
        if least < Some(1) || self.n_layers == 0 {
            return Some("every size must be at least 1".into());
        }
        if self.d_model % self.n_heads != 0 || self.head_dim() % 2 != 0 {
            let (width, heads) = (self.d_model, self.n_heads);
            return Some(format!("d_model `{width}` must split into `{heads}` heads of even width"));
        }
        None
    }

    /// Weights that a token is multiplied by: all matrices but the embedding.
    #[must_use]
    pub fn matrix_weights(&self) -> i64 {
        let block = 4 * self.d_model * self.d_model + 3 * self.d_model * self.d_ff;
        block * i64::try_from(self.n_layers).unwrap_or(i64::MAX) + self.vocab * self.d_model
    }
}
