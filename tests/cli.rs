//! What people meet first: help, exit codes, the main errors, and queries that read and change nothing.

use std::process::Command;

use crate::support::{Ended, House, corpus, flexmix, flexmix_program};

#[test]
fn help_at_the_top() {
    insta::assert_snapshot!(flexmix(["--help"]).expect(0).stdout);
}

#[test]
fn every_command_that_is_promised_has_help_with_an_example() {
    let commands = [
        "build",
        "verify",
        "inspect",
        "query",
        "audit",
        "notice",
        "prove",
        "verify-proof",
        "policy check",
        "policy explain",
        "policy diff",
        "policy elect",
        "keys generate",
        "sign",
        "trust init",
        "train plan",
        "train launch",
    ];
    for command in commands {
        let ended = flexmix(command.split(' ').chain(["--help"])).expect(0);
        assert!(ended.stdout.contains("Example"), "{command}: {}", ended.said());
    }
}

#[test]
fn the_main_errors_read_well() {
    let house = House::copy(&corpus());
    let folder = house.corpus();
    let folder = folder.to_str().unwrap();
    let (policy, trust) = (house.policy("research"), house.path("trust.toml"));
    let (policy, trust) = (policy.to_str().unwrap(), trust.to_str().unwrap());
    let records = house.records();
    let records = records.to_str().unwrap();
    house.write("empty/note.txt", "nothing of ours");
    let empty = house.path("empty");
    let cases: Vec<Vec<&str>> = vec![
        vec!["verify", empty.to_str().unwrap()],
        vec!["query", folder, "SELECT reasn FROM ledger"],
        vec!["query", folder, "DROP TABLE ledger"],
        vec!["audit", folder, "--policy", policy],
        vec!["audit", folder, "--policy", policy, "--trust", trust, "--as-of", "2027-03-01"],
        vec!["audit", folder, "--policy", policy, "--trust", trust, "--records", records, "--as-of", "2027-03-01"],
        vec!["audit", folder, "--policy", policy, "--trust", trust, "--as-of", "tomorrow"],
        vec!["verify", folder, "--format", "yaml"],
        vec!["build", "recipe.toml"],
    ];
    let tell = |words: &Vec<&str>| {
        let shown: Vec<String> = words.iter().map(|w| house.tidy(w)).collect();
        let ended = flexmix(words);
        format!("$ flexmix {}\nexit {}\n{}", shown.join(" "), ended.code, house.tidy(&ended.stderr))
    };
    insta::assert_snapshot!(cases.iter().map(tell).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_exit_codes_are_those_of_the_table() {
    let house = House::copy(&corpus());
    let folder = house.corpus();
    let folder = folder.to_str().unwrap();
    let broken = House::copy(&corpus());
    crate::support::flip_byte(&broken.corpus().join("sets/code/shard-00000.parquet"), 99);
    let broken = broken.corpus();
    let table: Vec<(i32, Vec<&str>)> = vec![
        (0, vec!["--help"]),
        (0, vec!["--version"]),
        (0, vec!["verify", folder]),
        (0, vec!["inspect", folder]),
        (0, vec!["audit", folder]),
        (1, vec!["verify", broken.to_str().unwrap()]),
        (2, vec![]),
        (2, vec!["bild"]),
        (2, vec!["verify"]),
        (2, vec!["query", folder, "SELECT"]),
        (2, vec!["inspect", "nowhere-at-all"]),
        (3, vec!["policy", "check", "nowhere-at-all.toml"]),
        (3, vec!["build", "nowhere-at-all.toml", "--out", "never", "--key", "nowhere.key"]),
    ];
    for (code, words) in table {
        let ended = flexmix(&words);
        assert_eq!(ended.code, code, "{words:?}: {}", ended.said());
    }
}

#[test]
fn an_error_is_json_where_a_program_reads() {
    let ended = flexmix(["policy", "check", "nowhere-at-all.toml", "--format", "json"]).expect(3);
    let told = ended.json();
    assert_eq!((told["schema"].as_str(), told["exit"].as_u64()), (Some("flexmix/error/v1"), Some(3)));
    assert!(told["error"].as_str().unwrap().contains("nowhere-at-all.toml"), "{told}");
    assert!(ended.stderr.contains("nowhere-at-all.toml"), "people have theirs beside: {}", ended.stderr);
    assert_eq!(flexmix(["policy", "check", "nowhere-at-all.toml"]).expect(3).stdout, "");
}

#[test]
fn a_missing_flexmix_torch_is_told_with_its_remedy() {
    let ended = |named: &str| {
        Ended::of(
            Command::new(flexmix_program())
                .args(["generate", "model"])
                .env("FLEXMIX_TORCH", named)
                .env("NO_COLOR", "1"),
        )
    };
    let said = ended("nowhere/flexmix-torch").expect(3).stderr;
    assert!(said.contains("nowhere/flexmix-torch") && said.contains("hint:"), "{said}");
    // A program of another kind is told from ours.
    let said = ended("/bin/ls").expect(3).stderr;
    assert!(said.contains("hint:"), "{said}");
}

#[test]
fn queries_change_nothing() {
    let house = House::copy(&corpus());
    let folder = house.corpus();
    let out = house.path("out.parquet");
    let copy = format!("COPY (SELECT * FROM ledger) TO '{}'", out.display());
    let external = format!("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{}'", folder.join("ledger").display());
    let statements = [
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT * FROM ledger",
        "DROP TABLE ledger",
        "INSERT INTO ledger SELECT * FROM ledger",
        "DELETE FROM ledger",
        "UPDATE ledger SET reason = 'x'",
        "SET datafusion.execution.batch_size = 1",
        copy.as_str(),
        external.as_str(),
    ];
    for sql in statements {
        let ended = flexmix(["query".as_ref(), folder.as_os_str(), sql.as_ref()]).expect(2);
        assert!(ended.stderr.contains("hint:"), "{sql}: {}", ended.stderr);
    }
    assert!(!out.is_file());
    assert_eq!(crate::support::differences(&folder, &corpus().corpus()), Vec::<String>::new());
}

#[test]
fn every_promised_table_answers() {
    let house = corpus();
    for table in ["ledger", "claims", "documents", "sources", "cells", "manifests", "stamps", "exposure"] {
        let rows = house.number(&house.corpus(), &format!("SELECT count(*) FROM {table}"));
        // No model was trained from this corpus.
        assert_eq!(rows == 0, matches!(table, "stamps" | "exposure"), "{table} has {rows} rows");
    }
}

#[test]
fn an_audit_of_a_corpus_shows_what_a_policy_denies() {
    let house = House::copy(&corpus());
    let (folder, page) = (house.corpus(), house.path("report/index.html"));
    let policy = house.policy("commercial");
    let words = [
        "audit".as_ref(),
        folder.as_os_str(),
        "--policy".as_ref(),
        policy.as_os_str(),
        "--html".as_ref(),
        page.as_os_str(),
    ];
    let said = house.gated(words).stdout;
    assert!(said.contains("PolyForm-Noncommercial-1.0.0") && said.contains("FM-P-014"), "{said}");
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(
        page.contains("PolyForm-Noncommercial-1.0.0") && !page.contains("http://") && !page.contains("<script src"),
        "a page of its own"
    );
}
