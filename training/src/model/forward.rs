//! The forward pass, exactly as Hugging Face's FlexOlmo computes it (reference: transformers, eager).

use tch::{Kind, Tensor};

use super::attention::Attend;
use super::moe::{mixture, stack_rows};
use super::ops::rotate;
use super::{Anchor, Expert, Layer, Rope, linear, rms_norm};
use crate::error::Result;
use crate::shim::swiglu;

/// An anchor ready to run: its weights and rotary tables.
#[derive(Debug)]
pub struct Network {
    /// Weights.
    pub anchor: Anchor,
    rope: Rope,
}

/// The experts that take part in a pass, in order, and how many of them and the anchor a row may choose.
#[derive(Debug, Clone, Copy)]
pub struct Mixture<'a> {
    /// Admitted experts; the anchor stands before them.
    pub experts: &'a [&'a Expert],
    /// Choices for each row; at most `experts.len() + 1` are made.
    pub top_k: usize,
}

impl Mixture<'_> {
    /// The anchor alone.
    pub const NONE: Mixture<'static> = Mixture { experts: &[], top_k: 1 };
}

impl Network {
    /// Wraps weights for running, in their own precision.
    #[must_use]
    pub fn new(anchor: Anchor) -> Self {
        let size = &anchor.size;
        let rope = Rope::new(size.max_len, size.head_dim(), size.rope_theta, anchor.embed.kind());
        Self { anchor, rope }
    }

    /// The final normed hidden states `[n, d_model]` for tokens `[n]`. `watch` sees every layer's router input.
    ///
    /// # Errors
    /// When libtorch refuses (sizes were checked when the weights were loaded).
    pub fn hidden(
        &self,
        tokens: &Tensor,
        attend: &mut dyn Attend,
        mixture: Mixture<'_>,
        watch: &mut dyn FnMut(usize, &Tensor),
    ) -> Result<Tensor> {
        let angles = self.rope.at(&attend.positions());
        let mut x = self.anchor.embed.index_select(0, tokens);
        for (index, layer) in self.anchor.layers.iter().enumerate() {
            x = self.attention(index, layer, &x, &angles, attend)?;
            watch(index, &x);
            let ffn = self.feed_forward(index, layer, &x, mixture)?;
            // Not in place: the gradients of this block's products need x as it was.
            x = &x + rms_norm(&ffn, &layer.ffn_norm, self.anchor.size.norm_eps)?;
        }
        rms_norm(&x, &self.anchor.norm, self.anchor.size.norm_eps)
    }

    /// The hidden states that the first `layers` blocks see, without the head: for statistics under the anchor.
    ///
    /// # Errors
    /// As [`Network::hidden`].
    pub fn watch(&self, tokens: &Tensor, attend: &mut dyn Attend, watch: &mut dyn FnMut(usize, &Tensor)) -> Result<()> {
        self.hidden(tokens, attend, Mixture::NONE, watch).map(|_| ())
    }

    /// Logits `[n, vocab]` for tokens `[n]`.
    ///
    /// # Errors
    /// As [`Network::hidden`].
    pub fn logits(&self, tokens: &Tensor, attend: &mut dyn Attend, mixture: Mixture<'_>) -> Result<Tensor> {
        let hidden = self.hidden(tokens, attend, mixture, &mut |_, _| {})?;
        Ok(linear(&hidden, &self.anchor.head))
    }

    /// Negative log-likelihood of each target `[n]`, in nats.
    ///
    /// # Errors
    /// As [`Network::hidden`].
    pub fn nll(
        &self,
        tokens: &Tensor,
        targets: &Tensor,
        attend: &mut dyn Attend,
        mixture: Mixture<'_>,
    ) -> Result<Tensor> {
        let logits = self.logits(tokens, attend, mixture)?;
        Ok(logits.cross_entropy_loss(targets, None::<Tensor>, tch::Reduction::None, -100, 0.0))
    }

    fn attention(
        &self,
        index: usize,
        layer: &Layer,
        x: &Tensor,
        angles: &(Tensor, Tensor),
        attend: &mut dyn Attend,
    ) -> Result<Tensor> {
        let size = &self.anchor.size;
        let heads = [x.size()[0], size.n_heads, size.head_dim()];
        let q = rms_norm(&linear(x, &layer.q), &layer.q_norm, size.norm_eps)?.view(heads);
        let k = rms_norm(&linear(x, &layer.k), &layer.k_norm, size.norm_eps)?.view(heads);
        let v = linear(x, &layer.v).view(heads);
        let out = attend.attend(index, &rotate(&q, angles), &rotate(&k, angles), &v);
        Ok(x + rms_norm(&linear(&out, &layer.o), &layer.attention_norm, size.norm_eps)?)
    }

    fn feed_forward(&self, index: usize, layer: &Layer, x: &Tensor, mix: Mixture<'_>) -> Result<Tensor> {
        if mix.experts.is_empty() {
            let hidden = swiglu(&linear(x, &layer.gate), &linear(x, &layer.up))?;
            return Ok(linear(&hidden, &layer.down));
        }
        let experts: Vec<_> = mix.experts.iter().map(|expert| &expert.layers[index]).collect();
        mixture(x, layer, &stack_rows(&experts, x), &experts, mix.top_k)
    }

    /// Precision of the weights.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.anchor.embed.kind()
    }
}
