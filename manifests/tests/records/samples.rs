//! Records with every field filled in, of one small corpus: an open set, a closed set, an expert and a model.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifests::closed::Secret;
use manifests::conclusion::{Basis, State};
use manifests::digest::Sha256;
use manifests::exposure::{Cell, CellCount, Exposure, Kind, TokenTotal};
use manifests::id::{DocId, SourceId};
use manifests::manifest::{
    Access, Funnel, ManifestShard, PublicManifest, SetManifest, ShardCell, SourceRef, TokenizerRef,
};
use manifests::merkle::{DocumentLeaf, FileLeaf, TextLeaf, root_of};
use manifests::policy::Assurance;
use manifests::shard::{Role, ShardEntry};
use manifests::sign::{PrivateKey, Record, Statement, Subject};
use manifests::stamp::{self, Member, ModelIndex, RouterRow, Stamp};

/// A key that anybody can make again: for golden files, and good for nothing else.
pub(crate) fn key(name: &str) -> PrivateKey {
    // PKCS#8 of a P-256 key without its public half: the scalar comes last.
    let mut der: Vec<u8> = vec![0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13];
    der.extend([0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]);
    der.extend([0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    der.extend([0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20]);
    der.extend(Sha256::of(format!("flexmix golden {name}").as_bytes()).as_bytes());
    let lines = STANDARD.encode(der);
    let (first, second) = lines.split_at(64);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{first}\n{second}\n-----END PRIVATE KEY-----\n");
    PrivateKey::from_pem(&pem).unwrap()
}

/// A digest of something that is not here.
pub(crate) fn digest(of: &str) -> Sha256 {
    Sha256::of(of.as_bytes())
}

/// The owner's secret.
pub(crate) fn secret() -> Secret {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("owner.secret");
    fs::write(&path, [9; 32]).unwrap();
    Secret::read(&path).unwrap()
}

fn cell(license: &str, sources: &[&str]) -> Cell {
    Cell {
        expression: Some(license.parse().unwrap()),
        state: State::Concluded,
        basis: Some(Basis::License),
        election: license.contains(" OR ").then(|| "MIT".parse().unwrap()),
        sources: sources.iter().map(|s| s.parse::<SourceId>().unwrap()).collect(),
        rightsholders: BTreeSet::from(["https://ror.org/012345678".to_owned()]),
        optouts: BTreeMap::from([(manifests::claim::Signal::Robots, false)]),
    }
}

fn cells() -> [Cell; 2] {
    let mut cells = [cell("MIT OR Apache-2.0", &["widgets", "gadgets"]), cell("CC-BY-4.0", &["letters"])];
    cells.sort();
    cells
}

/// The documents of a set: every third is of the second cell.
pub(crate) fn documents(set: &str, number: u32) -> Vec<DocumentLeaf> {
    let cells = cells();
    let leaf = |n: u32| DocumentLeaf {
        doc_id: DocId::derive(&"widgets".parse().unwrap(), &format!("{set}/{n}.md"), 0, 0),
        text: digest(&format!("text {n} of {set}")),
        cell: cells[usize::from(n % 3 == 2)].digest().unwrap(),
        n_tokens: 10 + n,
    };
    let mut leaves: Vec<DocumentLeaf> = (0..number).map(leaf).collect();
    leaves.sort_by_key(|l| l.doc_id);
    leaves
}

/// A set with so many documents, in one shard.
pub(crate) fn set(name: &str, access: Access, documents: &[DocumentLeaf]) -> SetManifest {
    let count = |cell: &Cell| {
        let of_cell = || documents.iter().filter(|d| d.cell == cell.digest().unwrap());
        (of_cell().count() as u64, of_cell().map(|d| u64::from(d.n_tokens)).sum::<u64>())
    };
    let counts: Vec<(u64, u64)> = cells().iter().map(count).collect();
    let total = counts.iter().fold((0, 0), |t, c| (t.0 + c.0, t.1 + c.1));
    let mut texts: Vec<TextLeaf> = documents.iter().map(|d| TextLeaf { text: d.text }).collect();
    texts.sort_by_key(|t| t.text);
    let file = FileLeaf { path: "shard-00000.parquet".parse().unwrap(), length: 4096, digest: digest("shard") };
    let evidence =
        vec![FileLeaf { path: "ledger/00000.parquet".parse().unwrap(), length: 512, digest: digest("ledger") }];
    let entry = ShardEntry {
        path: file.path.clone(),
        role: Role::Train,
        length: file.length,
        digest: file.digest,
        rows: total.0,
        tokens: total.1,
        row_groups: 1,
    };
    let part =
        |(cell, (documents, tokens)): (u32, &(u64, u64))| ShardCell { cell, documents: *documents, tokens: *tokens };
    let row = |(cell, (documents, tokens)): (Cell, &(u64, u64))| CellCount {
        cell,
        evidence: Some("widgets: README.md:12".to_owned()),
        documents: Some(*documents),
        tokens: Some(*tokens),
    };
    SetManifest {
        schema: SetManifest::schema(),
        demo: true,
        corpus: "golden".to_owned(),
        set: name.parse().unwrap(),
        access,
        recipe: digest("recipe"),
        policy: digest("policy"),
        build: "golden-1".to_owned(),
        stages: BTreeMap::from([("read".to_owned(), 1), ("shard".to_owned(), 1)]),
        tokenizer: TokenizerRef {
            name: "dolma2".to_owned(),
            digest: digest("tokenizer"),
            vocabulary: 100_278,
            eos: 100_257,
        },
        sources: vec![SourceRef {
            id: "widgets".parse().unwrap(),
            title: "Widgets, “quoted”".to_owned(),
            object: Some(digest("object")),
        }],
        cells: cells().into_iter().zip(&counts).map(row).collect(),
        tiers: vec!["concluded/license/attribution".to_owned(), "concluded/license/notice".to_owned()],
        anchor_tiers: vec!["concluded/license/notice".to_owned()],
        shards: vec![ManifestShard { file: entry, cells: (0..).zip(&counts).map(part).collect() }],
        documents: total.0,
        tokens: total.1,
        funnel: Funnel {
            read: total.0 + 1,
            kept: total.0,
            held_out: 0,
            dropped: BTreeMap::from([("empty".to_owned(), 1)]),
        },
        documents_root: root_of(documents).unwrap(),
        texts_root: root_of(&texts).unwrap(),
        files_root: root_of(&[file]).unwrap(),
        evidence_root: root_of(&evidence).unwrap(),
        evidence,
    }
}

/// The open set of the golden files.
pub(crate) fn open_set() -> SetManifest {
    set("code", Access::Public, &documents("code", 7))
}

/// What may be said of a closed set.
pub(crate) fn public(full: &SetManifest, documents: &[DocumentLeaf]) -> PublicManifest {
    let statement = statement(full.clone());
    PublicManifest {
        schema: PublicManifest::schema(),
        demo: true,
        corpus: full.corpus.clone(),
        set: full.set.clone(),
        cells: full.cells.iter().map(|c| c.cell.outward()).collect::<BTreeSet<Cell>>().into_iter().collect(),
        tokens: TokenTotal::bucket(full.tokens),
        commitments_root: secret().root(documents).unwrap().root,
        full: secret().manifest(statement.payload_digest().unwrap()).unwrap(),
    }
}

/// The closed set of the golden files, from outside.
pub(crate) fn public_manifest() -> PublicManifest {
    let documents = documents("notes", 5);
    public(&set("notes", Access::Closed, &documents), &documents)
}

/// A manifest about its shard, as a build signs it.
pub(crate) fn statement(manifest: SetManifest) -> Statement<SetManifest> {
    let subject = Subject { name: format!("sets/{}/shard-00000.parquet", manifest.set), digest: digest("shard") };
    Statement::new(vec![subject], manifest)
}

/// An expert of the open and the closed set.
pub(crate) fn expert() -> Stamp {
    let manifest = open_set();
    let code = statement(manifest.clone()).payload_digest().unwrap();
    let notes = Statement::about_itself("notes", public_manifest()).unwrap().payload_digest().unwrap();
    let files = vec![
        FileLeaf { path: "config.json".parse().unwrap(), length: 300, digest: digest("config") },
        FileLeaf { path: "expert.safetensors".parse().unwrap(), length: 70_000, digest: digest("weights") },
    ];
    Stamp {
        schema: Stamp::schema(),
        demo: true,
        subject: stamp::Subject::Expert,
        id: "code-open".parse().unwrap(),
        assurance: Assurance::Claimed,
        files_root: root_of(&files).unwrap(),
        files,
        anchor: Some(digest("the anchor's stamp")),
        exposures: vec![
            Exposure::open(Kind::Gradient, "code".parse().unwrap(), code, manifest.cells.clone()),
            Exposure::closed(Kind::RowInit, "notes".parse().unwrap(), notes, &manifest.cells),
        ],
        tensors: vec!["model.layers.0.mlp.gate.weight".to_owned()],
        row: Some(RouterRow {
            method: "separating".to_owned(),
            own_documents: 100,
            public_documents: 100,
            digest: digest("row"),
        }),
        plan: digest("plan"),
        config: digest("job"),
        build: "golden-1".to_owned(),
        seed: 1,
        steps: 64,
    }
}

/// A model of an anchor and that expert.
pub(crate) fn index() -> ModelIndex {
    let expert = expert();
    let stamp = Statement::about_itself("code-open", expert.clone()).unwrap().payload_digest().unwrap();
    let member = |folder: &str, id: &str, stamp, files_root| Member {
        folder: folder.to_owned(),
        id: id.parse().unwrap(),
        stamp,
        files_root,
    };
    ModelIndex {
        schema: ModelIndex::schema(),
        demo: true,
        name: "whole".to_owned(),
        anchor: member("anchor", "anchor", digest("the anchor's stamp"), digest("the anchor")),
        experts: vec![member("experts/code-open", "code-open", stamp, expert.files_root.root)],
    }
}
