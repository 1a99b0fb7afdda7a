//! Rollbacks with genuine files: what a memory refuses, and what a fresh one cannot.

use std::path::PathBuf;

use super::*;
use crate::date::Date;
use crate::merkle::TreeRoot;
use crate::sign::{Envelope, PrivateKey, Record as _};
use crate::trust::{FormerRoot, Role, TRUST_TYPE, TrustFile, TrustedKey, envelope_path};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn root_key(name: &str, key: &PrivateKey) -> TrustedKey {
    TrustedKey {
        name: name.into(),
        roles: [Role::Root].into(),
        scope: ["*".to_owned()].into(),
        from: day("2026-01-01"),
        until: day("2027-12-31"),
        pem: key.public().to_pem().unwrap(),
    }
}

fn trust(folder: &Path, version: u64, root: &PrivateKey, former: Option<&PrivateKey>) -> Trust {
    let former_roots =
        former.map(|f| FormerRoot { name: "before".into(), version: version - 1, pem: f.public().to_pem().unwrap() });
    let file = TrustFile {
        schema: TrustFile::SCHEMA.into(),
        version,
        demo: true,
        keys: vec![root_key("root", root)],
        former_roots: former_roots.into_iter().collect(),
        compromised: vec![],
    };
    let path: PathBuf = folder.join(format!("trust-{version}.toml"));
    let text = toml::to_string(&file).unwrap();
    std::fs::write(&path, &text).unwrap();
    let mut envelope = Envelope::sign(TRUST_TYPE, text.into_bytes(), root);
    former.iter().for_each(|f| envelope.add_signature(f));
    envelope.write(&envelope_path(&path)).unwrap();
    Trust::open(&path, day("2026-12-03")).unwrap()
}

fn head(sequence: u64, records: &[u8]) -> Head {
    Head {
        schema: Head::schema(),
        demo: true,
        sequence,
        issued: day("2026-12-01"),
        expires: day("2026-12-31"),
        root: TreeRoot { leaves: 1, root: Sha256::of(records) },
        withdrawals: BTreeSet::new(),
    }
}

fn refusal(result: Result<()>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn an_older_head_or_another_of_its_number_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::At(folder.path().join("memory"));
    let trust = trust(folder.path(), 1, &PrivateKey::generate().unwrap(), None);
    memory.head(&trust, &head(3, b"three")).unwrap();
    memory.head(&trust, &head(3, b"three")).unwrap();
    assert!(refusal(memory.head(&trust, &head(2, b"two"))).contains("FM-T-010"));
    assert!(refusal(memory.head(&trust, &head(3, b"other"))).contains("with other records"));
    memory.head(&trust, &head(5, b"five")).unwrap();
    assert!(refusal(memory.head(&trust, &head(3, b"three"))).contains("head 5 was seen"));
    // Nobody can tell without a memory: that is why it is kept.
    Memory::Off.head(&trust, &head(2, b"two")).unwrap();
    Memory::At(folder.path().join("fresh")).head(&trust, &head(2, b"two")).unwrap();
}

#[test]
fn the_line_goes_on_through_a_rotation_and_not_back() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::At(folder.path().join("memory"));
    let (one, two) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    let first = trust(folder.path(), 1, &one, None);
    memory.head(&first, &head(7, b"seven")).unwrap();
    let second = trust(folder.path(), 2, &two, Some(&one));
    memory.trust(&second).unwrap();
    assert!(refusal(memory.trust(&first)).contains("FM-T-009"));
    assert!(refusal(memory.head(&second, &head(6, b"six"))).contains("FM-T-010"));
    memory.head(&second, &head(8, b"eight")).unwrap();
    // Another file of a version that was seen, by the same root.
    let forked = trust(folder.path(), 2, &two, Some(&PrivateKey::generate().unwrap()));
    assert!(refusal(memory.trust(&forked)).contains("another version 2"));
}

#[test]
fn a_withdrawal_that_was_seen_is_never_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::At(folder.path().join("memory"));
    let trust = trust(folder.path(), 1, &PrivateKey::generate().unwrap(), None);
    let with = |sequence, names: &[&[u8]]| Head {
        withdrawals: names.iter().map(|n| Sha256::of(n)).collect(),
        ..head(sequence, b"records")
    };
    memory.head(&trust, &with(1, &[b"w-1"])).unwrap();
    assert!(refusal(memory.head(&trust, &with(2, &[]))).contains("leaves out withdrawal"));
    assert!(refusal(memory.head(&trust, &with(2, &[b"w-2"]))).contains("FM-T-010"));
    memory.head(&trust, &with(2, &[b"w-1", b"w-2"])).unwrap();
}

#[test]
fn whoever_missed_a_version_goes_through_it() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::At(folder.path().join("memory"));
    let [one, two, three] = [(); 3].map(|()| PrivateKey::generate().unwrap());
    memory.trust(&trust(folder.path(), 1, &one, None)).unwrap();
    let second = trust(folder.path(), 2, &two, Some(&one));
    // The third names the roots of all versions before, so that it is known to be of this line.
    let pem = |key: &PrivateKey| key.public().to_pem().unwrap();
    let former = |name: &str, version, key| FormerRoot { name: name.into(), version, pem: pem(key) };
    let file = TrustFile {
        schema: TrustFile::SCHEMA.into(),
        version: 3,
        demo: true,
        keys: vec![root_key("root", &three)],
        former_roots: vec![former("two", 2, &two), former("one", 1, &one)],
        compromised: vec![],
    };
    let path = folder.path().join("trust-3.toml");
    let text = toml::to_string(&file).unwrap();
    std::fs::write(&path, &text).unwrap();
    let mut envelope = Envelope::sign(TRUST_TYPE, text.into_bytes(), &three);
    envelope.add_signature(&one);
    envelope.write(&envelope_path(&path)).unwrap();
    let refused = Trust::open(&path, day("2026-12-03")).unwrap_err().to_string();
    assert!(refused.contains("version before"), "a root of version 1 cannot sign for version 2: {refused}");
    envelope.add_signature(&two);
    envelope.write(&envelope_path(&path)).unwrap();
    let third = Trust::open(&path, day("2026-12-03")).unwrap();
    memory.trust(&second).unwrap();
    memory.trust(&third).unwrap();
    assert!(refusal(memory.trust(&second)).contains("FM-T-009"));
    let missed = Memory::At(folder.path().join("missed"));
    missed.trust(&trust(folder.path(), 1, &one, None)).unwrap();
    // An old root's signature beside the others does not make version 3 follow version 1 for whoever needs version 2.
    let mut without = Envelope::read(&envelope_path(&path)).unwrap();
    assert_eq!(without.claimed_key_ids_unverified().count(), 3);
    without = Envelope::sign(TRUST_TYPE, toml::to_string(&file).unwrap().into_bytes(), &three);
    without.add_signature(&two);
    without.write(&envelope_path(&path)).unwrap();
    let third = Trust::open(&path, day("2026-12-03")).unwrap();
    assert!(refusal(missed.trust(&third)).contains("bring up version 2 first"));
}
