//! The queries behind a NOTICE: the ledger says which documents are kept, the claims which words were found for them,
//! for copies of them, and for the sources of either.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use serde::Deserialize;

use super::scope::{Asked, Scope};
use super::{Document, LicenseNotice, Notice, Said, SourceNotice, Unknown, Why};
use crate::error::Result;
use crate::query::Engine;

/// Documents whose terms ask for something, or are not known.
fn owed(held_out: bool) -> String {
    let decisions = if held_out { "'kept', 'held-out'" } else { "'kept'" };
    format!(
        "CREATE VIEW owed AS
         SELECT l.doc_id, l.\"set\", l.source, l.path, l.bytes_added + l.bytes_removed > 0 AS changed,
                t.terms, t.named, t.known
         FROM ledger l JOIN asked t ON t.\"set\" = l.\"set\" AND t.cell = l.cell WHERE l.decision IN ({decisions})"
    )
}

/// A document and every copy of it that was dropped: whoever gave a copy is owed too.
const COPIES: &str = "
CREATE VIEW copies AS
SELECT doc_id AS doc, doc_id AS copy, source FROM owed
UNION ALL SELECT o.doc_id AS doc, l.doc_id AS copy, l.source FROM owed o JOIN ledger l ON l.duplicate_of = o.doc_id";

/// Words found in a document or a copy of it.
const SAID: &str = "
CREATE VIEW said AS
SELECT c.doc, k.kind, k.raw, k.locator FROM copies c JOIN claims k ON k.doc_id = c.copy
WHERE k.kind IN ('copyright', 'attribution')";

/// Words that cover a whole source.
const WIDE: &str = "
CREATE VIEW wide AS
SELECT source, kind, raw, min(locator) AS locator FROM claims
WHERE doc_id IS NULL AND kind IN ('copyright', 'attribution') GROUP BY source, kind, raw";

/// Documents for which there are words.
const COVERED: &str = "
CREATE VIEW covered AS
SELECT doc FROM said
UNION SELECT c.doc FROM copies c JOIN (SELECT DISTINCT source FROM wide) w ON w.source = c.source";

const ENTRIES: &str = r#"
SELECT o.terms, o."set", o.source, count(*) AS documents, sum(CASE WHEN o.changed THEN 1 ELSE 0 END) AS changed,
       sum(CASE WHEN c.doc IS NULL THEN 1 ELSE 0 END) AS without_statement,
       sum(CASE WHEN c.doc IS NOT NULL OR o.named THEN 1 ELSE 0 END) AS covered
FROM owed o LEFT JOIN covered c ON c.doc = o.doc_id WHERE o.known
GROUP BY o.terms, o."set", o.source ORDER BY o.terms, o."set", o.source"#;

/// A document says the same words once, however many of its copies do.
const STATEMENTS: &str = r#"
SELECT o.terms, o."set", o.source, s.kind, s.raw AS words, count(DISTINCT s.doc) AS documents, min(s.locator) AS locator
FROM said s JOIN owed o ON o.doc_id = s.doc WHERE o.known
GROUP BY o.terms, o."set", o.source, s.kind, s.raw
UNION ALL
SELECT g.terms, g."set", g.source, w.kind, w.raw AS words, g.documents, w.locator
FROM (SELECT o.terms, o."set", o.source, c.source AS from_source, count(DISTINCT o.doc_id) AS documents
      FROM owed o JOIN copies c ON c.doc = o.doc_id WHERE o.known
      GROUP BY o.terms, o."set", o.source, c.source) g
JOIN wide w ON w.source = g.from_source"#;

/// Documents that nobody is named for, and documents whose terms are not known.
const UNKNOWNS: &str = r#"
SELECT o.terms, o."set", o.source, o.known, o.doc_id, o.path
FROM owed o LEFT JOIN covered c ON c.doc = o.doc_id
WHERE NOT o.known OR (c.doc IS NULL AND NOT o.named)
ORDER BY o.known, o.terms, o."set", o.source, o.path, o.doc_id"#;

#[derive(Deserialize)]
struct EntryRow {
    terms: String,
    set: String,
    source: String,
    documents: u64,
    changed: u64,
    without_statement: u64,
    covered: u64,
}

#[derive(Deserialize)]
struct SaidRow {
    terms: String,
    set: String,
    source: String,
    kind: String,
    words: String,
    documents: u64,
    locator: String,
}

#[derive(Deserialize)]
struct UnknownRow {
    terms: String,
    set: String,
    source: String,
    known: bool,
    doc_id: String,
    path: String,
}

/// The label of an asked cell in the tables.
fn label(asked: &Asked) -> String {
    asked.terms.clone().unwrap_or_else(|| asked.cell.label())
}

/// Adds what the corpus says to a NOTICE.
pub(super) fn fill(notice: &mut Notice, scope: &Scope, engine: &Engine) -> Result<()> {
    engine.add("asked", asked_table(&scope.cells)?)?;
    for view in [owed(scope.held_out).as_str(), COPIES, SAID, WIDE, COVERED] {
        engine.sql(view)?;
    }
    let entries: Vec<EntryRow> = engine.sql(ENTRIES)?.read()?;
    notice.documents = entries.iter().map(|e| e.documents).sum();
    notice.covered = entries.iter().map(|e| e.covered).sum();
    let mut said = statements(engine.sql(STATEMENTS)?.read()?);
    for entry in entries {
        let cells: Vec<&Asked> = scope.cells.iter().filter(|c| c.known && is_of(c, &entry)).collect();
        let words = said.remove(&(entry.terms.clone(), entry.set.clone(), entry.source.clone())).unwrap_or_default();
        if notice.licenses.last().is_none_or(|l| l.terms != entry.terms) {
            notice.licenses.push(license(&entry.terms, &scope.cells));
        }
        if let Some(license) = notice.licenses.last_mut() {
            license.sources.push(source(entry, &cells, words));
        }
    }
    unknowns(notice, engine.sql(UNKNOWNS)?.read()?);
    Ok(())
}

fn is_of(cell: &Asked, entry: &EntryRow) -> bool {
    let from = cell.cell.sources.iter().any(|s| s.as_str() == entry.source);
    label(cell) == entry.terms && cell.set.as_str() == entry.set && from
}

fn license(terms: &str, cells: &[Asked]) -> LicenseNotice {
    let of = cells.iter().filter(|c| c.known && label(c) == terms);
    let parts: BTreeSet<_> = of.clone().flat_map(|c| c.parts.iter().cloned()).collect();
    LicenseNotice {
        terms: terms.to_owned(),
        open_choice: of.clone().any(|c| c.open_choice),
        parts: parts.into_iter().collect(),
        sources: vec![],
    }
}

fn source(entry: EntryRow, cells: &[&Asked], statements: Vec<Said>) -> SourceNotice {
    let names = |of: fn(&Asked) -> Vec<String>| -> Vec<String> {
        cells.iter().flat_map(|c| of(c)).collect::<BTreeSet<_>>().into_iter().collect()
    };
    SourceNotice {
        title: cells.iter().find_map(|c| c.title_of.get(&entry.source).cloned()),
        also_from: names(|c| c.cell.sources.iter().map(ToString::to_string).collect())
            .into_iter()
            .filter(|s| *s != entry.source)
            .collect(),
        rightsholders: names(|c| c.cell.rightsholders.iter().cloned().collect()),
        terms_at: names(|c| c.evidence.iter().cloned().collect()),
        set: entry.set,
        source: entry.source,
        documents: entry.documents,
        changed: entry.changed,
        without_statement: entry.without_statement,
        statements,
    }
}

type Key = (String, String, String);

/// Statements by terms, set and source: copyright first, then by words.
fn statements(rows: Vec<SaidRow>) -> BTreeMap<Key, Vec<Said>> {
    let mut merged: BTreeMap<(Key, bool, String), Said> = BTreeMap::new();
    for row in rows {
        let key = ((row.terms, row.set, row.source), row.kind != "copyright", row.words.clone());
        let said = Said { kind: row.kind, words: row.words, documents: row.documents, locator: row.locator };
        // Found in documents and for the whole source: the source's covers them all.
        merged
            .entry(key)
            .and_modify(|known| {
                if (said.documents, &known.locator) > (known.documents, &said.locator) {
                    *known = said.clone();
                }
            })
            .or_insert(said);
    }
    let mut by_source: BTreeMap<Key, Vec<Said>> = BTreeMap::new();
    for ((key, ..), said) in merged {
        by_source.entry(key).or_default().push(said);
    }
    by_source
}

fn unknowns(notice: &mut Notice, rows: Vec<UnknownRow>) {
    let mut groups: BTreeMap<(bool, String, String, String), Vec<Document>> = BTreeMap::new();
    for row in rows {
        let documents = groups.entry((row.known, row.set, row.source, row.terms)).or_default();
        documents.push(Document { doc_id: row.doc_id, path: row.path });
    }
    notice.unknowns.extend(groups.into_iter().map(|((known, set, source, terms), listed)| Unknown {
        why: if known { Why::NoStatement } else { Why::TermsUnknown },
        terms: Some(terms),
        set,
        source: Some(source),
        documents: Some(listed.len() as u64),
        listed,
        manifest: None,
    }));
}

fn asked_table(cells: &[Asked]) -> Result<RecordBatch> {
    let digests = cells.iter().map(|c| Ok(c.cell.digest()?.to_string())).collect::<Result<Vec<String>>>()?;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("set", Arc::new(StringArray::from_iter_values(cells.iter().map(|c| c.set.as_str())))),
        ("cell", Arc::new(StringArray::from_iter_values(digests))),
        ("terms", Arc::new(StringArray::from_iter_values(cells.iter().map(label)))),
        ("named", Arc::new(BooleanArray::from_iter(cells.iter().map(|c| Some(c.named))))),
        ("known", Arc::new(BooleanArray::from_iter(cells.iter().map(|c| Some(c.known))))),
    ];
    let fields: Vec<Field> = columns.iter().map(|(n, a)| Field::new(*n, a.data_type().clone(), true)).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, a)| a).collect())?)
}
