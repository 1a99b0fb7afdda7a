//! Public contrast: a router row that points from public text to the owner's (docs/formats.md, "Router rows").
//! Knows hidden states and nothing of where the documents came from.

use tch::{Kind, Tensor};

use crate::error::{Error, Result};
use crate::model::{Documents, Network};

/// A row that averages fewer documents than this would say too much about one of them.
pub const LEAST_DOCUMENTS: usize = 100;

/// Sums over the tokens of one side, per layer.
#[derive(Debug)]
pub struct Moments {
    documents: usize,
    tokens: f64,
    sums: Vec<Tensor>,
    squares: Vec<Tensor>,
}

impl Moments {
    /// Runs `documents` through the anchor and sums every layer's router input in double precision.
    ///
    /// # Errors
    /// With fewer than [`LEAST_DOCUMENTS`] documents, or when libtorch refuses.
    #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
    pub fn of(network: &Network, side: &'static str, documents: &[Vec<u32>]) -> Result<Self> {
        if documents.len() < LEAST_DOCUMENTS {
            return Err(Error::TooFewDocuments { side, found: documents.len(), least: LEAST_DOCUMENTS });
        }
        let (layers, width) = (network.anchor.size.n_layers, network.anchor.size.d_model);
        let zeros = |shape: &[i64]| Tensor::zeros(shape, (Kind::Double, tch::Device::Cpu));
        let mut sums: Vec<Tensor> = (0..layers).map(|_| zeros(&[width])).collect();
        let mut squares: Vec<Tensor> = (0..layers).map(|_| zeros(&[width, width])).collect();
        let mut tokens = 0.0;
        // One thread: a product over the tokens may be split by threads, and rows must not depend on that.
        let threads = tch::get_num_threads();
        tch::set_num_threads(1);
        let done = documents.iter().try_for_each(|document| {
            tokens += document.len() as f64;
            let ids: Vec<i64> = document.iter().map(|&id| i64::from(id)).collect();
            tch::no_grad(|| {
                network.watch(&Tensor::from_slice(&ids), &mut Documents::new(&[ids.len()]), &mut |layer, x| {
                    let x = x.to_kind(Kind::Double);
                    sums[layer] += x.sum_dim_intlist(0, false, Kind::Double);
                    squares[layer] += x.tr().matmul(&x);
                })
            })
        });
        tch::set_num_threads(threads);
        done?;
        Ok(Self { documents: documents.len(), tokens, sums, squares })
    }

    /// Documents summed.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.documents
    }

    fn mean(&self, layer: usize) -> Vec<f64> {
        values(&(&self.sums[layer] / self.tokens))
    }

    /// Covariance around this side's own mean, row by row.
    fn covariance(&self, layer: usize) -> Vec<f64> {
        let mean = &self.sums[layer] / self.tokens;
        values(&(&self.squares[layer] / self.tokens - mean.outer(&mean)))
    }
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let n = tensor.numel();
    let mut out = vec![0.0; n];
    tensor.contiguous().copy_data(&mut out, n);
    out
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The row of every layer, `[d_model]` in double precision: mean logit +2 on own text, −2 on public text,
/// against a public row of zero.
///
/// # Errors
/// When a layer's covariance cannot be factored: its inputs are not finite.
pub fn rows(own: &Moments, public: &Moments) -> Result<Vec<Tensor>> {
    (0..own.sums.len())
        .map(|layer| {
            let (a, b) = (own.mean(layer), public.mean(layer));
            let covariance: Vec<f64> =
                own.covariance(layer).iter().zip(public.covariance(layer)).map(|(x, y)| 0.5 * (x + y)).collect();
            separating(&a, &b, covariance).map(|row| Tensor::from_slice(&row)).ok_or(Error::NoRow { layer })
        })
        .collect()
}

/// r = w − (w·m / m·m)·m with w = Σ'⁻¹(a − b), m = (a + b)/2, Σ' = Σ + 0.1·mean(diag Σ)·I, scaled to ±2.
#[expect(clippy::cast_precision_loss, reason = "widths are far below 2^52")]
fn separating(a: &[f64], b: &[f64], mut covariance: Vec<f64>) -> Option<Vec<f64>> {
    let n = a.len();
    let ridge = 0.1 * (0..n).map(|i| covariance[i * n + i]).sum::<f64>() / n as f64;
    for i in 0..n {
        covariance[i * n + i] += ridge;
    }
    let difference: Vec<f64> = a.iter().zip(b).map(|(x, y)| x - y).collect();
    let middle: Vec<f64> = a.iter().zip(b).map(|(x, y)| 0.5 * (x + y)).collect();
    let w = solve(covariance, difference)?;
    let along = dot(&w, &middle) / dot(&middle, &middle).max(f64::MIN_POSITIVE);
    let row: Vec<f64> = w.iter().zip(&middle).map(|(w, m)| w - along * m).collect();
    let scale = 2.0 / dot(&row, a);
    let row: Vec<f64> = row.iter().map(|r| r * scale).collect();
    row.iter().all(|r| r.is_finite()).then_some(row)
}

/// Solves `matrix · x = right` by Cholesky; `None` where the matrix is not positive definite.
fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = right.len();
    for column in 0..n {
        for row in column..n {
            let (upper, lower) = (column * n, row * n);
            let known = dot(&matrix[lower..lower + column], &matrix[upper..upper + column]);
            let rest = matrix[lower + column] - known;
            if row == column {
                if rest <= 0.0 || !rest.is_finite() {
                    return None;
                }
                matrix[lower + column] = rest.sqrt();
            } else {
                matrix[lower + column] = rest / matrix[upper + column];
            }
        }
    }
    for row in 0..n {
        let known = dot(&matrix[row * n..row * n + row], &right[..row]);
        right[row] = (right[row] - known) / matrix[row * n + row];
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|below| matrix[below * n + row] * right[below]).sum();
        right[row] = (right[row] - known) / matrix[row * n + row];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Anchor, Size};

    #[test]
    fn the_row_separates_means_and_ignores_their_middle() {
        let (a, b) = ([1.0, 2.0, 0.5], [0.0, 1.0, 1.5]);
        let covariance = vec![2.0, 0.3, 0.0, 0.3, 1.0, 0.1, 0.0, 0.1, 0.5];
        let row = separating(&a, &b, covariance).unwrap();
        assert!((dot(&row, &a) - 2.0).abs() < 1e-9);
        assert!((dot(&row, &b) + 2.0).abs() < 1e-9);
    }

    #[test]
    fn cholesky_solves_what_it_is_given_and_refuses_the_rest() {
        let x = solve(vec![4.0, 2.0, 2.0, 3.0], vec![8.0, 7.0]).unwrap();
        assert!((x[0] - 1.25).abs() < 1e-12 && (x[1] - 1.5).abs() < 1e-12);
        assert!(solve(vec![1.0, 2.0, 2.0, 1.0], vec![1.0, 1.0]).is_none());
    }

    #[test]
    fn ninety_nine_documents_are_refused() {
        let size = Size {
            vocab: 16,
            d_model: 8,
            n_layers: 1,
            n_heads: 2,
            d_ff: 16,
            max_len: 8,
            rope_theta: 5e5,
            norm_eps: 1e-6,
        };
        let network = Network::new(Anchor::fresh(size, 1, Kind::Double));
        let documents = vec![vec![1, 2, 3]; 100];
        assert!(Moments::of(&network, "own", &documents[1..]).is_err());
        assert_eq!(Moments::of(&network, "own", &documents).unwrap().documents(), 100);
    }
}
