//! Our folder signatures against OpenSSF's own tool, both ways, and what it accepts that we refuse. Where neither the
//! cache nor a registry has the tool, the tests say that they were skipped.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifests::digest::Sha256;
use manifests::merkle::root_of;
use manifests::sign::dsse::pae;
use manifests::sign::statement::PAYLOAD_TYPE;
use manifests::sign::{PrivateKey, sign_folder, verify_folder};
use serde_json::{Value, json};

const SKIPPED: i32 = 77;

fn tool(arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/verify_model_signing.py");
    Command::new("python3").arg(script).args(arguments).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn expert(root: &Path) -> PathBuf {
    let folder = root.join("expert");
    fs::create_dir_all(folder.join("a")).unwrap();
    // Orders by component (`a/b` first) and by byte (`a-b` first) differ.
    fs::write(folder.join("a/b.safetensors"), vec![7; 100_000]).unwrap();
    fs::write(folder.join("a-b.json"), b"{}").unwrap();
    fs::write(folder.join("empty"), b"").unwrap();
    fs::write(folder.join("stamp.dsse.json"), b"{}").unwrap();
    folder
}

#[test]
fn the_tool_verifies_our_folders_and_we_verify_its() {
    if tool(&["install"]).status.code() == Some(SKIPPED) {
        eprintln!("skipped: model_signing cannot be installed here");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let folder = expert(dir.path());
    let key = PrivateKey::generate().unwrap();
    let (private, public) = key.write_pair(&dir.path().join("trainer")).unwrap();
    let verify = |folder: &Path| {
        let output = tool(&["verify", text(&public), text(folder)]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), said)
    };

    let signed = sign_folder(&folder, &key).unwrap();
    let (accepted, said) = verify(&folder);
    assert!(accepted && said.contains("Verification succeeded"), "{said}");

    fs::write(folder.join("empty"), b"not").unwrap();
    let (accepted, said) = verify(&folder);
    assert!(!accepted && said.contains("mismatch"), "{said}");
    fs::write(folder.join("empty"), b"").unwrap();
    fs::write(folder.join("extra"), b"").unwrap();
    assert!(!verify(&folder).0);
    fs::remove_file(folder.join("extra")).unwrap();

    // The other way, several times: the tool draws its nonce, and half of its signatures have a high `s`.
    for _ in 0..4 {
        fs::remove_file(folder.join("model.sig")).unwrap();
        let output = tool(&["sign", text(&private), text(&folder)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = verify_folder(&folder, &[key.public()]).unwrap();
        assert_eq!((theirs.files, theirs.key_id), (signed.files.clone(), signed.key_id));
    }
}

/// A signed folder, and what the tool and we say of it after somebody changed it.
struct Bench {
    dir: tempfile::TempDir,
    key: PrivateKey,
    public: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = PrivateKey::generate().unwrap();
        let (_, public) = key.write_pair(&dir.path().join("trainer")).unwrap();
        Self { dir, key, public }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("expert")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The folder anew, signed.
    fn renew(&self) {
        _ = fs::remove_dir_all(self.folder());
        expert(self.dir.path());
        sign_folder(&self.folder(), &self.key).unwrap();
    }

    fn payload(&self) -> Value {
        let bundle: Value = serde_json::from_slice(&fs::read(self.file("model.sig")).unwrap()).unwrap();
        let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
        serde_json::from_slice(&payload).unwrap()
    }

    /// The same signer signs another payload.
    fn resign(&self, change: impl FnOnce(&mut Value)) {
        let mut payload = self.payload();
        change(&mut payload);
        let bytes = serde_json::to_vec(&payload).unwrap();
        let mut bundle: Value = serde_json::from_slice(&fs::read(self.file("model.sig")).unwrap()).unwrap();
        bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(&bytes));
        let sig = STANDARD.encode(self.key.sign(&pae(PAYLOAD_TYPE, &bytes)));
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!(sig);
        fs::write(self.file("model.sig"), serde_json::to_vec(&bundle).unwrap()).unwrap();
    }

    /// The tool accepts the folder as it now is, and we refuse it.
    #[track_caller]
    fn assert_differs(&self, what: &str, options: &[&str]) {
        let (public, folder) = (self.public.clone(), self.folder());
        let mut arguments = vec!["verify", text(&public), text(&folder)];
        arguments.extend(options);
        let output = tool(&arguments);
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{what}: the tool refuses: {}", String::from_utf8_lossy(&said));
        let ours = verify_folder(&self.folder(), &[self.key.public()]);
        assert!(ours.is_err(), "{what}: we accept");
    }
}

#[test]
fn what_the_tool_accepts_and_we_refuse() {
    if tool(&["install"]).status.code() == Some(SKIPPED) {
        eprintln!("skipped: model_signing cannot be installed here");
        return;
    }
    let bench = Bench::new();
    let weights = "a/b.safetensors";

    bench.renew();
    bench.resign(|p| {
        // False first, true last: the tool takes the last. Its root is over both.
        let mut twice = p["predicate"]["resources"][0].clone();
        twice["digest"] = json!(Sha256::of(b"false").hex());
        p["predicate"]["resources"].as_array_mut().unwrap().insert(0, twice);
        let digests = p["predicate"]["resources"].as_array().unwrap().iter();
        let raw = digests.flat_map(|r| *Sha256::from_hex(r["digest"].as_str().unwrap()).unwrap().as_bytes());
        p["subject"][0]["digest"]["sha256"] = json!(Sha256::of(&raw.collect::<Vec<u8>>()).hex());
    });
    bench.assert_differs("a resource named twice", &[]);

    bench.renew();
    fs::create_dir(bench.file(".git")).unwrap();
    fs::write(bench.file(".git/hook"), b"#!/bin/sh").unwrap();
    bench.assert_differs("a file in .git", &[]);

    bench.renew();
    fs::write(bench.file(".gitattributes"), b"* filter=x").unwrap();
    bench.assert_differs("a .gitattributes", &[]);

    bench.renew();
    bench.resign(|p| {
        let kept: Vec<Value> = p["predicate"]["resources"].as_array().unwrap().clone();
        let kept: Vec<Value> = kept.into_iter().filter(|r| r["name"] != weights).collect();
        let raw = kept.iter().flat_map(|r| *Sha256::from_hex(r["digest"].as_str().unwrap()).unwrap().as_bytes());
        p["subject"][0]["digest"]["sha256"] = json!(Sha256::of(&raw.collect::<Vec<u8>>()).hex());
        p["predicate"]["resources"] = json!(kept);
        p["predicate"]["serialization"]["ignore_paths"] = json!(["model.sig", weights]);
    });
    fs::write(bench.file(weights), b"other weights").unwrap();
    bench.assert_differs("weights among the ignored paths", &[]);

    bench.renew();
    bench.resign(|p| p["predicate"]["serialization"]["allow_symlinks"] = json!(true));
    fs::rename(bench.file(weights), bench.dir.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(bench.dir.path().join("elsewhere"), bench.file(weights)).unwrap();
    bench.assert_differs("weights that are a link out of the folder", &["--allow_symlinks"]);

    bench.renew();
    fs::write(bench.file("extra.safetensors"), b"unsigned").unwrap();
    bench.assert_differs("a file that nobody signed", &["--ignore_unsigned_files"]);

    bench.renew();
    let mut bundle: Value = serde_json::from_slice(&fs::read(bench.file("model.sig")).unwrap()).unwrap();
    let signatures = bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
    signatures.push(json!({"keyid": "", "sig": STANDARD.encode(b"freight")}));
    fs::write(bench.file("model.sig"), serde_json::to_vec(&bundle).unwrap()).unwrap();
    bench.assert_differs("a second signature that is none", &[]);
}

#[test]
fn the_tools_root_takes_a_renamed_tree_for_the_same_and_ours_does_not() {
    if tool(&["install"]).status.code() == Some(SKIPPED) {
        eprintln!("skipped: model_signing cannot be installed here");
        return;
    }
    let bench = Bench::new();
    bench.renew();
    let verify = || tool(&["verify", text(&bench.public), text(&bench.folder())]).status.success();
    let root_in_bundle = || bench.payload()["subject"][0]["digest"]["sha256"].clone();
    let before = (root_in_bundle(), verify_folder(&bench.folder(), &[bench.key.public()]).unwrap().files);
    assert!(verify());
    // The same bytes under another name in the same place of the order, signed by the same key.
    fs::rename(bench.file("empty"), bench.file("expert.safetensors")).unwrap();
    sign_folder(&bench.folder(), &bench.key).unwrap();
    assert!(verify());
    let after = (root_in_bundle(), verify_folder(&bench.folder(), &[bench.key.public()]).unwrap().files);
    assert_eq!(before.0, after.0, "the tool's root leaves names out");
    assert_ne!(root_of(&before.1).unwrap(), root_of(&after.1).unwrap());
}
