//! FlexOlmo's mixture: softmax over every admitted row, our own plain top-k, no renormalisation (paper §3.2).
//! Low-rank experts share the anchor's products: gate and up once, down once on the weighted sum.

use tch::{Kind, Tensor};

use super::{ExpertLayer, Ffn, Layer, linear};
use crate::error::Result;
use crate::shim::swiglu;

/// The rows of one expert: all of them, or those that chose it.
enum Rows {
    All(Tensor),
    Some { index: Tensor, weight: Tensor },
}

/// One layer's mixture over x `[n, d_model]`: the anchor first, then `experts`, k of them for each row.
pub(super) fn mixture(x: &Tensor, anchor: &Layer, rows: &Tensor, experts: &[&ExpertLayer], k: usize) -> Result<Tensor> {
    let probabilities = linear(x, rows).softmax(-1, x.kind());
    let shares = shares(&probabilities, experts.len() + 1, k);
    let gate = linear(x, &anchor.gate);
    let up = linear(x, &anchor.up);
    // What the anchor's down projection multiplies, and what is added to its product.
    let mut hidden = weighted(swiglu(&gate, &up)?, &shares[0]);
    let mut extra: Option<Tensor> = None;
    for (expert, share) in experts.iter().zip(&shares[1..]) {
        let Some(share) = share else { continue };
        let pick = |tensor: &Tensor| match share {
            Rows::All(_) => tensor.shallow_clone(),
            Rows::Some { index, .. } => tensor.index_select(0, index),
        };
        let mine = pick(x);
        let weight = match share {
            Rows::All(weight) | Rows::Some { weight, .. } => weight,
        };
        let own = match &expert.ffn {
            Ffn::Full([g, u, d]) => linear(&swiglu(&linear(&mine, g), &linear(&mine, u))?, d) * weight,
            Ffn::LowRank([g, u, d]) => {
                let g = pick(&gate) + thin(&mine, g);
                let u = pick(&up) + thin(&mine, u);
                let h = swiglu(&g, &u)? * weight;
                let own = thin(&h, d);
                hidden = Some(add(hidden, h, share, x.size()[0]));
                own
            }
        };
        extra = Some(add(extra, own, share, x.size()[0]));
    }
    let shared = hidden.map(|h| linear(&h, &anchor.down));
    Ok(match (shared, extra) {
        (Some(a), Some(b)) => a + b,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => x.zeros_like(),
    })
}

/// `(x · aᵀ) · bᵀ`.
fn thin(x: &Tensor, (a, b): &(Tensor, Tensor)) -> Tensor {
    linear(&linear(x, a), b)
}

fn weighted(h: Tensor, share: &Option<Rows>) -> Option<Tensor> {
    match share {
        None => None,
        Some(Rows::All(weight)) => Some(h * weight),
        Some(Rows::Some { index, weight }) => {
            Some(h.zeros_like().index_copy(0, index, &(h.index_select(0, index) * weight)))
        }
    }
}

/// Adds an expert's rows to the sum so far, in the order of the experts.
fn add(sum: Option<Tensor>, part: Tensor, share: &Rows, n: i64) -> Tensor {
    match (sum, share) {
        (None, Rows::All(_)) => part,
        (Some(sum), Rows::All(_)) => sum + part,
        (sum, Rows::Some { index, .. }) => {
            let width = part.size()[1];
            let sum = sum.unwrap_or_else(|| Tensor::zeros([n, width], (part.kind(), part.device())));
            // Rows are distinct, so each sum has two terms and no order of its own.
            sum.index_add(0, index, &part)
        }
    }
}

/// Each expert's rows and weights `[rows, 1]`; `None` where no row chose it.
fn shares(probabilities: &Tensor, experts: usize, k: usize) -> Vec<Option<Rows>> {
    let column = |e: usize| probabilities.narrow(1, i64::try_from(e).unwrap_or(0), 1);
    if k >= experts {
        return (0..experts).map(|e| Some(Rows::All(column(e)))).collect();
    }
    let n = usize::try_from(probabilities.size()[0]).unwrap_or(0);
    let mut values = vec![0.0_f64; n * experts];
    let plain = probabilities.detach().to_kind(Kind::Double).contiguous();
    plain.copy_data(&mut values, n * experts);
    let mut chosen: Vec<Vec<i64>> = vec![Vec::new(); experts];
    for (row, values) in (0_i64..).zip(values.chunks_exact(experts)) {
        for e in top_k(values, k) {
            chosen[e].push(row);
        }
    }
    chosen
        .iter()
        .enumerate()
        .map(|(e, rows)| {
            (!rows.is_empty()).then(|| {
                let index = Tensor::from_slice(rows);
                let weight = column(e).index_select(0, &index);
                Rows::Some { index, weight }
            })
        })
        .collect()
}

/// The k greatest values' indices; the lowest index wins a tie.
pub(super) fn top_k(values: &[f64], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    order.truncate(k);
    order
}

/// Stacks router rows `[d_model]` into `[experts + 1, d_model]`; the anchor's row is zero (public contrast).
pub(super) fn stack_rows(experts: &[&ExpertLayer], like: &Tensor) -> Tensor {
    let width = like.size()[1];
    let public = Tensor::zeros([width], (like.kind(), like.device()));
    let mut rows = vec![public];
    rows.extend(experts.iter().map(|expert| expert.row.shallow_clone()));
    Tensor::stack(&rows, 0)
}

/// For tests: the same mixture with every expert folded to full matrices and computed by itself.
#[cfg(test)]
pub(super) fn unfolded(x: &Tensor, anchor: &Layer, rows: &Tensor, experts: &[&ExpertLayer], k: usize) -> Tensor {
    use tch::IndexOp;
    let probabilities = x.matmul(&rows.tr()).softmax(-1, x.kind());
    let n = x.size()[0];
    let out = x.zeros_like();
    for row in 0..n {
        let values: Vec<f64> = (0..=experts.len()).map(|e| probabilities.double_value(&[row, e as i64])).collect();
        let one = x.i(row..=row);
        for e in top_k(&values, k) {
            let base = [&anchor.gate, &anchor.up, &anchor.down];
            let three: Vec<Tensor> = match e.checked_sub(1).map(|e| &experts[e].ffn) {
                None => base.iter().map(|w| w.shallow_clone()).collect(),
                Some(Ffn::Full(three)) => three.iter().map(Tensor::shallow_clone).collect(),
                Some(Ffn::LowRank(three)) => base.iter().zip(three).map(|(w, (a, b))| *w + b.matmul(a)).collect(),
            };
            let h = one.matmul(&three[0].tr()).silu() * one.matmul(&three[1].tr());
            let y = h.matmul(&three[2].tr()) * values[e];
            let sum = out.i(row..=row) + y;
            out.i(row..=row).copy_(&sum);
        }
    }
    out
}
