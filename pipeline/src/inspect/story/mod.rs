//! One document's whole story, put together from every table that knows it: where it came from, what was said of its
//! terms, what each filter found, which documents it equals or resembles, and where it went. What a policy makes of it
//! is `policy explain`'s to say.

mod find;
mod text;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::histogram::DECIDING;
use super::samples::{Excerpt, excerpts};
use crate::build::RunRecord;
use crate::engine::literal;
use crate::error::{Error, Result};
use crate::policy::{ClaimRow, Copy, Where, claims, copies, followed};
use crate::query::{Engine, Folder, Kind};

/// Members of a cluster that are listed.
const MEMBERS: usize = 50;
/// What `flexmix inspect --document` reports.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// Always `flexmix/document-story/v1`.
    pub schema: &'static str,
    /// How far signatures were checked.
    pub trust: String,
    /// Its row of the ledger, every column.
    pub ledger: Map<String, Value>,
    /// Where it came from.
    pub origin: Origin,
    /// What was said about its terms, with what was said about the whole source, and about copies of the text.
    pub claims: Vec<ClaimRow>,
    /// How the conclusion followed, in sentences.
    pub followed: Vec<String>,
    /// The cell that it counts in, where it is kept.
    pub cell: Option<CellRow>,
    /// The recipe's filters in their order, and what each said.
    pub filters: Vec<FilterStep>,
    /// What was found out about its text.
    pub facts: Vec<Fact>,
    /// Its text about the span that a rule points at, where the build kept what it dropped.
    pub excerpt: Option<Excerpt>,
    /// Other documents of the same text.
    pub copies: Vec<Copy>,
    /// The document that stands for it.
    pub survivor: Option<Copy>,
    /// The document that it was found equal or near to.
    pub matched: Option<Copy>,
    /// Documents that it stands for; at most fifty of them.
    pub stands_for: Vec<Copy>,
    /// What to ask next.
    pub next: String,
}

/// Where a document came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The source.
    pub source: String,
    /// Its title in the recipe.
    pub title: Option<String>,
    /// The digest of its object, where the recipe pins one.
    pub object: Option<String>,
    /// The path in the source.
    pub path: String,
    /// The record's number in the object, from 0, where the id proves it.
    pub record: Option<u64>,
    /// The document's number in the record, from 0.
    pub ordinal: Option<u64>,
}

/// The cell of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellRow {
    /// The terms.
    pub license: Option<String>,
    /// Whether they are known.
    pub state: String,
    /// What the conclusion rests on.
    pub basis: Option<String>,
    /// The branch that a signed election chose.
    pub election: Option<String>,
    /// The sources of all copies.
    pub sources: Vec<String>,
    /// Who holds rights.
    pub rightsholders: Vec<String>,
    /// One place of a claim for the cell.
    pub evidence: Option<String>,
}

/// What a filter said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It let the document pass.
    Passed,
    /// It dropped it.
    Dropped,
    /// An earlier one had dropped it.
    NotReached,
    /// It is not for the document's set.
    NotForThisSet,
    /// One of the filters dropped it, and there is no facts table to say which.
    NotKnown,
}

/// A filter of the recipe and its decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FilterStep {
    /// Its name.
    pub filter: String,
    /// What it said.
    pub outcome: Outcome,
    /// The value that it found, where it dropped.
    pub value: Option<f64>,
    /// The threshold that the value missed.
    pub threshold: Option<f64>,
    /// The filter as the recipe has it, with every threshold.
    pub settings: Value,
}

/// A fact about a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    /// The column of the facts table.
    pub name: String,
    /// Its value; `null` where it was not computed, since an earlier filter had dropped the document.
    pub value: Value,
}

/// Tells one document's story. `id` is its id or the beginning of it, the id that its record declares, or
/// `PATH#RECORD`.
///
/// # Errors
/// [`Error::Usage`] when there is no such document or several; those of the queries.
pub fn story(folder: &Folder, trust: String, id: &str) -> Result<Story> {
    if folder.kind != Kind::Corpus {
        return Err(Error::usage("there is no ledger here", "documents are told of in a corpus, by its owner"));
    }
    let engine = Engine::open_evidence(folder)?;
    let doc_id = find::document(&engine, id)?;
    let ledger = row(&engine, "ledger", &doc_id)?.unwrap_or_default();
    let found: Where = serde_json::from_value(Value::Object(ledger.clone()))
        .map_err(|e| Error::Bug(format!("the ledger does not fit: {e}")))?;
    let copies = copies(&engine, &found)?;
    let mut claims = claims(&engine, &found, &copies)?;
    let followed = followed(&mut claims, &found, &copies);
    let facts = row(&engine, "facts", &doc_id)?;
    let known = |name: &str| Some(ledger.get(name)?.as_str()?.to_owned());
    let other = |id: Option<String>| -> Result<Option<Copy>> {
        Ok(match id {
            Some(id) => of_ids(&engine, &format!("doc_id = {}", literal(&id)))?.into_iter().next(),
            None => None,
        })
    };
    Ok(Story {
        schema: "flexmix/document-story/v1",
        trust,
        origin: origin(&engine, &found)?,
        cell: cell(&engine, &found)?,
        filters: filters(folder, &found, &ledger, facts.as_ref()),
        facts: facts.map(listed).unwrap_or_default(),
        excerpt: excerpts(&engine, &[&doc_id])?.into_iter().next().map(|(_, excerpt)| excerpt),
        survivor: other(known("duplicate_of"))?,
        matched: other(known("matched"))?,
        stands_for: of_ids(&engine, &format!("duplicate_of = '{doc_id}'"))?,
        next: format!("flexmix policy explain POLICY {} --document {doc_id}", folder.root.display()),
        claims,
        followed,
        copies,
        ledger,
    })
}

/// The row of a document in a table, every column.
fn row(engine: &Engine, table: &str, doc_id: &str) -> Result<Option<Map<String, Value>>> {
    let rows = engine.sql(&format!("SELECT * FROM {table} WHERE doc_id = '{doc_id}'"))?.rows;
    Ok(rows.into_iter().find_map(|row| match row {
        Value::Object(columns) => Some(columns),
        _ => None,
    }))
}

fn of_ids(engine: &Engine, which: &str) -> Result<Vec<Copy>> {
    let sql =
        format!("SELECT doc_id, source, path, decision FROM ledger WHERE {which} ORDER BY doc_id LIMIT {MEMBERS}");
    engine.sql(&sql)?.read()
}

fn origin(engine: &Engine, found: &Where) -> Result<Origin> {
    #[derive(Deserialize)]
    struct Source {
        title: Option<String>,
        object: Option<String>,
    }
    let sql = format!(
        "SELECT title, object FROM sources WHERE source = {} AND \"set\" = {} LIMIT 1",
        literal(&found.source),
        literal(&found.set)
    );
    let source = engine.sql(&sql)?.read::<Source>()?.into_iter().next();
    let (title, object) = source.map_or((None, None), |s| (s.title, s.object));
    let place = find::place(engine, found)?;
    Ok(Origin {
        source: found.source.clone(),
        title,
        object,
        path: found.path.clone(),
        record: place.map(|p| p.0),
        ordinal: place.map(|p| p.1),
    })
}

fn cell(engine: &Engine, found: &Where) -> Result<Option<CellRow>> {
    let Some(digest) = &found.cell else { return Ok(None) };
    let sql = format!(
        "SELECT license, state, basis, election, sources, rightsholders, evidence FROM cells
         WHERE \"set\" = {} AND cell_digest = {}",
        literal(&found.set),
        literal(digest)
    );
    Ok(engine.sql(&sql)?.read()?.into_iter().next())
}

/// What each filter of the recipe said; none where the recipe is not here, or the record was never read.
fn filters(
    folder: &Folder,
    found: &Where,
    ledger: &Map<String, Value>,
    facts: Option<&Map<String, Value>>,
) -> Vec<FilterStep> {
    let stage = ledger.get("stage").and_then(Value::as_str).unwrap_or_default();
    if stage == "read" || stage == "facts" {
        return vec![];
    }
    let chain = RunRecord::read(folder).and_then(|(_, recipe)| recipe.filter_settings()).unwrap_or_default();
    let of = |name: &str| facts.and_then(|f| f.get(name)).filter(|v| !v.is_null());
    let dropped_by = of("filter").and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok());
    // What a rule of the recipe dropped has passed every filter.
    let unknown = stage == "filter" && facts.is_none();
    let step = |(n, settings): (usize, Value)| {
        let for_set = settings["sets"].as_array().is_none_or(|sets| sets.iter().any(|set| set == found.set.as_str()));
        let outcome = match dropped_by {
            _ if !for_set => Outcome::NotForThisSet,
            None if unknown => Outcome::NotKnown,
            Some(place) if n == place => Outcome::Dropped,
            Some(place) if n > place => Outcome::NotReached,
            _ => Outcome::Passed,
        };
        let number = |name: &str| of(name).and_then(Value::as_f64).filter(|_| outcome == Outcome::Dropped);
        FilterStep {
            filter: settings["name"].as_str().unwrap_or_default().to_owned(),
            outcome,
            value: number("value"),
            threshold: number("threshold"),
            settings,
        }
    };
    chain.into_iter().enumerate().map(step).collect()
}

fn listed(facts: Map<String, Value>) -> Vec<Fact> {
    // Those are told where they belong.
    let told = |name: &String| DECIDING.contains(&name.as_str());
    facts.into_iter().filter(|(name, _)| !told(name)).map(|(name, value)| Fact { name, value }).collect()
}
