//! Trust over time, with the real program: heads and trust files that are older than what was seen, keys that were
//! replaced or taken, scopes, and human decisions on terms.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{AS_OF, Ended, House, copy_tree, corpus, flexmix, flexmix_program, quiet};

/// Asks for an audit under the house's research policy, with a memory of its own.
fn audit(house: &House, trust: &str) -> Ended {
    let mut command = Command::new(flexmix_program());
    quiet(&mut command).env("FLEXMIX_MEMORY", house.path("memory"));
    command.args([
        "audit".as_ref(),
        house.corpus().as_os_str(),
        "--policy".as_ref(),
        house.policy("research").as_os_str(),
    ]);
    command.args(["--as-of", AS_OF, "--trust"]).arg(house.path(trust)).arg("--records").arg(house.records());
    Ended::of(&mut command)
}

#[track_caller]
fn refused(ended: Ended, code: &str) {
    let ended = ended.expect(1);
    assert!(ended.stderr.contains(code), "{}", ended.said());
}

/// Writes `TRUST` anew as `out`, by `flexmix trust WORDS…`, signed by `signers`.
fn next_trust(house: &House, out: &str, words: &[&OsStr], signers: &[&str]) -> PathBuf {
    let out = house.path(out);
    let mut all: Vec<&OsStr> = vec!["trust".as_ref()];
    all.extend(words);
    all.extend(["--out".as_ref(), out.as_os_str()]);
    flexmix(all).expect(0);
    house.sign("trust", &out, signers).expect(0);
    out
}

#[test]
fn records_that_are_rolled_back_whole_are_refused_where_the_newer_ones_were_seen() {
    let house = House::copy(&corpus());
    audit(&house, "trust.toml");
    let (records, older) = (house.records(), house.path("older"));
    copy_tree(&records, &older);
    let text = "schema = \"flexmix/withdrawal/v1\"\nid = \"w-1\"\ndemo = true\nkind = \"erasure\"\n\
                target = { source = \"gadgets\" }\neffective = 2026-11-20\nlearned = 2026-11-30\nreason = \"a test\"\n";
    let file = house.write("records/w-1.toml", text);
    house.sign("withdrawal", &file, &["withdrawals"]).expect(0);
    house.renew_head(5);
    let said = audit(&house, "trust.toml").said();
    assert!(said.contains("source-withdrawn"), "{said}");
    // The older folder, whole and genuine: nothing in it is wrong but its age.
    std::fs::remove_dir_all(&records).unwrap();
    copy_tree(&older, &records);
    refused(audit(&house, "trust.toml"), "FM-T-010");
    refused_everywhere(&house);
    let forgetful = house.gated([
        "audit".as_ref(),
        house.corpus().as_os_str(),
        "--policy".as_ref(),
        house.policy("research").as_os_str(),
    ]);
    assert!(!forgetful.said().contains("FM-T-010"), "only a memory can tell: {}", forgetful.said());
}

/// Whoever reads records with this memory refuses a head that is older than the one seen before.
#[track_caller]
fn refused_everywhere(house: &House) {
    let own = house.corpus();
    let asks: [&[&OsStr]; 2] = [
        &["verify".as_ref(), own.as_os_str()],
        &["impact".as_ref(), own.as_os_str(), "--source".as_ref(), "gadgets".as_ref()],
    ];
    for words in asks {
        let mut command = Command::new(flexmix_program());
        quiet(&mut command).env("FLEXMIX_MEMORY", house.path("memory")).args(words).args(house.gate());
        let ended = Ended::of(&mut command).expect(1);
        assert!(ended.said().contains("FM-T-010"), "{}", ended.said());
    }
    let mut words: Vec<&OsStr> =
        ["withdraw", "--demo", "--kind", "erasure", "--source", "gadgets"].map(OsStr::new).into();
    words.extend(["--effective", AS_OF, "--learned", AS_OF, "--reason", "a test"].map(OsStr::new));
    let key = house.key("withdrawals");
    words.extend(["--key".as_ref(), key.as_os_str()]);
    let mut command = Command::new(flexmix_program());
    quiet(&mut command).env("FLEXMIX_MEMORY", house.path("memory")).args(words).args(house.gate());
    refused(Ended::of(&mut command), "FM-T-010");
    assert!(!house.records().join("withdrawals").is_dir(), "nothing was written");
}

#[test]
fn a_rotation_is_signed_by_both_roots_and_does_not_go_back() {
    let house = House::copy(&corpus());
    audit(&house, "trust.toml");
    flexmix(["keys".as_ref(), "generate".as_ref(), "--out".as_ref(), house.path("keys/root-2").as_os_str()]).expect(0);
    let roles = ["owner", "builder", "legal-1", "legal-2", "trainer", "merger", "withdrawals", "head"];
    let key = |name: &str| {
        let role = name.trim_end_matches("-1").trim_end_matches("-2");
        format!("{name}={role}:{}", house.path("keys").join(format!("{name}.pub")).display())
    };
    let keys: Vec<String> = roles.into_iter().map(key).collect();
    let (before, root) = (house.path("trust.toml"), house.path("keys/root-2.pub"));
    let mut words: Vec<&OsStr> = vec!["rotate".as_ref(), before.as_os_str(), "--root".as_ref(), root.as_os_str()];
    keys.iter().for_each(|k| words.extend([OsStr::new("--key"), k.as_ref()]));
    words.extend(["--from", "2026-11-01", "--until", "2027-12-31"].map(OsStr::new));
    next_trust(&house, "trust-2.toml", &words, &["root-2"]);
    refused(audit(&house, "trust-2.toml"), "no root key of the version before signed it");
    house.sign("trust", &house.path("trust-2.toml"), &["root"]).expect(0);
    let said = audit(&house, "trust-2.toml").said();
    assert!(!said.contains("FM-T-"), "{said}");
    refused(audit(&house, "trust.toml"), "FM-T-009");
    // A key that is no root of either version signs neither.
    house.sign("trust", &house.path("trust-2.toml"), &["builder"]).expect(2);
}

#[test]
fn what_a_stolen_key_signed_after_the_last_good_head_is_void() {
    let house = House::copy(&corpus());
    let good = house.path("good");
    copy_tree(&house.records(), &good);
    let id = key_id(&house.key("owner"));
    let (before, manifests) = (house.path("trust.toml"), house.corpus().join("sets/notes/manifest.dsse.json"));
    let words: Vec<&OsStr> = vec![
        "compromise".as_ref(),
        before.as_os_str(),
        "--key-id".as_ref(),
        id.as_ref(),
        "--records".as_ref(),
        good.as_os_str(),
        "--vouch".as_ref(),
        manifests.as_os_str(),
    ];
    next_trust(&house, "trust-2.toml", &words, &["root"]);
    let said = audit(&house, "trust-2.toml").said();
    assert!(!said.contains("FM-T-"), "what lay under the good head stands: {said}");
    house.grant("forged", "source = \"gadgets\"", &["build", "train"], "");
    house.renew_head(6);
    refused(audit(&house, "trust-2.toml"), "FM-T-011");
    let said = audit(&house, "trust.toml").said();
    assert!(said.contains("FM-T-009"), "the trust file from before the theft is no way around: {said}");
}

#[test]
fn a_bare_key_checks_a_builder_and_opens_no_gate() {
    let house = corpus();
    let builder = house.path("keys/builder.pub");
    let verify =
        |key: &Path| flexmix(["verify".as_ref(), house.corpus().as_os_str(), "--trust".as_ref(), key.as_os_str()]);
    verify(&builder).expect(0);
    verify(&house.path("keys/legal-1.pub")).expect(1);
    let mut words: Vec<std::ffi::OsString> = vec!["audit".into(), house.corpus().into(), "--policy".into()];
    words.extend([house.policy("research").into(), "--trust".into(), house.path("keys/legal-1.pub").into()]);
    words.extend(["--records".into(), house.records().into(), "--as-of".into(), AS_OF.into()]);
    refused(flexmix(words), "FM-T-003");
}

/// The id of a key: its own words when it signs something.
fn key_id(key: &Path) -> String {
    let public = key.with_extension("pub");
    let script = "import base64,hashlib,sys;print('sha256:'+hashlib.sha256(base64.b64decode(''.join(open(sys.argv[1]).read().split('\\n')[1:-2]))).hexdigest())";
    let ended = Ended::of(Command::new("python3").args(["-c", script]).arg(public)).expect(0);
    ended.stdout.trim().to_owned()
}

#[test]
fn a_key_for_one_source_grants_nothing_of_another() {
    let house = House::copy(&corpus());
    let key =
        |name: &str, role: &str| format!("{name}={role}:{}", house.path("keys").join(format!("{name}.pub")).display());
    let root = house.path("keys/root.pub");
    let keys = [key("owner", "owner@gadgets"), key("head", "head"), key("legal-1", "legal"), key("legal-2", "legal")];
    let mut words: Vec<&OsStr> = vec!["init".as_ref(), "--root".as_ref(), root.as_os_str()];
    keys.iter().for_each(|k| words.extend([OsStr::new("--key"), k.as_ref()]));
    words.extend(["--from", "2026-11-01", "--until", "2027-12-31"].map(OsStr::new));
    next_trust(&house, "narrow.toml", &words, &["root"]);
    let said = audit(&house, "narrow.toml").expect(1).stderr;
    assert!(said.contains("FM-T-003") && said.contains("`owner` for `notes`"), "{said}");
}

#[test]
fn two_legal_keys_decide_on_a_text_that_says_nothing() {
    let house = House::copy(&corpus());
    let sql = "SELECT digest, decision, reason FROM ledger WHERE source = 'leaflets' AND path LIKE '%b-own.txt'";
    let before = house.query(&house.corpus(), sql);
    assert_eq!(before[0]["reason"], "none-found");
    let text = format!(
        "schema = \"flexmix/decision/v1\"\nid = \"leaflet\"\ndemo = true\nsubject = {{ text = {} }}\n\
         outcome = {{ terms = \"MIT\" }}\nby = \"legal@fixture.invalid\"\non = {AS_OF}\nreason = \"the author wrote to us\"\n",
        before[0]["digest"]
    );
    let file = house.write("records/leaflet.toml", &text);
    house.sign("decision", &file, &["legal-1"]).expect(0);
    house.renew_head(5);
    let recipe = std::fs::read_to_string(house.path("recipe.toml")).unwrap();
    house.write("recipe.toml", &recipe.replacen("elections = ", "decisions = [\"leaflet\"]\nelections = ", 1));
    let one = house.build(&house.path("one"), &[]).expect(1).stderr;
    assert!(one.contains("needs 2 distinct keys"), "{one}");
    house.sign("decision", &file, &["legal-2"]).expect(0);
    house.renew_head(6);
    house.build(&house.path("decided"), &[]).expect(0);
    let after = house.query(&house.path("decided"), &sql.replace("reason", "license, state"));
    assert_eq!(after[0]["decision"], "kept", "{after:#?}");
    assert_eq!((after[0]["license"].as_str(), after[0]["state"].as_str()), (Some("MIT"), Some("concluded")));
    house.verify(&house.path("decided")).expect(0);
    let unsigned = recipe.replacen("elections = ", "decisions = [\"other\"]\nelections = ", 1);
    house.write("recipe.toml", &unsigned);
    let said = house.build(&house.path("two"), &[]).expect(1).stderr;
    assert!(said.contains("decision `other`"), "{said}");
}
