//! Trust files over real keys: scopes, rotation signed by both roots, and what a compromise leaves standing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::sign::PrivateKey;

const DAY: &str = "2026-12-03";

struct Desk {
    folder: tempfile::TempDir,
    root: PrivateKey,
    root_2: PrivateKey,
    builder: PrivateKey,
}

fn key(name: &str, key: &PrivateKey, role: Role, scope: &[&str]) -> TrustedKey {
    TrustedKey {
        name: name.into(),
        roles: [role].into(),
        scope: scope.iter().map(|s| (*s).to_owned()).collect(),
        from: "2026-01-01".parse().unwrap(),
        until: "2027-12-31".parse().unwrap(),
        pem: key.public().to_pem().unwrap(),
    }
}

impl Desk {
    fn new() -> Self {
        let new = || PrivateKey::generate().unwrap();
        Self { folder: tempfile::tempdir().unwrap(), root: new(), root_2: new(), builder: new() }
    }

    fn first(&self) -> TrustFile {
        TrustFile {
            schema: TrustFile::SCHEMA.into(),
            version: 1,
            demo: true,
            keys: vec![
                key("root", &self.root, Role::Root, &["*"]),
                key("lab", &self.builder, Role::Builder, &["news", "code"]),
            ],
            former_roots: vec![],
            compromised: vec![],
        }
    }

    fn second(&self) -> TrustFile {
        let mut file = self.first();
        file.version = 2;
        file.keys[0] = key("root-2", &self.root_2, Role::Root, &["*"]);
        file.former_roots =
            vec![FormerRoot { name: "root".into(), version: 1, pem: self.root.public().to_pem().unwrap() }];
        file
    }

    fn write(&self, file: &TrustFile, signers: &[&PrivateKey]) -> PathBuf {
        let path = self.folder.path().join("trust.toml");
        let text = toml::to_string(file).unwrap();
        std::fs::write(&path, &text).unwrap();
        let mut envelope = Envelope::sign(TRUST_TYPE, text.into_bytes(), signers[0]);
        signers[1..].iter().for_each(|key| envelope.add_signature(key));
        envelope.write(&envelope_path(&path)).unwrap();
        path
    }

    fn open(&self, file: &TrustFile, signers: &[&PrivateKey]) -> Result<Trust> {
        Trust::open(&self.write(file, signers), DAY.parse().unwrap())
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_key_signs_for_its_scope_only_and_for_all_parts_of_it_at_once() {
    let desk = Desk::new();
    let trust = desk.open(&desk.first(), &[&desk.root]).unwrap();
    let envelope = Envelope::sign(STATEMENT_TYPE, b"{}".to_vec(), &desk.builder);
    let verify = |scopes: &[&str]| {
        let path = Path::new("m.dsse.json");
        trust.verify_all(&envelope, path, STATEMENT_TYPE, Role::Builder, scopes, DAY.parse().unwrap())
    };
    assert!(verify(&["news", "code"]).is_ok());
    assert!(refusal(verify(&["news", "math"])).contains("FM-T-003"));
    assert!(refusal(verify(&["*"])).contains("FM-T-003"));
}

#[test]
fn a_rotation_needs_both_roots() {
    let desk = Desk::new();
    let trust = desk.open(&desk.second(), &[&desk.root, &desk.root_2]).unwrap();
    assert_eq!(trust.version(), 2);
    assert_eq!(trust.signers().len(), 2);
    assert!(refusal(desk.open(&desk.second(), &[&desk.root_2])).contains("no root key of the version before"));
    assert!(refusal(desk.open(&desk.second(), &[&desk.root])).contains("role `root`"));
}

#[test]
fn a_compromised_key_keeps_what_stands_and_nothing_else() {
    let desk = Desk::new();
    let before = Envelope::sign(STATEMENT_TYPE, b"{\"before\":1}".to_vec(), &desk.builder);
    let after = Envelope::sign(STATEMENT_TYPE, b"{\"after\":1}".to_vec(), &desk.builder);
    let mut file = desk.first();
    let stands = BTreeSet::from([Sha256::of(b"{\"before\":1}")]);
    file.compromised = vec![Compromised { key: desk.builder.public().id(), after: 12, stands }];
    let trust = desk.open(&file, &[&desk.root]).unwrap();
    let verify = |envelope: &Envelope| {
        trust.verify(envelope, Path::new("m"), STATEMENT_TYPE, Role::Builder, "news", DAY.parse().unwrap())
    };
    assert!(verify(&before).is_ok());
    let said = refusal(verify(&after));
    assert!(said.contains("FM-T-011") && said.contains("after head 12"), "{said}");
}

#[test]
fn the_first_version_is_read_and_has_nothing_of_the_second() {
    let desk = Desk::new();
    let mut file = desk.first();
    file.schema = "flexmix/trust/v1".into();
    assert!(desk.open(&file, &[&desk.root]).is_ok());
    file.compromised = vec![Compromised { key: desk.builder.public().id(), after: 1, stands: BTreeSet::new() }];
    assert!(refusal(desk.open(&file, &[&desk.root])).contains("need schema"));
    file = desk.second();
    file.former_roots.clear();
    assert!(refusal(desk.open(&file, &[&desk.root_2])).contains("former-root"));
    file.schema = "flexmix/trust/v3".into();
    assert!(refusal(desk.open(&file, &[&desk.root_2])).contains("this build reads"));
}

#[test]
fn a_bare_key_is_a_builder_and_nothing_else() {
    let desk = Desk::new();
    let path = desk.folder.path().join("lab.pub");
    std::fs::write(&path, desk.builder.public().to_pem().unwrap()).unwrap();
    let trust = Trust::open(&path, DAY.parse().unwrap()).unwrap();
    let envelope = Envelope::sign(STATEMENT_TYPE, b"{}".to_vec(), &desk.builder);
    let verify = |role| trust.verify(&envelope, Path::new("m"), STATEMENT_TYPE, role, "news", DAY.parse().unwrap());
    assert!(verify(Role::Builder).is_ok());
    for role in Role::ALL.into_iter().filter(|r| *r != Role::Builder) {
        assert!(refusal(verify(role)).contains("FM-T-003"), "{role:?}");
    }
}
