//! The numbers: hand values, algebra against the plain way, finite differences, and bits.

use proptest::prelude::*;
use tch::{IndexOp, Kind, Tensor};

use super::moe::{mixture, stack_rows, top_k, unfolded};
use super::ops::rotate;
use super::weights::normal;
use super::*;
use crate::optim::{Optimizer, Parameter, Schedule};

fn tiny() -> Size {
    Size { vocab: 31, d_model: 16, n_layers: 2, n_heads: 2, d_ff: 24, max_len: 32, rope_theta: 5e5, norm_eps: 1e-6 }
}

fn demo() -> Size {
    Size { vocab: 512, d_model: 128, n_layers: 2, n_heads: 4, d_ff: 352, max_len: 128, ..tiny() }
}

/// An expert that is not the anchor: every tensor random.
fn random_expert(size: &Size, rank: i64, seed: u64, kind: Kind) -> Expert {
    let made = Expert::build(size, Rank(rank), |name, shape| {
        Ok::<_, std::convert::Infallible>(normal(seed, name, shape, 0.2, kind))
    });
    made.unwrap()
}

fn ids(n: i64, vocab: i64, seed: u64) -> Tensor {
    let stream = crate::rng::Stream::new(seed, "ids");
    let all: Vec<i64> = (0..n).map(|i| stream.below(i as u64, vocab as u64) as i64).collect();
    Tensor::from_slice(&all)
}

fn farthest(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).abs().max().double_value(&[])
}

fn same_bits(a: &Tensor, b: &Tensor) -> bool {
    a.size() == b.size() && a.equal(b)
}

#[test]
fn rms_norm_matches_hand_values() {
    let x = Tensor::from_slice(&[3.0_f64, 4.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]).view([2, 4]);
    let weight = Tensor::from_slice(&[1.0_f64, 2.0, 1.0, 1.0]);
    let y = rms_norm(&x, &weight, 0.0).unwrap();
    // rms(3,4,0,0) = 2.5
    assert!(farthest(&y.i(0), &Tensor::from_slice(&[1.2, 3.2, 0.0, 0.0])) < 1e-12);
    assert!(farthest(&y.i(1), &Tensor::from_slice(&[1.0, 2.0, 1.0, 1.0])) < 1e-12);
    assert!(rms_norm(&x, &weight.i(..3), 0.0).is_err());
}

#[test]
fn rope_turns_halves_by_the_position() {
    let rope = Rope::new(4, 4, 10_000.0, Kind::Double);
    let x = Tensor::from_slice(&[1.0_f64, 0.0, 0.0, 1.0]).view([1, 1, 4]);
    let y = rotate(&x, &rope.at(&Tensor::from_slice(&[3_i64])));
    // Frequencies 1 and 0.01; the pairs are (0, 2) and (1, 3).
    let want = [3.0_f64.cos(), -(0.03_f64.sin()), 3.0_f64.sin(), 0.03_f64.cos()];
    assert!(farthest(&y.flatten(0, -1), &Tensor::from_slice(&want)) < 1e-12);
}

#[test]
fn ties_go_to_the_lowest_index() {
    assert_eq!(top_k(&[0.25, 0.25, 0.25, 0.25], 2), [0, 1]);
    assert_eq!(top_k(&[0.1, 0.4, 0.1, 0.4], 3), [1, 3, 0]);
    assert_eq!(top_k(&[0.1, 0.9], 5), [1, 0]);
}

#[test]
fn shared_products_equal_every_expert_folded_and_alone() {
    let size = tiny();
    let anchor = Anchor::fresh(size, 3, Kind::Double);
    let x = normal(9, "x", &[13, size.d_model], 1.0, Kind::Double);
    let experts = [
        random_expert(&size, 3, 1, Kind::Double),
        random_expert(&size, 0, 2, Kind::Double),
        random_expert(&size, 5, 4, Kind::Double),
    ];
    let layers: Vec<&ExpertLayer> = experts.iter().map(|e| &e.layers[1]).collect();
    let rows = stack_rows(&layers, &x);
    for k in 1..=4 {
        let fast = mixture(&x, &anchor.layers[1], &rows, &layers, k).unwrap();
        let slow = unfolded(&x, &anchor.layers[1], &rows, &layers, k);
        assert!(farthest(&fast, &slow) < 1e-10, "top-{k}: {}", farthest(&fast, &slow));
    }
}

#[test]
fn a_fresh_expert_computes_what_the_anchor_does() {
    let size = tiny();
    let network = Network::new(Anchor::fresh(size, 3, Kind::Double));
    let rows: Vec<Tensor> = (0..2).map(|i| normal(i, "row", &[size.d_model], 0.1, Kind::Double)).collect();
    let tokens = ids(11, size.vocab, 1);
    let alone = network.logits(&tokens, &mut Documents::new(&[11]), Mixture::NONE).unwrap();
    for rank in [0, 4] {
        let expert = Expert::fresh(&network.anchor, Rank(rank), &rows, 5, Kind::Double);
        let mix = Mixture { experts: &[&expert], top_k: 2 };
        let both = network.logits(&tokens, &mut Documents::new(&[11]), mix).unwrap();
        assert!(farthest(&alone, &both) < 1e-12);
    }
}

/// Central differences of the loss in every trained tensor, at a few places of each.
fn gradients_hold(network: &Network, experts: &[&Expert], trained: &[(String, Tensor)]) {
    let size = network.anchor.size;
    let (tokens, targets) = (ids(14, size.vocab, 1), ids(14, size.vocab, 2));
    let loss = || {
        let mix = Mixture { experts, top_k: 2 };
        let nll = network.nll(&tokens, &targets, &mut Documents::new(&[9, 5]), mix).unwrap();
        nll.sum(Kind::Double)
    };
    let inputs: Vec<&Tensor> = trained.iter().map(|(_, tensor)| tensor).collect();
    let gradients = Tensor::run_backward(&[loss()], &inputs, false, false);
    for ((name, tensor), gradient) in trained.iter().zip(&gradients) {
        let (flat, gradient) = (tensor.detach().view(-1), gradient.reshape(-1));
        let n = flat.size()[0];
        for at in [0, n / 3, n - 1] {
            let value = flat.double_value(&[at]);
            let at_value = |v: f64| {
                let _ = flat.i(at).fill_(v);
                tch::no_grad(|| loss().double_value(&[]))
            };
            let (up, down) = (at_value(value + 1e-5), at_value(value - 1e-5));
            at_value(value);
            let (want, got) = ((up - down) / 2e-5, gradient.double_value(&[at]));
            assert!((want - got).abs() < 1e-6 * (1.0 + want.abs()), "{name}[{at}]: {got} is not {want}");
        }
    }
}

fn require(named: Vec<(String, Tensor)>) -> Vec<(String, Tensor)> {
    named.into_iter().map(|(name, tensor)| (name, tensor.set_requires_grad(true))).collect()
}

#[test]
fn gradients_equal_finite_differences() {
    let size = tiny();
    let network = Network::new(Anchor::fresh(size, 3, Kind::Double));
    for rank in [0, 3] {
        let expert = random_expert(&size, rank, 6, Kind::Double);
        gradients_hold(&network, &[&expert], &require(expert.named(&size)));
    }
    gradients_hold(&network, &[], &require(network.anchor.named()));
}

#[test]
fn packing_documents_changes_no_bits() {
    let size = demo();
    let network = Network::new(Anchor::fresh(size, 3, Kind::Float));
    let expert = random_expert(&size, 8, 1, Kind::Float);
    let mix = Mixture { experts: &[&expert], top_k: 1 };
    let lengths = [33, 1, 17, 60];
    let tokens = ids(111, size.vocab, 4);
    let together = network.logits(&tokens, &mut Documents::new(&lengths), mix).unwrap();
    let mut from = 0;
    for n in lengths {
        let n = n as i64;
        let alone = network.logits(&tokens.narrow(0, from, n), &mut Documents::new(&[n as usize]), mix).unwrap();
        assert!(same_bits(&alone, &together.narrow(0, from, n)), "document of {n} tokens");
        from += n;
    }
}

#[test]
fn prefill_in_any_chunks_and_decoding_give_the_same_bits() {
    let size = demo();
    let network = Network::new(Anchor::fresh(size, 3, Kind::Float));
    let experts = [random_expert(&size, 8, 1, Kind::Float), random_expert(&size, 0, 2, Kind::Float)];
    let mix = Mixture { experts: &[&experts[0], &experts[1]], top_k: 2 };
    let tokens = ids(40, size.vocab, 4);
    let run = |chunks: &[i64]| {
        let mut cache = Cache::new(size.n_layers, size.max_len, size.n_heads, size.head_dim(), Kind::Float);
        let mut parts = Vec::new();
        for &n in chunks {
            cache.begin(n);
            let part = tokens.narrow(0, cache.len(), n);
            parts.push(network.logits(&part, &mut cache, mix).unwrap());
            cache.commit();
        }
        Tensor::cat(&parts, 0)
    };
    let whole = run(&[40]);
    assert!(same_bits(&whole, &run(&[16, 16, 8])));
    assert!(same_bits(&whole, &run(&[1; 40])));
    let plain = network.logits(&tokens, &mut Documents::new(&[40]), mix).unwrap();
    assert!(farthest(&whole, &plain) < 1e-4);
}

#[test]
fn leaving_an_expert_out_is_never_having_merged_it() {
    let size = demo();
    let network = Network::new(Anchor::fresh(size, 3, Kind::Float));
    let [a, b, c] = [1, 2, 3].map(|seed| random_expert(&size, 8, seed, Kind::Float));
    let (all, kept) = ([&a, &b, &c], [&a, &c]);
    let admitted: Vec<&Expert> = all.iter().copied().filter(|expert| !std::ptr::eq(*expert, &raw const b)).collect();
    let tokens = ids(50, size.vocab, 4);
    let logits = |experts: &[&Expert]| {
        network.logits(&tokens, &mut Documents::new(&[50]), Mixture { experts, top_k: 2 }).unwrap()
    };
    assert!(same_bits(&logits(&admitted), &logits(&kept)));
    assert!(!same_bits(&logits(&all), &logits(&kept)));
}

/// Trains a little and returns every tensor that changed.
fn trained(threads: i32, rank: Option<i64>) -> Vec<Tensor> {
    tch::set_num_threads(threads);
    let size = demo();
    let network = Network::new(Anchor::fresh(size, 3, Kind::Float));
    let expert = rank.map(|rank| random_expert(&size, rank, 6, Kind::Float));
    let experts: Vec<&Expert> = expert.iter().collect();
    let named = expert.as_ref().map_or_else(|| network.anchor.named(), |expert| expert.named(&size));
    let parameters = named.into_iter().map(|(name, tensor)| Parameter::new(name, &tensor, 1.0, 0.1)).collect();
    let mut optimizer = Optimizer::new(parameters, Schedule { lr: 3e-3, warmup: 2, steps: 5 });
    for step in 0..5 {
        let (tokens, targets) = (ids(512, size.vocab, step), ids(512, size.vocab, step + 100));
        let mut documents = Documents::new(&[100, 28, 128, 128, 7, 1, 120]);
        let mix = Mixture { experts: &experts, top_k: 2 };
        let loss = network.nll(&tokens, &targets, &mut documents, mix).unwrap().mean(Kind::Float);
        optimizer.step(&loss).unwrap();
    }
    optimizer.state().into_iter().map(|(_, tensor)| tensor).collect()
}

#[test]
fn training_gives_the_same_bits_on_one_and_two_threads() {
    for rank in [None, Some(0), Some(8)] {
        let (one, two) = (trained(1, rank), trained(2, rank));
        assert!(one.iter().zip(&two).all(|(a, b)| same_bits(a, b)), "rank {rank:?}");
    }
    tch::set_num_threads(2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_row_of_a_product_depends_on_that_row_alone(rows in 1_i64..40, from in 0_i64..60, seed: u64) {
        let weight = normal(1, "w", &[96, 64], 1.0, Kind::Float);
        let x = normal(seed, "x", &[100, 64], 1.0, Kind::Float);
        let whole = linear(&x, &weight).narrow(0, from, rows);
        prop_assert!(same_bits(&whole, &linear(&x.narrow(0, from, rows), &weight)));
    }

    #[test]
    fn an_element_of_swiglu_depends_on_that_element_alone(n in 1_i64..300, from in 0_i64..60, seed: u64) {
        let [g, u] = ["g", "u"].map(|name| normal(seed, name, &[60_000], 6.0, Kind::Float));
        let whole = crate::shim::swiglu(&g, &u).unwrap();
        let part = crate::shim::swiglu(&g.narrow(0, from, n), &u.narrow(0, from, n)).unwrap();
        prop_assert!(same_bits(&part, &whole.narrow(0, from, n)));
        let (g, u) = (g.to_kind(Kind::Double), u.to_kind(Kind::Double));
        let exact = g.silu() * u;
        prop_assert!(((&whole - &exact) / (exact.abs() + 1e-20)).abs().max().double_value(&[]) < 1e-6);
    }

    #[test]
    fn sums_do_not_depend_on_threads(n in 1_i64..40_000, seed: u64) {
        let x = normal(seed, "x", &[n], 1.0, Kind::Float);
        let sums = [1, 2].map(|threads| {
            tch::set_num_threads(threads);
            crate::shim::sum(&x).unwrap().to_bits()
        });
        prop_assert_eq!(sums[0], sums[1]);
        let plain = x.to_kind(Kind::Double).sum(Kind::Double).double_value(&[]);
        prop_assert!((f64::from_bits(sums[0]) - plain).abs() < 1e-6);
    }
}
