//! Operations whose bits do not depend on the number of rows, documents or threads around a token.

use tch::{Device, IndexOp, Kind, Tensor};

use crate::error::Result;
use crate::shim;

/// Rows of a matrix product come in multiples of this. libtorch 2.11 gives a row other bits when the thread that
/// computes it got fewer than four rows, and threads get multiples of four until the last.
const ROWS: i64 = 8;

/// `x · weightᵀ` for x `[rows, in]`, weight `[out, in]`; a row's bits depend on that row alone.
pub fn linear(x: &Tensor, weight: &Tensor) -> Tensor {
    let rows = x.size()[0];
    let missing = (-rows).rem_euclid(ROWS);
    if missing == 0 {
        return x.linear(weight, None::<Tensor>);
    }
    let padding = Tensor::zeros([missing, x.size()[1]], (x.kind(), Device::Cpu));
    Tensor::cat(&[x, &padding], 0).linear(weight, None::<Tensor>).i(..rows)
}

/// RMS norm over the last dimension, in the tensor's own precision (float32 or float64).
///
/// # Errors
/// When the tensors are not floating-point on the CPU.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    shim::rms_norm(x, weight, eps)
}

/// Rotary position embedding in NeoX order (halves, not pairs), precomputed for every position.
#[derive(Debug)]
pub struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// Tables for positions `0..max_len` and heads of `head_dim`, computed in double precision.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "positions and widths are far below 2^52")]
    pub fn new(max_len: i64, head_dim: i64, theta: f64, kind: Kind) -> Self {
        let half = head_dim / 2;
        let angle: Vec<f64> = (0..max_len)
            .flat_map(|position| {
                (0..half).map(move |j| position as f64 * theta.powf(-2.0 * j as f64 / head_dim as f64))
            })
            .collect();
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f64> = angle.iter().map(|&a| f(a)).collect();
            Tensor::from_slice(&values).view([max_len, 1, half]).to_kind(kind)
        };
        Self { cos: table(f64::cos), sin: table(f64::sin) }
    }

    /// The tables' rows for the given positions (`[n]`, int64).
    pub fn at(&self, positions: &Tensor) -> (Tensor, Tensor) {
        (self.cos.index_select(0, positions), self.sin.index_select(0, positions))
    }
}

/// Rotates x `[n, heads, head_dim]` by the angles of each row.
pub(super) fn rotate(x: &Tensor, (cos, sin): &(Tensor, Tensor)) -> Tensor {
    let halves = x.chunk(2, -1);
    let (first, second) = (&halves[0], &halves[1]);
    Tensor::cat(&[first * cos - second * sin, second * cos + first * sin], -1)
}
