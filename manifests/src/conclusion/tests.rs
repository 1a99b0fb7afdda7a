//! The rules of conclusions, one test a rule.

use super::*;
use crate::digest::Sha256;

fn claim(speaker: Speaker, scope: Scope, statement: Statement, raw: &str) -> Claim {
    let (digest, locator) = (Sha256::of(raw.as_bytes()), format!("file:{raw}"));
    Claim { speaker, scope, statement, raw: raw.to_owned(), locator, digest, date: None }
}

fn license(speaker: Speaker, scope: Scope, text: &str) -> Claim {
    claim(speaker, scope, Statement::License { expression: Some(text.to_owned()) }, text)
}

fn unreadable(speaker: Speaker, scope: Scope, raw: &str) -> Claim {
    claim(speaker, scope, Statement::License { expression: None }, raw)
}

#[test]
fn silence_concludes_nothing() {
    assert_eq!(conclude(&[]).state, State::NoneFound);
}

#[test]
fn an_aggregator_is_listed_and_never_followed() {
    let conclusion = conclude(&[license(Speaker::Aggregator, Scope::Collection, "MIT")]);
    assert_eq!(conclusion.state, State::NoneFound);
    assert_eq!(conclusion.notes.len(), 1);
    let both = [
        license(Speaker::Aggregator, Scope::Work, "CC0-1.0"),
        license(Speaker::Rightsholder, Scope::Work, "CC-BY-4.0"),
    ];
    assert_eq!(conclude(&both).expression, "CC-BY-4.0".parse().ok());
}

#[test]
fn the_work_speaks_before_the_collection() {
    let both = [
        license(Speaker::Rightsholder, Scope::Collection, "MIT"),
        license(Speaker::Rightsholder, Scope::Work, "GPL-2.0-only"),
    ];
    assert_eq!(conclude(&both).expression, "GPL-2.0-only".parse().ok());
}

#[test]
fn two_who_may_conclude_and_differ_contradict_and_both_are_named() {
    let both =
        [license(Speaker::Rightsholder, Scope::Work, "MIT"), license(Speaker::Source, Scope::Work, "CC-BY-NC-4.0")];
    let conclusion = conclude(&both);
    assert_eq!(conclusion.state, State::Contradicted);
    assert_eq!(conclusion.notes.len(), 2);
    assert!(conclusion.expression.is_none());
}

#[test]
fn words_that_are_no_expression_are_never_swallowed() {
    let both = [
        license(Speaker::Rightsholder, Scope::Work, "MIT"),
        unreadable(Speaker::Rightsholder, Scope::Work, "not for training"),
    ];
    assert_eq!(conclude(&both).state, State::Unparseable);
}

#[test]
fn a_contract_is_why_the_text_is_here() {
    let contract = Statement::Contract { id: "C-1".to_owned(), expression: "LicenseRef-x".to_owned() };
    let both = [
        claim(Speaker::Rightsholder, Scope::Collection, contract, "C-1"),
        license(Speaker::Rightsholder, Scope::Work, "MIT"),
    ];
    assert_eq!(conclude(&both).basis, Some(Basis::Contract("C-1".to_owned())));
}

#[test]
fn the_order_of_claims_does_not_matter() {
    let mut claims = vec![
        license(Speaker::Rightsholder, Scope::Work, "MIT"),
        license(Speaker::Source, Scope::Work, "Apache-2.0"),
        license(Speaker::Aggregator, Scope::Collection, "CC0-1.0"),
        unreadable(Speaker::Detector, Scope::Work, "looks like MIT"),
    ];
    let forward = conclude(&claims);
    claims.reverse();
    assert_eq!(conclude(&claims), forward);
}

#[test]
fn a_copy_without_a_license_neither_poisons_nor_narrows() {
    let original = conclude(&[license(Speaker::Rightsholder, Scope::Work, "CC-BY-4.0")]);
    let cluster = conclude_cluster(&[conclude(&[]), original.clone()]);
    assert_eq!(cluster.terms(), original.terms());
}

#[test]
fn a_copy_with_other_terms_contradicts_and_launders_nothing() {
    let original = conclude(&[license(Speaker::Rightsholder, Scope::Work, "CC-BY-NC-4.0")]);
    let laundered = conclude(&[license(Speaker::Source, Scope::Work, "CC0-1.0")]);
    assert_eq!(conclude_cluster(&[original, laundered]).state, State::Contradicted);
}

#[test]
fn words_of_not_knowing_find_nothing_and_contradict_nobody() {
    let silent = |scope| license(Speaker::Source, scope, "NOASSERTION");
    let collection = license(Speaker::Source, Scope::Collection, "CC-BY-4.0");
    // Who says that this work's terms are unknown does not mean those of the collection.
    let unknown = conclude(&[silent(Scope::Work), collection.clone()]);
    assert_eq!((unknown.state, unknown.notes.len()), (State::NoneFound, 1));
    let known = [silent(Scope::Work), license(Speaker::Rightsholder, Scope::Work, "MIT"), collection.clone()];
    assert_eq!(conclude(&known).expression, "MIT".parse().ok());
    assert_eq!(conclude(&[silent(Scope::Collection), collection.clone()]).expression, "CC-BY-4.0".parse().ok());
    // Nor does a copy of which nothing is known poison the original.
    let original = conclude(&[collection]);
    assert_eq!(conclude_cluster(&[unknown, original.clone()]).terms(), original.terms());
}

fn optout(signal: Signal, scope: Scope, reserved: Option<bool>) -> Claim {
    claim(Speaker::Source, scope, Statement::OptOut { signal, reserved }, "x")
}

#[test]
fn any_reservation_counts_and_what_cannot_be_read_is_as_if_nobody_had_looked() {
    use Scope::{Access, Collection, Work};
    let said = |claims: &[Claim]| conclude(claims).optouts.into_values().next();
    let on = |signal, places: &[(Scope, Option<bool>)]| {
        said(&places.iter().map(|(scope, reserved)| optout(signal, *scope, *reserved)).collect::<Vec<_>>())
    };
    assert_eq!(on(Signal::Aipref, &[]), None);
    assert_eq!(on(Signal::Aipref, &[(Access, Some(false))]), Some(false));
    assert_eq!(on(Signal::Aipref, &[(Access, Some(false)), (Work, Some(true))]), Some(true));
    assert_eq!(on(Signal::Aipref, &[(Work, Some(false)), (Access, Some(true))]), Some(true));
    assert_eq!(on(Signal::Aipref, &[(Work, Some(false)), (Access, None)]), None);
    assert_eq!(on(Signal::Aipref, &[(Work, Some(true)), (Access, None)]), Some(true));
    // TDMRep: page before header before file, both ways; an unreadable page does not reset the file.
    assert_eq!(on(Signal::Tdmrep, &[(Work, Some(false)), (Access, Some(true)), (Collection, Some(true))]), Some(false));
    assert_eq!(on(Signal::Tdmrep, &[(Access, Some(true)), (Collection, Some(false))]), Some(true));
    assert_eq!(on(Signal::Tdmrep, &[(Work, None), (Collection, Some(true))]), Some(true));
    assert_eq!(on(Signal::Tdmrep, &[(Work, None), (Collection, Some(false))]), None);
}

#[test]
fn a_reservation_changes_nothing_about_a_license() {
    let both = [license(Speaker::Rightsholder, Scope::Work, "MIT"), optout(Signal::Robots, Scope::Access, Some(true))];
    let conclusion = conclude(&both);
    assert_eq!((conclusion.state, conclusion.basis), (State::Concluded, Some(Basis::License)));
    assert!(conclusion.optouts[&Signal::Robots]);
}

#[test]
fn a_basis_prints_what_it_parses() {
    for text in ["license", "contract:C-1", "public-domain:FR+US", "tdm-art4", "own"] {
        assert_eq!(text.parse::<Basis>().unwrap().to_string(), text);
    }
    assert!("contract:".parse::<Basis>().is_err());
}
