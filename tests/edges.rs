//! Who may build on whom (docs/ARCHITECTURE.md): read from what cargo resolved, not from what a manifest intends.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
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
}

#[test]
fn only_pipeline_can_reach_a_network() {
    // One crate at a time: what cargo resolves for all together has the features that another one asks for.
    let reaches = |name: &str| -> bool {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let words = ["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "-p", name];
        let tree = Ended::of(Command::new(cargo).args(words).current_dir(workspace())).expect(0).stdout;
        ["reqwest ", "hyper ", "ureq ", "object_store "].iter().any(|c| tree.lines().any(|line| line.starts_with(c)))
    };
    assert_eq!(["manifests", "corpus", "training", "pipeline"].map(reaches), [false, false, false, true]);
}

/// The sources under a folder that hold one of the words.
fn holding(folder: &Path, words: &[&str], found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding(&path, words, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            if words.iter().any(|word| text.contains(word)) {
                found.push(path.strip_prefix(workspace()).unwrap().display().to_string());
            }
        }
    }
}

#[test]
fn connections_are_opened_in_one_place() {
    let words = ["object_store::", "reqwest::", "TcpStream", "UdpSocket", "TcpListener"];
    let mut found = Vec::new();
    for folder in ["manifests/src", "corpus/src", "pipeline/src", "pipeline/cli", "training/src", "training/cli"] {
        let folder = workspace().join(folder);
        if folder.is_dir() {
            holding(&folder, &words, &mut found);
        }
    }
    assert!(!found.is_empty());
    found.retain(|path| !path.starts_with("pipeline/src/objects/"));
    assert_eq!(found, Vec::<String>::new());
}
