//! Trust files and policies: keys that hold less than they claim, on days that are not theirs; policies that are not
//! the signed ones.

use std::ffi::OsString;
use std::fs;

use manifests::sign::PrivateKey;

use crate::support::{AS_OF, Ended, House, corpus, flexmix};

/// The gate under a trust file of the caller's.
fn gate_under(house: &House, trust: &str) -> Ended {
    let words: [OsString; 10] = [
        "audit".into(),
        house.corpus().into(),
        "--policy".into(),
        house.policy("research").into(),
        "--records".into(),
        house.records().into(),
        "--trust".into(),
        house.path(trust).into(),
        "--as-of".into(),
        AS_OF.into(),
    ];
    flexmix(words)
}

/// A trust file like the house's with one text replaced, signed by its root.
fn other_trust(house: &House, from: &str, to: &str) {
    let text = fs::read_to_string(house.path("trust.toml")).unwrap();
    assert!(text.contains(from), "{text}");
    let file = house.write("other.toml", &text.replacen(from, to, 1));
    house.sign("trust", &file, &["root"]).expect(0);
}

/// The table of a key in the trust file.
fn table(house: &House, name: &str) -> String {
    let text = fs::read_to_string(house.path("trust.toml")).unwrap();
    let table = text.split("[[key]]").find(|part| part.contains(&format!("name = \"{name}\"")));
    table.unwrap().to_owned()
}

#[test]
fn a_bare_key_is_no_trust_file_and_signs_nothing_for_legal() {
    let house = House::copy(&corpus());
    // The very key that signed the policy: alone it is a builder's.
    let said = gate_under(&house, "keys/legal-1.pub").expect(1).stderr;
    assert!(said.contains("no key with role `legal`") && said.contains("FM-T-003"), "{said}");
    // A key that nobody trusts signs the policy beside a legal one.
    let (private, _) = PrivateKey::generate().unwrap().write_pair(&house.path("keys/mallory")).unwrap();
    assert!(private.is_file());
    fs::remove_file(house.path("policies/research.toml.dsse.json")).unwrap();
    house.sign("policy", &house.policy("research"), &["legal-1", "mallory"]).expect(0);
    let said = gate_under(&house, "trust.toml").expect(1).stderr;
    assert!(said.contains("2 distinct keys, 1 signed"), "{said}");
}

#[test]
fn one_legal_key_under_two_names_is_one() {
    let house = House::copy(&corpus());
    let (one, two) = (table(&house, "legal-1"), table(&house, "legal-2"));
    let pem = |table: &str| table[table.find("-----BEGIN").unwrap()..table.find("-----END").unwrap()].to_owned();
    other_trust(&house, &pem(&two), &pem(&one));
    let said = gate_under(&house, "other.toml");
    assert!(said.code != 0 && said.stderr.contains("stands twice"), "{}", said.said());
}

#[test]
fn a_key_past_its_last_day_or_before_its_first_signs_nothing() {
    let house = House::copy(&corpus());
    let legal = table(&house, "legal-2");
    for (from, to) in [("until = ", "until = 2026-11-30 #"), ("from = ", "from = 2026-12-02 #")] {
        other_trust(&house, &legal, &legal.replacen(from, to, 1));
        let said = gate_under(&house, "other.toml").expect(1).stderr;
        assert!(said.contains("2 distinct keys, 1 signed"), "{said}");
        fs::remove_file(house.path("other.toml.dsse.json")).unwrap();
    }
    other_trust(&house, &legal, &legal.replacen("until = ", "until = 2026-12-01 #", 1));
    gate_under(&house, "other.toml").expect(0);
}

#[test]
fn a_key_for_one_set_signs_no_other() {
    let house = House::copy(&corpus());
    let builder = table(&house, "builder");
    let scoped = builder.replacen("scope = [\"*\"]", "scope = [\"public\", \"notes\"]", 1);
    assert_ne!(scoped, builder);
    other_trust(&house, &builder, &scoped);
    let words: [OsString; 6] = [
        "verify".into(),
        house.corpus().into(),
        "--trust".into(),
        house.path("other.toml").into(),
        "--as-of".into(),
        AS_OF.into(),
    ];
    let ended = flexmix(words).expect(1);
    let failures: Vec<&str> = ended.stdout.lines().filter(|l| l.starts_with("FAILED")).collect();
    assert!(failures.len() == 1 && failures[0].contains("sets/code/manifest.dsse.json"), "{}", ended.said());
}

#[test]
fn a_trust_file_that_its_own_root_did_not_sign_is_refused() {
    let house = House::copy(&corpus());
    // Mallory's file binds every role to keys of her own; she cannot sign it for the house's root.
    let text = fs::read_to_string(house.path("trust.toml")).unwrap();
    house.write("other.toml", &text.replacen("roles = [\"builder\"]", "roles = [\"builder\", \"legal\"]", 1));
    fs::copy(house.path("trust.toml.dsse.json"), house.path("other.toml.dsse.json")).unwrap();
    let said = gate_under(&house, "other.toml").expect(1).stderr;
    assert!(said.contains("other.toml.dsse.json"), "{said}");
}

#[test]
fn an_exception_without_expiry_owner_or_ceiling_is_none() {
    let house = House::copy(&corpus());
    let whole = "\n[[exception]]\nsubject = \"sha256:SUBJECT\"\nrule = \"state.none-found\"\nmax_tokens = 12000\n\
                 reason = \"C-88\"\nowner = \"j.doe@acme.example\"\nexpires = 2027-01-31\n"
        .replace("SUBJECT", &"ab".repeat(32));
    let text = fs::read_to_string(house.policy("research")).unwrap();
    let check = |exception: &str| {
        let file = house.write("policies/other.toml", &format!("{text}{exception}"));
        flexmix(["policy".as_ref(), "check".as_ref(), file.as_os_str()])
    };
    check(&whole).expect(0);
    for line in ["subject", "rule", "max_tokens", "reason", "owner", "expires"] {
        let without: String = whole.lines().filter(|l| !l.starts_with(line)).map(|l| format!("{l}\n")).collect();
        let said = check(&without).expect(2).stderr;
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn a_policy_swapped_for_a_laxer_one_that_is_signed_too_shows_in_every_verdict() {
    let house = House::copy(&corpus());
    let (strict, lax) = (house.policy("commercial"), house.policy("research"));
    let corpus = house.corpus();
    let ask = || {
        house.gated(["audit".as_ref(), corpus.as_os_str(), "--policy".as_ref(), strict.as_os_str()]).expect(0).stdout
    };
    let before = ask();
    assert!(before.contains("fixture-commercial"), "{before}");
    // Both are genuine; the verdict names the one that it applied.
    fs::copy(&lax, &strict).unwrap();
    fs::copy(house.path("policies/research.toml.dsse.json"), house.path("policies/commercial.toml.dsse.json")).unwrap();
    let after = ask();
    assert!(after.contains("fixture-research") && !after.contains("fixture-commercial"), "{after}");
}
