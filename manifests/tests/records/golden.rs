//! Golden files: one of every version of every record that shipped. All are read for ever, and the newest is written
//! byte for byte as it was. UPDATE_GOLDEN=1 writes those that are not there yet, and never changes one that is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use manifests::digest::Sha256;
use manifests::manifest::Access;
use manifests::memory::Memory;
use manifests::plan::Plan;
use manifests::policy::Policy;
use manifests::proof::Proof;
use manifests::record::Head;
use manifests::sign::{Envelope, PublicKey, Statement};
use manifests::trust::{Compromised, FormerRoot, POLICY_TYPE, TRUST_TYPE, Trust, TrustFile, envelope_path};

use crate::kinds::kinds;
use crate::proofs::{of_closed_absence, of_document, of_opening, of_text, today, trust_file};
use crate::samples::{documents, key, set};

/// The keys that sign golden files, which are roles with numbers.
const SIGNERS: [&str; 12] = [
    "root",
    "owner",
    "builder",
    "legal-1",
    "legal-2",
    "trainer",
    "merger",
    "withdrawals",
    "head",
    "operator",
    "stranger",
    "former",
];

/// Schemas that no file of this folder has: a shard is Parquet, and the reports of programs are no records.
const ELSEWHERE: [&str; 1] = ["flexmix/shard/v1"];

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

pub(crate) fn keys() -> Vec<PublicKey> {
    SIGNERS.iter().map(|name| key(name).public()).collect()
}

/// The golden file of this name; where it is missing it is written, when that is asked for.
#[track_caller]
fn golden(name: &str, newest: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let path = folder().join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.try_exists().unwrap() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, newest()).unwrap();
    }
    fs::read(&path).unwrap_or_else(|e| panic!("{name}: {e}; UPDATE_GOLDEN=1 writes it"))
}

#[test]
fn every_version_of_every_record_is_read_and_the_newest_is_written_as_it_was() {
    for kind in kinds() {
        for version in 1..=kind.version {
            let name = format!("{}.v{version}.dsse.json", kind.name);
            let bytes = golden(&name, || {
                assert_eq!(version, kind.version, "{name} is of a version that no longer is written");
                kind.sample.to_vec().unwrap()
            });
            let path = folder().join(&name);
            let payload = (kind.read)(&path, &keys()).unwrap();
            if version == kind.version {
                let envelope = Envelope::read(&path).unwrap();
                assert_eq!(payload, envelope.peek_unverified().unwrap(), "{name}");
                assert_eq!(envelope.to_vec().unwrap(), bytes, "{name}");
            }
        }
    }
}

#[test]
fn every_version_of_a_policy_is_read() {
    let text = include_bytes!("../golden/policy.v1.toml");
    let path = folder().join("policy.v1.toml");
    let policy = Policy::parse(&path, text).unwrap();
    assert_eq!((policy.id.as_str(), policy.version, policy.digest), ("golden-serve", 4, Sha256::of(text)));
    let bytes = golden("policy.v1.toml.dsse.json", || {
        let mut envelope = Envelope::sign(POLICY_TYPE, text.to_vec(), &key("legal-1"));
        envelope.add_signature(&key("legal-2"));
        envelope.to_vec().unwrap()
    });
    let envelope = Envelope::read(&envelope_path(&path)).unwrap();
    let verified = envelope.verify(&keys(), &[POLICY_TYPE]).unwrap();
    assert_eq!((verified.key_ids.len(), verified.payload.as_slice()), (2, &text[..]));
    assert_eq!(envelope.to_vec().unwrap(), bytes);
}

/// A trust file of the newest version with everything that one can say.
fn newest_trust() -> TrustFile {
    let pem = key("former").public().to_pem().unwrap();
    let former = FormerRoot { name: "root of last year".to_owned(), version: 1, pem };
    let lost = Compromised { key: key("stranger").public().id(), after: 6, stands: [Sha256::of(b"a stamp")].into() };
    TrustFile { version: 2, former_roots: vec![former], compromised: vec![lost], ..trust_file(&SIGNERS[..10]) }
}

#[test]
fn every_version_of_a_trust_file_is_opened() {
    let newest = || toml::to_string_pretty(&newest_trust()).unwrap().into_bytes();
    golden("trust.v2.toml", newest);
    golden("trust.v2.toml.dsse.json", || {
        let mut envelope = Envelope::sign(TRUST_TYPE, newest(), &key("root"));
        envelope.add_signature(&key("former"));
        envelope.to_vec().unwrap()
    });
    for name in ["trust.v1.toml", "trust.v2.toml"] {
        let path = folder().join(name);
        let trust = Trust::open(&path, today()).unwrap();
        assert_eq!(trust.keys().len(), 10);
        let bytes = fs::read(&path).unwrap();
        let typed = TrustFile::parse(&path, &bytes).unwrap();
        assert_eq!(toml::to_string_pretty(&typed).unwrap().into_bytes(), bytes, "{name}");
    }
}

#[test]
fn every_version_of_a_plan_is_read() {
    let path = folder().join("plan.v1.toml");
    let (plan, digest) = Plan::read(&path).unwrap();
    assert_eq!(digest, Sha256::of(&fs::read(&path).unwrap()));
    assert_eq!((plan.experts.len(), plan.left_out.len(), plan.outlook.len()), (1, 1, 1));
}

#[test]
fn every_version_of_a_proof_holds() {
    let (open, closed) = (documents("code", 7), documents("notes", 5));
    let (code, notes) = (set("code", Access::Public, &open), set("notes", Access::Closed, &closed));
    let proofs = [
        ("proof-document.v1.json", of_document(&code, &open, open[3].doc_id)),
        ("proof-absent.v1.json", of_text(&code, &open, "not there")),
        ("proof-opening.v1.json", of_opening(&notes, &closed, &closed[2])),
        ("proof-closed-absent.v1.json", of_closed_absence(&notes, &closed, of_text(&notes, &closed, "not there"))),
    ];
    let trust = Trust::open(&folder().join("trust.v1.toml"), today()).unwrap();
    // An opening under the first version of a public manifest, which counted its commitments and did not pad them.
    let path = folder().join("proof-counted.v1.json");
    Proof::read(&path).unwrap().check(&path, Some((&trust, today())), None).unwrap();
    for (name, newest) in proofs {
        let bytes = golden(name, || newest.to_vec().unwrap());
        let path = folder().join(name);
        let proof = Proof::read(&path).unwrap();
        proof.check(&path, Some((&trust, today())), None).unwrap();
        assert_eq!(proof.to_vec().unwrap(), bytes, "{name}");
    }
}

#[test]
fn what_was_remembered_by_any_version_is_known() {
    let trust = Trust::open(&folder().join("trust.v2.toml"), today()).unwrap();
    let path = folder().join("head.v1.dsse.json");
    let head = Statement::<Head>::read(&path, &keys()).unwrap().0.predicate;
    let remember = |folder: &Path| Memory::At(folder.to_path_buf()).head(&trust, &head);
    let bytes = golden("memory.v1.json", || {
        let dir = tempfile::tempdir().unwrap();
        remember(dir.path()).unwrap();
        fs::read(fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path()).unwrap()
    });
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("line.json");
    fs::write(&file, &bytes).unwrap();
    remember(dir.path()).unwrap();
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let older = Head { sequence: head.sequence - 1, ..head.clone() };
    let error = Memory::At(dir.path().to_path_buf()).head(&trust, &older).unwrap_err();
    assert!(error.to_string().contains("FM-T-010"), "{error}");
}

/// `flexmix/KIND/vN` in the sources of this crate, their tests and comments aside.
fn schemas_in_code() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests.rs") && path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
                for line in lines {
                    found.extend(quoted(line).filter(|word| is_schema(word)).map(str::to_owned));
                    // A record's kind and version are apart: `kinds` has its version.
                    let is_kind =
                        line.contains("const KIND: &'static str") || line.trim_start().starts_with("record!(");
                    found.extend(quoted(line).filter(|_| is_kind).map(|kind| format!("flexmix/{kind}/")));
                }
            }
        }
    }
    found
}

fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

fn is_schema(word: &str) -> bool {
    let parts: Vec<&str> = word.split('/').collect();
    matches!(parts.as_slice(), ["flexmix", kind, version] if !kind.is_empty() && !kind.contains(['{', '`'])
        && version.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok()))
}

#[test]
fn every_kind_in_the_code_has_its_golden_file() {
    let files: BTreeSet<String> =
        fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let has = |kind: &str, version: &str| {
        let wanted = [format!("{kind}.{version}."), format!("{kind}-")];
        files
            .iter()
            .any(|f| f.starts_with(&wanted[0]) || (f.starts_with(&wanted[1]) && f.contains(&format!(".{version}."))))
    };
    let listed: BTreeSet<String> = kinds().iter().map(|k| format!("flexmix/{}/", k.name)).collect();
    let found = schemas_in_code();
    assert!(found.len() > 10, "{found:?}");
    for schema in found.iter().filter(|s| !ELSEWHERE.contains(&s.as_str())) {
        let parts: Vec<&str> = schema.split('/').collect();
        let known = if parts[2].is_empty() { listed.contains(schema) } else { has(parts[1], parts[2]) };
        assert!(known, "`{schema}` has no golden file in tests/golden, or is not listed in kinds.rs");
    }
    // And nothing lies here that no test reads.
    let names: BTreeSet<&str> = kinds().iter().map(|k| k.name).collect();
    let others = [
        "policy",
        "trust",
        "plan",
        "proof",
        "proof-document",
        "proof-absent",
        "proof-opening",
        "proof-closed-absent",
        "proof-counted",
        "memory",
    ];
    for file in &files {
        let kind = file.split('.').next().unwrap();
        assert!(names.contains(kind) || others.contains(&kind), "{file} is no golden file of a kind");
    }
}
