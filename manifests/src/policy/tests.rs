//! The policy of docs/policy.md, verdicts one rule at a time, and mistakes with their place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Act, Context, Policy, ReviewedTerms, Verdict, evaluate, mixing};
use crate::conclusion::{Basis, State};
use crate::exposure::Cell;
use crate::reason::Reason;

const EXAMPLE: &str = include_str!("example.toml");

fn policy(text: &str) -> Policy {
    Policy::parse(Path::new("policy.toml"), text.as_bytes()).unwrap()
}

fn cell(expression: &str) -> Cell {
    Cell {
        expression: expression.parse().ok(),
        state: State::Concluded,
        basis: Some(Basis::License),
        election: None,
        sources: BTreeSet::from(["book".parse().unwrap()]),
        rightsholders: BTreeSet::new(),
        optouts: BTreeMap::new(),
    }
}

fn judge(text: &str, cell: &Cell) -> Verdict {
    let context = Context { act: Act::Serve, as_of: "2026-12-03".parse().unwrap(), terms: &ReviewedTerms };
    evaluate(&policy(text), cell, &context)
}

fn reasons(text: &str, cell: &Cell) -> Vec<Reason> {
    judge(text, cell).denials.iter().map(|d| d.reason).collect()
}

#[test]
fn the_example_permits_what_it_lists() {
    for id in ["MIT", "CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"] {
        assert_eq!(reasons(EXAMPLE, &cell(id)), [], "{id}");
    }
}

#[test]
fn a_denied_property_names_its_line() {
    let verdict = judge(EXAMPLE, &cell("CC-BY-NC-4.0"));
    let denial = verdict.denials.iter().find(|d| d.reason == Reason::LicenseDenied).unwrap();
    let rule = denial.rule.as_ref().unwrap();
    assert_eq!((rule.key.as_str(), rule.value.as_str()), ("deny.properties", "non-commercial"));
    assert!(EXAMPLE.lines().nth(rule.line as usize - 1).unwrap().contains("non-commercial"));
}

#[test]
fn only_concluded_permits() {
    for (state, reason) in [
        (State::NoneFound, Reason::NoneFound),
        (State::Contradicted, Reason::Contradicted),
        (State::Unparseable, Reason::Unparseable),
        (State::Pending, Reason::Pending),
        (State::Unknown, Reason::ExposureUnknown),
    ] {
        assert_eq!(reasons(EXAMPLE, &Cell { state, ..cell("MIT") }), [reason]);
    }
}

#[test]
fn a_choice_without_an_election_denies_and_the_elected_branch_decides() {
    let open = cell("CC-BY-NC-SA-4.0 OR CC-BY-SA-4.0");
    let denied = reasons(EXAMPLE, &open);
    assert_eq!(denied[0], Reason::ElectionMissing);
    assert!(denied.contains(&Reason::LicenseDenied), "an exception for the election lifts nothing else: {denied:?}");
    let elected = |branch: &str| Cell { election: branch.parse().ok(), ..open.clone() };
    assert_eq!(reasons(EXAMPLE, &elected("CC-BY-SA-4.0")), []);
    assert!(reasons(EXAMPLE, &elected("CC-BY-NC-SA-4.0")).contains(&Reason::LicenseDenied));
}

#[test]
fn any_branch_is_tested_whatever_was_elected() {
    let cell = Cell { election: "MIT".parse().ok(), ..cell("MIT OR AGPL-3.0-only") };
    assert_eq!(reasons(EXAMPLE, &cell), [Reason::BranchDenied]);
}

#[test]
fn an_id_that_nobody_reviewed_permits_nothing() {
    assert_eq!(reasons(EXAMPLE, &cell("LicenseRef-unheard-of")), [Reason::UnreviewedTerms]);
    assert_eq!(reasons(EXAMPLE, &cell("GPL-2.0-only WITH Classpath-exception-2.0")), [Reason::UnreviewedTerms]);
}

#[test]
fn a_basis_must_be_listed_and_hold_in_every_place() {
    let basis = |text: &str| Cell { basis: text.parse().ok(), expression: None, ..cell("MIT") };
    assert_eq!(reasons(EXAMPLE, &basis("public-domain:*")), []);
    assert_eq!(reasons(EXAMPLE, &basis("public-domain:US")), [Reason::BasisNotInPlace]);
    assert!(reasons(EXAMPLE, &Cell { basis: Some(Basis::TdmArt4), ..cell("MIT") }).contains(&Reason::BasisNotAllowed));
}

#[test]
fn research_mining_is_never_commercial() {
    let text = EXAMPLE
        .replace("\"license\", \"contract\"", "\"tdm-art3\", \"license\", \"contract\"")
        .replace("[\"EU\", \"US\"]", "[\"EU\"]");
    assert_eq!(reasons(&text, &Cell { basis: Some(Basis::TdmArt3), ..cell("MIT") }), [Reason::CeilingExceeded]);
}

#[test]
fn a_source_hits_a_cell_when_all_are_hit_and_a_rightsholder_when_any_is() {
    let from = |sources: &[&str]| Cell { sources: sources.iter().map(|s| s.parse().unwrap()).collect(), ..cell("MIT") };
    assert_eq!(reasons(EXAMPLE, &from(&["forum.example"])), [Reason::SourceDenied]);
    assert_eq!(reasons(EXAMPLE, &from(&["forum.example", "other"])), []);
    let held =
        Cell { rightsholders: ["https://ror.org/012345678".to_owned(), "somebody".to_owned()].into(), ..cell("MIT") };
    assert_eq!(reasons(EXAMPLE, &held), [Reason::RightsholderDenied]);
}

#[test]
fn a_closed_cell_without_sources_cannot_pass_a_rule_by_source() {
    assert_eq!(reasons(EXAMPLE, &cell("MIT").outward()), [Reason::UndecidedWithdrawal]);
}

#[test]
fn a_duty_that_is_not_delivered_denies() {
    let text = EXAMPLE.replace("share-alike = { deliver = \"answer-flag\" }\n", "");
    assert_eq!(reasons(&text, &cell("CC-BY-SA-4.0")), [Reason::DutyUndeliverable]);
}

#[test]
fn act_and_validity_are_tested() {
    let early = Context { act: Act::Train, as_of: "2026-11-30".parse().unwrap(), terms: &ReviewedTerms };
    let verdict = evaluate(&policy(EXAMPLE), &cell("MIT"), &early);
    let reasons: Vec<Reason> = verdict.denials.iter().map(|d| d.reason).collect();
    assert_eq!(reasons, [Reason::PolicyNotInForce, Reason::ActNotCovered]);
}

#[test]
fn a_mistake_is_shown_with_line_and_column() {
    let mistakes = [
        EXAMPLE.replace("families =", "familys ="),
        EXAMPLE.replace("default = \"deny\"", "default = \"allow\""),
        EXAMPLE.replace("none-found = \"deny\"", "none-found = \"permit\""),
        EXAMPLE.replace("\"non-commercial\"", "\"noncommercial\""),
        EXAMPLE.replace("until = 2027-05-31", "until = 2026-05-31"),
        EXAMPLE.replace("head_max_age = \"7d\"", "head_max_age = \"a week\""),
        EXAMPLE.replace("\"AGPL-3.0-only\"", "\"AGPL-3.0-only OR MIT\""),
        EXAMPLE.replace("\"commercial\"", "\"comercial\""),
        EXAMPLE.replace("\"US\"]", "\"USA\"]"),
        EXAMPLE.replace("owner = \"legal@acme.example\"", "owner = \" \""),
        EXAMPLE.replace("elect = [\"CC0-1.0\"", "elect = [\"CC0-1.0 OR MIT\""),
        EXAMPLE.replace("rule = \"state.none-found\"", "rule = \"state.nonefound\""),
        EXAMPLE.replace("scope = \"session\"", "scope = \"sessions\""),
        EXAMPLE.replace("scope = \"session\"", "prefer = \"attribution\"\nscope = \"session\""),
        EXAMPLE.replace("[\"share-alike\", \"no-derivatives\"]", "[\"share-alike\", \"share-alike\"]"),
        EXAMPLE.replace("undecided_withdrawal = \"exclude\"", "undecided_withdrawal = \"include\""),
        EXAMPLE.replace("unchecked = \"deny\"", "unchecked = \"permit\""),
        EXAMPLE.replace("\"every-document\"", "\"most\""),
    ];
    for text in mistakes {
        let error = Policy::parse(Path::new("policy.toml"), text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("line ") && error.contains("column "), "{error}");
    }
}

#[test]
fn a_slip_is_told_with_the_word_that_may_be_meant() {
    let meant = |from: &str, to: &str| {
        let text = EXAMPLE.replace(from, to);
        assert_ne!(text, EXAMPLE);
        Policy::parse(Path::new("policy.toml"), text.as_bytes()).unwrap_err().to_string()
    };
    for (from, to, word) in [
        ("\"commercial\"", "\"comercial\"", "commercial"),
        ("\"US\"]", "\"USA\"]", "US"),
        ("\"notice-url\"", "\"notice-ulr\"", "notice-url"),
        ("none-found = \"deny\"", "none-found = \"reviw\"", "review"),
        ("ends = [\"tdm-art4\"]", "ends = [\"tdm-art-4\"]", "tdm-art4"),
        ("rule = \"state.none-found\"", "rule = \"state.nonefound\"", "state.none-found"),
    ] {
        let said = meant(from, to);
        assert!(said.ends_with(&format!("did you mean \"{word}\"?")), "{said}");
    }
    let own = EXAMPLE.replace("\"commercial\"", "\"x-customer-support\"");
    assert_eq!(policy(&own).purpose, "x-customer-support");
}

#[test]
fn a_queued_state_is_denied_by_its_line_and_says_that_it_is_queued() {
    let policy = policy(EXAMPLE);
    let rule = policy.review(State::Contradicted).unwrap();
    assert!(EXAMPLE.lines().nth(rule.line as usize - 1).unwrap().starts_with("contradicted = \"review\""));
    assert_eq!(policy.review(State::NoneFound), None);
    assert_eq!(policy.reviewed_states(), [State::Contradicted]);
    let denial = judge(EXAMPLE, &Cell { state: State::Contradicted, ..cell("MIT") }).denials.remove(0);
    assert_eq!(denial.rule, Some(rule));
}

#[test]
fn absent_sections_deny() {
    let start = EXAMPLE.find("[allow]").unwrap();
    let end = EXAMPLE.find("[or]").unwrap();
    let text = format!("{}{}", &EXAMPLE[..start], &EXAMPLE[end..]);
    assert_eq!(reasons(&text, &cell("MIT")), [Reason::BasisNotAllowed, Reason::LicenseNotAllowed]);
}

#[test]
fn a_reservation_ends_mining_by_law_and_a_license_only_where_the_policy_says_so() {
    use crate::claim::Signal::{Aipref, Noai, Robots, Rsl, Tdmrep, Tos};
    let looked = |basis: Basis, robots: bool| {
        let mut optouts: BTreeMap<_, _> = [Aipref, Noai, Rsl, Tdmrep, Tos].map(|signal| (signal, false)).into();
        optouts.insert(Robots, robots);
        Cell { basis: Some(basis), optouts, ..cell("MIT") }
    };
    let unlooked = |basis: Basis| Cell { basis: Some(basis), ..cell("MIT") };
    let ends = |bases: &str| EXAMPLE.replace("ends = [\"tdm-art4\"]", &format!("ends = [{bases}]"));
    let both = ends("\"tdm-art4\", \"license\"");
    assert_ne!(both, EXAMPLE);
    assert_eq!(reasons(EXAMPLE, &looked(Basis::License, true)), []);
    assert_eq!(reasons(EXAMPLE, &unlooked(Basis::License)), []);
    assert_eq!(reasons(&both, &looked(Basis::License, false)), []);
    assert_eq!(reasons(&both, &looked(Basis::License, true)), [Reason::OptedOut]);
    assert_eq!(reasons(&both, &unlooked(Basis::License)), [Reason::OptOutUnchecked; 6]);
    // The law ends it, whatever the policy lists.
    for text in [EXAMPLE, &ends("")] {
        assert!(reasons(text, &looked(Basis::TdmArt4, true)).contains(&Reason::OptedOut));
        assert!(!reasons(text, &looked(Basis::TdmArt4, false)).contains(&Reason::OptedOut));
    }
    assert!(reasons(EXAMPLE, &unlooked(Basis::TdmArt4)).contains(&Reason::OptOutUnchecked));
}

#[test]
fn two_properties_that_may_not_act_together_are_found_across_cells() {
    let policy = policy(EXAMPLE);
    let together = |ids: &[&str]| {
        let cells: Vec<Cell> = ids.iter().map(|id| cell(id)).collect();
        let experts: Vec<Vec<&Cell>> = cells.iter().map(|c| vec![c]).collect();
        mixing(&policy, &[], &experts, &ReviewedTerms).refused.map(|denial| denial.reason)
    };
    assert_eq!(together(&["CC-BY-SA-4.0", "MIT", "CC-BY-ND-4.0"]), Some(Reason::MixingForbidden));
    assert_eq!(together(&["CC-BY-SA-4.0", "MIT"]), None);
    assert_eq!(together(&["CC-BY-ND-4.0", "MIT"]), None);
}
