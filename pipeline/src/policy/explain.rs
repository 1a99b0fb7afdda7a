//! One document under a policy: what was said about its terms and by whom, how the conclusion followed, and what the
//! policy makes of it, rule by rule.

use manifests::policy::RuleRef;
use serde::{Deserialize, Serialize};

use super::because::Because;
use super::{Asked, Rehearsal, cells, explain_text, sound};
use crate::error::{Error, Result};
use crate::query::{Engine, Folder};

/// A claim, as found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// Who says it.
    pub speaker: String,
    /// About what: `work`, `collection` or `access`.
    pub scope: String,
    /// What kind of thing is said.
    pub kind: String,
    /// The terms that follow from the words, where there are any.
    pub expression: Option<String>,
    /// The words.
    pub raw: String,
    /// The place of the words.
    pub locator: String,
    /// The digest of the bytes that hold them.
    pub digest: String,
    /// The day of reading.
    pub date: Option<String>,
    /// The source that it came with.
    pub source: String,
    /// The document it is about; a claim on a whole source has none.
    pub doc_id: Option<String>,
    /// Whether the conclusion was drawn from it.
    #[serde(default)]
    pub heard: bool,
}

/// A document of the same text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Its id.
    pub doc_id: String,
    /// Its source.
    pub source: String,
    /// Its place in the source.
    pub path: String,
    /// What became of it.
    pub decision: String,
}

/// Where a document is, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Where {
    /// Its id.
    pub doc_id: String,
    /// The normalised text's digest.
    pub digest: Option<String>,
    /// Its source.
    pub source: String,
    /// Its place in the source.
    pub path: String,
    /// Its set.
    pub set: String,
    /// `kept`, `held-out` or `dropped`.
    pub decision: String,
    /// Why it was dropped when the corpus was built.
    pub reason: Option<String>,
    /// In words.
    pub detail: Option<String>,
    /// Whether its terms are known.
    pub state: Option<String>,
    /// The digest of its cell.
    pub cell: Option<String>,
    /// Its tier.
    pub tier: Option<String>,
    /// Its tokens.
    pub n_tokens: u64,
    /// The shard that holds it.
    pub shard: Option<String>,
}

/// The terms and origin that the verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellWords {
    /// The terms.
    pub license: Option<String>,
    /// Whether they are known.
    pub state: String,
    /// What the conclusion rests on.
    pub basis: Option<String>,
    /// The branch that a signed election chose.
    pub elected: Option<String>,
    /// The sources of all copies.
    pub sources: Vec<String>,
    /// Who holds rights.
    pub rightsholders: Vec<String>,
    /// What opt-out signals said.
    pub optouts: Vec<String>,
    /// Whether all of it is known; a document that was dropped keeps no rightsholders and opt-outs in the ledger.
    pub is_exact: bool,
}

impl CellWords {
    pub(super) fn of(cell: &manifests::exposure::Cell, is_exact: bool) -> Self {
        let optout = |(signal, reserved): (&manifests::claim::Signal, &bool)| {
            let said = if *reserved { "reserves" } else { "reserves nothing" };
            format!("{} {said}", format!("{signal:?}").to_lowercase())
        };
        Self {
            license: cell.expression.as_ref().map(ToString::to_string),
            state: cell.state.to_string(),
            basis: cell.basis.as_ref().map(ToString::to_string),
            elected: cell.election.as_ref().map(ToString::to_string),
            sources: cell.sources.iter().map(ToString::to_string).collect(),
            rightsholders: cell.rightsholders.iter().cloned().collect(),
            optouts: cell.optouts.iter().map(optout).collect(),
            is_exact,
        }
    }
}

/// What `flexmix policy explain --document` reports.
#[derive(Clone, Debug, Serialize)]
pub struct DocumentReport {
    /// Always `flexmix/document-report/v1`.
    pub schema: &'static str,
    /// The policy.
    pub policy: Asked,
    /// The document.
    pub document: Where,
    /// What was said about its terms, with what was said about the whole source, and about copies of the text.
    pub claims: Vec<ClaimRow>,
    /// Other documents of the same text.
    pub copies: Vec<Copy>,
    /// How the conclusion followed, in sentences.
    pub followed: Vec<String>,
    /// The terms and origin; absent for a record that could not be read.
    pub cell: Option<CellWords>,
    /// Whether the policy permits it.
    pub permitted: bool,
    /// The rules that permit, in the policy's order.
    pub permits: Vec<RuleRef>,
    /// The reasons against it.
    pub denials: Vec<Because>,
    /// The rule by which it is queued for the owner.
    pub queued: Option<RuleRef>,
}

/// Explains one document.
///
/// # Errors
/// [`Error::Usage`] when the ledger has no such document; [`Error::Record`] when the folder's records do not hold.
pub fn document(rehearsal: &Rehearsal, folder: &Folder, id: &str) -> Result<DocumentReport> {
    sound(folder)?;
    let hex = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let engine = Engine::open(folder)?;
    let sql = format!(
        "SELECT doc_id, digest, source, path, \"set\", decision, reason, detail, state, cell, tier, n_tokens, shard
         FROM ledger WHERE doc_id = '{}'",
        if hex { id.to_lowercase() } else { String::new() }
    );
    let found = engine.sql(&sql)?.read::<Where>()?.into_iter().next().ok_or_else(|| {
        let hint = "ids are in the ledger: `flexmix query DIR \"SELECT doc_id, source, path FROM ledger LIMIT 9\"`";
        Error::usage(format!("the ledger has no document `{id}`"), hint)
    })?;
    let copies = copies(&engine, &found)?;
    let mut claims = claims(&engine, &found, &copies)?;
    let followed = explain_text::followed(&mut claims, &found, &copies);
    let gate = &rehearsal.gate;
    let seen = match &found.cell {
        Some(digest) => cells::seen(folder, &engine, gate, Some(digest))?.into_iter().next(),
        None => None,
    };
    let mut verdict = seen.as_ref().map(|s| gate.cell(&s.cell)).unwrap_or_default();
    if let Some(text) = found.digest.as_deref().and_then(|d| d.parse().ok()) {
        verdict.denials.extend(gate.work(text));
    }
    let against: Vec<RuleRef> = verdict.denials.iter().filter_map(|d| d.rule.clone()).collect();
    let queued = seen.as_ref().and_then(|s| gate.policy.review(s.cell.state));
    Ok(DocumentReport {
        schema: "flexmix/document-report/v1",
        policy: Asked::of(rehearsal),
        permitted: seen.is_some() && verdict.is_permitted(),
        permits: verdict.matched.iter().filter(|rule| !against.contains(rule)).cloned().collect(),
        denials: Because::all(&verdict.denials),
        queued,
        cell: seen.map(|s| CellWords::of(&s.cell, s.is_exact)),
        document: found,
        claims,
        copies,
        followed,
    })
}

/// Other documents of the same text.
pub(crate) fn copies(engine: &Engine, found: &Where) -> Result<Vec<Copy>> {
    let Some(digest) = &found.digest else { return Ok(vec![]) };
    let sql = format!(
        "SELECT doc_id, source, path, decision FROM ledger WHERE digest = '{digest}' AND doc_id <> '{}'
         ORDER BY source, path, doc_id",
        found.doc_id
    );
    engine.sql(&sql)?.read()
}

/// Claims on the document, on its copies, and on the whole sources that they came from.
pub(crate) fn claims(engine: &Engine, found: &Where, copies: &[Copy]) -> Result<Vec<ClaimRow>> {
    let quoted = |all: std::collections::BTreeSet<&str>| {
        all.into_iter().map(|w| format!("'{}'", w.replace('\'', "''"))).collect::<Vec<_>>().join(", ")
    };
    let ids = quoted(copies.iter().map(|c| c.doc_id.as_str()).chain([found.doc_id.as_str()]).collect());
    let sources = quoted(copies.iter().map(|c| c.source.as_str()).chain([found.source.as_str()]).collect());
    let sql = format!(
        "SELECT DISTINCT speaker, scope, kind, expression, raw, locator, digest, date, source, doc_id FROM claims
         WHERE doc_id IN ({ids}) OR (doc_id IS NULL AND source IN ({sources}))
         ORDER BY source, scope, speaker, kind, locator, raw, doc_id"
    );
    engine.sql(&sql)?.read()
}
