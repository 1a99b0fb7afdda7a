//! License files of real packages, each with what ScanCode and flexmix said when they were frozen
//! (tests/python/license_agreement.py; docs/license-identification.md has the table). What was refused stays refused.

use std::path::Path;

use corpus::claims::{Identified, identify};
use manifests::digest::Sha256;
use serde_json::Value;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/license-texts");

#[test]
fn real_license_files_are_named_as_frozen() {
    let frozen = std::fs::read_to_string(Path::new(GOLDEN).join("expected.json")).unwrap();
    let frozen: Value = serde_json::from_str(&frozen).unwrap();
    let files = frozen.as_object().unwrap();
    assert!(files.len() > 30, "{}", files.len());
    for (name, expected) in files {
        let bytes = std::fs::read(Path::new(GOLDEN).join(format!("{name}.txt"))).unwrap();
        assert_eq!(
            Sha256::of(&bytes).to_string(),
            format!("sha256:{}", expected["sha256"].as_str().unwrap()),
            "{name}"
        );
        let (texts, nearest) = match identify(&String::from_utf8(bytes).unwrap(), None) {
            Identified::Listed { texts, .. } => (texts, "-".to_owned()),
            Identified::Near { id, changes } => {
                assert!(!changes.is_empty(), "{name} parts from {id} somewhere");
                (vec![], id)
            }
            Identified::Unlisted => (vec![], "-".to_owned()),
        };
        assert_eq!(serde_json::to_value(&texts).unwrap(), expected["texts"], "{name} from {}", expected["from"]);
        assert_eq!(nearest, expected["nearest"].as_str().unwrap(), "{name} from {}", expected["from"]);
    }
}

#[test]
fn the_frozen_table_is_the_one_in_the_docs() {
    let verdicts = std::fs::read_to_string(Path::new(GOLDEN).join("verdicts.tsv")).unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/license-identification.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let rows: Vec<Vec<&str>> = verdicts.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert!(rows.len() >= 300);
    let mut classes: Vec<&str> = rows.iter().map(|row| row[4]).collect();
    classes.sort_unstable();
    classes.dedup();
    for class in classes {
        let count = rows.iter().filter(|row| row[4] == class).count();
        assert!(docs.contains(&format!("| {class} | {count} |")), "| {class} | {count} |");
    }
    // Whatever flexmix named, ScanCode found too.
    assert!(rows.iter().all(|row| row[2] == "-" || row[4].starts_with("agree")));
}
