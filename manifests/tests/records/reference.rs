//! Reference implementations agree with us: securesystemslib on envelopes (P-256 and Ed25519, both ways),
//! in-toto-attestation on statements, and rfc8785 on the spelling of JSON.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use manifests::canonical;
use manifests::digest::Sha256;
use manifests::proof::{Carried, Proof};
use manifests::sign::{Envelope, PublicKey, Record, Statement};
use manifests::stamp::Stamp;
use manifests::trust::{POLICY_TYPE, STATEMENT_TYPE, TRUST_TYPE};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::golden::folder;
use crate::kinds::kinds;
use crate::proofs::changes;
use crate::samples::{expert, key};

/// The exit status of the script when the tools could not be installed.
const NOT_INSTALLED: i32 = 77;

/// Runs the script that has the reference implementations. Without them a test fails, unless FLEXMIX_OFFLINE says that
/// there is no registry.
fn reference(arguments: &[&str], input: &[u8]) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/reference.py");
    let mut command = Command::new("python3");
    command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Written beside reading: both pipes would fill otherwise.
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let written = writer.join().unwrap();
    if output.status.code() == Some(NOT_INSTALLED) {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(std::env::var_os("FLEXMIX_OFFLINE").is_some(), "set FLEXMIX_OFFLINE to go without: {said}");
        eprintln!("skipped: {said}");
        return None;
    }
    written.unwrap();
    Some(output)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The public keys of these roles, as files.
fn public_keys(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    let write = |name: &&str| {
        let path = folder.join(format!("{name}.pub"));
        fs::write(&path, key(name).public().to_pem().unwrap()).unwrap();
        path
    };
    names.iter().map(write).collect()
}

/// What the tools find in an envelope, or what they say against it.
fn verify(envelope: &Path, keys: &[PathBuf]) -> Option<Result<Value, String>> {
    let threshold = keys.len().to_string();
    let mut arguments = vec!["dsse", text(envelope), &threshold];
    arguments.extend(keys.iter().map(|k| text(k)));
    let output = reference(&arguments, b"")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { Ok(serde_json::from_slice(&output.stdout).unwrap()) } else { Err(said) })
}

#[test]
fn the_tools_verify_and_parse_every_record() {
    let dir = tempfile::tempdir().unwrap();
    let signers = |name: &str| match name {
        "set-manifest" | "public-manifest" | "release" | "rebuild" => vec!["builder"],
        "stamp" => vec!["trainer"],
        "model-index" => vec!["merger"],
        "withdrawal" => vec!["withdrawals"],
        "grant" | "impact" | "publication" | "agreed-cells" | "attribution-list" => vec!["owner"],
        "head" => vec!["head"],
        _ => vec!["legal-1", "legal-2"],
    };
    for kind in kinds() {
        let path = folder().join(format!("{}.v{}.dsse.json", kind.name, kind.version));
        let Some(found) = verify(&path, &public_keys(dir.path(), &signers(kind.name))) else { return };
        let found = found.unwrap_or_else(|said| panic!("{}: {said}", kind.name));
        let envelope = Envelope::read(&path).unwrap();
        assert_eq!(found["payload"], Sha256::of(envelope.peek_unverified().unwrap()).to_string());
        assert_eq!(found["predicate_type"], format!("urn:flexmix:{}:v{}", kind.name, kind.version));
        assert_eq!(found["schema"], format!("flexmix/{}/v{}", kind.name, kind.version));
        assert!(!found["subjects"].as_object().unwrap().is_empty());
    }
    // Policies and trust files are signed as exact bytes.
    for (name, signers) in
        [("policy.v1", vec!["legal-1", "legal-2"]), ("trust.v1", vec!["root"]), ("trust.v2", vec!["former", "root"])]
    {
        let path = folder().join(format!("{name}.toml"));
        let envelope = folder().join(format!("{name}.toml.dsse.json"));
        let found = verify(&envelope, &public_keys(dir.path(), &signers)).unwrap().unwrap();
        assert_eq!(found["payload"], Sha256::of(&fs::read(path).unwrap()).to_string());
    }
}

#[test]
fn the_tools_refuse_what_we_refuse() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read_to_string(folder().join("head.v1.dsse.json")).unwrap();
    let path = dir.path().join("head.dsse.json");
    let keys = public_keys(dir.path(), &["head"]);
    fs::write(&path, &whole).unwrap();
    let Some(found) = verify(&path, &keys) else { return };
    assert!(found.is_ok());
    assert!(verify(&path, &public_keys(dir.path(), &["stranger"])).unwrap().is_err());
    let envelope: Value = serde_json::from_str(&whole).unwrap();
    let payload = envelope["payload"].as_str().unwrap().to_owned();
    let flipped = if payload.contains("A") { payload.replacen('A', "B", 1) } else { payload.replacen('a', "b", 1) };
    let types = whole.replace("in-toto+json", "in-toto+yaml");
    for changed in [whole.replace(&payload, &flipped), types] {
        fs::write(&path, &changed).unwrap();
        assert!(verify(&path, &keys).unwrap().is_err());
        let ours = Envelope::read(&path).and_then(|e| e.verify(&[key("head").public()], &[STATEMENT_TYPE]));
        assert!(ours.is_err());
    }
    // One key twice is one signer.
    fs::write(&path, whole).unwrap();
    let twice = verify(&path, &[keys[0].clone(), keys[0].clone()]).unwrap();
    assert!(twice.is_err());
}

#[test]
fn an_ed25519_signature_of_the_tools_is_one_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let (payload, envelope, public) = (file("payload"), file("stamp.dsse.json"), file("tool.pub"));
    let statement = Statement::about_itself("code-open", expert()).unwrap();
    let trust = fs::read(folder().join("trust.v2.toml")).unwrap();
    let policy = fs::read(folder().join("policy.v1.toml")).unwrap();
    let cases = [(STATEMENT_TYPE, statement.payload().unwrap()), (TRUST_TYPE, trust), (POLICY_TYPE, policy)];
    for (payload_type, bytes) in cases {
        fs::write(&payload, &bytes).unwrap();
        let arguments = ["sign", payload_type, text(&payload), text(&envelope), text(&public)];
        let Some(output) = reference(&arguments, b"") else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = PublicKey::read(&public).unwrap();
        let read = Envelope::read(&envelope).unwrap();
        let verified = read.verify(std::slice::from_ref(&theirs), &[payload_type]).unwrap();
        assert_eq!(verified.payload, bytes);
        assert!(read.verify(&[key("trainer").public()], &[payload_type]).is_err());
        if payload_type == STATEMENT_TYPE {
            let stamp = Statement::<Stamp>::from_verified(&verified, &envelope).unwrap();
            assert_eq!(stamp, statement);
        }
        // As we write it, and with a second signature of ours, the tool verifies it again.
        let mut both = read;
        both.add_signature(&key("trainer"));
        both.write(&envelope).unwrap();
        let mut keys = public_keys(dir.path(), &["trainer"]);
        keys.push(public.clone());
        let found = verify(&envelope, &keys).unwrap().unwrap();
        assert_eq!(found["keys"].as_array().unwrap().len(), 2);
        assert!(found["keys"].as_array().unwrap().iter().any(|k| *k == theirs.id().to_string()));
    }
    assert_eq!(Stamp::schema(), "flexmix/stamp/v1");
}

/// Runs the script of the documents on a proof; gives whether it was convinced, and its words.
fn script(proof: &Path, key: &Path) -> Option<(bool, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verify_proof.py");
    let python = String::from_utf8(reference(&["install"], b"")?.stdout).unwrap();
    let output = Command::new(python.trim()).arg(&script).args([proof, key]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn the_script_of_the_documents_is_convinced_by_true_proofs_alone() {
    let dir = tempfile::tempdir().unwrap();
    let [builder, stranger] = public_keys(dir.path(), &["builder", "stranger"]).try_into().unwrap();
    let altered = dir.path().join("altered.json");
    // What it takes from the signed manifest itself, and does not read in the proof.
    let unread = |path: &str| ["/schema", "/root", "/public", "/question/"].iter().any(|p| path.starts_with(p));
    for (name, words) in [
        ("proof-document.v1.json", "is in set code"),
        ("proof-absent.v1.json", "is not in set code"),
        ("proof-opening.v1.json", "is in set notes"),
        ("proof-closed-absent.v1.json", "is not in set notes"),
    ] {
        let Some((convinced, said)) = script(&folder().join(name), &builder) else { return };
        assert!(convinced && said.contains(words), "{name}: {said}");
        assert!(!script(&folder().join(name), &stranger).unwrap().0, "{name} under another key");
        let whole: Value = serde_json::from_slice(&fs::read(folder().join(name)).unwrap()).unwrap();
        let read = changes(&whole).into_iter().filter(|(path, _)| !unread(path) && !path.ends_with("/keyid"));
        // Each change is a process: one in three will do.
        for (path, changed) in read.step_by(3) {
            let mut value = whole.clone();
            *value.pointer_mut(&path).unwrap() = changed;
            fs::write(&altered, serde_json::to_vec(&value).unwrap()).unwrap();
            assert!(!script(&altered, &builder).unwrap().0, "{name}: {path} was changed");
        }
        let mut contrary = whole.clone();
        contrary["answer"] = if whole["answer"] == "absent" { "included".into() } else { "absent".into() };
        fs::write(&altered, serde_json::to_vec(&contrary).unwrap()).unwrap();
        let (convinced, said) = script(&altered, &builder).unwrap();
        assert!(!convinced && said.contains("NOT PROVED"), "{name}: {said}");
    }
}

#[test]
fn the_script_of_the_documents_takes_ed25519() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let (payload, envelope, public, path) =
        (file("payload"), file("m.dsse.json"), file("tool.pub"), file("proof.json"));
    let mut proof = Proof::read(&folder().join("proof-document.v1.json")).unwrap();
    fs::write(&payload, proof.manifest.envelope.peek_unverified().unwrap()).unwrap();
    let arguments = ["sign", STATEMENT_TYPE, text(&payload), text(&envelope), text(&public)];
    let Some(output) = reference(&arguments, b"") else { return };
    assert!(output.status.success());
    proof.manifest = Carried::new(Envelope::read(&envelope).unwrap()).unwrap();
    proof.write(&path).unwrap();
    let (convinced, said) = script(&path, &public).unwrap();
    assert!(convinced, "{said}");
    let builder = public_keys(dir.path(), &["builder"]);
    assert!(!script(&path, &builder[0]).unwrap().0);
}

/// Any JSON that a record may hold, with the letters that are spelled in different ways made frequent.
fn json() -> impl Strategy<Value = Value> {
    let edge = i64::try_from(canonical::MAX_INTEGER).unwrap();
    let letters = prop::sample::select(
        "aé€ß\u{1f600}\u{fb33}\u{10ffff}\u{0}\u{1f}\u{7f}\u{80}\u{2028}\"\\/\t\n\r\u{8}\u{c}"
            .chars()
            .collect::<Vec<_>>(),
    );
    let words = prop_oneof![any::<String>(), prop::collection::vec(letters, 0..8).prop_map(String::from_iter)];
    let integers = prop_oneof![-edge..=edge, Just(edge), Just(-edge), -9i64..9];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        integers.prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::btree_map(words.clone(), inner, 0..8).prop_map(|m| m.into_iter().collect()),
        ]
    })
}

#[test]
fn canonical_json_is_spelled_as_rfc8785_spells_it() {
    let mut runner = TestRunner::deterministic();
    let mut values: Vec<Value> = (0..2000).map(|_| json().new_tree(&mut runner).unwrap().current()).collect();
    // Records of every kind, and every sort key of the standard's own example.
    values.extend(kinds().iter().map(|k| serde_json::from_slice(k.sample.peek_unverified().unwrap()).unwrap()));
    values.push(serde_json::from_str(r#"{"€":1,"\r":2,"דּ":3,"1":4,"😀":5,"\u0080":6,"ö":7}"#).unwrap());
    let mut input = Vec::new();
    for value in &values {
        // Another spelling of the same value: not ours, nor canonical.
        input.extend(serde_json::to_vec(value).unwrap());
        input.push(b'\n');
    }
    let Some(output) = reference(&["canonical"], &input) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Vec<&[u8]> = output.stdout.split(|b| *b == b'\n').collect();
    assert_eq!(theirs.len(), values.len() + 1);
    for (value, theirs) in values.iter().zip(theirs) {
        let ours = canonical::to_vec(value).unwrap();
        assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(theirs));
    }
}
