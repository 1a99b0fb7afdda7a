//! What stamps say of a withdrawal: whose cells are hit, what is only inherited, what a closed set keeps to itself.

use std::path::PathBuf;

use manifests::conclusion::{Basis, State};
use manifests::exposure::{Cell, CellCount, Kind};
use manifests::merkle::root_of;
use manifests::policy::Assurance;
use manifests::sign::Record;
use manifests::stamp::RouterRow;

use super::super::report::CorpusImpact;
use super::super::{Others, draft};
use super::*;

fn cell(sources: &[&str]) -> Cell {
    Cell {
        expression: "MIT".parse().ok(),
        state: State::Concluded,
        basis: Some(Basis::License),
        election: None,
        sources: sources.iter().map(|s| s.parse().unwrap()).collect(),
        rightsholders: BTreeSet::new(),
        optouts: BTreeMap::new(),
    }
}

fn counts(sources: &[&str], tokens: u64) -> CellCount {
    CellCount { cell: cell(sources), evidence: None, documents: Some(1), tokens: Some(tokens) }
}

fn open(kind: Kind, set: &str, cells: Vec<CellCount>) -> Exposure {
    Exposure::open(kind, set.parse().unwrap(), Sha256::of(set.as_bytes()), cells)
}

fn signed(id: &str, anchor: Option<Sha256>, exposures: Vec<Exposure>) -> Signed<Stamp> {
    let row = RouterRow {
        method: "separating".into(),
        own_documents: 100,
        public_documents: 100,
        digest: Sha256::of(b"row"),
    };
    let mut files_root = root_of::<manifests::merkle::FileLeaf>(&[]).unwrap();
    files_root.root = Sha256::of(id.as_bytes());
    let record = Stamp {
        schema: Stamp::schema(),
        demo: true,
        subject: if anchor.is_some() { Subject::Expert } else { Subject::Anchor },
        id: id.parse().unwrap(),
        assurance: Assurance::Claimed,
        files: vec![],
        files_root,
        anchor,
        exposures,
        tensors: vec![],
        row: anchor.map(|_| row),
        plan: Sha256::of(b"plan"),
        config: Sha256::of(b"config"),
        build: "test".into(),
        seed: 1,
        steps: 1,
    };
    let path = PathBuf::from(format!("train/{id}/model/stamp.dsse.json"));
    Signed { path, digest: Sha256::of(format!("stamp {id}").as_bytes()), record, seal: Seal::Unchecked }
}

fn asked(target: WithdrawalTarget, kind: WithdrawalKind) -> Asked {
    let day = "2026-12-01".parse().unwrap();
    let mut withdrawal = draft(target, day);
    withdrawal.kind = kind;
    Asked { withdrawal, digest: Some(Sha256::of(b"record")), others: Others::default(), as_of: day }
}

fn source(name: &str, kind: WithdrawalKind) -> Asked {
    asked(WithdrawalTarget::Source(name.parse().unwrap()), kind)
}

/// An anchor on `a`, an expert on `b`, one on `c`, and one on a closed set.
fn house() -> Found {
    let public = open(Kind::Gradient, "public", vec![counts(&["a"], 1000)]);
    let anchor = signed("anchor", None, vec![public.clone()]);
    let own = |cells| open(Kind::Gradient, "code", cells);
    let mut found = Found::default();
    for (id, exposure) in [
        ("of-b", own(vec![counts(&["b"], 60), counts(&["b", "c"], 40)])),
        ("of-c", own(vec![counts(&["c"], 70)])),
        (
            "closed",
            Exposure::closed(Kind::Gradient, "notes".parse().unwrap(), Sha256::of(b"notes"), &[counts(&["d"], 50)]),
        ),
    ] {
        let row = Exposure { kind: Kind::RowInit, ..exposure.clone() };
        found.stamp(signed(id, Some(anchor.digest), vec![public.clone(), exposure, row]));
    }
    found.stamp(anchor);
    found
}

fn words(found: &Found, asked: &Asked, corpora: &[Looked]) -> BTreeMap<String, Word> {
    found.judge(asked, corpora).weights.into_iter().map(|w| (w.id, w.action)).collect()
}

#[test]
fn a_source_hits_those_who_read_it_alone_and_closed_sets_are_asked() {
    let found = house();
    let said = words(&found, &source("b", WithdrawalKind::ContractEnd), &[]);
    assert_eq!(said["of-b"], Word::Retrain);
    assert_eq!((said["of-c"], said["anchor"]), (Word::Stay, Word::Stay));
    assert_eq!(said["closed"], Word::AskTheOwner);
    let of_b = found.judge(&source("b", WithdrawalKind::ContractEnd), &[]);
    let uses = &of_b.weights.iter().find(|w| w.id == "of-b").unwrap().uses;
    // The twin that another source frees is not counted.
    assert_eq!((uses[0].tokens, uses[0].of_tokens, uses[0].reckoned), (Some(60), 100, false));
}

#[test]
fn an_answer_of_the_owner_decides_a_closed_set() {
    let mut question = source("b", WithdrawalKind::ContractEnd);
    question.withdrawal.untouched.insert(Sha256::of(b"notes"));
    assert_eq!(words(&house(), &question, &[])["closed"], Word::Stay);
    let mut question = source("b", WithdrawalKind::ContractEnd);
    for (touched, word) in [(false, Word::Stay), (true, Word::Retrain)] {
        question.others.answers = vec![manifests::record::Impact {
            schema: manifests::record::Impact::schema(),
            id: "answer".into(),
            demo: true,
            withdrawal: question.digest.unwrap(),
            set: "notes".parse().unwrap(),
            manifests: [Sha256::of(b"notes")].into(),
            touched,
            owner: "owner".into(),
            on: question.as_of,
        }];
        assert_eq!(words(&house(), &question, &[])["closed"], word);
    }
    question.digest = Some(Sha256::of(b"another record"));
    assert_eq!(words(&house(), &question, &[])["closed"], Word::AskTheOwner, "an answer is to one withdrawal");
}

#[test]
fn an_anchor_takes_all_its_experts_with_it() {
    let said = words(&house(), &source("a", WithdrawalKind::CourtOrder), &[]);
    assert_eq!(said["anchor"], Word::Retrain);
    assert_eq!((said["of-b"], said["of-c"]), (Word::RetrainOnNewAnchor, Word::RetrainOnNewAnchor));
}

#[test]
fn an_opt_out_takes_no_weights() {
    let said = words(&house(), &source("b", WithdrawalKind::OptOut), &[]);
    assert!(said.values().all(|word| *word < Word::AskTheOwner), "{said:?}");
    assert_eq!(said["of-b"], Word::StayMadeBefore);
}

#[test]
fn a_tokenizer_is_reported_and_takes_no_weights() {
    let mut found = Found::default();
    let kinds = vec![open(Kind::Tokenizer, "public", vec![counts(&["b"], 9)])];
    found.stamp(signed("anchor", None, kinds));
    assert_eq!(words(&found, &source("b", WithdrawalKind::Erasure), &[])["anchor"], Word::ReportedOnly);
}

/// A corpus in which the set `code` holds a work: 10 of the 50 tokens of the cell of `b`.
fn holding(cells: BTreeMap<Cell, (u64, u64)>) -> Looked {
    let impact = CorpusImpact {
        folder: "corpus".into(),
        corpus: "test".into(),
        sets: vec![],
        tiers: vec![],
        shards: vec![],
        untouched_shards: 0,
        documents: vec![],
        dropped: vec![],
        twins: vec![],
        tokenizer: None,
    };
    let held = [
        (Sha256::of(b"code"), HeldSet { any: true, cells }),
        (Sha256::of(b"public"), HeldSet { any: false, cells: BTreeMap::new() }),
    ];
    Looked { impact, undecided: vec![], held: held.into() }
}

#[test]
fn a_works_tokens_are_reckoned_from_its_cell_and_a_manifest_excludes_all_that_name_it() {
    let target = WithdrawalTarget::Work { text: Sha256::of(b"text"), held_by: BTreeSet::new() };
    let question = asked(target, WithdrawalKind::WrongLicense);
    let corpus = holding([(cell(&["b"]), (10, 50))].into());
    let said = house().judge(&question, std::slice::from_ref(&corpus));
    let of = |id: &str| said.weights.iter().find(|w| w.id == id).unwrap();
    // The cell was read 60 / 50 times: 12 of its tokens are the work's.
    assert_eq!((of("of-b").action, of("of-b").uses[0].tokens), (Word::Retrain, Some(12)));
    assert!(of("of-b").uses[0].reckoned);
    assert_eq!(of("of-c").action, Word::RetrainForItsManifest);
    assert_eq!((of("anchor").action, of("closed").action), (Word::Stay, Word::AskTheOwner));
    // Without the corpus that they were trained from, nobody can say.
    let blind = house().judge(&question, &[]);
    assert!(blind.weights.iter().all(|w| w.action >= Word::NotDecided));
    assert!(blind.unknown.contains(&Sha256::of(b"code")) && blind.unknown.contains(&Sha256::of(b"public")));
}
