//! Filters against datatrove 0.10.0 itself: decision and first reason on golden/datatrove.jsonl.gz, which
//! golden/make_datatrove.py wrote by running datatrove's filters.

use std::collections::BTreeSet;
use std::io::Read as _;

use corpus::filter::{Chain, DocumentView, FilterToml};

const NAMES: [&str; 2] = ["gopher-quality@datatrove", "gopher-repetition@datatrove"];

/// datatrove's name of a reason.
fn theirs(code: &str) -> String {
    let name = code.replace('-', "_");
    match name.strip_prefix("gopher_") {
        Some(rest) if rest.starts_with("dup") || rest.starts_with("top") => rest.to_owned(),
        _ => name,
    }
}

#[test]
fn every_decision_and_reason_is_datatroves() {
    let chain = |name: &str| {
        let filter: FilterToml = serde_json::from_value(serde_json::json!({ "name": name })).unwrap();
        Chain::new(vec![filter]).unwrap()
    };
    let chains = NAMES.map(chain);
    let mut goldens = vec![include_bytes!("golden/datatrove.jsonl.gz").to_vec()];
    // One of real text, which the script makes from a folder of documents.
    goldens.extend(std::env::var_os("FLEXMIX_DATATROVE_GOLDEN").map(|file| std::fs::read(file).unwrap()));
    let mut lines = String::new();
    for golden in &goldens {
        flate2::read::GzDecoder::new(&golden[..]).read_to_string(&mut lines).unwrap();
    }
    let set = "news".parse().unwrap();
    let mut reasons = BTreeSet::new();
    for line in lines.lines() {
        let (text, expected): (String, [Option<String>; 2]) = serde_json::from_str(line).unwrap();
        for (chain, expected) in chains.iter().zip(expected) {
            let facts = chain.apply(&set, &DocumentView { text: &text, url: None });
            let found = facts.reason.as_ref().map(|reason| theirs(reason.code));
            assert_eq!(found, expected, "{:?} on {text:?}", facts.values);
            reasons.extend(found);
        }
    }
    assert!(reasons.len() >= 12, "{reasons:?}");
}
