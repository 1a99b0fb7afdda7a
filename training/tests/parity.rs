//! Parity with Hugging Face: what transformers' Olmo2 and FlexOlmo compute from files that it wrote itself, our network
//! computes from the same files. `golden/make_golden.py` made them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops, and says where it is")]

use std::fs;
use std::path::{Path, PathBuf};

use tch::{IndexOp as _, Tensor};
use training::Result;
use training::config::{AnchorConfig, to_json};
use training::model::{Anchor, Cache, Documents, Expert, Mixture, Network, Rank, Size};
use training::tensors::TensorFile;

/// The farthest that a logit may lie from the reference's; logits are about 1 in size.
const TOLERANCE: f64 = 1e-5;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn open(name: &str) -> TensorFile {
    TensorFile::open(&golden(name), None).unwrap()
}

fn config() -> AnchorConfig {
    let path = golden("config.json");
    AnchorConfig::parse(&path, &fs::read(&path).unwrap()).unwrap()
}

fn documents() -> Vec<Vec<i64>> {
    serde_json::from_slice(&fs::read(golden("input.json")).unwrap()).unwrap()
}

fn expected(name: &str) -> Tensor {
    let rows: usize = documents().iter().map(Vec::len).sum();
    open("logits.safetensors").get(name, &[i64::try_from(rows).unwrap(), config().size().vocab]).unwrap()
}

/// All documents in one packed pass.
fn logits(network: &Network, mix: Mixture<'_>) -> Tensor {
    let documents = documents();
    let lengths: Vec<usize> = documents.iter().map(Vec::len).collect();
    let tokens = Tensor::from_slice(&documents.concat());
    network.logits(&tokens, &mut Documents::new(&lengths), mix).unwrap()
}

fn farthest(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[])
}

#[track_caller]
fn assert_parity(name: &str, found: &Tensor) {
    let expected = expected(name);
    let size = expected.abs().mean(tch::Kind::Double).double_value(&[]);
    assert!((0.3..3.0).contains(&size), "{name}: logits are {size} in size, so the tolerance says nothing");
    let far = farthest(found, &expected);
    assert!(far < TOLERANCE, "{name}: {far:e} from the reference");
}

/// A FlexOlmo model of Hugging Face in our terms: expert 0 is the anchor's feed-forward network, the others are
/// full-rank experts. Our anchor's router row is zero, theirs is not; softmax does not change when one row is taken
/// from all of them, so ours are theirs less row 0 (`less` is what is taken off, for the test that it matters).
fn mixture_of(name: &str, size: Size, experts: i64, less: impl Fn(&Tensor) -> Tensor) -> (Network, Vec<Expert>) {
    let file = open(name);
    let anchor = Anchor::build(size, |name, shape| {
        let own = ["gate_proj", "up_proj", "down_proj"].map(|p| (format!("mlp.{p}"), format!("mlp.experts.0.{p}")));
        file.get(&own.iter().fold(name.to_owned(), |name, (ours, theirs)| name.replace(ours, theirs)), shape)
    });
    let build = |e: i64| -> Result<Expert> {
        Expert::build(&size, Rank(0), |name, shape| {
            if name.ends_with("mlp.gate.weight") {
                let rows = file.get(name, &[experts, size.d_model])?;
                return Ok(rows.i(e) - less(&rows));
            }
            file.get(&name.replace(".experts.0.", &format!(".experts.{e}.")), shape)
        })
    };
    (Network::new(anchor.unwrap()), (1..experts).map(|e| build(e).unwrap()).collect())
}

fn row_0(rows: &Tensor) -> Tensor {
    rows.i(0)
}

#[test]
fn the_configuration_that_the_reference_read_is_the_one_we_write() {
    let config = config();
    let written = to_json(&AnchorConfig::new(&config.size(), config.eos(), config.top_k())).unwrap();
    let read: serde_json::Value = serde_json::from_slice(&fs::read(golden("config.json")).unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&written).unwrap(), read);
}

#[test]
fn the_mixtures_configurations_have_our_sizes() {
    let read = |name: &str| -> serde_json::Value { serde_json::from_slice(&fs::read(golden(name)).unwrap()).unwrap() };
    let ours = read("config.json");
    for (name, experts) in [("flex_olmo_2.json", 2), ("flex_olmo_4.json", 4)] {
        let theirs = read(name);
        assert_eq!((&theirs["model_type"], &theirs["norm_topk_prob"]), (&"flex_olmo".into(), &false.into()));
        assert_eq!(theirs["num_experts"], experts);
        let shared = ours.as_object().unwrap().iter().filter(|(key, _)| theirs.get(key).is_some());
        let differ: Vec<&String> = shared.filter(|(key, value)| theirs[*key] != **value).map(|(key, _)| key).collect();
        assert_eq!(differ, ["architectures", "model_type"], "{name}");
    }
}

#[test]
fn the_anchor_computes_what_olmo2_does() {
    let config = config();
    let file = open("olmo2.safetensors");
    let network = Network::new(Anchor::build(config.size(), |name, shape| file.get(name, shape)).unwrap());
    assert_parity("olmo2", &logits(&network, Mixture::NONE));
}

#[test]
fn a_mixture_computes_what_flex_olmo_does() {
    for (experts, choices) in [(2, [1, 2]), (4, [2, 4])] {
        let (network, own) = mixture_of(&format!("flex_olmo_{experts}.safetensors"), config().size(), experts, row_0);
        let all: Vec<&Expert> = own.iter().collect();
        for top_k in choices {
            let found = logits(&network, Mixture { experts: &all, top_k });
            assert_parity(&format!("flex_olmo_{experts}.top_{top_k}"), &found);
        }
    }
}

#[test]
fn decoding_with_a_cache_computes_what_flex_olmo_does() {
    let size = config().size();
    let (network, own) = mixture_of("flex_olmo_4.safetensors", size, 4, row_0);
    let all: Vec<&Expert> = own.iter().collect();
    let mut rows = Vec::new();
    for ids in documents() {
        let mut cache = Cache::new(size.n_layers, size.max_len, size.n_heads, size.head_dim(), network.kind());
        for id in ids {
            cache.begin(1);
            let mix = Mixture { experts: &all, top_k: 2 };
            rows.push(network.logits(&Tensor::from_slice(&[id]), &mut cache, mix).unwrap());
            cache.commit();
        }
    }
    assert_parity("flex_olmo_4.top_2", &Tensor::cat(&rows, 0));
}

/// The comparison sees what it is for: rows as they are, one choice more, or experts in another order are far off.
#[test]
fn what_is_not_flex_olmo_is_far_from_it() {
    let size = config().size();
    let far = |experts: &[&Expert], network: &Network, top_k| {
        farthest(&logits(network, Mixture { experts, top_k }), &expected("flex_olmo_4.top_2"))
    };
    let (network, own) = mixture_of("flex_olmo_4.safetensors", size, 4, row_0);
    let (_, raw) = mixture_of("flex_olmo_4.safetensors", size, 4, |rows| rows.i(0).zeros_like());
    assert!(far(&own.iter().collect::<Vec<_>>(), &network, 3) > 0.01);
    assert!(far(&raw.iter().collect::<Vec<_>>(), &network, 2) > 0.01);
    assert!(far(&own.iter().skip(1).collect::<Vec<_>>(), &network, 2) > 0.01);
}
