//! The table in docs/threat-model.md: it names tests and codes that exist, has a row for each attack of the catalogue,
//! and leaves out no attack that is mounted here.

use std::collections::BTreeSet;
use std::fs;

use manifests::reason::Reason;

use crate::support::{has_test, quoted, workspace};

/// The rows of the table: their cells, without the borders.
fn rows() -> Vec<Vec<String>> {
    let text = fs::read_to_string(workspace().join("docs/threat-model.md")).unwrap();
    let row = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    text.lines().filter(|l| l.starts_with("| A") || l.starts_with("| B")).map(row).collect()
}

#[test]
fn every_attack_of_the_catalogue_has_a_row() {
    let named: Vec<String> = rows().into_iter().map(|row| row[0].clone()).collect();
    let missing: Vec<String> = (1..=34).map(|n| format!("A{n}")).filter(|id| !named.contains(id)).collect();
    assert_eq!(missing, Vec::<String>::new());
    let distinct: BTreeSet<&String> = named.iter().collect();
    assert_eq!(distinct.len(), named.len(), "an attack stands twice");
}

#[test]
fn every_row_names_its_check_its_codes_and_tests_that_are_there() {
    for row in rows() {
        let [id, attack, check, codes, tests, unproven] = &row[..] else { panic!("{} cells: {row:?}", row.len()) };
        assert!([attack, check, codes, unproven].iter().all(|cell| !cell.is_empty()), "{id}: an empty cell");
        for word in codes.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|w| w.starts_with("FM-")) {
            assert!(Reason::ALL.iter().any(|r| r.code() == word), "{id}: `{word}` is no reason code");
        }
        for test in quoted(tests) {
            assert!(has_test(test), "{id}: there is no test `{test}`");
        }
        let says_why = check.contains("does not exist here yet");
        assert!(quoted(tests).next().is_some() != says_why, "{id}: a test, or why there is none");
    }
}

#[test]
fn every_attack_that_is_mounted_here_is_in_the_table() {
    let named: BTreeSet<String> =
        rows().iter().flat_map(|row| quoted(&row[4]).map(str::to_owned).collect::<Vec<_>>()).collect();
    let folder = workspace().join("tests/attacks");
    let mut missing = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        if module == "table" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let tests = text.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split_once('('));
        let names = tests.map(|(name, _)| format!("attacks::{module}::{name}"));
        missing.extend(names.filter(|name| !named.contains(name)));
    }
    assert_eq!(missing, Vec::<String>::new());
}
