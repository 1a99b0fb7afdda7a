//! Which document is meant: an id or its beginning, a declared id, or a record by its place; and the place of a record
//! from an id. An id is a digest over source, path, record and ordinal, so that a place found here is proved.

use std::fmt::Write as _;

use manifests::id::{DocId, SourceId};
use serde::Deserialize;

use crate::engine::literal;
use crate::error::{Error, Result};
use crate::policy::Where;
use crate::query::Engine;
use crate::words::{counted, plain};

/// The shortest beginning of an id.
const SHORTEST: usize = 4;
/// Candidates that are listed.
const LISTED: usize = 9;
/// Documents of one record that are tried.
const ORDINALS: u64 = 32;
/// Records that are tried beyond those that have rows: blank ones have none.
const BLANK: u64 = 4096;

#[derive(Deserialize)]
struct Candidate {
    doc_id: String,
    declared_id: Option<String>,
    source: String,
    path: String,
}

/// The id of the one document that is meant.
pub(super) fn document(engine: &Engine, id: &str) -> Result<String> {
    let is_hex = (SHORTEST..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
    let mut ways = vec![format!("declared_id = {0} OR path = {0}", literal(id))];
    if is_hex {
        ways.push(format!("doc_id LIKE '{}%'", id.to_ascii_lowercase()));
    }
    ways.extend(by_record(engine, id)?);
    let sql =
        format!("SELECT doc_id, declared_id, source, path FROM ledger WHERE {} ORDER BY doc_id", ways.join(" OR "));
    let mut found: Vec<Candidate> = engine.sql(&sql)?.read()?;
    if let Some(exact) = found.iter().position(|c| c.doc_id.eq_ignore_ascii_case(id)) {
        return Ok(found.swap_remove(exact).doc_id);
    }
    match found.len() {
        1 => Ok(found.swap_remove(0).doc_id),
        0 => Err(Error::usage(
            format!("the ledger has no document `{}`", plain(id)),
            "give an id of the ledger or at least four digits of its beginning, the id that a record declares, or \
             PATH#RECORD; `flexmix query DIR \"SELECT doc_id, declared_id, source, path FROM ledger LIMIT 9\"` lists some",
        )),
        n => {
            let mut hint = "name one of them by its id:".to_owned();
            for one in found.iter().take(LISTED) {
                let declared = one.declared_id.as_ref().map_or_else(String::new, |id| format!(" ({})", plain(id)));
                _ = write!(hint, "\n  {} {}: {}{declared}", one.doc_id, one.source, plain(&one.path));
            }
            Err(Error::usage(format!("`{}` is {}", plain(id), counted(n as u64, "document")), hint))
        }
    }
}

/// `PATH#RECORD`: the ids that such a record's documents have in each source that has the path.
fn by_record(engine: &Engine, id: &str) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Source {
        source: String,
    }
    let Some((path, record)) = id.rsplit_once('#') else { return Ok(None) };
    let Ok(record) = record.parse::<u64>() else { return Ok(None) };
    let sql = format!("SELECT DISTINCT source FROM ledger WHERE path = {} ORDER BY source", literal(path));
    let mut ids = Vec::new();
    for found in engine.sql(&sql)?.read::<Source>()? {
        let source: SourceId = found.source.parse()?;
        ids.extend((0..ORDINALS).map(|n| format!("'{}'", DocId::derive(&source, path, record, n))));
    }
    Ok((!ids.is_empty()).then(|| format!("doc_id IN ({})", ids.join(", "))))
}

/// The record and ordinal of a document, where trying them gives its id.
pub(super) fn place(engine: &Engine, found: &Where) -> Result<Option<(u64, u64)>> {
    #[derive(Deserialize)]
    struct Rows {
        rows: u64,
    }
    let sql = format!(
        "SELECT count(*) AS rows FROM ledger WHERE source = {} AND path = {}",
        literal(&found.source),
        literal(&found.path)
    );
    let rows = engine.sql(&sql)?.read::<Rows>()?.first().map_or(0, |r| r.rows);
    let source: SourceId = found.source.parse()?;
    let is_it =
        |record: u64, ordinal: u64| DocId::derive(&source, &found.path, record, ordinal).to_string() == found.doc_id;
    // Almost every record is one document: those are tried first.
    let first = (0..rows + BLANK).map(|record| (record, 0));
    let others = (0..rows).flat_map(|record| (1..ORDINALS).map(move |ordinal| (record, ordinal)));
    Ok(first.chain(others).find(|(record, ordinal)| is_it(*record, *ordinal)))
}
