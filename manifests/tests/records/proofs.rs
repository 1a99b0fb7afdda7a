//! Proofs that stand alone: true ones hold, for every document and text; nothing in one can be changed; a closed set's
//! commitments open one by one, under the owner's secret alone.

use std::path::{Path, PathBuf};

use manifests::closed::Secret;
use manifests::date::Date;
use manifests::id::DocId;
use manifests::manifest::{Access, SetManifest};
use manifests::merkle::{DocumentLeaf, FileLeaf, TextLeaf, Tree, TreeRoot};
use manifests::proof::{Answer, Carried, Checked, Evidence, Opening, Proof, Question};
use manifests::sign::{Envelope, Statement};
use manifests::trust::{TRUST_TYPE, Trust, TrustFile, TrustedKey, envelope_path};
use serde_json::Value;

use crate::samples::{digest, documents, key, public, secret, set, statement};

fn here() -> &'static Path {
    Path::new("proof.json")
}

pub(crate) fn today() -> Date {
    "2026-12-01".parse().unwrap()
}

/// A trust file in which each name is a key with the role of that name.
pub(crate) fn trust_file(names: &[&str]) -> TrustFile {
    let trusted = |name: &&str| TrustedKey {
        name: (*name).to_owned(),
        roles: [serde_json::from_value(Value::from(name.split('-').next().unwrap())).unwrap()].into(),
        scope: ["*".to_owned()].into(),
        from: "2026-11-01".parse().unwrap(),
        until: "2027-12-31".parse().unwrap(),
        pem: key(name).public().to_pem().unwrap(),
    };
    TrustFile {
        schema: TrustFile::SCHEMA.to_owned(),
        version: 1,
        demo: true,
        keys: names.iter().map(trusted).collect(),
        former_roots: vec![],
        compromised: vec![],
    }
}

/// That trust file on disk, signed by its root.
pub(crate) fn write_trust(folder: &Path, names: &[&str]) -> PathBuf {
    let path = folder.join("trust.toml");
    let text = toml::to_string_pretty(&trust_file(names)).unwrap();
    std::fs::write(&path, &text).unwrap();
    Envelope::sign(TRUST_TYPE, text.into_bytes(), &key("root")).write(&envelope_path(&path)).unwrap();
    path
}

fn trust() -> Trust {
    let folder = tempfile::tempdir().unwrap();
    Trust::open(&write_trust(folder.path(), &["root", "builder", "owner", "trainer"]), today()).unwrap()
}

fn proof(manifest: &SetManifest, question: Question, answer: Answer, root: TreeRoot, evidence: Evidence) -> Proof {
    let envelope = statement(manifest.clone()).sign(&key("builder")).unwrap();
    Proof {
        schema: Proof::SCHEMA.to_owned(),
        set: manifest.set.clone(),
        question,
        answer,
        manifest: Carried::new(envelope).unwrap(),
        root,
        evidence,
        public: None,
    }
}

fn answer(included: bool) -> Answer {
    if included { Answer::Included } else { Answer::Absent }
}

/// A proof about a document, by the documents root.
pub(crate) fn of_document(manifest: &SetManifest, documents: &[DocumentLeaf], id: DocId) -> Proof {
    let found = Tree::new(documents.to_vec()).unwrap().look_up(&id);
    let answer = answer(found.at.is_some());
    proof(manifest, Question::Document(id), answer, manifest.documents_root, Evidence::Documents(found))
}

/// A proof about a text, by the texts root.
pub(crate) fn of_text(manifest: &SetManifest, documents: &[DocumentLeaf], text: &str) -> Proof {
    let texts = documents.iter().map(|d| TextLeaf { text: d.text }).collect();
    let found = Tree::new(texts).unwrap().look_up(&digest(text));
    let answer = answer(found.at.is_some());
    proof(manifest, Question::Text(digest(text)), answer, manifest.texts_root, Evidence::Texts(found))
}

fn of_file(manifest: &SetManifest, name: &str) -> Proof {
    let leaf = FileLeaf { path: "shard-00000.parquet".parse().unwrap(), length: 4096, digest: digest("shard") };
    let found = Tree::new(vec![leaf]).unwrap().look_up(&name.parse().unwrap());
    let answer = answer(found.at.is_some());
    proof(manifest, Question::File(name.parse().unwrap()), answer, manifest.files_root, Evidence::Files(found))
}

/// A closed set's proof that a document is in it.
pub(crate) fn of_opening(manifest: &SetManifest, documents: &[DocumentLeaf], document: &DocumentLeaf) -> Proof {
    let (secret, public) = (secret(), public(manifest, documents));
    let tree = Tree::new(secret.leaves(documents).unwrap()).unwrap();
    let commitment = tree.look_up(&secret.document(document).unwrap()).at.unwrap();
    let key_of = secret.document_key(document.doc_id).unwrap();
    let opening = Opening { document: document.clone(), key: key_of, commitment };
    let root = tree.root();
    let envelope = Statement::about_itself("notes", public).unwrap().sign(&key("builder")).unwrap();
    Proof {
        manifest: Carried::new(envelope).unwrap(),
        ..proof(manifest, Question::Document(document.doc_id), Answer::Included, root, Evidence::Opening(opening))
    }
}

/// A closed set's proof that a document or text is not in it.
pub(crate) fn of_closed_absence(manifest: &SetManifest, documents: &[DocumentLeaf], mut proof: Proof) -> Proof {
    let public = Statement::about_itself("notes", public(manifest, documents)).unwrap();
    proof.public = Some(Carried::new(public.sign(&key("builder")).unwrap()).unwrap());
    proof
}

/// Checks a proof after it went to disk and back.
fn check(proof: &Proof, secret: Option<&Secret>) -> manifests::Result<Checked> {
    let read = Proof::from_slice(here(), &proof.to_vec()?)?;
    assert_eq!(read, *proof);
    read.check(here(), None, secret)?;
    read.check(here(), Some((&trust(), today())), secret)
}

#[track_caller]
fn assert_refused(proof: &Proof, code: &str) {
    let error = check(proof, None).unwrap_err();
    assert!(error.is_verification() && error.to_string().contains(code), "{error}");
}

#[test]
fn whatever_is_there_or_not_is_proved() {
    for number in [0, 1, 2, 5, 8] {
        let documents = documents("code", number);
        let manifest = set("code", Access::Public, &documents);
        for document in &documents {
            let checked = check(&of_document(&manifest, &documents, document.doc_id), None).unwrap();
            assert_eq!(checked.signers, Some(vec![key("builder").public().id()]));
            assert!(checked.terms.is_some() && checked.committed.is_none() && checked.demo);
        }
        for n in 0..number + 4 {
            let proof = of_text(&manifest, &documents, &format!("text {n} of code"));
            assert_eq!(proof.answer, answer(n < number));
            check(&proof, None).unwrap();
            let id = DocId::derive(&"other".parse().unwrap(), "x", n.into(), 0);
            let proof = of_document(&manifest, &documents, id);
            assert_eq!(proof.answer, Answer::Absent);
            check(&proof, None).unwrap();
        }
        for (name, there) in [("shard-00000.parquet", true), ("shard-00001.parquet", false), ("a", false)] {
            let proof = of_file(&manifest, name);
            assert_eq!(proof.answer, answer(there));
            check(&proof, None).unwrap();
        }
    }
}

#[test]
fn proofs_that_do_not_prove_what_they_say_are_refused() {
    let documents = documents("code", 9);
    let manifest = set("code", Access::Public, &documents);
    let other = set("other", Access::Public, &crate::samples::documents("other", 9));
    let there = of_document(&manifest, &documents, documents[4].doc_id);
    let absent = of_text(&manifest, &documents, "not there");
    let opposite = |p: &Proof| Proof { answer: answer(p.answer == Answer::Absent), ..p.clone() };
    assert_refused(&opposite(&there), "FM-T-013");
    assert_refused(&opposite(&absent), "FM-T-013");
    // Another document's or text's leaves, and a text's for a document.
    assert_refused(&Proof { question: Question::Document(documents[5].doc_id), ..there.clone() }, "FM-T-013");
    assert_refused(&Proof { question: Question::Text(documents[4].text), ..there.clone() }, "FM-T-013");
    assert_refused(&Proof { question: Question::Text(documents[4].text), ..absent.clone() }, "FM-T-013");
    // Another set's manifest, and its name.
    let foreign = of_document(&other, &documents, documents[4].doc_id);
    assert_refused(&foreign, "FM-T-013");
    assert_refused(&Proof { set: "other".parse().unwrap(), ..there.clone() }, "FM-T-013");
    // A root of its own, beside leaves that lead to it.
    let fewer = Tree::new(documents[..4].to_vec()).unwrap();
    let hidden = Evidence::Documents(fewer.look_up(&documents[4].doc_id));
    let made_up = Proof { answer: Answer::Absent, evidence: hidden, root: fewer.root(), ..there.clone() };
    assert_refused(&made_up, "FM-T-013");
    assert_refused(&Proof { root: manifest.documents_root, ..made_up }, "FM-T-013");
    // Neighbours that are none.
    let mut gap = absent.clone();
    let Evidence::Texts(lookup) = &mut gap.evidence else { unreachable!() };
    lookup.after = None;
    assert_refused(&gap, "FM-T-013");
    // A manifest that is not the one that its digest names.
    let mut renamed = there.clone();
    renamed.manifest.digest = digest("another");
    assert_refused(&renamed, "FM-T-007");
    // Signed by somebody who may not.
    let mut trainer = there;
    trainer.manifest.envelope = statement(manifest).sign(&key("trainer")).unwrap();
    assert!(trainer.check(here(), None, None).unwrap().signers.is_none(), "the signer is unknown without trust");
    assert_refused(&trainer, "FM-T-003");
}

#[test]
fn a_closed_sets_commitments_open_one_by_one() {
    let documents = documents("notes", 6);
    let full = set("notes", Access::Closed, &documents);
    for document in &documents {
        let proof = of_opening(&full, &documents, document);
        let checked = check(&proof, None).unwrap();
        assert!(checked.terms.is_none() && checked.committed.is_none());
        let bytes = String::from_utf8(proof.to_vec().unwrap()).unwrap();
        for other in documents.iter().filter(|d| *d != document) {
            let (Evidence::Opening(opening), question) = (&proof.evidence, Question::Document(other.doc_id)) else {
                unreachable!()
            };
            let evidence = Evidence::Opening(Opening { document: other.clone(), ..opening.clone() });
            assert_refused(&Proof { question, evidence, ..proof.clone() }, "FM-T-013");
            assert!(!bytes.contains(&other.text.hex()) && !bytes.contains(&other.doc_id.to_string()));
        }
        assert!(!bytes.contains(&digest("shard").hex()));
    }
    let proof = of_opening(&full, &documents, &documents[0]);
    let by_text = Proof { question: Question::Text(documents[0].text), ..proof.clone() };
    check(&by_text, None).unwrap();
    assert_refused(&Proof { question: Question::Text(documents[1].text), ..proof.clone() }, "FM-T-013");
    assert_refused(&Proof { answer: Answer::Absent, ..proof.clone() }, "FM-T-013");
    // What leaves is signed by the owner; others' signatures are none.
    for (name, holds) in [("owner", true), ("trainer", false)] {
        let statement = Statement::about_itself("notes", public(&full, &documents)).unwrap();
        let manifest = Carried::new(statement.sign(&key(name)).unwrap()).unwrap();
        assert_eq!(check(&Proof { manifest, ..proof.clone() }, None).is_ok(), holds, "{name}");
    }
    // Another secret's key opens nothing.
    let Evidence::Opening(mut opening) = proof.evidence.clone() else { unreachable!() };
    opening.key = digest("a guess");
    assert_refused(&Proof { evidence: Evidence::Opening(opening), ..proof }, "FM-T-013");
}

#[test]
fn absence_from_a_closed_set_is_shown_beside_its_public_manifest() {
    let documents = documents("notes", 6);
    let full = set("notes", Access::Closed, &documents);
    let bare = of_text(&full, &documents, "not there");
    let proof = of_closed_absence(&full, &documents, bare.clone());
    assert_eq!(check(&proof, None).unwrap().committed, Some(false));
    assert_eq!(check(&proof, Some(&secret())).unwrap().committed, Some(true));
    assert_refused(&bare, "FM-T-013");
    let included = of_document(&full, &documents, documents[0].doc_id);
    assert_refused(&of_closed_absence(&full, &documents, included), "FM-T-013");
    // Another full manifest with the same number of documents: only the secret tells.
    let mut fewer = documents.clone();
    fewer[0].text = digest("in place of what is there");
    let swapped = set("notes", Access::Closed, &fewer);
    let text = format!("text {} of notes", 0);
    let hidden = of_closed_absence(&full, &documents, of_text(&swapped, &fewer, &text));
    let is_hidden = hidden.answer == Answer::Absent;
    assert_eq!(check(&hidden, None).map(|c| c.committed).is_ok(), is_hidden);
    assert!(check(&hidden, Some(&secret())).is_err());
    // An open set has no public manifest.
    let open = set("notes", Access::Public, &documents);
    let open = of_closed_absence(&full, &documents, of_text(&open, &documents, "not there"));
    assert_refused(&open, "FM-T-013");
}

/// Every value in a JSON document, changed a little, with the path of the change.
pub(crate) fn changes(value: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut visit = |path: String, inner: &Value| {
        let changed = match inner {
            Value::String(text) => {
                let swap = |c: char| if c == 'a' { 'b' } else { 'a' };
                let mut letters: Vec<char> = text.chars().collect();
                let at = letters.len() / 2;
                letters[at] = swap(letters[at]);
                Value::from(letters.into_iter().collect::<String>())
            }
            Value::Number(number) => Value::from(number.as_u64().unwrap() + 1),
            Value::Array(items) if !items.is_empty() => Value::from(items[1..].to_vec()),
            Value::Null => Value::from(0),
            _ => return,
        };
        found.push((path, changed));
    };
    walk(value, &mut String::new(), &mut visit);
    found
}

fn walk(value: &Value, path: &mut String, visit: &mut impl FnMut(String, &Value)) {
    visit(path.clone(), value);
    let length = path.len();
    let parts: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), v)).collect(),
        _ => vec![],
    };
    for (name, inner) in parts {
        path.push('/');
        path.push_str(&name);
        walk(inner, path, visit);
        path.truncate(length);
    }
}

#[test]
fn nothing_in_a_proof_can_be_changed() {
    let documents = documents("code", 11);
    let open = set("code", Access::Public, &documents);
    let closed = set("notes", Access::Closed, &documents);
    let trust = trust();
    let proofs = [
        of_document(&open, &documents, documents[3].doc_id),
        of_text(&open, &documents, "not there"),
        of_file(&open, "shard-00000.parquet"),
        of_opening(&closed, &documents, &documents[7]),
        of_closed_absence(&closed, &documents, of_text(&closed, &documents, "not there")),
    ];
    let mut tried = 0;
    for proof in proofs {
        let whole: Value = serde_json::from_slice(&proof.to_vec().unwrap()).unwrap();
        for (path, changed) in changes(&whole) {
            // A key id is a hint, and no part of what is signed. What else is absent between two neighbours is true too.
            if path.ends_with("/keyid") || (proof.answer == Answer::Absent && path.starts_with("/question/")) {
                continue;
            }
            let mut altered = whole.clone();
            *altered.pointer_mut(&path).unwrap() = changed;
            let bytes = manifests::canonical::to_vec(&altered).unwrap();
            let held = Proof::from_slice(here(), &bytes)
                .and_then(|p| p.check(here(), Some((&trust, today())), Some(&secret())));
            assert!(held.is_err(), "{path} was changed in a proof by {}", proof.evidence.tree());
            tried += 1;
        }
    }
    assert!(tried > 120, "{tried} changes");
}
