//! The anchor's weights, under Hugging Face's Olmo2 names, in one fixed order.

use tch::{Kind, Tensor};

use super::Size;
use crate::rng::Stream;

/// One block's weights.
#[derive(Debug)]
pub struct Layer {
    /// Query, key, value and output projections, `[d_model, d_model]`.
    pub q: Tensor,
    /// Key projection.
    pub k: Tensor,
    /// Value projection.
    pub v: Tensor,
    /// Output projection.
    pub o: Tensor,
    /// Norm over the whole projected query.
    pub q_norm: Tensor,
    /// Norm over the whole projected key.
    pub k_norm: Tensor,
    /// Norm after attention.
    pub attention_norm: Tensor,
    /// Norm after the feed-forward network.
    pub ffn_norm: Tensor,
    /// Gate projection, `[d_ff, d_model]`.
    pub gate: Tensor,
    /// Up projection, `[d_ff, d_model]`.
    pub up: Tensor,
    /// Down projection, `[d_model, d_ff]`.
    pub down: Tensor,
}

impl Layer {
    const NAMES: [&str; 11] = [
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
        "self_attn.o_proj",
        "self_attn.q_norm",
        "self_attn.k_norm",
        "post_attention_layernorm",
        "post_feedforward_layernorm",
        "mlp.gate_proj",
        "mlp.up_proj",
        "mlp.down_proj",
    ];

    fn fields(&self) -> [&Tensor; 11] {
        [
            &self.q,
            &self.k,
            &self.v,
            &self.o,
            &self.q_norm,
            &self.k_norm,
            &self.attention_norm,
            &self.ffn_norm,
            &self.gate,
            &self.up,
            &self.down,
        ]
    }

    fn from_fields(fields: [Tensor; 11]) -> Self {
        let [q, k, v, o, q_norm, k_norm, attention_norm, ffn_norm, gate, up, down] = fields;
        Self { q, k, v, o, q_norm, k_norm, attention_norm, ffn_norm, gate, up, down }
    }
}

/// The dense public model (paper: `M_pub`).
#[derive(Debug)]
pub struct Anchor {
    /// Sizes.
    pub size: Size,
    /// Token embedding, `[vocab, d_model]`.
    pub embed: Tensor,
    /// Blocks, first to last.
    pub layers: Vec<Layer>,
    /// Norm before the head.
    pub norm: Tensor,
    /// Output projection, `[vocab, d_model]`; not tied to the embedding.
    pub head: Tensor,
}

impl Anchor {
    /// Every tensor's name and shape, in the order in which they are kept, saved and optimized.
    #[must_use]
    pub fn shapes(size: &Size) -> Vec<(String, Vec<i64>)> {
        let (d, f) = (size.d_model, size.d_ff);
        let shape = |field: usize| match field {
            0..=3 => vec![d, d],
            4..=7 => vec![d],
            8 | 9 => vec![f, d],
            _ => vec![d, f],
        };
        let mut all = vec![("model.embed_tokens.weight".to_owned(), vec![size.vocab, d])];
        for layer in 0..size.n_layers {
            let named = Layer::NAMES.iter().enumerate();
            all.extend(named.map(|(i, name)| (format!("model.layers.{layer}.{name}.weight"), shape(i))));
        }
        all.push(("model.norm.weight".into(), vec![d]));
        all.push(("lm_head.weight".into(), vec![size.vocab, d]));
        all
    }

    /// Builds an anchor by asking `get` for each tensor of [`Anchor::shapes`], in that order.
    ///
    /// # Errors
    /// The first error of `get`.
    pub fn build<E>(size: Size, mut get: impl FnMut(&str, &[i64]) -> Result<Tensor, E>) -> Result<Self, E> {
        let mut tensors = Vec::new();
        for (name, shape) in Self::shapes(&size) {
            tensors.push(get(&name, &shape)?);
        }
        let mut tensors = tensors.into_iter();
        let mut next = || tensors.next().unwrap_or_default();
        let embed = next();
        let layers = (0..size.n_layers).map(|_| Layer::from_fields(std::array::from_fn(|_| next()))).collect();
        Ok(Self { size, embed, layers, norm: next(), head: next() })
    }

    /// All tensors with their names, in the order of [`Anchor::shapes`].
    #[must_use]
    pub fn named(&self) -> Vec<(String, Tensor)> {
        let mut tensors = vec![&self.embed];
        for layer in &self.layers {
            tensors.extend(layer.fields());
        }
        tensors.extend([&self.norm, &self.head]);
        let names = Self::shapes(&self.size).into_iter().map(|(name, _)| name);
        names.zip(tensors.into_iter().map(Tensor::shallow_clone)).collect()
    }

    /// A fresh anchor: norms 1, embedding normal with deviation 1 (0.02 costs 0.16 nats at the demo's size),
    /// other matrices 0.02.
    #[must_use]
    pub fn fresh(size: Size, seed: u64, kind: Kind) -> Self {
        let made = Self::build(size, |name, shape| {
            let deviation = if name == "model.embed_tokens.weight" { 1.0 } else { 0.02 };
            Ok::<_, std::convert::Infallible>(if shape.len() == 1 {
                Tensor::ones(shape, (kind, tch::Device::Cpu))
            } else {
                normal(seed, name, shape, deviation, kind)
            })
        });
        match made {
            Ok(anchor) => anchor,
            Err(never) => match never {},
        }
    }
}

/// A normal tensor whose values are a function of (seed, name) alone.
pub(super) fn normal(seed: u64, name: &str, shape: &[i64], deviation: f64, kind: Kind) -> Tensor {
    let stream = Stream::new(seed, name);
    let n: i64 = shape.iter().product();
    let values: Vec<f64> = (0..n.unsigned_abs()).map(|i| stream.normal(i) * deviation).collect();
    Tensor::from_slice(&values).view(shape).to_kind(kind)
}
