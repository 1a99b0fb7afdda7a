//! Proofs of the real program: that a document or text is in a set or is not, checked by `flexmix verify-proof` and by
//! the script of the documents, which uses nothing of ours. A closed set proves under its owner's secret alone.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::readers::script;
use crate::support::{AS_OF, Ended, House, corpus, fixture, flexmix, workspace};

/// A house's corpus, and a folder for proofs about it.
struct Desk {
    house: House,
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { house: corpus(), folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `flexmix prove` into `NAME.json`.
    fn prove(&self, name: &str, words: &[&str]) -> Ended {
        let mut all: Vec<OsString> = vec!["prove".into(), self.house.corpus().into(), "--out".into()];
        all.push(self.path(&format!("{name}.json")).into());
        flexmix(all.into_iter().chain(words.iter().map(Into::into)))
    }

    /// `flexmix verify-proof` of `NAME.json` under the house's trust.
    fn check(&self, name: &str, words: &[&str]) -> Ended {
        let mut all: Vec<OsString> = vec!["verify-proof".into(), self.path(&format!("{name}.json")).into()];
        all.extend(["--trust".into(), self.house.path("trust.toml").into(), "--as-of".into(), AS_OF.into()]);
        flexmix(all.into_iter().chain(words.iter().map(Into::into)))
    }

    /// What the script of the documents says of `NAME.json`; nothing where Python's library cannot be had.
    fn foreign(&self, name: &str) -> Option<Ended> {
        let (run, own) = (PathBuf::from("run"), workspace().join("docs/verify_proof.py"));
        script("reference.py", &[&run, &own, &self.path(&format!("{name}.json")), &self.house.path("keys/builder.pub")])
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(&format!("{name}.json"))).unwrap()).unwrap()
    }

    fn ids(&self, condition: &str) -> Vec<String> {
        let sql = format!("SELECT doc_id FROM ledger WHERE {condition} ORDER BY doc_id");
        let rows = self.house.query(&self.house.corpus(), &sql);
        rows.iter().map(|row| row["doc_id"].as_str().unwrap().to_owned()).collect()
    }
}

/// Text without digests and this run's folders: another build has other ones.
fn plain(text: &str, desk: &Desk) -> String {
    let text = text.replace(desk.house.path("").to_str().unwrap(), "HOUSE/");
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |whole, part| whole + "sha256:…" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_is_in_a_set_and_what_is_not_is_proved() {
    let desk = Desk::new();
    let mut said = Vec::new();
    let kept = desk.ids("\"set\" = 'code' AND decision = 'kept'");
    let dropped = desk.ids("\"set\" = 'code' AND decision = 'dropped'");
    desk.prove("kept", &["--document", &kept[kept.len() / 2]]).expect(0);
    desk.prove("dropped", &["--set", "code", "--document", &dropped[0]]).expect(0);
    let shard = ["--set", "public", "--file", "shard-00001.parquet"];
    desk.prove("shard", &shard).expect(0);
    let letter = desk.path("letter.txt");
    fs::write(&letter, "No set has a letter\n like this one.\n").unwrap();
    desk.prove("letter", &["--set", "public", "--text", text(&letter)]).expect(0);
    for name in ["kept", "dropped", "shard", "letter"] {
        let ended = desk.check(name, &[]).expect(0);
        said.push(plain(&ended.stdout, &desk));
        let Some(foreign) = desk.foreign(name) else { continue };
        let words = if ["kept", "shard"].contains(&name) { "is in set" } else { "is not in set" };
        assert!(foreign.expect(0).stdout.contains(words));
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_text_is_known_however_it_is_spaced() {
    let desk = Desk::new();
    let almanac =
        Command::new("gzip").arg("-dc").arg(fixture().join("inputs/almanac.jsonl.gz")).output().unwrap().stdout;
    let sql = "SELECT declared_id, digest FROM ledger WHERE decision = 'kept' AND source = 'almanac' LIMIT 1";
    let row = &desk.house.query(&desk.house.corpus(), sql)[0];
    let mut records = almanac.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let record = records.find(|r| r["id"] == row["declared_id"]).unwrap();
    let spaced = format!("\n {}\t\n", record["text"].as_str().unwrap().replace(' ', " \n  "));
    let file = desk.path("spaced.txt");
    fs::write(&file, &spaced).unwrap();
    desk.prove("spaced", &["--set", "public", "--text", text(&file)]).expect(0);
    assert_eq!(desk.json("spaced")["question"]["text"], row["digest"]);
    fs::write(&file, spaced + "x").unwrap();
    desk.prove("other", &["--set", "public", "--text", text(&file)]).expect(0);
    assert_eq!(desk.json("other")["answer"], "absent");
    // A digest does as well as the text.
    desk.prove("digest", &["--set", "public", "--digest", row["digest"].as_str().unwrap()]).expect(0);
    assert_eq!(desk.json("digest"), desk.json("spaced"));
    let found = desk.check("digest", &["--format", "json"]).expect(0).json();
    assert_eq!((found["tree"].as_str(), found["answer"].as_str()), (Some("texts_root"), Some("included")));
    assert_eq!(found["signers"], serde_json::json!(["builder"]));
}

#[test]
fn proofs_that_were_changed_are_refused() {
    let desk = Desk::new();
    let kept = desk.ids("\"set\" = 'code' AND decision = 'kept'");
    desk.prove("true", &["--document", &kept[0]]).expect(0);
    let whole = desk.json("true");
    let write = |value: &Value| fs::write(desk.path("changed.json"), serde_json::to_vec(value).unwrap()).unwrap();
    let mut cases = Vec::new();
    let mut with = |path: &str, value: Value| {
        let mut changed = whole.clone();
        *changed.pointer_mut(path).unwrap() = value;
        cases.push((path.to_owned(), changed));
    };
    with("/answer", "absent".into());
    with("/question/document", kept[1].clone().into());
    with("/evidence/documents/at/leaf/n_tokens", 1.into());
    with("/evidence/documents/at/index", 1.into());
    with("/manifest/envelope/payloadType", "application/json".into());
    for (path, changed) in cases {
        write(&changed);
        let ended = desk.check("changed", &[]).expect(1);
        assert!(ended.stderr.contains("FM-T-"), "{path}: {}", ended.said());
        if let Some(foreign) = desk.foreign("changed") {
            assert!(foreign.code != 0, "{path}: {}", foreign.said());
        }
    }
    // Another spelling of a true proof is none.
    fs::write(desk.path("changed.json"), serde_json::to_vec_pretty(&whole).unwrap()).unwrap();
    desk.check("changed", &[]).expect(1);
}

#[test]
fn who_signed_matters_and_is_said() {
    let desk = Desk::new();
    let kept = desk.ids("\"set\" = 'public' AND decision = 'kept'");
    desk.prove("kept", &["--document", &kept[0]]).expect(0);
    let path = desk.path("kept.json");
    // Without trust: integrity only.
    let ended = flexmix(["verify-proof", text(&path)]).expect(0);
    assert!(ended.stdout.ends_with("integrity only, signer unknown\n"), "{}", ended.said());
    // A day on which the builder's key was not valid.
    let trust = desk.house.path("trust.toml");
    let late = flexmix(["verify-proof", text(&path), "--trust", text(&trust), "--as-of", "2029-01-01"]);
    late.expect(1);
    // The manifest that one has must be the one in the proof.
    let own = desk.house.corpus().join("sets/public/manifest.dsse.json");
    let other = desk.house.corpus().join("sets/code/manifest.dsse.json");
    desk.check("kept", &["--manifest", text(&own)]).expect(0);
    let ended = desk.check("kept", &["--manifest", text(&other)]).expect(1);
    assert!(ended.stderr.contains("FM-T-007"), "{}", ended.said());
}

#[test]
fn what_was_handed_out_proves_nothing_and_says_who_can() {
    let desk = Desk::new();
    let out = desk.path("outward");
    let mut words: Vec<OsString> =
        vec!["publish".into(), desk.house.corpus().into(), "--out".into(), out.clone().into()];
    words.extend([
        "--key".into(),
        desk.house.key("owner").into(),
        "--policy".into(),
        desk.house.policy("publish").into(),
    ]);
    desk.house.gated(words.into_iter().chain(["--set".into(), "public".into()])).expect(0);
    let kept = desk.ids("\"set\" = 'public' AND decision = 'kept'");
    let ask = |question: [&str; 2]| {
        let proof = desk.path("outward.json");
        let words: [&std::ffi::OsStr; 4] = ["prove".as_ref(), out.as_os_str(), "--out".as_ref(), proof.as_os_str()];
        flexmix(words.into_iter().chain(question.map(std::ffi::OsStr::new)))
    };
    let said = ask(["--document", &kept[0]]).expect(1).stderr;
    assert!(said.contains("stayed behind") && said.contains("ask its owner"), "{said}");
    // A shard stands in the manifest itself, which was handed out.
    ask(["--file", "shard-00000.parquet"]).expect(0);
}

#[test]
fn a_closed_set_proves_under_its_owners_secret_alone() {
    let desk = Desk::new();
    let mut said = Vec::new();
    let kept = desk.ids("\"set\" = 'notes' AND decision = 'kept'");
    let secret = desk.house.path("owner.secret");
    let (ask, with) = (["--set", "notes", "--document", &kept[0]], ["--secret", text(&secret)]);
    let ended = desk.prove("none", &ask).expect(2);
    assert!(ended.stderr.contains("--secret"), "{}", ended.said());
    let wrong = desk.path("wrong.secret");
    fs::write(&wrong, [8; 32]).unwrap();
    desk.prove("none", &[&ask[..], &["--secret", text(&wrong)]].concat()).expect(1);
    desk.prove("none", &[&["--set", "notes", "--file", "shard-00000.parquet"], &with[..]].concat()).expect(2);
    assert!(!desk.path("none.json").try_exists().unwrap());

    // There: one commitment is opened, and nothing else of the set is in the proof.
    desk.prove("opened", &[&ask[..], &with].concat()).expect(0);
    said.push(plain(&desk.check("opened", &[]).expect(0).stdout, &desk));
    let opened = fs::read_to_string(desk.path("opened.json")).unwrap();
    let manifest = fs::read(desk.house.corpus().join("sets/notes/manifest.dsse.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert!(!opened.contains(manifest["payload"].as_str().unwrap()));
    assert!(kept[1..].iter().all(|id| !opened.contains(id.as_str())));
    if let Some(foreign) = desk.foreign("opened") {
        assert!(foreign.expect(0).stdout.contains("is in set notes"));
    }

    // Not there: beside the full manifest, and bound to the public one where the secret is.
    let digest = format!("sha256:{}", "0".repeat(64));
    let ended = desk.prove("absent", &[&["--set", "notes", "--digest", &digest], &with[..]].concat()).expect(0);
    assert!(ended.stderr.contains("not to be handed out"), "{}", ended.said());
    said.push(plain(&desk.check("absent", &[]).expect(0).stdout, &desk));
    said.push(plain(&desk.check("absent", &with).expect(0).stdout, &desk));
    let ended = desk.check("absent", &["--secret", text(&wrong)]).expect(1);
    assert!(ended.stderr.contains("FM-T-013"), "{}", ended.said());
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_folder_that_is_not_what_its_manifest_says_proves_nothing() {
    let house = House::copy(&corpus());
    let corpus = house.corpus();
    let sql = "SELECT doc_id FROM ledger WHERE \"set\" = 'code' AND decision = 'kept' LIMIT 1";
    let id = house.query(&corpus, sql)[0]["doc_id"].as_str().unwrap().to_owned();
    let out = house.path("proof.json");
    let words = ["prove", text(&corpus), "--set", "code", "--document", &id, "--out", text(&out)];
    flexmix(words).expect(0);
    fs::remove_file(&out).unwrap();
    let ledger = corpus.join("ledger");
    for entry in fs::read_dir(&ledger).unwrap() {
        crate::support::flip_byte(&entry.unwrap().path(), 40);
    }
    let ended = flexmix(words).expect(1);
    assert!(ended.stderr.contains("ledger/") && ended.stderr.contains("FM-T-007"), "{}", ended.said());
    assert!(!out.try_exists().unwrap());
}
