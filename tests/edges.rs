//! Who may build on whom (docs/ARCHITECTURE.md): read from what cargo resolved, not from what a manifest intends.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::support::{Ended, workspace};

/// Each of our crates → the names of everything that it reaches.
fn reached() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--offline", "--locked", "--format-version", "1", "--all-features"];
    let metadata = Ended::of(Command::new(cargo).args(arguments).current_dir(workspace())).expect(0).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names: BTreeMap<String, String> =
        metadata["packages"].as_array().unwrap().iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
    let node = |n: &Value| (text(&n["id"]), n["dependencies"].as_array().unwrap().iter().map(text).collect());
    let edges: BTreeMap<String, Vec<String>> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().map(node).collect();
    let reach = |root: &String| {
        let (mut seen, mut waiting) = (BTreeSet::new(), edges[root].clone());
        while let Some(id) = waiting.pop() {
            if seen.insert(id.clone()) {
                waiting.extend(edges[&id].iter().cloned());
            }
        }
        (names[root].clone(), seen.into_iter().map(|id| names[&id].clone()).collect())
    };
    metadata["workspace_members"].as_array().unwrap().iter().map(|id| reach(&text(id))).collect()
}

#[test]
fn forbidden_edges_are_absent() {
    let reached = reached();
    let crates: Vec<&str> = reached.keys().map(String::as_str).collect();
    assert_eq!(crates, ["corpus", "flexmix-tests", "manifests", "pipeline", "training"]);
    let ours: BTreeSet<&str> = crates.into_iter().collect();
    let of_ours = |name: &str| -> Vec<&str> {
        reached[name].iter().map(String::as_str).filter(|n| ours.contains(n) && *n != name).collect()
    };
    assert_eq!(of_ours("manifests"), Vec::<&str>::new());
    assert_eq!(of_ours("corpus"), ["manifests"]);
    assert_eq!(of_ours("pipeline"), ["corpus", "manifests"]);
    assert_eq!(of_ours("training"), ["manifests"]);
    assert_eq!(of_ours("flexmix-tests"), ["manifests"]);
    let who_reaches = |names: &[&str]| -> Vec<&str> {
        let hits = |found: &BTreeSet<String>| names.iter().any(|n| found.contains(*n));
        reached.iter().filter(|(_, found)| hits(found)).map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(who_reaches(&["tch", "torch-sys"]), ["training"]);
    assert_eq!(who_reaches(&["datafusion", "sqlparser"]), ["pipeline"]);
    // No network in the contract or in what touches text, and no command line in the libraries.
    assert_eq!(who_reaches(&["reqwest", "hyper", "ureq"]), Vec::<&str>::new());
}
