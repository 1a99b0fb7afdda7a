//! Keys, envelopes, statements and folder signatures: what is accepted, and every way to be refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dsse::pae;
use super::statement::PAYLOAD_TYPE;
use super::*;
use crate::digest::Sha256;
use crate::error::Result;

// RFC 6979 §A.2.5: the key of the P-256 vectors, as PKCS#8.
const RFC_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCDJr6nYRbp1FmtcIVdn\n\
    sdaTTlDD2zbomxJ7imIrEg9nIQ==\n-----END PRIVATE KEY-----\n";

// RFC 8410 §10.1.
const ED25519_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    schema: String,
    text: String,
    #[serde(default)]
    count: u64,
}

impl Record for Note {
    const KIND: &'static str = "note";
    const VERSION: u32 = 2;

    fn upgrade(version: u32, old: &Value) -> Option<Value> {
        (version == 1).then(|| json!({"schema": "flexmix/note/v2", "text": old["words"], "count": 0}))
    }
}

fn note() -> Statement<Note> {
    let predicate = Note { schema: Note::schema(), text: "hello".to_owned(), count: 3 };
    Statement::new(vec![Subject { name: "a".to_owned(), digest: Sha256::of(b"a") }], predicate)
}

fn here() -> &'static Path {
    Path::new("note.dsse.json")
}

/// The same signature with `s` replaced by `n - s`: valid ECDSA, and not what we write.
fn high_s(signature: &[u8]) -> Vec<u8> {
    let parsed = p256::ecdsa::Signature::from_der(signature).unwrap();
    let flipped = p256::ecdsa::Signature::from_scalars(parsed.r().to_bytes(), (-*parsed.s()).to_bytes()).unwrap();
    flipped.to_der().as_bytes().to_vec()
}

#[test]
fn signatures_are_those_of_rfc_6979_with_low_s() {
    let key = PrivateKey::from_pem(RFC_KEY).unwrap();
    let parsed = p256::ecdsa::Signature::from_der(&key.sign(b"sample")).unwrap();
    let (r, s) = parsed.split_bytes();
    assert_eq!(crate::digest::hex(&r), "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716");
    // The RFC's s is F7CB1C94…, above n/2; n - s is:
    assert_eq!(crate::digest::hex(&s), "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9");
    assert!(key.public().verify(b"sample", &key.sign(b"sample")));
    assert!(!key.public().verify(b"sample", &high_s(&key.sign(b"sample"))));
    assert!(key.public().verify_any_s(b"sample", &high_s(&key.sign(b"sample"))));
    assert!(!key.public().verify(b"simple", &key.sign(b"sample")));
}

#[test]
fn key_files_are_private_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate().unwrap();
    let (private, public) = key.write_pair(&dir.path().join("builder")).unwrap();
    assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(private.ends_with("builder.key") && public.ends_with("builder.pub"));
    assert_eq!(PrivateKey::read(&private).unwrap().public().id(), key.public().id());
    assert_eq!(PublicKey::read(&public).unwrap().id(), key.public().id());
    let before = fs::read(&private).unwrap();
    assert!(PrivateKey::generate().unwrap().write_pair(&dir.path().join("builder")).is_err());
    fs::remove_file(&private).unwrap();
    assert!(key.write_pair(&dir.path().join("builder")).is_err(), "a public key alone is kept too");
    assert!(!private.try_exists().unwrap());
    fs::write(&private, before).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(..)");
}

#[test]
fn ed25519_keys_verify_and_do_not_sign() {
    let public = PublicKey::from_pem(ED25519_PUBLIC).unwrap();
    assert_eq!(public.to_pem().unwrap(), ED25519_PUBLIC);
    assert!(!public.verify(b"x", &[0; 64]));
    use ed25519_dalek::Signer as _;
    let signer = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    use ed25519_dalek::pkcs8::EncodePublicKey as _;
    let pem = signer.verifying_key().to_public_key_pem(p256::pkcs8::LineEnding::LF).unwrap();
    let public = PublicKey::from_pem(&pem).unwrap();
    let payload = b"text".to_vec();
    let message = pae("text/plain", &payload);
    let wire = json!({"payload": STANDARD.encode(&payload), "payloadType": "text/plain",
        "signatures": [{"sig": STANDARD.encode(signer.sign(&message).to_bytes())}]});
    let envelope = Envelope::from_slice(here(), &serde_json::to_vec(&wire).unwrap()).unwrap();
    assert_eq!(
        envelope
            .verify(std::slice::from_ref(&public), &["text/plain"])
            .unwrap()
            .key_ids
            .into_iter()
            .collect::<Vec<_>>(),
        [public.id()]
    );
    assert!(PrivateKey::from_pem(ED25519_PUBLIC).is_err());
}

#[test]
fn pae_is_that_of_the_specification() {
    assert_eq!(
        pae("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
    assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
}

#[test]
fn envelopes_count_distinct_keys_and_replace_a_keys_own() {
    let (one, two) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    let mut envelope = note().sign(&one).unwrap();
    envelope.add_signature(&two);
    envelope.add_signature(&one);
    assert_eq!(envelope.claimed_key_ids_unverified().count(), 2);
    let keys = [one.public(), two.public()];
    assert_eq!(envelope.verify(&keys, &[PAYLOAD_TYPE]).unwrap().key_ids.len(), 2);
    assert_eq!(
        envelope.verify(&keys[..1], &[PAYLOAD_TYPE]).unwrap().key_ids.len(),
        1,
        "others' signatures count for nothing"
    );
    assert_eq!(envelope.verify(&[one.public(), one.public()], &[PAYLOAD_TYPE]).unwrap().key_ids.len(), 1);
    let stranger = PrivateKey::generate().unwrap().public();
    assert!(envelope.verify(&[stranger], &[PAYLOAD_TYPE]).unwrap_err().is_verification());
    assert!(envelope.verify(&[], &[PAYLOAD_TYPE]).is_err());
    assert!(envelope.verify(&keys, &["text/plain"]).is_err(), "the caller says which types");
    let mut other_order = note().sign(&two).unwrap();
    other_order.add_signature(&one);
    assert_eq!(envelope.to_vec().unwrap(), other_order.to_vec().unwrap(), "bytes don't depend on who signed first");
}

#[test]
fn envelopes_of_another_form_are_refused() {
    let key = PrivateKey::generate().unwrap();
    let good: Value = serde_json::from_slice(&note().sign(&key).unwrap().to_vec().unwrap()).unwrap();
    let verify = |value: &Value| -> Result<Verified> {
        Envelope::from_slice(here(), &serde_json::to_vec_pretty(value).unwrap())?
            .verify(&[key.public()], &[PAYLOAD_TYPE])
    };
    assert!(verify(&good).is_ok(), "spacing is free");
    let payload = STANDARD.decode(good["payload"].as_str().unwrap()).unwrap();
    let signature = STANDARD.decode(good["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    let with = |path: &str, new: Value| {
        let mut value = good.clone();
        *value.pointer_mut(path).unwrap() = new;
        value
    };
    assert!(
        verify(&with("/payload", json!(URL_SAFE_NO_PAD.encode(&payload)))).is_ok(),
        "URL-safe base64 without padding"
    );
    assert!(verify(&with("/signatures/0/keyid", json!("anything"))).is_ok(), "the key id is a hint");
    let mut longer = payload.clone();
    longer.push(b' ');
    let twice = [good["signatures"][0].clone(), good["signatures"][0].clone()];
    let many: Vec<Value> = vec![good["signatures"][0].clone(); 17];
    for refused in [
        with("/payload", json!(STANDARD.encode(longer))),
        with("/payload", json!("*")),
        with("/payloadType", json!("text/plain")),
        with("/signatures/0/sig", json!(STANDARD.encode(high_s(&signature)))),
        with("/signatures/0/sig", json!(STANDARD.encode(&signature[..signature.len() - 1]))),
        with("/signatures", json!([])),
        with("/signatures", json!(many)),
        with("/signatures", json!(twice)),
        with("/signatures/0", json!({"sig": "", "keyid": "", "cert": ""})),
        json!({"payload": good["payload"], "payloadType": good["payloadType"], "signatures": good["signatures"], "x": 1}),
    ] {
        assert!(verify(&refused).is_err(), "{refused}");
    }
}

#[test]
fn statements_come_back_and_are_known_by_their_payload() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("note.dsse.json");
    let (one, two) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    let digest = note().write(&path, &one).unwrap();
    let (read, verified) = Statement::<Note>::read(&path, &[one.public()]).unwrap();
    assert_eq!((read, Sha256::of(&verified.payload)), (note(), digest));
    assert_eq!(note().write(&path, &two).unwrap(), digest, "who signs does not change what a record is");
    assert!(Statement::<Note>::read(&path, &[one.public()]).is_err());
    let payload = String::from_utf8(note().payload().unwrap()).unwrap();
    let subject = Sha256::of(b"a").hex();
    assert_eq!(
        payload,
        format!(
            "{{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{{\"count\":3,\"schema\":\"flexmix/note/v2\",\
             \"text\":\"hello\"}},\"predicateType\":\"urn:flexmix:note:v2\",\
             \"subject\":[{{\"digest\":{{\"sha256\":\"{subject}\"}},\"name\":\"a\"}}]}}"
        )
    );
    let wrong = Note { schema: "flexmix/note/v1".to_owned(), ..note().predicate };
    assert!(Statement::about_itself("n", wrong).unwrap().payload().is_err());
    assert!(Statement::new(vec![], note().predicate).payload().is_err());
    assert!(Statement::about_itself("n", note().predicate).unwrap().payload().is_ok());
}

#[test]
fn statements_of_another_spelling_kind_or_version_are_refused() {
    let key = PrivateKey::generate().unwrap();
    let parse = |value: Value| -> Result<Statement<Note>> {
        let payload = crate::canonical::to_vec(&value).unwrap();
        let verified = Envelope::sign(PAYLOAD_TYPE, payload, &key).verify(&[key.public()], &[PAYLOAD_TYPE])?;
        Statement::from_verified(&verified, here())
    };
    let good: Value = serde_json::from_slice(&note().payload().unwrap()).unwrap();
    assert_eq!(parse(good.clone()).unwrap(), note());
    let with = |path: &str, new: Value| {
        let mut value = good.clone();
        *value.pointer_mut(path).unwrap() = new;
        value
    };
    let mut old = with("/predicateType", json!("urn:flexmix:note:v1"));
    old["predicate"] = json!({"schema": "flexmix/note/v1", "words": "hello"});
    assert_eq!(parse(old).unwrap().predicate, Note { count: 0, ..note().predicate }, "old versions are read");
    let subject = good["subject"][0].clone();
    for (refused, says) in [
        (with("/predicateType", json!("urn:flexmix:note:v3")), "supported are versions to `urn:flexmix:note:v2`"),
        (with("/predicateType", json!("urn:flexmix:note:v02")), "supported"),
        (with("/predicateType", json!("urn:flexmix:other:v2")), "supported"),
        (with("/_type", json!("https://in-toto.io/Statement/v0.1")), "its type is"),
        (with("/predicate/schema", json!("flexmix/note/v1")), "`schema` is not"),
        (with("/predicate", json!({"schema": "flexmix/note/v2", "text": "t"})), "not written as"),
        (with("/predicate", json!({"schema": "flexmix/note/v2", "text": "t", "count": 0, "x": 0})), "unknown field"),
        (with("/subject", json!([])), "at least one"),
        (with("/subject", json!([subject, subject])), "one name"),
        (with("/subject/0/digest", json!({"sha256": subject["digest"]["sha256"], "md5": ""})), "unknown field"),
    ] {
        let error = parse(refused.clone()).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("note.dsse.json"), "{refused}: {error}");
    }
}

fn folder(root: &Path) {
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::create_dir_all(root.join("sub-b")).unwrap();
    fs::write(root.join("a.safetensors"), b"weights").unwrap();
    fs::write(root.join("sub/b.bin"), b"more").unwrap();
    fs::write(root.join("sub-b/c.bin"), b"").unwrap();
    fs::write(root.join("stamp.dsse.json"), b"{}").unwrap();
}

#[test]
fn signed_folders_hold_exactly_what_was_signed() {
    let key = PrivateKey::generate().unwrap();
    let keys = [PrivateKey::generate().unwrap().public(), key.public()];
    type Attack = (&'static str, fn(&Path));
    let attacks: [Attack; 11] = [
        ("a.safetensors", |d| fs::write(d.join("a.safetensors"), b"weightz").unwrap()),
        ("sub/b.bin", |d| fs::remove_file(d.join("sub/b.bin")).unwrap()),
        ("extra", |d| fs::write(d.join("extra"), b"").unwrap()),
        ("stamp.dsse.json", |d| fs::write(d.join("stamp.dsse.json"), b"{ }").unwrap()),
        ("b2.bin", |d| fs::rename(d.join("sub/b.bin"), d.join("sub/b2.bin")).unwrap()),
        (".gitattributes", |d| fs::write(d.join(".gitattributes"), b"").unwrap()),
        (".git", |d| fs::create_dir(d.join(".git")).unwrap()),
        ("only by case", |d| fs::write(d.join("A.safetensors"), b"weights").unwrap()),
        ("link", |d| std::os::unix::fs::symlink("a.safetensors", d.join("link")).unwrap()),
        ("b.bin", |d| {
            fs::rename(d.join("sub/b.bin"), d.join("../outside")).unwrap();
            std::os::unix::fs::symlink("../../outside", d.join("sub/b.bin")).unwrap();
        }),
        ("model.sig", |d| fs::remove_file(d.join("model.sig")).unwrap()),
    ];
    for (named, attack) in attacks {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("expert");
        folder(&root);
        let signed = sign_folder(&root, &key).unwrap();
        assert_eq!(signed.files.len(), 4);
        assert_eq!(verify_folder(&root, &keys).unwrap(), signed);
        assert!(verify_folder(&root, &keys[..1]).unwrap_err().is_verification());
        attack(&root);
        let error = verify_folder(&root, &keys).unwrap_err();
        assert!(error.to_string().contains(named), "{named}: {error}");
    }
}

#[test]
fn payloads_that_the_tool_would_take_and_we_do_not() {
    let dir = tempfile::tempdir().unwrap();
    folder(dir.path());
    let key = PrivateKey::generate().unwrap();
    sign_folder(dir.path(), &key).unwrap();
    let path = dir.path().join("model.sig");
    let bundle: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let resign = |change: &dyn Fn(&mut Value)| {
        let (mut payload, mut bundle) = (payload.clone(), bundle.clone());
        change(&mut payload);
        let bytes = serde_json::to_vec(&payload).unwrap();
        bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(&bytes));
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!(STANDARD.encode(key.sign(&pae(PAYLOAD_TYPE, &bytes))));
        fs::write(&path, serde_json::to_vec(&bundle).unwrap()).unwrap();
        verify_folder(dir.path(), &[key.public()])
    };
    assert!(resign(&|_| ()).is_ok());
    let changes: [&dyn Fn(&mut Value); 7] = [
        // First false, last true: the tool takes the last.
        &|p| {
            let mut twice = p["predicate"]["resources"][0].clone();
            twice["digest"] = json!(Sha256::of(b"false").hex());
            p["predicate"]["resources"].as_array_mut().unwrap().insert(0, twice);
        },
        &|p| p["predicate"]["serialization"]["ignore_paths"] = json!(["model.sig", "a.safetensors"]),
        &|p| p["predicate"]["serialization"]["allow_symlinks"] = json!(true),
        &|p| p["predicate"]["serialization"]["method"] = json!("shards"),
        &|p| p["predicate"]["resources"][0]["name"] = json!("../outside"),
        &|p| p["subject"][0]["digest"]["sha256"] = json!(Sha256::of(b"other").hex()),
        &|p| p["predicate"]["freight"] = json!("x"),
    ];
    for (at, change) in changes.iter().enumerate() {
        assert!(resign(change).is_err(), "change {at}");
    }
    let mut two = bundle.clone();
    two["dsseEnvelope"]["signatures"] = json!([bundle["dsseEnvelope"]["signatures"][0], {"sig": "", "keyid": ""}]);
    fs::write(&path, serde_json::to_vec(&two).unwrap()).unwrap();
    assert!(verify_folder(dir.path(), &[key.public()]).is_err());
    let mut hint = bundle;
    hint["verificationMaterial"]["publicKey"]["hint"] = json!(Sha256::of(b"other key").hex());
    fs::write(&path, serde_json::to_vec(&hint).unwrap()).unwrap();
    assert!(verify_folder(dir.path(), &[key.public()]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let key = PrivateKey::from_pem(RFC_KEY).unwrap();
        prop_assert!(Envelope::from_slice(here(), &bytes).is_err());
        prop_assert!(!key.public().verify(b"m", &bytes));
    }

    #[test]
    fn a_flipped_bit_of_an_envelope_is_refused_or_only_a_hint(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let key = PrivateKey::from_pem(RFC_KEY).unwrap();
        let envelope = note().sign(&key).unwrap();
        let mut bytes = envelope.to_vec().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let read = Envelope::from_slice(here(), &bytes).and_then(|e| e.verify(&[key.public()], &[PAYLOAD_TYPE]));
        if let Ok(verified) = read {
            prop_assert_eq!(verified.payload, note().payload().unwrap());
        }
    }
}
