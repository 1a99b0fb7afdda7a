//! Every kind of record with a sample of its newest version, and how each is read.

use std::collections::BTreeSet;
use std::path::Path;

use manifests::digest::Sha256;
use manifests::exposure::CellCount;
use manifests::manifest::{PublicManifest, SetManifest};
use manifests::merkle::{FileLeaf, root_of};
use manifests::publication::{AgreedCells, Attribution, AttributionList, Content, Publication, PublishedFile};
use manifests::rebuild::Rebuild;
use manifests::record::{Decision, Election, ExceptionRecord, Grant, Head, Impact, Lift, Release, Withdrawal};
use manifests::sign::{Envelope, PublicKey, Record, Statement};
use manifests::stamp::{ModelIndex, Stamp};
use serde_json::{Value, json};

use crate::samples::{digest, expert, index, key, open_set, public_manifest, statement};

/// A kind of record.
pub(crate) struct Kind {
    /// Its name.
    pub name: &'static str,
    /// Its newest version.
    pub version: u32,
    /// A record of the newest version, signed.
    pub sample: Envelope,
    /// Reads a file of any version under a key; gives the payload as the newest version is written.
    pub read: fn(&Path, &[PublicKey]) -> manifests::Result<Vec<u8>>,
}

fn read<R: Record>(path: &Path, keys: &[PublicKey]) -> manifests::Result<Vec<u8>> {
    Statement::<R>::read(path, keys)?.0.payload()
}

fn kind<R: Record>(statement: &Statement<R>, signers: &[&str]) -> Kind {
    let mut sample = statement.sign(&key(signers[0])).unwrap();
    signers[1..].iter().for_each(|name| sample.add_signature(&key(name)));
    Kind { name: R::KIND, version: R::VERSION, sample, read: read::<R> }
}

/// A record that people write, from its members beside `schema` and `demo`.
fn written<R: Record>(mut members: Value) -> Statement<R> {
    members["schema"] = R::schema().into();
    members["demo"] = true.into();
    Statement::about_itself(R::KIND, serde_json::from_value(members).unwrap()).unwrap()
}

/// All kinds, by name.
pub(crate) fn kinds() -> Vec<Kind> {
    let mut kinds = vec![
        kind::<SetManifest>(&statement(open_set()), &["builder"]),
        kind::<PublicManifest>(&Statement::about_itself("notes", public_manifest()).unwrap(), &["builder"]),
        kind::<Stamp>(&Statement::about_itself("code-open", expert()).unwrap(), &["trainer"]),
        kind::<ModelIndex>(&Statement::about_itself("whole", index()).unwrap(), &["merger"]),
        kind::<Head>(&head(), &["head"]),
    ];
    kinds.extend(by_people());
    kinds.extend(about_records());
    kinds.extend(of_owners());
    kinds.sort_by_key(|k| k.name);
    kinds
}

fn withdrawal() -> Statement<Withdrawal> {
    written(json!({
        "id": "w-1", "kind": "erasure",
        "target": {"work": {"text": digest("text 3 of code"), "held_by": [digest("manifest")]}},
        "effective": "2026-12-01", "learned": "2026-11-28", "reason": "the author asked — „weg“",
        "untouched": [digest("closed manifest")],
    }))
}

fn head() -> Statement<Head> {
    let withdrawals: BTreeSet<Sha256> = BTreeSet::from([withdrawal().payload_digest().unwrap()]);
    let file = FileLeaf { path: "withdrawals/w-1.dsse.json".parse().unwrap(), length: 700, digest: digest("file") };
    written(json!({
        "sequence": 7, "issued": "2026-12-01", "expires": "2026-12-08",
        "root": root_of(&[file]).unwrap(), "withdrawals": withdrawals,
    }))
}

fn by_people() -> Vec<Kind> {
    let election = written::<Election>(json!({
        "id": "widgets", "expression": "MIT OR Apache-2.0", "branch": "MIT", "sources": ["gadgets", "widgets"],
        "by": "legal@golden.invalid", "on": "2026-11-20", "reason": "fewer duties",
    }));
    let grant = written::<Grant>(json!({
        "id": "notes", "subject": {"source": "notes"}, "owner": "owner@golden.invalid", "acts": ["build", "train"],
        "purposes": ["*"], "places": ["EU", "US"], "from": "2026-11-01", "until": "2027-10-31", "contract": "C-7",
        "terms": [{"id": "LicenseRef-golden-notes", "properties": ["notice"]}],
    }));
    let exception = written::<ExceptionRecord>(json!({
        "id": "e-1", "subject": digest("an expert"), "rule": "state.none-found", "max_tokens": 12_000,
        "reason": "written consent C-88", "owner": "j.doe@golden.invalid", "expires": "2027-01-31",
    }));
    vec![
        kind(&election, &["legal-1", "legal-2"]),
        kind(&grant, &["owner"]),
        kind(&withdrawal(), &["withdrawals"]),
        kind(&exception, &["legal-1", "legal-2"]),
    ]
}

/// What an owner hands out of a closed corpus.
fn of_owners() -> Vec<Kind> {
    let file =
        FileLeaf { path: "sets/notes/public-manifest.dsse.json".parse().unwrap(), length: 900, digest: digest("p") };
    let file = PublishedFile { file, content: Content::PublicManifest };
    let (sets, set) = (["notes".parse().unwrap()].into(), "notes".parse().unwrap());
    let publication = Publication::new(true, "golden".to_owned(), sets, vec![file]).unwrap();
    let closed = open_set().cells.into_iter().map(|c| CellCount { evidence: None, ..c }).collect();
    let cells = AgreedCells {
        schema: AgreedCells::schema(),
        demo: true,
        corpus: "golden".to_owned(),
        set,
        manifest: digest("public manifest"),
        cells: closed,
    };
    let source = Attribution {
        source: "notes".parse().unwrap(),
        title: "Notes".to_owned(),
        rightsholders: ["The note takers".to_owned()].into(),
        statements: ["© 2026 The note takers".to_owned()].into(),
    };
    let list = AttributionList {
        schema: AttributionList::schema(),
        demo: true,
        corpus: "golden".to_owned(),
        set: cells.set.clone(),
        manifest: cells.manifest,
        sources: vec![source],
    };
    vec![
        kind(&Statement::about_itself("publication", publication).unwrap(), &["owner"]),
        kind(&Statement::about_itself("notes", cells).unwrap(), &["owner"]),
        kind(&Statement::about_itself("notes", list).unwrap(), &["owner"]),
    ]
}

/// Records about other records.
fn about_records() -> Vec<Kind> {
    let withdrawal = withdrawal().payload_digest().unwrap();
    let decision = written::<Decision>(json!({
        "id": "d-1", "subject": {"claim": digest("a license file")}, "outcome": {"terms": "MIT"},
        "by": "legal@golden.invalid", "on": "2026-11-21", "reason": "MIT with a misspelt name",
    }));
    let lift = written::<Lift>(json!({
        "id": "l-1", "withdrawal": withdrawal, "effective": "2026-12-05", "by": "legal@golden.invalid",
        "reason": "the author agreed again",
    }));
    let impact = written::<Impact>(json!({
        "id": "i-1", "withdrawal": withdrawal, "set": "notes", "manifests": [digest("full"), digest("public")],
        "touched": false, "owner": "owner@golden.invalid", "on": "2026-12-02",
    }));
    let release = written::<Release>(json!({
        "id": "r-1", "corpus": "golden", "set": "code", "sequence": 3, "manifests": [digest("manifest")],
    }));
    let rebuild = written::<Rebuild>(json!({
        "corpus": "golden", "number": 1, "as_of": "2026-12-02", "head": 7, "withdrawals": ["w-1"],
        "rebuilt": [{
            "set": "code", "from": digest("before"), "to": digest("after"), "documents": 1, "tokens": 13,
            "rewritten": [{"path": "sets/code/shard-00000.parquet", "from": digest("shard"), "to": digest("rest")}],
            "untouched": [{"path": "ledger/00001.parquet", "length": 512, "digest": digest("ledger")}],
        }],
        "untouched": [{"set": "notes", "manifest": digest("full")}],
    }));
    vec![
        kind(&rebuild, &["builder"]),
        kind(&decision, &["legal-1", "legal-2"]),
        kind(&lift, &["legal-1", "legal-2"]),
        kind(&impact, &["owner"]),
        kind(&release, &["builder"]),
    ]
}
