//! What is handed out of a closed corpus: nothing of its text, tokens, origin and counts, in no encoding; the same bytes
//! each time; a tree that verifies, and that nobody but its owner can have made.

mod canary;
mod planted;
mod scan;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use manifests::exposure::TokenTotal;
use manifests::manifest::{PublicManifest, SetManifest};
use manifests::sign::{Envelope, PrivateKey};

use self::canary::{in_bytes, in_tree};
use self::planted::{AGREED, canaries, manifest, planted, record, restamp};
use crate::support::{Ended, House, contents, differences, flip_byte, model};

const EXPERT: &str = "experts/notes-contract";

/// Runs `flexmix publish` on a corpus of the house.
fn publish_from(house: &House, corpus: &Path, out: &Path, more: &[&str]) -> Ended {
    let mut words: Vec<OsString> = vec!["publish".into(), corpus.into(), "--out".into(), out.into()];
    words.extend(["--key".into(), house.key("owner").into(), "--secret".into(), house.path("owner.secret").into()]);
    house.gated(words.into_iter().chain(more.iter().map(Into::into)))
}

fn publish(house: &House, out: &Path, more: &[&str]) -> Ended {
    publish_from(house, &house.corpus(), out, more)
}

/// A folder for an outward tree, beside everything else.
fn outside() -> (tempfile::TempDir, PathBuf) {
    let guard = tempfile::tempdir().unwrap();
    let out = guard.path().join("outward");
    (guard, out)
}

/// A policy of the house, as an argument.
fn policy(house: &House, name: &str) -> [String; 2] {
    ["--policy".to_owned(), house.policy(name).display().to_string()]
}

#[test]
fn nothing_of_a_closed_text_leaves() {
    let (house, (_guard, out)) = (planted(), outside());
    let canaries = canaries(&house);
    // The scan can fail: in the owner's own folder it finds each of them.
    let found = in_tree(&house.path(""), &canaries);
    let missed: Vec<&str> = canaries
        .iter()
        .map(|c| c.name.as_str())
        .filter(|name| !found.iter().any(|f| f.ends_with(&format!(": {name}"))))
        .collect();
    assert_eq!(missed, Vec::<&str>::new(), "not found where they are");
    let within = |folder: &str, name: &str| found.iter().any(|f| f.starts_with(folder) && f.ends_with(name));
    for (folder, name) in [
        ("corpus/sets/notes/shard-", ": token ids"),
        ("corpus/sets/notes/shard-", ": doc id"),
        ("corpus/ledger/", ": text digest"),
        ("corpus/claims/", ": quote"),
        ("corpus/sets/notes/manifest.dsse.json", ": tokens"),
        ("corpus/train/notes-contract/checkpoint.safetensors", ": token ids"),
    ] {
        assert!(within(folder, name), "{folder}…{name}");
    }
    let [public, release] = ["publish", "release"].map(|name| policy(&house, name));
    publish(&house, &out, &[]).expect(0);
    assert_eq!(in_tree(&out, &canaries), Vec::<String>::new());
    // With a public set beside it, which is full of everything that a closed one hides.
    let both = out.with_file_name("both");
    publish(&house, &both, &[&public[0], &public[1]]).expect(0);
    // A tokenizer has every number below its vocabulary.
    let mut found = in_tree(&both, &canaries);
    found.retain(|f| !["tokenizer.json: documents", "tokenizer.json: commitments"].contains(&f.as_str()));
    assert_eq!(found, Vec::<String>::new());
    assert!(both.join("sets/public/shard-00000.parquet").is_file());
    // Weights without a grant stay, also those of the closed set.
    let granted = out.with_file_name("granted");
    let said = publish(&house, &granted, &[&release[0], &release[1]]).expect(0).stdout;
    assert!(said.contains("FM-P-027") && !granted.join(EXPERT).is_dir(), "{said}");
}

#[test]
fn what_a_public_manifest_names_holds_nothing_of_a_closed_set() {
    let house = planted();
    let canaries = canaries(&house);
    for set in ["public", "code"] {
        let (manifest, _) = manifest::<SetManifest>(&house, set, "manifest.dsse.json");
        assert!(manifest.evidence.iter().any(|f| f.path.as_str().starts_with("ledger/")));
        for file in &manifest.evidence {
            let bytes = fs::read(file.path.beneath(&house.corpus())).unwrap();
            assert_eq!(in_bytes(&bytes, &canaries), Vec::<&str>::new(), "{}", file.path);
        }
        let signed = fs::read(house.corpus().join("sets").join(set).join("manifest.dsse.json")).unwrap();
        assert_eq!(in_bytes(&signed, &canaries), Vec::<&str>::new(), "{set}");
    }
}

#[test]
fn by_agreement_leaves_what_was_agreed_and_no_more() {
    let (house, (_guard, out)) = (planted(), outside());
    let canaries = canaries(&house);
    publish(&house, &out, &["--by-agreement", "cells", "--by-agreement", "attribution"]).expect(0);
    let found: BTreeSet<String> =
        in_tree(&out, &canaries).iter().map(|f| f.split_once(": ").unwrap().1.to_owned()).collect();
    assert_eq!(found, AGREED.map(str::to_owned).into());
    let ended = house.verify(&out).expect(0);
    assert!(ended.stdout.contains("0 failed"), "{}", ended.said());
}

#[test]
fn the_scan_finds_a_canary_in_every_encoding() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use std::io::Write as _;
    let house = planted();
    let hex = |bytes: &[u8]| manifests::digest::hex(bytes).into_bytes();
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes).into_bytes();
    let gzip = |bytes: &[u8]| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
    let json =
        |text: &[u8]| serde_json::json!({ "a": [{ "b": String::from_utf8_lossy(text) }] }).to_string().into_bytes();
    let around = |bytes: &[u8]| [b"xyz ", bytes, b" xyz"].concat();
    for canary in canaries(&house) {
        let found = |bytes: &[u8]| in_bytes(bytes, std::slice::from_ref(&canary)) == [canary.name.as_str()];
        if let Some(number) = canary.number() {
            let record = serde_json::json!({ "a": [{ "n": number }] }).to_string();
            assert!(found(record.as_bytes()) && found(&json(&base64(record.as_bytes()))), "{number}");
            continue;
        }
        for form in canary.forms() {
            let wrapped: [Vec<u8>; 12] = [
                form.clone(),
                around(form),
                around(&hex(form)),
                around(&hex(form).to_ascii_uppercase()),
                around(&base64(form)),
                around(&[b"x".as_slice(), &base64(form)].concat()),
                around(URL_SAFE_NO_PAD.encode(around(form)).as_bytes()),
                gzip(form),
                around(&zstd(form)),
                json(&base64(form)),
                // As a payload is in an envelope, and what it quotes within that.
                json(&base64(&json(&hex(form)))),
                gzip(&json(&base64(&zstd(form)))),
            ];
            for (n, bytes) in wrapped.iter().enumerate() {
                assert!(found(bytes), "{} in wrapping {n}", canary.name);
            }
        }
        if let Ok(text) = std::str::from_utf8(&canary.forms()[0]) {
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            assert!(found(format!("{{\"a\":\"{escaped}\"}}").as_bytes()), "{} escaped", canary.name);
        }
    }
    assert_eq!(in_bytes(b"nothing planted here, and 12 numbers", &canaries(&house)), Vec::<&str>::new());
}

#[test]
fn the_owner_builds_and_publishes_the_same_bytes() {
    let (house, (_guard, out)) = (House::copy(&planted()), outside());
    let second = house.path("second");
    house.build(&second, &["--threads", "1"]).expect(0);
    let again = out.with_file_name("again");
    fs::remove_dir_all(house.corpus().join("models")).unwrap();
    fs::rename(house.corpus().join("train"), second.join("train")).unwrap();
    let more = ["--by-agreement", "cells", "--by-agreement", "attribution"];
    publish_from(&house, &second, &out, &more).expect(0);
    fs::rename(second.join("train"), house.corpus().join("train")).unwrap();
    publish(&house, &again, &more).expect(0);
    assert_eq!(differences(&out, &again), Vec::<String>::new());
    assert!(contents(&out).len() > 6);
    // Another secret commits otherwise, and is noticed.
    fs::write(house.path("owner.secret"), [9; 32]).unwrap();
    let said = publish(&house, &out.with_file_name("third"), &[]).expect(1).stderr;
    assert!(said.contains("public-manifest.dsse.json") && said.contains("secret"), "{said}");
}

#[test]
fn the_tree_holds_what_is_listed_and_says_what_stayed() {
    let (house, (_guard, out)) = (planted(), outside());
    let report = publish(&house, &out, &["--format", "json"]).expect(0).json();
    let listed: BTreeSet<&str> =
        report["published"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    let expected =
        ["config.json", "expert.safetensors", "model.sig", "stamp.dsse.json"].map(|f| format!("{EXPERT}/{f}"));
    let mut expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    expected.insert("sets/notes/public-manifest.dsse.json");
    assert_eq!(listed, expected);
    let there = contents(&out);
    expected.insert("publication.dsse.json");
    assert_eq!(there.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    // Every file of the corpus left or stayed, with a reason.
    let stayed: BTreeSet<&str> =
        report["stayed"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert!(report["stayed"].as_array().unwrap().iter().all(|f| !f["reason"].as_str().unwrap().is_empty()));
    let all = contents(&house.corpus());
    assert_eq!(stayed.len() + listed.len(), all.len());
    for file in ["run.json", "sets/notes/manifest.dsse.json", "train/notes-contract/checkpoint.safetensors"] {
        assert!(stayed.contains(file), "{file}");
    }
    // A dry run says the same and writes nothing.
    let mut words: Vec<OsString> = vec!["publish".into(), house.corpus().into(), "--dry-run".into()];
    words.extend(["--key".into(), house.key("owner").into(), "--format".into(), "json".into()]);
    let dry = house.gated(words).expect(0).json();
    assert_eq!((&dry["published"], &dry["out"]), (&report["published"], &serde_json::Value::Null));
}

#[test]
fn the_owner_signs_what_leaves() {
    let (house, (_guard, out)) = (planted(), outside());
    publish(&house, &out, &[]).expect(0);
    let inside = house.corpus().join("sets/notes/public-manifest.dsse.json");
    let outward = out.join("sets/notes/public-manifest.dsse.json");
    // The same payload, so that stamps and withdrawals name one digest.
    assert_eq!(record::<PublicManifest>(&inside), record::<PublicManifest>(&outward));
    let envelope = Envelope::read(&outward).unwrap();
    assert_eq!(envelope.claimed_key_ids_unverified().count(), 2);
    let ended = house.verify(&out).expect(0);
    assert!(ended.stdout.contains(" 0 failed, 0 could not be made"), "{}", ended.said());
    // The builder's signature alone is not the owner's word.
    fs::copy(&inside, &outward).unwrap();
    let said = house.verify(&out).expect(1).stdout;
    assert!(said.contains("sets/notes/public-manifest.dsse.json: signature") && said.contains("owner"), "{said}");
    let said = audit(&house, &out, "commercial").expect(1).stderr;
    assert!(said.contains("FM-T-003"), "{said}");
}

fn audit(house: &House, folder: &Path, name: &str) -> Ended {
    let policy = house.policy(name);
    house.gated(["audit".as_ref(), folder.as_os_str(), "--policy".as_ref(), policy.as_os_str()])
}

#[test]
fn an_outward_tree_says_what_it_is() {
    let (house, (_guard, out)) = (planted(), outside());
    publish(&house, &out, &[]).expect(0);
    let said = house.gated(["inspect".as_ref(), out.as_os_str()]).expect(0).stdout;
    assert!(said.contains("outward tree") && said.contains("contract:FIXTURE-1") && said.contains("100,000"), "{said}");
    let said = audit(&house, &out, "commercial").expect(0).stdout;
    // The set's terms are permitted, and nobody granted the weights yet.
    assert!(said.contains("outward tree") && said.contains("IN PART") && said.contains("FM-P-027"), "{said}");
    let (public, _) = record::<PublicManifest>(&out.join("sets/notes/public-manifest.dsse.json"));
    assert!(matches!(public.tokens, TokenTotal::AtMost(_)));
    let said = house.verify(&house.corpus()).expect(0).stdout;
    assert!(said.contains(" 0 failed"), "{said}");
}

#[test]
fn a_tree_that_was_changed_is_found_out() {
    let (house, (_guard, out)) = (planted(), outside());
    publish(&house, &out, &["--by-agreement", "cells"]).expect(0);
    for file in [
        "publication.dsse.json",
        "sets/notes/public-manifest.dsse.json",
        "sets/notes/agreed-cells.dsse.json",
        "experts/notes-contract/stamp.dsse.json",
        "experts/notes-contract/expert.safetensors",
        "experts/notes-contract/config.json",
        "experts/notes-contract/model.sig",
    ] {
        let whole = fs::read(out.join(file)).unwrap();
        flip_byte(&out.join(file), whole.len() / 2);
        let ended = house.verify(&out);
        assert!(ended.code == 1 && ended.said().contains(file), "{file}:\n{}", ended.said());
        fs::write(out.join(file), whole).unwrap();
    }
    fs::write(out.join("sets/notes/shard-00000.parquet"), "").unwrap();
    assert!(house.verify(&out).expect(1).stdout.contains("the owner did not list this file"));
    fs::remove_file(out.join("sets/notes/shard-00000.parquet")).unwrap();
    fs::remove_file(out.join("sets/notes/agreed-cells.dsse.json")).unwrap();
    assert!(house.verify(&out).expect(1).stdout.contains("agreed-cells.dsse.json"));
}

#[test]
fn a_key_that_is_not_the_owners_publishes_nothing() {
    let (house, (_guard, out)) = (planted(), outside());
    let mut words: Vec<OsString> = vec!["publish".into(), house.corpus().into(), "--out".into(), out.clone().into()];
    words.extend(["--key".into(), house.key("builder").into()]);
    let said = house.gated(words.clone()).expect(1).stderr;
    assert!(said.contains("FM-T-003") && said.contains("owner"), "{said}");
    // And without trust nothing is published at all.
    let said = crate::support::flexmix(words).expect(1).stderr;
    assert!(said.contains("FM-T-001"), "{said}");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("older"), "x").unwrap();
    publish(&house, &out, &[]).expect(2);
    assert_eq!(contents(&out).len(), 1);
}

#[test]
fn a_public_set_leaves_under_a_policy_only() {
    let (house, (_guard, out)) = (planted(), outside());
    let said = publish(&house, &out, &["--set", "public"]).expect(1).stderr;
    assert!(said.contains("publish-data"), "{said}");
    let [key, file] = policy(&house, "publish");
    // Non-commercial code is denied by the policy, line and all; nothing is written.
    let said = publish(&house, &out, &["--set", "code", &key, &file]).expect(1).stderr;
    assert!(said.contains("non-commercial") || said.contains("property that the policy denies"), "{said}");
    assert!(!out.is_dir());
    publish(&house, &out, &["--set", "public", &key, &file]).expect(0);
    let ended = house.verify(&out).expect(0);
    assert!(ended.stdout.contains("the ledger stays with its builder"), "{}", ended.said());
    assert!(out.join("tokenizer.json").is_file() && !out.join("ledger").is_dir() && !out.join("experts").is_dir());
    let said = house.gated(["inspect".as_ref(), out.as_os_str()]).expect(0).stdout;
    assert!(said.contains("public") && said.contains("CC0-1.0"), "{said}");
    // A policy for another act is no permission.
    let [key, file] = policy(&house, "commercial");
    publish(&house, &out.with_file_name("other"), &[&key, &file]).expect(2);
}

#[test]
fn weights_that_carry_more_than_weights_stay() {
    let refuse = |change: &dyn Fn(&str, Vec<u8>) -> Vec<u8>, said: &str| {
        let (house, (_guard, out)) = (House::copy(&planted()), outside());
        restamp(&house, |_| {}, change);
        let ended = publish(&house, &out, &[]).expect(1);
        assert!(ended.stderr.contains(said), "{}", ended.said());
        assert!(!out.is_dir() && fs::read_dir(out.parent().unwrap()).unwrap().next().is_none());
    };
    // Words in the header, a page behind the tensors, a note in the configuration.
    let header = |name: &str, bytes: Vec<u8>| {
        if name != "expert.safetensors" {
            return bytes;
        }
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        let words = b",\"note\":\"the heron\"";
        let at = 8 + String::from_utf8_lossy(&bytes[8..64]).find("\"pt\"").unwrap() + 4;
        [&(length + words.len() as u64).to_le_bytes()[..], &bytes[8..at], words, &bytes[at..]].concat()
    };
    refuse(&header, "words beside the tensors");
    let behind = |name: &str, mut bytes: Vec<u8>| {
        if name == "expert.safetensors" {
            bytes.extend(b"a page of text behind the tensors");
        }
        bytes
    };
    refuse(&behind, "behind its tensors");
    let config = |name: &str, bytes: Vec<u8>| {
        let text = String::from_utf8(bytes.clone()).ok().filter(|_| name == "config.json");
        text.map_or(bytes, |t| t.replacen('{', "{\"note\":\"the heron\",", 1).into_bytes())
    };
    refuse(&config, "config.json");
}

#[test]
fn stamps_that_say_too_much_or_of_another_build_stay() {
    // Of another build of the set.
    let (house, (_guard, out)) = (House::copy(&planted()), outside());
    let other = manifests::digest::Sha256::of(b"another build");
    let closed = |e: &&mut manifests::exposure::Exposure| matches!(e.tokens, TokenTotal::AtMost(_));
    restamp(&house, |s| s.exposures.iter_mut().filter(closed).for_each(|e| e.manifest = other), |_, b| b);
    let said = publish(&house, &out, &[]).expect(0).stdout;
    assert!(said.contains("another build of closed set `notes`") && !out.join("experts").is_dir(), "{said}");
    // One that names the source is no stamp that this program writes or takes.
    let told = |s: &mut manifests::stamp::Stamp| {
        let exposure = s.exposures.iter_mut().find(|e| matches!(e.tokens, TokenTotal::AtMost(_))).unwrap();
        exposure.cells[0].cell.sources.insert("kestrel-archive-77".parse().unwrap());
    };
    restamp(&house, told, |_, b| b);
    let said = publish(&house, &out.with_file_name("told"), &[]).expect(1).stderr;
    assert!(said.contains("carries no origin"), "{said}");
    // Nor one that somebody else than the trainer signed.
    let (house, (_guard, out)) = (House::copy(&planted()), outside());
    let path = house.corpus().join("train/notes-contract/model/stamp.dsse.json");
    let (envelope, key) = (Envelope::read(&path).unwrap(), PrivateKey::read(&house.key("builder")).unwrap());
    let payload = envelope.peek_unverified().unwrap().to_vec();
    Envelope::sign(envelope.payload_type(), payload, &key).write(&path).unwrap();
    let said = publish(&house, &out, &[]).expect(1).stderr;
    assert!(said.contains("FM-T-003"), "{said}");
}

#[test]
fn a_public_manifest_that_tells_how_many_documents_there_are_stays() {
    let (house, (_guard, out)) = (House::copy(&crate::support::corpus()), outside());
    // As version 1 was written: the root with the number of its leaves.
    let path = house.corpus().join("sets/notes/public-manifest.dsse.json");
    let envelope = Envelope::read(&path).unwrap();
    let mut old: serde_json::Value = serde_json::from_slice(envelope.peek_unverified().unwrap()).unwrap();
    let predicate = &mut old["predicate"];
    predicate["schema"] = "flexmix/public-manifest/v1".into();
    predicate["commitments_root"] = serde_json::json!({ "leaves": 170, "root": predicate["commitments_root"] });
    let digest = manifests::digest::Sha256::of(&manifests::canonical::to_vec(predicate).unwrap());
    old["subject"][0]["digest"]["sha256"] = digest.hex().into();
    old["predicateType"] = old["predicateType"].as_str().unwrap().replace(":v2", ":v1").into();
    let key = PrivateKey::read(&house.key("builder")).unwrap();
    let payload = manifests::canonical::to_vec(&old).unwrap();
    Envelope::sign(envelope.payload_type(), payload, &key).write(&path).unwrap();
    let words = |more: &[&str]| {
        let mut words: Vec<OsString> =
            vec!["publish".into(), house.corpus().into(), "--out".into(), out.clone().into()];
        words.extend(["--key".into(), house.key("owner").into()]);
        words.into_iter().chain(more.iter().map(OsString::from)).collect::<Vec<_>>()
    };
    let said = house.gated(words(&[])).expect(1).stderr;
    assert!(said.contains("how many documents") && said.contains("build the corpus anew"), "{said}");
    assert!(!out.is_dir(), "nothing was written");
    house.gated(words(&["--by-agreement", "attribution"])).expect(1);
    // Where counts leave by agreement, one more tells nothing.
    let said = house.gated(words(&["--by-agreement", "cells"])).expect(0).stdout;
    assert!(said.contains("version 1"), "{said}");
}

#[test]
fn withdrawn_text_does_not_leave_in_weights() {
    let house = House::copy(&planted());
    let targets = [
        ("source = \"kestrel-archive-77\"".to_owned(), "FM-P-022"),
        ("rightsholder = \"Stichting Torenvalk Zwartsluis\"".to_owned(), "FM-P-024"),
        (
            // The owner knows its texts: what is undecided outside is decided here.
            format!("work = {{ text = \"{}\", held_by = [] }}", text_digest(&house)),
            "FM-P-023",
        ),
    ];
    for (n, (target, code)) in (3..).zip(targets) {
        // A withdrawal that a head named stays: each has a house of its own.
        let house = House::copy(&planted());
        let text = format!(
            "schema = \"flexmix/withdrawal/v1\"\nid = \"w{n}\"\ndemo = true\nkind = \"contract-end\"\n\
             target = {{ {target} }}\neffective = 2026-11-30\nlearned = 2026-11-30\nreason = \"a test\"\n"
        );
        let file = house.write("records/withdrawals/one.toml", &text);
        house.sign("withdrawal", &file, &["withdrawals"]).expect(0);
        house.renew_head(n);
        let (_guard, out) = outside();
        let said = publish(&house, &out, &[]).expect(0).stdout;
        assert!(said.contains(code) && !out.join("experts").is_dir(), "{said}");
    }
}

fn text_digest(house: &House) -> String {
    let sql = "SELECT digest FROM ledger WHERE declared_id = 'note-003'";
    house.query(&house.corpus(), sql)[0]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_trained_expert_on_a_closed_set_leaves_and_says_only_what_may() {
    let (house, (_guard, out)) = (model(), outside());
    let report = publish(&house, &out, &["--format", "json"]).expect(0).json();
    let there = contents(&out);
    let experts: BTreeSet<&str> = there.keys().filter_map(|f| f.strip_prefix("experts/")?.split('/').next()).collect();
    assert_eq!(experts, BTreeSet::from(["notes-contract"]), "{report:#}");
    assert_eq!(there.len(), 6, "{:?}", there.keys());
    let (stamp, _) = record::<manifests::stamp::Stamp>(&out.join(EXPERT).join("stamp.dsse.json"));
    let closed: Vec<_> = stamp.exposures.iter().filter(|e| e.set.as_str() == "notes").collect();
    assert!(!closed.is_empty());
    for exposure in closed {
        assert!(matches!(exposure.tokens, TokenTotal::AtMost(_)));
        assert!(
            exposure.cells.iter().all(|c| c.cell == c.cell.outward() && c.tokens.is_none() && c.evidence.is_none())
        );
    }
    let ended = house.verify(&out).expect(0);
    assert!(ended.stdout.contains(" 0 failed, 0 could not be made"), "{}", ended.said());
    audit(&house, &out, "commercial").expect(0);
}
