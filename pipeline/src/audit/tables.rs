//! Verdicts as tables beside the folder's own, so that each number in an audit is a query that anybody can repeat.
//! `verdicts` has a row for each cell of each exposure; `texts` a row for each cell of an artifact, however many kinds
//! of exposure name it, so that nothing counts twice; `findings` a row for each reason against a cell.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{Field, Schema};
use manifests::conclusion::State;
use manifests::exposure::TokenTotal;
use manifests::policy::Denial;

use super::judge::{CellVerdict, Judgement};
use crate::error::Result;

/// Each cell of an artifact once. Tokens are positions fed forward: they add up over exposures (a text that an expert saw
/// as the anchor's and again as contrast was fed twice), and text that only a router row was made from has none. Documents
/// of several exposures may be the same ones, so the most of any is counted.
pub(super) const TEXTS: &str = r#"
CREATE VIEW texts AS
SELECT artifact, "set", cell, own, min(tier) AS tier, min(license) AS license, min(state) AS state,
       bool_and(known) AS known, bool_and(permitted) AS permitted, max(documents) AS documents,
       sum(CASE WHEN kind IN ('gradient', 'router-tuning') THEN tokens WHEN at_most IS NULL THEN 0 END) AS tokens,
       max(at_most) AS at_most
FROM verdicts WHERE tested GROUP BY artifact, "set", cell, own"#;

/// Each reason against each cell of an artifact once, with the cell's numbers; a reason against the whole artifact has
/// no cell and no numbers of its own, and blocks all of the artifact's text.
pub(super) const CAUSES: &str = r#"
CREATE VIEW causes AS
SELECT f.artifact, f.code, f.reason, f.line, f."key", f."value", f.lifted, f.detail, f.evidence, f."set",
       t.license, t.own, t.documents, t.tokens, t.at_most, f.cell IS NULL AS whole
FROM (SELECT artifact, code, reason, line, "key", "value", lifted, "set", cell, min(detail) AS detail,
             min(evidence) AS evidence
      FROM findings GROUP BY artifact, code, reason, line, "key", "value", lifted, "set", cell) f
LEFT JOIN texts t ON t.artifact = f.artifact AND t."set" = f."set" AND t.cell = f.cell"#;

/// Tokens by reason over all artifacts. An expert's own text and the anchor's, each where it stands, so that public
/// text does not count again with every expert.
pub(super) const REASONS: &str = r#"
SELECT code, reason, line, "key", "value", count(DISTINCT artifact) AS artifacts,
       sum(CASE WHEN own THEN documents END) AS documents, sum(CASE WHEN own THEN tokens END) AS tokens
FROM causes WHERE NOT lifted GROUP BY code, reason, line, "key", "value"
ORDER BY tokens DESC NULLS LAST, line IS NULL, code, line, "value""#;

/// What keeps most text out: reasons by the tokens that they deny; a reason against a whole artifact denies all of its.
pub(super) const BLOCKERS: &str = r#"
SELECT b.code, b.reason, b.line, b."key", b."value", min(b.detail) AS detail,
       array_agg(DISTINCT b.artifact) AS artifacts, array_agg(DISTINCT b.license) AS licenses,
       sum(b.tokens) AS tokens, max(b.at_most) AS at_most
FROM (SELECT code, reason, line, "key", "value", detail, artifact, license, tokens, at_most FROM causes
      WHERE NOT lifted AND NOT whole AND own
      UNION ALL
      SELECT w.code, w.reason, w.line, w."key", w."value", w.detail, w.artifact, CAST(NULL AS VARCHAR) AS license,
             t.tokens, t.at_most
      FROM causes w LEFT JOIN (SELECT artifact, sum(tokens) AS tokens, max(at_most) AS at_most FROM texts WHERE own
                               GROUP BY artifact) t ON t.artifact = w.artifact
      WHERE NOT w.lifted AND w.whole) b
GROUP BY b.code, b.reason, b.line, b."key", b."value"
ORDER BY coalesce(sum(b.tokens), max(b.at_most)) DESC NULLS LAST, line IS NULL, code, line, "value" LIMIT 5"#;

/// Tokens by tier and verdict; of experts their own text.
pub(super) const TIERS: &str = "
SELECT artifact, tier, permitted, sum(documents) AS documents, sum(tokens) AS tokens
FROM texts WHERE own GROUP BY artifact, tier, permitted
ORDER BY artifact, tokens DESC NULLS LAST, tier, permitted";

/// What is contradicted among the text that an audit of a model counts.
pub(super) const CONTRADICTED: &str = r#"
SELECT "set", CAST(NULL AS VARCHAR) AS source, artifact, 'consumed' AS decision, sum(documents) AS documents,
       CAST(NULL AS VARCHAR) AS detail, CAST(NULL AS VARCHAR) AS path
FROM texts WHERE own AND state = 'contradicted' GROUP BY artifact, "set" ORDER BY artifact, "set""#;

/// Contradictions that were found when the corpus was built, and what became of them.
pub(super) const CONTRADICTED_AT_BUILD: &str = r#"
SELECT "set", source, CAST(NULL AS VARCHAR) AS artifact, decision, count(*) AS documents, min(detail) AS detail,
       min(path) AS path
FROM ledger WHERE state = 'contradicted' GROUP BY "set", source, decision ORDER BY "set", source, decision"#;

/// The duties of permitted text, by what is asked.
pub(super) const DUTIES: &str = r#"
SELECT d.property, count(DISTINCT t.artifact) AS artifacts, sum(t.documents) AS documents, sum(t.tokens) AS tokens
FROM duties d JOIN texts t ON t.artifact = d.artifact AND t."set" = d."set" AND t.cell = d.cell
WHERE t.own AND t.permitted GROUP BY d.property ORDER BY d.property"#;

/// The totals of some of the texts: `which` is a condition on `texts`.
pub(super) fn totals(which: &str) -> String {
    format!(
        "SELECT coalesce(sum(tokens), 0) AS tokens,
                coalesce(sum(CASE WHEN permitted THEN tokens END), 0) AS permitted,
                coalesce(sum(CASE WHEN NOT permitted THEN tokens END), 0) AS denied,
                coalesce(sum(CASE WHEN NOT permitted AND NOT known THEN tokens END), 0) AS unknown,
                coalesce(sum(documents), 0) AS documents,
                coalesce(sum(CASE WHEN NOT permitted THEN documents END), 0) AS denied_documents,
                coalesce((SELECT sum(bound) FROM (SELECT max(at_most) AS bound FROM texts
                          WHERE {which} GROUP BY artifact, \"set\")), 0) AS at_most
         FROM texts WHERE {which}"
    )
}

/// The findings against one artifact, by rule.
pub(super) fn findings_of(artifact: &str, lifted: bool) -> String {
    format!(
        "SELECT code, reason, line, \"key\", \"value\", sum(documents) AS documents, sum(tokens) AS tokens,
                sum(CASE WHEN own THEN documents END) AS own_documents, sum(CASE WHEN own THEN tokens END) AS own_tokens,
                min(detail) AS detail, min(evidence) AS evidence
         FROM causes WHERE artifact = {} AND lifted = {lifted}
         GROUP BY code, reason, line, \"key\", \"value\"
         ORDER BY own_tokens DESC NULLS LAST, tokens DESC NULLS LAST, line IS NULL, code, line, \"value\"",
        quote(artifact)
    )
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let fields: Vec<Field> = columns.iter().map(|(n, a)| Field::new(*n, a.data_type().clone(), true)).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, a)| a).collect())?)
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn owned(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn counts(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(values.collect::<UInt64Array>())
}

fn flags(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(BooleanArray::from_iter(values.map(Some)))
}

/// The cell's name in the tables.
fn cell_of(cell: &CellVerdict<'_>) -> Option<String> {
    cell.count.cell.digest().ok().map(|d| d.to_string())
}

/// One row for each cell of each artifact's exposure.
pub(super) fn verdicts(judgements: &[Judgement<'_>]) -> Result<RecordBatch> {
    let rows: Vec<(&Judgement<'_>, &CellVerdict<'_>)> =
        judgements.iter().flat_map(|j| j.cells.iter().map(move |c| (j, c))).collect();
    let at_most = |c: &CellVerdict<'_>| match c.exposure.tokens {
        TokenTotal::Exact(_) => None,
        TokenTotal::AtMost(bound) => Some(bound),
    };
    batch(vec![
        ("artifact", texts(rows.iter().map(|r| Some(r.0.subject.id.as_str())))),
        ("kind", texts(rows.iter().map(|r| Some(r.1.exposure.kind.as_str())))),
        ("set", texts(rows.iter().map(|r| Some(r.1.exposure.set.as_str())))),
        ("cell", owned(rows.iter().map(|r| cell_of(r.1)))),
        ("own", flags(rows.iter().map(|r| r.1.own))),
        ("tier", texts(rows.iter().map(|r| Some(r.1.tier.as_str())))),
        ("license", owned(rows.iter().map(|r| Some(r.1.count.cell.label())))),
        ("state", texts(rows.iter().map(|r| Some(r.1.count.cell.state.as_str())))),
        ("known", flags(rows.iter().map(|r| r.1.count.cell.state == State::Concluded))),
        ("tested", flags(rows.iter().map(|r| r.1.tested))),
        ("permitted", flags(rows.iter().map(|r| r.1.denials.is_empty()))),
        ("documents", counts(rows.iter().map(|r| r.1.count.documents))),
        ("tokens", counts(rows.iter().map(|r| r.1.count.tokens))),
        ("at_most", counts(rows.iter().map(|r| at_most(r.1)))),
    ])
}

struct Found<'a> {
    artifact: &'a str,
    denial: &'a Denial,
    cell: Option<&'a CellVerdict<'a>>,
    lifted: bool,
}

/// One row for each reason against each tested cell, and for each reason against a whole artifact.
pub(super) fn findings(judgements: &[Judgement<'_>]) -> Result<RecordBatch> {
    let mut rows: Vec<Found<'_>> = Vec::new();
    for judgement in judgements {
        let artifact = judgement.subject.id.as_str();
        for cell in judgement.cells.iter().filter(|c| c.tested) {
            let found = |lifted| move |denial| Found { artifact, denial, cell: Some(cell), lifted };
            rows.extend(cell.denials.iter().map(found(false)));
            rows.extend(cell.lifted.iter().map(found(true)));
        }
        let whole = judgement.whole.iter();
        rows.extend(whole.map(|f| Found { artifact, denial: &f.denial, cell: None, lifted: false }));
    }
    let rule = |r: &Found<'_>, f: fn(&manifests::policy::RuleRef) -> String| r.denial.rule.as_ref().map(f);
    batch(vec![
        ("artifact", texts(rows.iter().map(|r| Some(r.artifact)))),
        ("code", texts(rows.iter().map(|r| Some(r.denial.reason.code())))),
        ("reason", texts(rows.iter().map(|r| Some(r.denial.reason.name())))),
        ("line", counts(rows.iter().map(|r| r.denial.rule.as_ref().map(|x| u64::from(x.line))))),
        ("key", owned(rows.iter().map(|r| rule(r, |x| x.key.clone())))),
        ("value", owned(rows.iter().map(|r| rule(r, |x| x.value.clone())))),
        ("detail", texts(rows.iter().map(|r| Some(r.denial.detail.as_str())))),
        ("set", texts(rows.iter().map(|r| r.cell.map(|c| c.exposure.set.as_str())))),
        ("cell", owned(rows.iter().map(|r| r.cell.and_then(cell_of)))),
        ("evidence", owned(rows.iter().map(|r| r.cell.and_then(|c| c.count.evidence.clone())))),
        ("lifted", flags(rows.iter().map(|r| r.lifted))),
    ])
}

/// One row for each duty that the elected terms of a cell ask for.
pub(super) fn duties<'a>(
    judgements: impl Iterator<Item = &'a Judgement<'a>>,
    asks: impl Fn(&CellVerdict<'_>) -> Vec<&'static str>,
) -> Result<RecordBatch> {
    let cells = judgements.flat_map(|j| j.cells.iter().map(move |c| (j, c)));
    let rows: std::collections::BTreeSet<(&str, &str, Option<String>, &str)> = cells
        .flat_map(|(j, c)| {
            let (artifact, set) = (j.subject.id.as_str(), c.exposure.set.as_str());
            asks(c).into_iter().map(move |property| (artifact, set, cell_of(c), property)).collect::<Vec<_>>()
        })
        .collect();
    batch(vec![
        ("artifact", texts(rows.iter().map(|r| Some(r.0)))),
        ("set", texts(rows.iter().map(|r| Some(r.1)))),
        ("cell", owned(rows.iter().map(|r| r.2.clone()))),
        ("property", texts(rows.iter().map(|r| Some(r.3)))),
    ])
}

/// A text as a SQL literal.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
