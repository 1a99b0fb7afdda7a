//! Puts the verdict part of an audit together: judgements become tables, tables become the numbers of the report.

use std::collections::BTreeSet;

use manifests::gate::Gate;
use manifests::license::Property;
use manifests::policy::{Duty, TermsSource};

use super::evidence::{self, Words};
use super::judge::{self, CellVerdict, Judgement};
use super::tables::{self, quote};
use super::{
    Ask, Blocker, Contradiction, DutyRow, FindingRow, Judged, Question, Totals, Verdicts, fixes, standing, text,
};
use crate::error::Result;
use crate::policy::waiting;
use crate::query::{Engine, Folder, Kind};

pub(super) fn verdicts(folder: &Folder, ask: Ask<'_>) -> Result<Verdicts> {
    let gate = ask.gate;
    let question = question(gate);
    let subjects = judge::subjects(folder);
    let shared = judge::shared(&subjects);
    let mut judgements: Vec<Judgement<'_>> = subjects.iter().map(|s| judge::judge(s, gate, &shared)).collect();
    let mixing = judge::mix(&mut judgements, gate);
    let engine = Engine::open(folder)?;
    engine.add("verdicts", tables::verdicts(&judgements)?)?;
    engine.add("findings", tables::findings(&judgements)?)?;
    // Of weights only those that take part deliver anything.
    let act = judgements.iter().filter(|j| j.admitted || j.subject.kind == "set");
    engine.add("duties", tables::duties(act, |cell| asked_of(cell, gate))?)?;
    engine.sql(tables::TEXTS)?;
    engine.sql(tables::CAUSES)?;
    let words = match folder.kind {
        Kind::Corpus => Words::Here(&engine),
        Kind::Model | Kind::Outward => Words::beside(ask.beside),
    };
    let artifacts = judgements.iter().map(|j| judged(j, &question, &engine, &words)).collect::<Result<Vec<_>>>()?;
    let (answer, because) = judge::answer(folder.kind, &artifacts, mixing.as_deref(), &question);
    let matched = judgements.iter().flat_map(|j| j.matched.iter().cloned()).collect();
    Ok(Verdicts {
        answer,
        because,
        tokens: total(&engine, "own")?,
        blockers: blockers(&engine, &artifacts)?,
        standing: standing::standing(folder, &judgements, gate, ask.places),
        contradictions: contradictions(folder.kind, &engine)?,
        duties: duties(&engine, gate)?,
        reasons: engine.sql(tables::REASONS)?.read()?,
        tiers: engine.sql(tables::TIERS)?.read()?,
        artifacts,
        mixing,
        unmatched: gate.unmatched(&matched),
        queued: waiting(&gate.policy, &engine)?,
        question,
    })
}

fn question(gate: &Gate) -> Question {
    let policy = &gate.policy;
    Question {
        policy: policy.id.clone(),
        version: policy.version,
        owner: policy.owner.clone(),
        digest: policy.digest.to_string(),
        file: policy.file.clone(),
        act: policy.act.as_str().to_owned(),
        purpose: policy.purpose.clone(),
        places: policy.places.clone(),
        as_of: gate.as_of,
        demo: policy.demo,
    }
}

fn total(engine: &Engine, which: &str) -> Result<Totals> {
    Ok(engine.sql(&tables::totals(which))?.read()?.into_iter().next().unwrap_or_default())
}

/// The duties that a cell's elected terms ask for, and the policy's key for them.
fn asked_of(cell: &CellVerdict<'_>, gate: &Gate) -> Vec<&'static str> {
    let leaves = cell.count.cell.elected().into_iter().flat_map(|e| e.leaves());
    let properties: BTreeSet<Property> = leaves.filter_map(|l| gate.records.properties(l)).flatten().collect();
    properties.into_iter().filter(|p| gate.policy.duty(*p).is_some()).map(Property::as_str).collect()
}

fn duties(engine: &Engine, gate: &Gate) -> Result<Vec<DutyRow>> {
    let mut rows: Vec<DutyRow> = engine.sql(tables::DUTIES)?.read()?;
    for row in &mut rows {
        let property = row.property.parse::<Property>()?;
        if let Some((key, said)) = gate.policy.duty(property) {
            key.clone_into(&mut row.duty);
            row.deliver = said.and_then(|l| match &l.value {
                Duty::Deliver(way) => Some(way.clone()),
                Duty::Deny => None,
            });
        }
    }
    Ok(rows)
}

fn blockers(engine: &Engine, artifacts: &[Judged]) -> Result<Vec<Blocker>> {
    let mut rows: Vec<Blocker> = engine.sql(tables::BLOCKERS)?.read()?;
    for row in &mut rows {
        row.artifacts.sort();
        row.licenses.retain(Option::is_some);
        row.licenses.sort();
        let kind = artifacts.iter().find(|j| row.artifacts.contains(&j.id)).map_or("set", |j| j.kind);
        fixes::fix(&row.reason, kind).clone_into(&mut row.fix);
    }
    Ok(rows)
}

fn contradictions(kind: Kind, engine: &Engine) -> Result<Vec<Contradiction>> {
    let sql = match kind {
        Kind::Corpus => tables::CONTRADICTED_AT_BUILD,
        Kind::Model | Kind::Outward => tables::CONTRADICTED,
    };
    engine.sql(sql)?.read()
}

/// The numbers of one artifact, by query.
fn judged(judgement: &Judgement<'_>, question: &Question, engine: &Engine, words: &Words<'_>) -> Result<Judged> {
    let subject = judgement.subject;
    let is_it = format!("artifact = {}", quote(&subject.id));
    let findings: Vec<FindingRow> = engine.sql(&tables::findings_of(&subject.id, false))?.read()?;
    let mut judged = Judged {
        kind: subject.kind,
        id: subject.id.clone(),
        digest: subject.digest.to_string(),
        admitted: judgement.admitted,
        signers: subject.signers.clone(),
        assurance: subject.assurance.map(|a| format!("{a:?}").to_lowercase()),
        totals: total(engine, &is_it)?,
        own: total(engine, &format!("{is_it} AND own"))?,
        findings,
        lifted: engine.sql(&tables::findings_of(&subject.id, true))?.read()?,
        denial: None,
    };
    if !judged.admitted {
        let cause = |finding| evidence::cause(judgement, finding, engine, words);
        let causes = judged.findings.iter().map(cause).collect::<Result<Vec<_>>>()?;
        judged.denial = Some(text::denial(&judged, question, &causes, &evidence::permitted_choices(judgement)));
    }
    Ok(judged)
}
