//! What a legal team asks of a policy before it signs it, with the real program: why one document is denied, what a new
//! version changes, which rules match nothing, which choices are open, and how a drafted election comes to elect.

use std::ffi::OsString;
use std::fs;

use crate::support::{Ended, House, corpus, model};

/// Runs `flexmix policy WORDS… GATE`.
fn policy<S: Into<OsString>>(house: &House, words: impl IntoIterator<Item = S>) -> Ended {
    let all: Vec<OsString> = std::iter::once("policy".into()).chain(words.into_iter().map(Into::into)).collect();
    house.gated(all)
}

/// The first document of a source, by path.
fn first_of(house: &House, source: &str, more: &str) -> String {
    let sql = format!("SELECT doc_id FROM ledger WHERE source = '{source}'{more} ORDER BY path, doc_id LIMIT 1");
    house.query(&house.corpus(), &sql)[0]["doc_id"].as_str().unwrap().to_owned()
}

fn explain(house: &House, name: &str, id: &str, format: &str) -> Ended {
    let words: Vec<OsString> = vec![
        "explain".into(),
        house.policy(name).into(),
        house.corpus().into(),
        "--document".into(),
        id.into(),
        "--format".into(),
        format.into(),
    ];
    policy(house, words)
}

fn diff(house: &House, first: &str, second: &str, more: &[&str]) -> Ended {
    let words: Vec<OsString> = vec![
        "diff".into(),
        house.policy(first).into(),
        house.policy(second).into(),
        "--on".into(),
        house.corpus().into(),
    ];
    policy(house, words.into_iter().chain(more.iter().map(Into::into)))
}

#[test]
fn a_document_is_explained_from_its_claims_to_the_way_out() {
    let house = House::copy(&corpus());
    let kept = first_of(&house, "widgets", " AND decision = 'kept'");
    let denied = first_of(&house, "gadgets", " AND decision = 'kept'");
    let disputed = first_of(&house, "mirror", " AND state = 'contradicted'");
    let silent = first_of(&house, "leaflets", " AND state = 'none-found' AND stage = 'admit'");
    let all = [kept, denied.clone(), disputed, silent];
    let texts: Vec<String> = all.iter().map(|id| explain(&house, "commercial", id, "human").expect(0).stdout).collect();
    insta::assert_snapshot!(texts.join("\n------\n\n"));
    let json = explain(&house, "commercial", &denied, "json").expect(0).json();
    assert_eq!(
        (json["schema"].as_str(), json["permitted"].as_bool()),
        (Some("flexmix/document-report/v1"), Some(false))
    );
    let line = json["denials"][0]["rule"]["line"].as_u64().unwrap();
    let text = fs::read_to_string(house.policy("commercial")).unwrap();
    assert!(text.lines().nth(usize::try_from(line).unwrap() - 1).unwrap().contains("non-commercial"), "{json:#}");
    assert!(json["claims"].as_array().unwrap().iter().any(|c| c["heard"].as_bool() == Some(true)), "{json:#}");
    explain(&house, "commercial", "ffffffffffffffffffffffffffffffff", "human").expect(2);
    explain(&house, "commercial", "' OR 1=1 --", "human").expect(2);
}

#[test]
fn two_policies_are_compared_and_a_draft_says_that_it_is_one() {
    let house = House::copy(&corpus());
    let text = fs::read_to_string(house.policy("commercial")).unwrap();
    // The draft takes what is non-commercial, and nothing by contract.
    let draft = text
        .replace("version = 1", "version = 2")
        .replace("\"non-commercial\", ", "")
        .replace("families = [", "families = [\"non-commercial\", ")
        .replace("bases = [\"license\", \"contract\"]", "bases = [\"license\"]");
    house.write("policies/draft.toml", &draft);
    let texts = [
        diff(&house, "research", "commercial", &[]).expect(0).stdout,
        diff(&house, "commercial", "draft", &[]).expect(0).stdout,
        diff(&house, "research", "research", &["--expect-same"]).expect(0).stdout,
    ];
    insta::assert_snapshot!(texts.join("\n------\n\n"));
    diff(&house, "research", "commercial", &["--expect-same"]).expect(1);
    let json = diff(&house, "research", "commercial", &["--format", "json"]).expect(0).json();
    // The same number, asked of the folder itself.
    let lost = house
        .number(&house.corpus(), "SELECT sum(n_tokens) FROM ledger WHERE source = 'gadgets' AND decision = 'kept'");
    assert_eq!((json["total"]["lost"].as_u64(), json["total"]["gained"].as_u64()), (Some(lost), Some(0)), "{json:#}");
    let total = house.number(&house.corpus(), "SELECT sum(tokens) FROM cells");
    assert_eq!(json["total"]["tokens"].as_u64(), Some(total));
    let of_sets: u64 = json["sets"].as_array().unwrap().iter().map(|s| s["lost"].as_u64().unwrap()).sum();
    assert_eq!(of_sets, lost);
}

#[test]
fn a_policy_held_against_a_corpus_shows_what_matches_nothing_and_what_waits() {
    let house = House::copy(&corpus());
    let text = fs::read_to_string(house.policy("research")).unwrap();
    let text = text.replace("[deny]\n", "[deny]\nsources = [\"gadgetz\"]\n").replace("\"US\"", "\"DE\"");
    house.write("policies/draft.toml", &text);
    let words: Vec<OsString> = vec!["check".into(), house.policy("draft").into(), "--on".into(), house.corpus().into()];
    let said = policy(&house, words.clone()).expect(0).stdout;
    insta::assert_snapshot!(said);
    let json = policy(&house, words.into_iter().chain(["--format".into(), "json".into()])).expect(0).json();
    let waiting = json["queued"].as_array().unwrap().len() as u64;
    let sql = "SELECT count(*) FROM ledger WHERE state = 'contradicted' AND stage = 'admit'";
    assert_eq!(waiting, house.number(&house.corpus(), sql));
    assert!(waiting > 0);
}

#[test]
fn a_drafted_election_elects_when_two_keys_signed_it_and_a_recipe_names_it() {
    let house = House::copy(&corpus());
    // The choice is open: the recipe names no election, and none is signed.
    fs::remove_dir_all(house.path("records/elections")).unwrap();
    house.renew_head(2);
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    house.write("recipe.toml", &recipe.replace("elections = [\"widgets\"]", "elections = []"));
    let open = house.path("open");
    house.build(&open, &[]).expect(0);
    let kept = |folder: &std::path::Path| {
        house.number(folder, "SELECT count(*) FROM ledger WHERE source = 'widgets' AND decision <> 'dropped'")
    };
    assert_eq!(kept(&open), 0);
    let text = fs::read_to_string(house.policy("build")).unwrap();
    let drafter = house.write(
        "policies/drafter.toml",
        &text.replace("[duties]", "[or]\nelect = [\"ISC\", \"Apache-2.0\", \"MIT\"]\n[duties]"),
    );
    let out = house.path("records/elections");
    let words: Vec<OsString> =
        vec!["elect".into(), drafter.into(), "--on".into(), open.clone().into(), "--out".into(), out.clone().into()];
    let said = policy(&house, words.clone()).expect(0).stdout;
    let file = out.join("elect-apache-2.0-or-mit.toml");
    let draft = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{e}: {said}"));
    insta::assert_snapshot!(format!("{}\n------\n\n{draft}", house.tidy(&said)));
    // A draft elects nothing by itself, and is never written over.
    house.renew_head(3);
    policy(&house, words.clone()).expect(2);
    house.write(
        "recipe.toml",
        &recipe.replace("elections = [\"widgets\"]", "elections = [\"elect-apache-2.0-or-mit\"]"),
    );
    house.renew_head(4);
    house.build(&house.path("unsigned"), &[]).expect(1);
    house.sign("election", &file, &["legal-1"]).expect(0);
    house.renew_head(5);
    house.build(&house.path("half"), &[]).expect(1);
    house.sign("election", &file, &["legal-2"]).expect(0);
    house.renew_head(6);
    let elected = house.path("elected");
    house.build(&elected, &[]).expect(0);
    assert!(kept(&elected) > 0);
    let cells = house.query(
        &elected,
        "SELECT DISTINCT license, election FROM cells WHERE \"set\" = 'code' AND election IS NOT NULL",
    );
    assert_eq!(cells[0]["election"], "Apache-2.0", "{cells:?}");
    // Over the corpus whose choice was open, it is now a matter of naming it.
    fs::remove_file(house.policy("drafter")).unwrap();
    house.write("policies/drafter.toml", &text.replace("[duties]", "[or]\nelect = [\"MIT\"]\n[duties]"));
    let said = policy(&house, words).expect(0).stdout;
    assert!(said.contains("election `elect-apache-2.0-or-mit` is signed: name it in the recipe"), "{said}");
}

#[test]
fn a_plan_shows_what_each_policy_leaves_by_set_and_by_set_and_tier() {
    let house = House::copy(&corpus());
    let sizes = house.write("sizes.toml", crate::support::SIZES);
    let plan = house.path("plan.toml");
    let mut words: Vec<OsString> = vec!["train".into(), "plan".into(), house.corpus().into()];
    for name in ["research", "commercial"] {
        words.extend(["--policy".into(), house.policy(name).into()]);
    }
    words.extend(["--out".into(), plan.into(), "--sizes".into(), sizes.into()]);
    let said = house.gated(words.clone()).expect(0).stdout;
    insta::assert_snapshot!(said);
    let json = house.gated(words.into_iter().chain(["--format".into(), "json".into()])).expect(0).json();
    let total = house.number(&house.corpus(), "SELECT sum(tokens) FROM cells");
    let non_commercial =
        house.number(&house.corpus(), "SELECT sum(tokens) FROM cells WHERE tier LIKE '%non-commercial%'");
    let code = house.number(&house.corpus(), "SELECT sum(tokens) FROM cells WHERE \"set\" = 'code'");
    let [_, commercial] = &json["corpus"].as_array().unwrap()[..] else { panic!("{json:#}") };
    let tokens =
        |cut: &str| (commercial[cut]["tokens"].as_u64().unwrap(), commercial[cut]["of_tokens"].as_u64().unwrap());
    // One non-commercial document denies an expert for the whole set; cut by tiers, only those documents go.
    assert_eq!(tokens("by_set"), (total - code, total));
    assert_eq!(tokens("by_set_and_tier"), (total - non_commercial, total));
}

#[test]
fn an_expert_is_explained_by_what_its_stamp_says() {
    let house = House::copy(&model());
    let ask = |name: &str, id: &str, format: &str| {
        let words: Vec<OsString> = vec![
            "explain".into(),
            house.policy(name).into(),
            house.corpus().into(),
            "--expert".into(),
            id.into(),
            "--model".into(),
            "whole".into(),
            "--format".into(),
            format.into(),
        ];
        policy(&house, words)
    };
    let denied = ask("commercial", "code-nc", "human").expect(0).stdout;
    for words in [
        "DENIED expert code-nc of model whole",
        "its weights were not opened",
        "commercial.toml:26 deny.properties \"non-commercial\" [FM-P-014 license-denied]",
        "What would change it",
    ] {
        assert!(denied.contains(words), "{words}: {denied}");
    }
    let json = ask("research", "code-nc", "json").expect(0).json();
    assert_eq!(json["admitted"].as_bool(), Some(true), "{json:#}");
    let own = |kind: &str| -> u64 {
        let rows = json["consumed"].as_array().unwrap().iter().filter(|c| c["kind"] == kind && c["set"] == "code");
        rows.map(|c| c["tokens"].as_u64().unwrap()).sum()
    };
    let sql = "SELECT sum(tokens) FROM exposure WHERE artifact = 'code-nc' AND \"set\" = 'code' AND kind = 'gradient'";
    assert_eq!(own("gradient"), house.number(&house.corpus(), sql));
    ask("research", "nobody", "human").expect(2);
    // What changes sides between the two policies is that expert alone.
    let moved = diff(&house, "research", "commercial", &["--format", "json"]).expect(0).json();
    assert_eq!(moved["experts"].as_array().unwrap().len(), 1, "{moved:#}");
    assert_eq!(moved["experts"][0]["id"], "code-nc");
}
