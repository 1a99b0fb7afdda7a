//! Mixing: the tokens of each share are what the recipe asks, copies stand in shards, ledger and manifests alike, and
//! held-out documents are left as they are.

use std::collections::BTreeSet;

use crate::support::{House, corpus};

/// Three copies of the public text at most, and as much code as half of all tokens.
const MIX: &str = r#"
[mix]
tokens = 120000
rest = "keep"

[[mix.share]]
where = "\"set\" = 'public'"
share = 0.5
max_copies = 3

[[mix.share]]
where = "\"set\" = 'code' AND tier LIKE '%non-commercial%'"
share = 0.25
"#;

/// A house that builds the fixture with this at the recipe's end.
fn mixed(more: &str) -> House {
    let house = House::copy(&corpus());
    let recipe = std::fs::read_to_string(house.path("recipe.toml")).unwrap();
    house.write("recipe.toml", &(recipe + more));
    house
}

#[test]
fn shares_are_met_and_every_count_says_the_same() {
    let house = mixed(MIX);
    let out = house.path("mixed");
    house.build(&out, &["--threads", "2"]).expect(0);
    house.verify(&out).expect(0);
    let one = |sql: &str| house.number(&out, sql);
    let read = |of: &str| {
        one(&format!("SELECT coalesce(sum(n_tokens * copies), 0) FROM ledger WHERE decision = 'kept' AND {of}"))
    };
    let longest = one("SELECT max(n_tokens) FROM ledger");
    let public = read("\"set\" = 'public'");
    assert!(public <= 60_000 && public + longest > 60_000, "{public}");
    let code = read("\"set\" = 'code' AND tier LIKE '%non-commercial%'");
    assert!(code <= 30_000 && code + longest > 30_000, "{code}");
    assert!(
        one("SELECT max(copies) FROM ledger WHERE \"set\" = 'public'") >= 2,
        "the public text is read more than once"
    );
    assert_eq!(one("SELECT max(copies) FROM ledger WHERE decision = 'held-out'"), 1);
    assert!(one("SELECT count(*) FROM ledger WHERE reason = 'mixed-out' AND copies = 0 AND stage = 'mix'") > 0);
    let shards = one("SELECT sum(n_tokens * copies) FROM documents WHERE role = 'train'");
    assert_eq!(shards, read("true"), "shards and ledger");
    assert_eq!(shards, one("SELECT sum(tokens) FROM manifests"), "shards and manifests");
    assert_eq!(shards, one("SELECT sum(tokens) FROM cells"), "shards and cells");
}

#[test]
fn a_larger_mix_keeps_what_a_smaller_one_keeps() {
    let house = mixed(MIX);
    let kept = |name: &str| -> BTreeSet<String> {
        let out = house.path(name);
        house.build(&out, &[]).expect(0);
        let rows = house.query(&out, "SELECT doc_id FROM ledger WHERE decision = 'kept'");
        rows.iter().map(|r| r["doc_id"].as_str().unwrap().to_owned()).collect()
    };
    let large = kept("large");
    house.write("recipe.toml", &std::fs::read_to_string(house.path("recipe.toml")).unwrap().replace("120000", "60000"));
    let small = kept("small");
    assert!(small.is_subset(&large) && small.len() < large.len());
}

#[test]
fn a_mix_that_cannot_be_is_refused_before_anything_is_read() {
    for (more, says) in [
        (MIX.replace("share = 0.5", "share = 1.5"), "expected more than 0"),
        (MIX.replace("\"keep\"", "\"drop\""), "must add up to 1"),
        (MIX.replace("tier LIKE", "random() > 0.5 AND tier LIKE"), "random"),
        (MIX.replace("tier LIKE", "no_such_fact LIKE"), "no_such_fact"),
    ] {
        let house = mixed(&more);
        let ended = house.build(&house.path("refused"), &[]).expect(2);
        assert!(ended.stderr.contains(says), "{says}: {}", ended.stderr);
    }
}
