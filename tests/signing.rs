//! Every expert folder of a merged model is signed in OpenSSF's model-signing format: its own tool verifies it with the
//! trainer's public key, each folder alone. What it says of a genuine folder in the wrong place is not enough.

use std::fs;
use std::path::Path;

use manifests::digest::Sha256;
use manifests::exposure::{Cell, CellCount, Exposure, Kind};
use manifests::merkle::{FileLeaf, root_of};
use manifests::policy::Assurance;
use manifests::sign::{PrivateKey, Record, Statement, sign_folder};
use manifests::stamp::{Member, ModelIndex, RouterRow, Stamp, Subject};

use crate::readers::script;
use crate::support::{House, copy_tree, corpus, flip_byte, model};

#[test]
fn model_signing_verifies_each_folder_alone() {
    let house = House::copy(&model());
    let (whole, key) = (house.model("whole"), house.path("keys/trainer.pub"));
    let verify = |folder: &Path| script("verify_model_signing.py", &["verify".as_ref(), &key, folder]);
    let Some(ended) = verify(&whole.join("experts/code-nc")) else { return };
    assert!(ended.expect(0).said().contains("Verification succeeded"));
    // The others are not needed.
    fs::remove_dir_all(whole.join("experts/code-nc")).unwrap();
    for folder in ["anchor", "experts/notes-contract"] {
        verify(&whole.join(folder)).unwrap().expect(0);
    }
    flip_byte(&whole.join("experts/notes-contract/expert.safetensors"), 4000);
    let ended = verify(&whole.join("experts/notes-contract")).unwrap();
    assert!(ended.code != 0 && ended.said().contains("expert.safetensors"), "{}", ended.said());
    // Another key's owner signed nothing here.
    let other = house.path("keys/merger.pub");
    let ended = script("verify_model_signing.py", &["verify".as_ref(), &other, &whole.join("anchor")]).unwrap();
    assert_ne!(ended.code, 0, "{}", ended.said());
}

/// A stamped and signed folder whose weights are a few bytes; gives how an index names it.
fn stamped(folder: &Path, id: &str, files: &[(&str, &[u8])], anchor: Option<Sha256>, key: &PrivateKey) -> Member {
    fs::create_dir_all(folder).unwrap();
    let mut leaves = Vec::new();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
        leaves.push(FileLeaf { path: name.parse().unwrap(), length: bytes.len() as u64, digest: Sha256::of(bytes) });
    }
    leaves.sort_by(|a, b| a.path.cmp(&b.path));
    let files_root = root_of(&leaves).unwrap();
    let row = RouterRow {
        method: "separating".to_owned(),
        own_documents: 100,
        public_documents: 100,
        digest: Sha256::of(b"row"),
    };
    let read = CellCount { cell: Cell::unknown(), evidence: None, documents: Some(1), tokens: Some(9) };
    let stamp = Stamp {
        schema: Stamp::schema(),
        demo: true,
        subject: if anchor.is_some() { Subject::Expert } else { Subject::Anchor },
        id: id.parse().unwrap(),
        assurance: Assurance::Claimed,
        files: leaves,
        files_root,
        anchor,
        exposures: vec![Exposure::open(Kind::Gradient, "public".parse().unwrap(), Sha256::of(b"manifest"), vec![read])],
        tensors: vec![],
        row: anchor.map(|_| row),
        plan: Sha256::of(b"plan"),
        config: Sha256::of(b"config"),
        build: "test".to_owned(),
        seed: 1,
        steps: 1,
    };
    let statement = Statement::about_itself(id, stamp).unwrap();
    let digest = statement.write(&folder.join("stamp.dsse.json"), key).unwrap();
    sign_folder(folder, key).unwrap();
    let name = if anchor.is_some() { format!("experts/{id}") } else { id.to_owned() };
    Member { folder: name, id: id.parse().unwrap(), stamp: digest, files_root: files_root.root }
}

#[test]
fn a_genuine_folder_in_the_place_of_another_is_accepted_by_the_tool_and_refused_by_the_model() {
    let house = House::copy(&corpus());
    let trainer = PrivateKey::read(&house.key("trainer")).unwrap();
    let whole = house.model("whole");
    let anchor = stamped(&whole.join("anchor"), "anchor", &[("model.safetensors", b"anchor")], None, &trainer);
    let own = |folder: &Path, files: &[(&str, &[u8])]| stamped(folder, "code", files, Some(anchor.stamp), &trainer);
    let place = whole.join("experts/code");
    let member = own(&place, &[("expert.safetensors", b"new weights"), ("spare.safetensors", b"other")]);
    // Yesterday's folder, and one with the same bytes under each other's names: the trainer signed both.
    own(&house.path("older"), &[("expert.safetensors", b"old weights"), ("spare.safetensors", b"other")]);
    own(&house.path("renamed"), &[("expert.safetensors", b"other"), ("spare.safetensors", b"new weights")]);
    let index = ModelIndex {
        schema: ModelIndex::schema(),
        demo: true,
        name: "whole".to_owned(),
        anchor,
        experts: vec![member],
    };
    let merger = PrivateKey::read(&house.key("merger")).unwrap();
    Statement::about_itself("whole", index).unwrap().write(&whole.join("index.dsse.json"), &merger).unwrap();
    house.verify(&whole).expect(0);

    let key = house.path("keys/trainer.pub");
    for other in ["older", "renamed"] {
        fs::remove_dir_all(&place).unwrap();
        copy_tree(&house.path(other), &place);
        let ended = house.verify(&whole).expect(1);
        assert!(ended.stdout.contains("FAILED experts/code/stamp.dsse.json"), "{other}: {}", ended.said());
        let policy = house.policy("research");
        let ended =
            house.gated(["audit".as_ref(), whole.as_os_str(), "--policy".as_ref(), policy.as_os_str()]).expect(1);
        assert!(ended.stderr.contains("FM-T-007"), "{other}: {}", ended.said());
        if let Some(ended) = script("verify_model_signing.py", &["verify".as_ref(), &key, &place]) {
            assert!(ended.expect(0).said().contains("Verification succeeded"), "{other}");
        }
    }
}
