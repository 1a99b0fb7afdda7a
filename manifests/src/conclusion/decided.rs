//! Human decisions in the place of what no rule could read (semantics.md §1): on the bytes that claims were read from,
//! or on one text. Two legal keys sign one, a recipe names it; what is drawn here is drawn from those that it names.

use std::collections::BTreeSet;

use super::{Basis, Conclusion, State, conclude, conclude_cluster, term};
use crate::claim::{Claim, Statement};
use crate::digest::Sha256;
use crate::record::{Decision, DecisionSubject, Outcome};

/// As [`conclude`], where what was decided on a claim's bytes stands in the place of what the claim says.
#[must_use]
pub fn conclude_with(claims: &[Claim], decisions: &[Decision]) -> Conclusion {
    let mut notes = BTreeSet::new();
    let mut pending = None;
    let mut decided = Vec::with_capacity(claims.len());
    for claim in claims {
        let subject = DecisionSubject::Claim(claim.digest);
        let mine: Vec<&Decision> = decisions.iter().filter(|d| d.subject == subject && term(claim).is_some()).collect();
        notes.extend(mine.iter().map(|d| note(d)));
        if mine.is_empty() {
            decided.push(claim.clone());
        }
        // Two decisions on the same bytes both speak: where they differ, they contradict each other.
        for decision in mine {
            match statement(&decision.outcome) {
                Some(statement) => decided.push(Claim { statement, ..claim.clone() }),
                None => pending = Some(claim.locator.clone()),
            }
        }
    }
    let mut conclusion = conclude(&decided);
    if let Some(evidence) = pending {
        conclusion = await_decision(conclusion, evidence);
    }
    annotate(conclusion, notes)
}

/// As [`conclude_cluster`], where what was decided on the text stands in the place of what its copies say.
#[must_use]
pub fn conclude_cluster_with(members: &[Conclusion], text: Sha256, decisions: &[Decision]) -> Conclusion {
    let said = conclude_cluster(members);
    let mine: Vec<&Decision> = decisions.iter().filter(|d| d.subject == DecisionSubject::Text(text)).collect();
    let Some(first) = mine.first() else { return said };
    let evidence = format!("decision {}", first.id);
    let outcomes: BTreeSet<&Outcome> = mine.iter().map(|d| &d.outcome).collect();
    let concluded = |expression, basis| Conclusion {
        state: State::Concluded,
        expression,
        basis: Some(basis),
        evidence: Some(evidence.clone()),
        ..said.clone()
    };
    let conclusion = match &first.outcome {
        _ if outcomes.len() > 1 => {
            let blank = Conclusion { expression: None, basis: None, ..said.clone() };
            Conclusion { state: State::Contradicted, evidence: Some(evidence), ..blank }
        }
        Outcome::Terms(expression) => concluded(Some(expression.clone()), Basis::License),
        Outcome::PublicDomain(places) => concluded(None, Basis::PublicDomain(places.clone())),
        Outcome::Pending => await_decision(said, evidence),
    };
    annotate(conclusion, mine.iter().map(|d| note(d)).collect())
}

fn statement(outcome: &Outcome) -> Option<Statement> {
    match outcome {
        Outcome::Terms(expression) => Some(Statement::License { expression: Some(expression.to_string()) }),
        Outcome::PublicDomain(places) => Some(Statement::PublicDomain { places: places.iter().cloned().collect() }),
        Outcome::Pending => None,
    }
}

fn await_decision(said: Conclusion, evidence: String) -> Conclusion {
    Conclusion { state: State::Pending, expression: None, basis: None, evidence: Some(evidence), ..said }
}

fn annotate(mut conclusion: Conclusion, notes: BTreeSet<String>) -> Conclusion {
    let all: BTreeSet<String> = std::mem::take(&mut conclusion.notes).into_iter().chain(notes).collect();
    conclusion.notes = all.into_iter().collect();
    conclusion
}

fn note(decision: &Decision) -> String {
    format!("decided by {} on {}: {} (decision {})", decision.by, decision.on, decision.reason, decision.id)
}
