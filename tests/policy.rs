//! Policies and trust: a mistake is shown at its line and column, and without signatures that hold every gate is shut.

use std::fs;

use crate::support::{Ended, House, corpus, flexmix, flip_byte};

/// A gate under one of the house's policies, asked through the audit of its corpus.
fn gate(house: &House, policy: &str) -> Ended {
    let (corpus, policy) = (house.corpus(), house.policy(policy));
    house.gated(["audit".as_ref(), corpus.as_os_str(), "--policy".as_ref(), policy.as_os_str()])
}

/// Rewrites a policy of the house.
fn edit(house: &House, policy: &str, from: &str, to: &str) {
    let text = fs::read_to_string(house.policy(policy)).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(house.policy(policy), text.replacen(from, to, 1)).unwrap();
}

/// Signs a policy anew, its old signatures gone.
fn resign(house: &House, policy: &str, keys: &[&str]) {
    fs::remove_file(house.path(&format!("policies/{policy}.toml.dsse.json"))).unwrap();
    house.sign("policy", &house.policy(policy), keys).expect(0);
}

#[test]
fn a_typo_in_a_policy_is_shown_at_its_line_and_column() {
    let typos = [
        ("families = ", "familys = "),
        ("\"permissive\"", "\"permisive\""),
        ("contradicted = \"review\"", "contradicted = \"allow\""),
        ("purpose = \"research\"", "purpose = research"),
    ];
    let mut texts = Vec::new();
    for (from, to) in typos {
        let house = House::copy(&corpus());
        edit(&house, "research", from, to);
        let policy = house.policy("research");
        let checked = flexmix(["policy".as_ref(), "check".as_ref(), policy.as_os_str()]).expect(2);
        let asked = gate(&house, "research").expect(2);
        assert_eq!(checked.stderr, asked.stderr, "every command shows the mistake in one way");
        texts.push(house.tidy(&checked.stderr));
    }
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_checked_policy_lists_its_rules_by_line() {
    let house = House::copy(&corpus());
    let policy = house.policy("commercial");
    let said = flexmix(["policy".as_ref(), "check".as_ref(), policy.as_os_str()]).expect(0).stdout;
    insta::assert_snapshot!(house.tidy(&said));
}

#[test]
fn a_policy_without_two_legal_signatures_shuts_the_gate() {
    let house = House::copy(&corpus());
    gate(&house, "research").expect(0);
    resign(&house, "research", &["legal-1"]);
    let one = gate(&house, "research").expect(1).stderr;
    assert!(one.contains("2 distinct keys, 1 signed"), "{one}");
    resign(&house, "research", &["legal-1", "owner"]);
    gate(&house, "research").expect(1);
    resign(&house, "research", &["legal-1", "legal-2"]);
    gate(&house, "research").expect(0);
    fs::remove_file(house.path("policies/research.toml.dsse.json")).unwrap();
    let none = gate(&house, "research").expect(1).stderr;
    assert!(none.contains("research.toml.dsse.json"), "{none}");
}

#[test]
fn a_policy_changed_after_it_was_signed_shuts_the_gate() {
    let house = House::copy(&corpus());
    edit(&house, "commercial", "\"non-commercial\", ", "");
    let said = gate(&house, "commercial").expect(1).stderr;
    assert!(said.contains("commercial.toml"), "{said}");
    edit(&house, "train", "version = 1", "version = 2");
    let file = house.policy("train");
    let said = house.sign("policy", &file, &["legal-1"]).expect(2).stderr;
    assert!(said.contains("signature over other bytes"), "{said}");
}

#[test]
fn without_valid_trust_every_gate_is_shut() {
    let house = House::copy(&corpus());
    let (corpus, policy, records) = (house.corpus(), house.policy("research"), house.records());
    let ask = |trust: &[&std::ffi::OsStr]| {
        let words = [
            "audit".as_ref(),
            corpus.as_os_str(),
            "--policy".as_ref(),
            policy.as_os_str(),
            "--records".as_ref(),
            records.as_os_str(),
        ];
        flexmix(words.into_iter().chain(["--as-of".as_ref(), "2026-12-01".as_ref()]).chain(trust.iter().copied()))
    };
    let missing = ask(&[]).expect(1).stderr;
    assert!(missing.contains("FM-T-001") && missing.contains("--trust"), "{missing}");
    ask(&["--trust".as_ref(), house.path("nowhere.toml").as_os_str()]).expect(1);
    let trust = house.path("trust.toml");
    let given = ["--trust".as_ref(), trust.as_os_str()];
    ask(&given).expect(0);
    let envelope = house.path("trust.toml.dsse.json");
    let whole = fs::read(&envelope).unwrap();
    flip_byte(&envelope, whole.len() / 2);
    ask(&given).expect(1);
    fs::remove_file(&envelope).unwrap();
    ask(&given).expect(1);
    // Signed by a key that the file binds to another role.
    fs::write(&envelope, whole).unwrap();
    let said = house.sign("trust", &trust, &["head"]).expect(2).stderr;
    assert!(said.contains("is not a root key"), "{said}");
}

#[test]
fn a_build_and_a_plan_are_gates_too() {
    let house = House::copy(&corpus());
    resign(&house, "build", &["legal-2"]);
    house.build(&house.path("second"), &[]).expect(1);
    assert!(!house.path("second/sets").is_dir());
    resign(&house, "train", &["legal-2"]);
    let (corpus, policy, plan) = (house.corpus(), house.policy("train"), house.path("plan.toml"));
    let words = [
        "train".as_ref(),
        "plan".as_ref(),
        corpus.as_os_str(),
        "--policy".as_ref(),
        policy.as_os_str(),
        "--out".as_ref(),
        plan.as_os_str(),
    ];
    house.gated(words).expect(1);
    assert!(!plan.is_file());
}

#[test]
fn dates_shut_a_gate() {
    let house = House::copy(&corpus());
    let (corpus, policy, records, trust) =
        (house.corpus(), house.policy("research"), house.records(), house.path("trust.toml"));
    let on = |day: &str| {
        let words = [
            "audit".as_ref(),
            corpus.as_os_str(),
            "--policy".as_ref(),
            policy.as_os_str(),
            "--records".as_ref(),
            records.as_os_str(),
        ];
        flexmix(words.into_iter().chain(["--trust".as_ref(), trust.as_os_str(), "--as-of".as_ref(), day.as_ref()]))
    };
    on("2026-12-31").expect(0);
    // The policy takes a head for thirty days, the head itself ends in June, and keys end with the next year.
    for day in ["2027-01-01", "2027-07-01", "2028-01-01", "2026-11-30"] {
        let said = on(day).expect(1).stderr;
        assert!(day == "2028-01-01" || said.contains("FM-T-005"), "{day}: {said}");
    }
}
