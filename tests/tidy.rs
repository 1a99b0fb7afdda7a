//! Rules of the source that no compiler holds: what a file is for stands at its head, files stay short, nothing is
//! switched off in silence, the project speaks of itself alone, and tables in docs are those of the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use manifests::license::reviewed_ids;
use manifests::reason::Reason;

use crate::support::{Ended, fixture, has_test, quoted, workspace};

/// The longest file.
const MOST_LINES: usize = 500;

/// Every tracked file with one of these endings (all files when there is none), and its text where it is text.
fn sources(endings: &[&str]) -> Vec<(String, String)> {
    let listed = Ended::of(Command::new("git").args(["ls-files", "-z"]).current_dir(workspace())).expect(0).stdout;
    let names = listed.split('\0').filter(|n| !n.is_empty());
    let wanted = names.filter(|n| endings.is_empty() || endings.iter().any(|e| n.ends_with(e)));
    let read = |name: &str| Some((name.to_owned(), fs::read_to_string(workspace().join(name)).ok()?));
    wanted.filter_map(read).collect()
}

/// Lines that hold one of the words, as `file:line: word`.
fn lines_with(endings: &[&str], skip: &[&str], words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in sources(endings).iter().filter(|(name, _)| !skip.contains(&name.as_str())) {
        for (number, line) in (1..).zip(text.lines()) {
            found.extend(words.iter().filter(|w| line.contains(w.as_str())).map(|w| format!("{name}:{number}: {w}")));
        }
    }
    found
}

#[test]
fn every_source_says_at_its_head_what_it_is_for() {
    let head = |text: &str| text.lines().take_while(|l| l.starts_with("//!")).count();
    let bad = |(name, text): &(String, String)| {
        (!(1..=12).contains(&head(text))).then(|| format!("{name}: {} lines of `//!`", head(text)))
    };
    let files = sources(&[".rs"]);
    assert!(files.len() > 100, "git lists {} sources", files.len());
    assert_eq!(files.iter().filter_map(bad).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn no_source_is_too_long() {
    let length = |(name, text): &(String, String)| {
        let lines = text.lines().count();
        (lines > MOST_LINES).then(|| format!("{name}: {lines} lines"))
    };
    let long: Vec<String> = sources(&[".rs", ".py", ".cpp", ".h", ".sh"]).iter().filter_map(length).collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn nothing_is_switched_off_or_left_to_do() {
    // Put together here, so that this file does not hold them.
    let words = [
        ["#[ign", "ore"],
        ["todo", "!("],
        ["unimplemented", "!("],
        ["#[all", "ow("],
        ["#![all", "ow("],
        ["TO", "DO"],
        ["FIX", "ME"],
    ];
    let words: Vec<String> = words.iter().map(|parts| parts.concat()).collect();
    assert_eq!(lines_with(&[".rs", ".py", ".cpp", ".h"], &[], &words), Vec::<String>::new());
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let words = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["index.", "crates"],
        ["pythonho", "sted"],
        ["pypi.", "org"],
        ["npmjs", ".org"],
        ["deb.", "debian"],
    ];
    let words: Vec<String> = words.iter().map(|parts| parts.concat()).collect();
    assert_eq!(lines_with(&[], &["Cargo.lock"], &words), Vec::<String>::new());
}

/// The rows of a table must stand in a document as the code has them. UPDATE_DOCS=1 writes them there instead.
#[track_caller]
fn assert_table(document: &str, head: &str, rows: &[String]) {
    let path = workspace().join(document);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{document}: {e}"));
    let start = text.find(head).unwrap_or_else(|| panic!("{document} has no table `{}`", head.lines().next().unwrap()));
    let body = &text[start + head.len()..];
    let end = body.find("\n\n").map_or(body.len(), |at| at + 1);
    let table: String = rows.iter().map(|row| format!("{row}\n")).collect();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let updated = format!("{}{head}{table}{}", &text[..start], &body[end..]);
        fs::write(&path, updated).unwrap();
        return;
    }
    let found: Vec<&str> = body[..end].lines().collect();
    assert_eq!(found, table.lines().collect::<Vec<_>>(), "{document}: run the tests with UPDATE_DOCS=1");
}

#[test]
fn the_documented_reason_codes_are_those_of_the_code() {
    let rows: Vec<String> =
        Reason::ALL.iter().map(|r| format!("| {} | {} | {} |", r.code(), r.name(), r.meaning())).collect();
    assert_table("docs/reason-codes.md", "| code | name | meaning |\n|---|---|---|\n", &rows);
}

#[test]
fn the_documented_terms_are_those_of_the_table() {
    let properties = |row: &manifests::license::Terms| {
        let names: Vec<&str> = row.properties.iter().map(|p| p.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    let rows: Vec<String> = reviewed_ids().iter().map(|row| format!("| {} | {} |", row.id, properties(row))).collect();
    assert_table("docs/terms.md", "| id | properties |\n|---|---|\n", &rows);
}

#[test]
fn the_fixture_folder_has_no_file_that_its_recipe_does_not_name() {
    let recipe = fs::read_to_string(fixture().join("recipe.toml")).unwrap();
    let named: BTreeSet<&str> =
        recipe.lines().filter_map(|l| l.strip_prefix("object = \"")?.strip_suffix('"')).collect();
    let there: Vec<String> = fs::read_dir(fixture().join("inputs"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there.iter().map(String::as_str).collect::<BTreeSet<_>>(), named);
    let size: u64 = crate::support::contents(&fixture()).values().map(|bytes| bytes.len() as u64).sum();
    assert!(size <= 200_000, "the fixtures are {size} bytes");
}

#[test]
fn every_snapshot_belongs_to_a_test() {
    let tests: String = sources(&[".rs"]).into_iter().map(|(_, text)| text).collect();
    let mut orphans = Vec::new();
    for (name, _) in sources(&[".snap"]) {
        let stem = Path::new(&name).file_stem().unwrap().to_string_lossy().into_owned();
        let last = stem
            .rsplit("__")
            .next()
            .unwrap()
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .trim_end_matches('-')
            .to_owned();
        if !tests.contains(&format!("fn {last}(")) {
            orphans.push(name);
        }
    }
    assert_eq!(orphans, Vec::<String>::new());
}

#[test]
fn a_snapshot_that_awaits_review_is_no_snapshot() {
    let listed = Ended::of(Command::new("git").args(["ls-files"]).current_dir(workspace())).expect(0).stdout;
    let pending: Vec<&str> =
        listed.lines().filter(|n| n.ends_with(".snap.new") || n.ends_with(".pending-snap")).collect();
    assert_eq!(pending, Vec::<&str>::new());
}

#[test]
fn every_test_that_the_architecture_names_is_there() {
    let text = fs::read_to_string(workspace().join("docs/ARCHITECTURE.md")).unwrap();
    let code: String = sources(&[".rs"]).into_iter().map(|(_, text)| text).collect();
    let named: Vec<&str> =
        text.split('`').skip(1).step_by(2).filter_map(|word| Some(word.split_once("::")?.1)).collect();
    assert!(named.len() > 30, "the invariants name {} tests", named.len());
    let missing = |name: &&str| !code.contains(&format!("fn {}(", name.rsplit("::").next().unwrap()));
    assert_eq!(named.into_iter().filter(missing).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn every_sentence_of_the_semantics_has_tests_that_are_there() {
    let text = fs::read_to_string(workspace().join("docs/semantics.md")).unwrap();
    let (_, table) = text.split_once("| sentence | held by |").unwrap();
    let rows: Vec<&str> = table.lines().filter(|l| l.starts_with("| ") && !l.starts_with("|---")).collect();
    assert!(rows.len() > 40, "{} sentences have tests", rows.len());
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit_once('|').unwrap().1;
        assert!(quoted(tests).next().is_some(), "no test: {row}");
        for test in quoted(tests) {
            assert!(has_test(test), "there is no test `{test}`: {row}");
        }
    }
    for section in 1..=6 {
        assert!(table.contains(&format!("**§{section}**")), "section {section} has no tests");
    }
}
