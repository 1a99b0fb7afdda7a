//! Verdicts as tables beside the folder's own, so that each number in an audit is a query that anybody can repeat.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{Field, Schema};
use manifests::conclusion::State;
use manifests::exposure::TokenTotal;
use manifests::policy::Denial;

use super::judge::{CellVerdict, Judgement};
use super::{FindingRow, Judged, Question, Totals, evidence, text};
use crate::error::Result;
use crate::query::Engine;

/// Tokens by reason over all artifacts.
pub(super) const REASONS: &str = "
SELECT code, reason, line, key, value, count(DISTINCT artifact) AS artifacts,
       sum(documents) AS documents, sum(tokens) AS tokens
FROM findings WHERE NOT lifted GROUP BY code, reason, line, key, value
ORDER BY tokens DESC NULLS LAST, code, line, value";

/// Tokens by tier and verdict.
pub(super) const TIERS: &str = "
SELECT artifact, tier, permitted, sum(documents) AS documents, sum(tokens) AS tokens
FROM verdicts WHERE tested GROUP BY artifact, tier, permitted
ORDER BY artifact, tokens DESC NULLS LAST, tier, permitted";

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

/// A finding before it is a row.
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
            let of = |denial, lifted| Found { artifact, denial, cell: Some(cell), lifted };
            rows.extend(cell.denials.iter().map(|d| of(d, false)));
            rows.extend(cell.lifted.iter().map(|d| of(d, true)));
        }
        let whole = judgement.whole.iter().map(|f| Found { artifact, denial: &f.denial, cell: None, lifted: false });
        rows.extend(whole);
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
        ("license", owned(rows.iter().map(|r| r.cell.map(|c| c.count.cell.label())))),
        ("documents", counts(rows.iter().map(|r| r.cell.and_then(|c| c.count.documents)))),
        ("tokens", counts(rows.iter().map(|r| r.cell.and_then(|c| c.count.tokens)))),
        ("evidence", owned(rows.iter().map(|r| r.cell.and_then(|c| c.count.evidence.clone())))),
        ("lifted", flags(rows.iter().map(|r| r.lifted))),
    ])
}

/// The numbers of one artifact, by query.
pub(super) fn judged(judgement: &Judgement<'_>, question: &Question, engine: &Engine) -> Result<Judged> {
    let subject = judgement.subject;
    let id = quote(&subject.id);
    let totals = format!(
        "SELECT coalesce(sum(tokens), 0) AS tokens,
                coalesce(sum(CASE WHEN permitted THEN tokens END), 0) AS permitted,
                coalesce(sum(CASE WHEN NOT permitted THEN tokens END), 0) AS denied,
                coalesce(sum(CASE WHEN NOT permitted AND NOT known THEN tokens END), 0) AS unknown,
                coalesce(sum(CASE WHEN NOT permitted THEN documents END), 0) AS denied_documents,
                coalesce((SELECT sum(bound) FROM (SELECT max(at_most) AS bound FROM verdicts
                          WHERE artifact = {id} AND tested GROUP BY kind, \"set\")), 0) AS at_most
         FROM verdicts WHERE artifact = {id} AND tested"
    );
    let totals: Totals = engine.sql(&totals)?.read()?.into_iter().next().unwrap_or_default();
    let rows = |lifted: bool| {
        format!(
            "SELECT code, reason, line, key, value, sum(documents) AS documents, sum(tokens) AS tokens,
                    min(detail) AS detail, min(evidence) AS evidence
             FROM findings WHERE artifact = {id} AND lifted = {lifted}
             GROUP BY code, reason, line, key, value
             ORDER BY tokens DESC NULLS LAST, code, line, value"
        )
    };
    let findings: Vec<FindingRow> = engine.sql(&rows(false))?.read()?;
    let mut judged = Judged {
        kind: subject.kind,
        id: subject.id.clone(),
        digest: subject.digest.to_string(),
        admitted: judgement.admitted,
        signers: subject.signers.clone(),
        assurance: subject.assurance.map(|a| format!("{a:?}").to_lowercase()),
        totals,
        findings,
        lifted: engine.sql(&rows(true))?.read()?,
        denial: None,
    };
    if !judged.admitted {
        let causes =
            judged.findings.iter().map(|f| evidence::cause(judgement, f, engine)).collect::<Result<Vec<_>>>()?;
        judged.denial = Some(text::denial(&judged, question, &causes, &evidence::permitted_choices(judgement)));
    }
    Ok(judged)
}

/// A text as a SQL literal.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
