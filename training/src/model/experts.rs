//! An expert: in every layer a router row and a feed-forward network, full or as a low-rank difference.
//! Names follow FlexMoRE (arXiv 2602.08818): `experts.E.gate_proj_a.weight` and so on.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::weights::normal;
use super::{Anchor, Size};

/// An expert's form: 0 is full rank, as in FlexMoRE's `expert_ranks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rank(pub i64);

/// The feed-forward weights of one expert in one layer.
#[derive(Debug)]
pub enum Ffn {
    /// Its own matrices: gate, up `[d_ff, d_model]`, down `[d_model, d_ff]`.
    Full([Tensor; 3]),
    /// The anchor's matrix plus `b · a`, for gate, up, down: a `[rank, in]`, b `[out, rank]`.
    LowRank([(Tensor, Tensor); 3]),
}

/// One expert's part of one layer.
#[derive(Debug)]
pub struct ExpertLayer {
    /// Router row, `[d_model]`.
    pub row: Tensor,
    /// Feed-forward weights.
    pub ffn: Ffn,
}

/// What a data owner trains and may take away again (paper: `M_i` with `r_i`).
#[derive(Debug)]
pub struct Expert {
    /// Rank of its matrices' differences, 0 for full.
    pub rank: Rank,
    /// One part for each block of the anchor.
    pub layers: Vec<ExpertLayer>,
}

const PROJECTIONS: [&str; 3] = ["gate_proj", "up_proj", "down_proj"];

impl Expert {
    /// Every tensor's name and shape, in the order in which they are kept, saved and optimized.
    #[must_use]
    pub fn shapes(size: &Size, rank: Rank) -> Vec<(String, Vec<i64>)> {
        let (d, f) = (size.d_model, size.d_ff);
        let mut all = Vec::new();
        for layer in 0..size.n_layers {
            let prefix = format!("model.layers.{layer}.mlp");
            all.push((format!("{prefix}.gate.weight"), vec![d]));
            for (projection, (out, into)) in PROJECTIONS.iter().zip([(f, d), (f, d), (d, f)]) {
                let name = format!("{prefix}.experts.0.{projection}");
                if rank.0 == 0 {
                    all.push((format!("{name}.weight"), vec![out, into]));
                } else {
                    all.push((format!("{name}_a.weight"), vec![rank.0, into]));
                    all.push((format!("{name}_b.weight"), vec![out, rank.0]));
                }
            }
        }
        all
    }

    /// Builds an expert by asking `get` for each tensor of [`Expert::shapes`], in that order.
    ///
    /// # Errors
    /// The first error of `get`.
    pub fn build<E>(
        size: &Size,
        rank: Rank,
        mut get: impl FnMut(&str, &[i64]) -> Result<Tensor, E>,
    ) -> Result<Self, E> {
        let mut tensors = Vec::new();
        for (name, shape) in Self::shapes(size, rank) {
            tensors.push(get(&name, &shape)?);
        }
        let mut tensors = tensors.into_iter();
        let mut next = || tensors.next().unwrap_or_default();
        let mut layers = Vec::new();
        for _ in 0..size.n_layers {
            let row = next();
            let ffn = if rank.0 == 0 {
                Ffn::Full(std::array::from_fn(|_| next()))
            } else {
                Ffn::LowRank(std::array::from_fn(|_| (next(), next())))
            };
            layers.push(ExpertLayer { row, ffn });
        }
        Ok(Self { rank, layers })
    }

    /// All tensors with their names, in the order of [`Expert::shapes`].
    #[must_use]
    pub fn named(&self, size: &Size) -> Vec<(String, Tensor)> {
        let mut tensors = Vec::new();
        for layer in &self.layers {
            tensors.push(&layer.row);
            match &layer.ffn {
                Ffn::Full(three) => tensors.extend(three),
                Ffn::LowRank(three) => tensors.extend(three.iter().flat_map(|(a, b)| [a, b])),
            }
        }
        let names = Self::shapes(size, self.rank).into_iter().map(|(name, _)| name);
        names.zip(tensors.into_iter().map(Tensor::shallow_clone)).collect()
    }

    /// A fresh expert that computes what the anchor does: copies of its matrices, or b = 0 beside a random a.
    /// `rows` are the layers' router rows.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "widths are far below 2^52")]
    pub fn fresh(anchor: &Anchor, rank: Rank, rows: &[Tensor], seed: u64, kind: Kind) -> Self {
        let mut layers = Vec::new();
        for (index, (layer, row)) in anchor.layers.iter().zip(rows).enumerate() {
            let matrices = [&layer.gate, &layer.up, &layer.down];
            let ffn = if rank.0 == 0 {
                Ffn::Full(matrices.map(|weight| weight.detach().copy().to_kind(kind)))
            } else {
                Ffn::LowRank(std::array::from_fn(|p| {
                    let (out, into) = (matrices[p].size()[0], matrices[p].size()[1]);
                    let name = format!("expert.{index}.{}_a", PROJECTIONS[p]);
                    let a = normal(seed, &name, &[rank.0, into], (into as f64).powf(-0.5), kind);
                    (a, Tensor::zeros([out, rank.0], (kind, Device::Cpu)))
                }))
            };
            layers.push(ExpertLayer { row: row.detach().copy().to_kind(kind), ffn });
        }
        Self { rank, layers }
    }
}
