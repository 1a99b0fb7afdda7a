//! The law of a NOTICE over ledgers and claims of every shape: a document whose terms ask for something is in an entry,
//! and among the unknowns when nobody is named for it; nothing else is; order of input does not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryBuilder, RecordBatch, StringArray, UInt32Array, UInt64Array, new_null_array,
};
use manifests::conclusion::{Basis, State};
use manifests::exposure::{Cell, CellCount};
use manifests::ledger::{claims_schema, ledger_schema};
use proptest::prelude::*;

use super::scope::{Scope, asked};
use super::*;
use crate::table::TableWriter;

/// The terms that documents of a test are under: two that ask for a notice, one for a name, one for nothing, one unknown.
const TERMS: [Option<&str>; 5] = [Some("MIT"), Some("CC-BY-4.0"), Some("CC0-1.0"), Some("LicenseRef-odd"), None];

/// A row of a test's ledger.
#[derive(Clone, Debug)]
struct Row {
    id: u8,
    source: u8,
    terms: usize,
    decision: u8,
    duplicate_of: Option<u8>,
}

/// A claim of a test: on a document, or on a whole source.
#[derive(Clone, Debug)]
struct Words {
    on: Option<u8>,
    source: u8,
    kind: u8,
    words: u8,
}

fn cell(terms: usize, source: u8) -> Cell {
    let expression = TERMS[terms].map(|t| t.parse().unwrap());
    Cell {
        state: if expression.is_some() { State::Concluded } else { State::NoneFound },
        basis: expression.is_some().then_some(Basis::License),
        expression,
        election: None,
        sources: [format!("s{source}").parse().unwrap()].into(),
        // Source 0 names its rightsholder, the others don't.
        rightsholders: (source == 0).then(|| "Ada".to_owned()).into_iter().collect(),
        optouts: BTreeMap::new(),
    }
}

fn ids(values: impl Iterator<Item = Option<u8>>) -> ArrayRef {
    let mut builder = FixedSizeBinaryBuilder::new(16);
    for value in values {
        match value {
            Some(id) => builder.append_value([id; 16]).unwrap(),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn decision(row: &Row) -> &'static str {
    ["kept", "held-out", "dropped"][usize::from(row.decision % 3)]
}

/// Writes a corpus of one set with these rows and claims, and no manifests.
fn write(root: &Path, rows: &[Row], claims: &[Words]) {
    for name in ["sets", "ledger", "claims"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    let ledger: Vec<ArrayRef> = ledger_schema()
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            let rows = rows.iter();
            match field.name().as_str() {
                "doc_id" => ids(rows.map(|r| Some(r.id))),
                "duplicate_of" => ids(rows.map(|r| r.duplicate_of)),
                "source" => texts(rows.map(|r| Some(format!("s{}", r.source)))),
                "path" => texts(rows.map(|r| Some(format!("p{}", r.id)))),
                "set" => texts(rows.map(|_| Some("set".to_owned()))),
                "decision" => texts(rows.map(|r| Some(decision(r).to_owned()))),
                "stage" => texts(rows.map(|_| Some("hold-out".to_owned()))),
                "cell" => texts(rows.map(|r| Some(cell(r.terms, r.source).digest().unwrap().to_string()))),
                "bytes_in" | "bytes_added" | "bytes_removed" | "bytes_out" | "n_tokens" => {
                    Arc::new(UInt64Array::from_iter_values(rows.map(|_| 0)))
                }
                "copies" => Arc::new(UInt32Array::from_iter_values(rows.map(|_| 1))),
                _ => new_null_array(field.data_type(), rows.len()),
            }
        })
        .collect();
    put(&root.join("ledger/0.parquet"), RecordBatch::try_new(ledger_schema(), ledger).unwrap());
    let said: Vec<ArrayRef> = claims_schema()
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            let claims = claims.iter();
            match field.name().as_str() {
                "doc_id" => ids(claims.map(|c| c.on)),
                "source" => texts(claims.map(|c| Some(format!("s{}", c.source)))),
                "kind" => texts(
                    claims.map(|c| Some(["copyright", "attribution", "license"][usize::from(c.kind % 3)].to_owned())),
                ),
                "raw" => texts(claims.map(|c| Some(format!("© {}", c.words)))),
                "locator" => texts(claims.map(|c| Some(format!("L:{}", c.words)))),
                "date" | "expression" => new_null_array(field.data_type(), claims.len()),
                _ => texts(claims.map(|_| Some("x".to_owned()))),
            }
        })
        .collect();
    put(&root.join("claims/0.parquet"), RecordBatch::try_new(claims_schema(), said).unwrap());
}

fn put(path: &Path, batch: RecordBatch) {
    let mut writer = TableWriter::create(path, batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

/// The NOTICE of such a corpus.
fn listed(rows: &[Row], claims: &[Words]) -> Notice {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), rows, claims);
    let set = "set".parse().unwrap();
    let mut scope = Scope { held_out: true, ..Scope::default() };
    for (terms, source) in (0..TERMS.len()).flat_map(|t| (0..3).map(move |s| (t, s))) {
        let count = CellCount { cell: cell(terms, source), evidence: None, documents: None, tokens: None };
        scope.cells.extend(asked(&set, &BTreeMap::new(), count, None));
    }
    let opened = Folder::open(folder.path(), None).unwrap();
    let mut notice = Notice {
        schema: "flexmix/notice/v1",
        subject: "test".into(),
        kind: Kind::Corpus,
        trust: "signatures not checked".into(),
        policy: None,
        sets: vec![],
        artifacts: vec![],
        changes: CHANGES,
        licenses: vec![],
        closed: vec![],
        unknowns: vec![],
        documents: 0,
        covered: 0,
    };
    tables::fill(&mut notice, &scope, &Engine::open_evidence(&opened).unwrap()).unwrap();
    notice
}

/// Who is named for a document, by the words of the law: itself, its dropped copies, and the sources of all of them.
fn words_for(row: &Row, rows: &[Row], claims: &[Words]) -> BTreeSet<u8> {
    let copies: Vec<&Row> = rows.iter().filter(|r| r.id == row.id || r.duplicate_of == Some(row.id)).collect();
    let speaks = |c: &&Words| match c.on {
        Some(id) => copies.iter().any(|r| r.id == id),
        None => copies.iter().any(|r| r.source == c.source),
    };
    claims.iter().filter(|c| c.kind % 3 != 2).filter(speaks).map(|c| c.words).collect()
}

fn check(rows: &[Row], claims: &[Words]) -> Notice {
    let notice = listed(rows, claims);
    let unknown: BTreeSet<&str> =
        notice.unknowns.iter().flat_map(|u| u.listed.iter().map(|d| d.path.as_str())).collect();
    let mut entries: BTreeMap<(String, String), (u64, BTreeSet<String>)> = BTreeMap::new();
    for row in rows.iter().filter(|r| decision(r) != "dropped") {
        let (path, words) = (format!("p{}", row.id), words_for(row, rows, claims));
        let Some(terms) = TERMS[row.terms] else {
            assert!(unknown.contains(path.as_str()), "{path}: terms are not known");
            continue;
        };
        if terms == "CC0-1.0" {
            assert!(!unknown.contains(path.as_str()), "{path}: nothing is asked");
            continue;
        }
        // An unreviewed license is taken to ask for a name too.
        let named = row.source == 0 && terms != "MIT";
        assert_eq!(unknown.contains(path.as_str()), words.is_empty() && !named, "{path} under {terms}: {words:?}");
        let entry = entries.entry((terms.to_owned(), format!("s{}", row.source))).or_default();
        entry.0 += 1;
        entry.1.extend(words.iter().map(|w| format!("© {w}")));
    }
    let found: BTreeMap<(String, String), (u64, BTreeSet<String>)> = notice
        .licenses
        .iter()
        .flat_map(|l| l.sources.iter().map(move |s| (l, s)))
        .map(|(l, s)| {
            let words = s.statements.iter().map(|w| w.words.clone()).collect();
            ((l.terms.clone(), s.source.clone()), (s.documents, words))
        })
        .collect();
    assert_eq!(found, entries, "every document that asks is in an entry, with every word that was found");
    assert_eq!(notice.documents, entries.values().map(|e| e.0).sum::<u64>());
    notice
}

fn row(ids: u8) -> impl Strategy<Value = Row> {
    (0..3u8, 0..TERMS.len(), any::<u8>(), prop::option::of(0..ids)).prop_map(|(source, terms, decision, of)| Row {
        id: 0,
        source,
        terms,
        // A copy that stands for another text is dropped.
        decision: if of.is_some() { 2 } else { decision },
        duplicate_of: of,
    })
}

fn words(ids: u8) -> impl Strategy<Value = Words> {
    (prop::option::of(0..ids), 0..3u8, any::<u8>(), 0..4u8).prop_map(|(on, source, kind, words)| Words {
        on,
        source,
        kind,
        words,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn nothing_owed_is_lost(
        rows in prop::collection::vec(row(12), 1..12),
        claims in prop::collection::vec(words(12), 0..8),
    ) {
        let rows: Vec<Row> = (0..).zip(rows).map(|(id, row)| Row { id, ..row }).collect();
        let text = check(&rows, &claims).to_text();
        let turned: Vec<Words> = claims.iter().rev().cloned().collect();
        prop_assert_eq!(text, listed(&rows, &turned).to_text());
    }
}

#[test]
fn a_dropped_copy_keeps_its_author() {
    let kept = Row { id: 0, source: 1, terms: 0, decision: 0, duplicate_of: None };
    let copy = Row { id: 1, source: 2, terms: 0, decision: 2, duplicate_of: Some(0) };
    let said = Words { on: Some(1), source: 2, kind: 0, words: 7 };
    let notice = listed(&[kept, copy], &[said]);
    assert_eq!(notice.licenses[0].sources[0].statements[0].words, "© 7");
    assert_eq!((notice.documents, notice.covered, notice.unknown()), (1, 1, 0));
}

#[test]
fn words_as_found_cannot_pass_for_ours() {
    let kept = Row { id: 0, source: 1, terms: 0, decision: 0, duplicate_of: None };
    let mut notice = listed(&[kept], &[Words { on: Some(0), source: 1, kind: 0, words: 1 }]);
    notice.licenses[0].sources[0].statements[0].words = "© Ada\nClosed sets\u{1b}[2J\u{202e}".to_owned();
    notice.licenses[0].sources[0].title = Some("Title\nNot known".to_owned());
    let text = notice.to_text();
    assert!(text.contains("  | © Ada\n  | Closed sets\u{fffd}[2J\u{fffd}\n"), "{text}");
    assert!(text.contains("\nTitle Not known\n"), "{text}");
    insta::assert_snapshot!(text);
}
