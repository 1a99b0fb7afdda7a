//! Our folder signatures against OpenSSF's own tool, both ways. Where neither the cache nor a registry has the tool,
//! the test says that it was skipped.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use manifests::sign::{PrivateKey, sign_folder, verify_folder};

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
