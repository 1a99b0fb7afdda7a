//! Causal attention within documents, each at its exact length, so that packing changes no bits.

use tch::{Device, IndexOp, Kind, Tensor};

/// How a block's queries find their keys.
pub trait Attend {
    /// Attention of q, k, v `[n, heads, head_dim]` in `layer`; returns `[n, heads · head_dim]`.
    fn attend(&mut self, layer: usize, q: &Tensor, k: &Tensor, v: &Tensor) -> Tensor;

    /// Position of every row within its own document (`[n]`, int64).
    fn positions(&self) -> Tensor;
}

/// Whole documents one after another: attention never crosses a boundary (no `T × T` mask is made).
#[derive(Debug, Clone)]
pub struct Documents(Vec<i64>);

impl Documents {
    /// Documents of the given lengths, in tokens; empty ones are left out.
    #[must_use]
    pub fn new(lengths: &[usize]) -> Self {
        Self(lengths.iter().filter(|&&n| n > 0).map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect())
    }
}

fn heads_first(x: &Tensor) -> Tensor {
    x.transpose(0, 1).unsqueeze(0)
}

fn scaled(q: &Tensor, k: &Tensor, v: &Tensor, causal: bool) -> Tensor {
    let out = Tensor::scaled_dot_product_attention(
        &heads_first(q),
        &heads_first(k),
        &heads_first(v),
        None::<Tensor>,
        0.0,
        causal,
        None,
        false,
    );
    out.squeeze_dim(0).transpose(0, 1).flatten(1, 2)
}

impl Attend for Documents {
    fn attend(&mut self, _layer: usize, q: &Tensor, k: &Tensor, v: &Tensor) -> Tensor {
        if self.0.len() == 1 {
            return scaled(q, k, v, true);
        }
        let [q, k, v] = [q, k, v].map(|x| x.split_with_sizes(&self.0, 0));
        let parts: Vec<Tensor> = q.iter().zip(&k).zip(&v).map(|((q, k), v)| scaled(q, k, v, true)).collect();
        Tensor::cat(&parts, 0)
    }

    fn positions(&self) -> Tensor {
        let all: Vec<i64> = self.0.iter().flat_map(|&n| 0..n).collect();
        Tensor::from_slice(&all)
    }
}

/// Keys and values of one sequence that grows. Every position is attended by itself, over exactly its own
/// past, so prefill in chunks of any size and decoding give the same bits.
#[derive(Debug)]
pub struct Cache {
    keys: Vec<Tensor>,
    values: Vec<Tensor>,
    filled: i64,
    adding: i64,
}

impl Cache {
    /// An empty cache for up to `max_len` positions.
    #[must_use]
    pub fn new(layers: usize, max_len: i64, heads: i64, head_dim: i64, kind: Kind) -> Self {
        let room = || (0..layers).map(|_| Tensor::zeros([max_len, heads, head_dim], (kind, Device::Cpu))).collect();
        Self { keys: room(), values: room(), filled: 0, adding: 0 }
    }

    /// Positions held.
    #[must_use]
    pub fn len(&self) -> i64 {
        self.filled
    }

    /// Whether nothing was fed yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Says that the next forward pass feeds `n` positions; `commit` ends it.
    pub fn begin(&mut self, n: i64) {
        self.adding = n;
    }

    /// Counts the positions of the pass that `begin` opened as held.
    pub fn commit(&mut self) {
        self.filled += self.adding;
        self.adding = 0;
    }
}

impl Attend for Cache {
    fn attend(&mut self, layer: usize, q: &Tensor, k: &Tensor, v: &Tensor) -> Tensor {
        let (from, to) = (self.filled, self.filled + self.adding);
        self.keys[layer].i(from..to).copy_(k);
        self.values[layer].i(from..to).copy_(v);
        let rows: Vec<Tensor> = (0..self.adding)
            .map(|row| {
                let past = ..=from + row;
                scaled(&q.i(row..=row), &self.keys[layer].i(past), &self.values[layer].i(past), false)
            })
            .collect();
        Tensor::cat(&rows, 0)
    }

    fn positions(&self) -> Tensor {
        Tensor::arange_start(self.filled, self.filled + self.adding, (Kind::Int64, Device::Cpu))
    }
}
