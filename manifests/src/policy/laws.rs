//! Laws of verdicts over arbitrary policies and cells: total, closed by default, narrowing by every rule of denial, and
//! each cell by itself. Policies are made as text, so that the parser is under the same laws.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{Act, Context, Policy, ReviewedTerms, TermsSource, Verdict, evaluate, mixing};
use crate::claim::Signal;
use crate::conclusion::{Basis, State};
use crate::exposure::Cell;
use crate::license::{Expression, Family, Leaf, Property};
use crate::tier::{is_stricter, tier};

const IDS: [&str; 10] = [
    "MIT",
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-ND-4.0",
    "GPL-3.0-only",
    "AGPL-3.0-only",
    "BUSL-1.1",
    "LicenseRef-nobody-reviewed",
];
const PLACES: [&str; 6] = ["EU", "DE", "FR", "US", "EEA", "*"];
const SOURCES: [&str; 3] = ["a", "b", "c"];
const SIGNALS: [Signal; 3] = [Signal::Robots, Signal::Tdmrep, Signal::Noai];

/// A policy in parts, each of which may be widened or narrowed.
#[derive(Clone, Debug)]
struct Parts {
    purpose: &'static str,
    places: Vec<&'static str>,
    families: Vec<Family>,
    ids: Vec<&'static str>,
    bases: Vec<&'static str>,
    properties: Vec<Property>,
    any_branch: Vec<&'static str>,
    sources: Vec<&'static str>,
    rightsholders: Vec<&'static str>,
    duties: Vec<&'static str>,
    honour: Vec<Signal>,
    ends: Vec<&'static str>,
}

impl Parts {
    fn policy(&self) -> Policy {
        let names = |list: &[&str]| list.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ");
        let families: Vec<&str> = self.families.iter().map(|f| f.as_str()).collect();
        let properties: Vec<&str> = self.properties.iter().map(|p| p.as_str()).collect();
        let honour: Vec<String> = self.honour.iter().map(|s| format!("{s:?}").to_lowercase()).collect();
        let honour: Vec<&str> = honour.iter().map(String::as_str).collect();
        let duties: String = self.duties.iter().map(|d| format!("{d} = {{ deliver = \"notice-file\" }}\n")).collect();
        let text = format!(
            "schema = \"flexmix/policy/v1\"\nid = \"p\"\nversion = 1\nowner = \"o\"\n\
             valid = {{ from = 2026-01-01, until = 2026-12-31 }}\ndefault = \"deny\"\n\
             [use]\nact = \"serve\"\npurpose = \"{}\"\nplaces = [{}]\n\
             [allow]\nfamilies = [{}]\nids = [{}]\nbases = [{}]\n\
             [deny]\nproperties = [{}]\nany_branch = [{}]\nsources = [{}]\nrightsholders = [{}]\n\
             [optout]\nhonour = [{}]\nends = [{}]\n[duties]\n{duties}\
             [trust]\nassurance = \"claimed\"\nhead_max_age = \"7d\"\nundecided_withdrawal = \"exclude\"\n",
            self.purpose,
            names(&self.places),
            names(&families),
            names(&self.ids),
            names(&self.bases),
            names(&properties),
            names(&self.any_branch),
            names(&self.sources),
            names(&self.rightsholders),
            names(&honour),
            names(&self.ends),
        );
        Policy::parse(Path::new("policy.toml"), text.as_bytes()).unwrap()
    }
}

fn some<T: Clone + std::fmt::Debug + 'static>(of: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    subsequence(of, 0..=of.len())
}

fn any_parts() -> impl Strategy<Value = Parts> {
    let usage = (select(super::words::PURPOSES), subsequence(&PLACES[..], 1..3));
    let allow = (some(&Family::ALL), some(&IDS), some(super::words::BASES));
    let deny = (some(&Property::ALL), some(&IDS), some(&SOURCES), some(&["x", "y"]));
    let few_deny = (
        subsequence(&Property::ALL[..], 0..2),
        subsequence(&IDS[..], 0..2),
        subsequence(&SOURCES[..], 0..2),
        subsequence(&["x", "y"][..], 0..2),
    );
    let more = (some(super::words::DUTIES), some(&SIGNALS), subsequence(super::words::BASES, 0..3));
    (usage, allow, prop_oneof![1 => deny.boxed(), 3 => few_deny.boxed()], more).prop_map(
        |(usage, allow, deny, more)| Parts {
            purpose: usage.0,
            places: usage.1,
            families: allow.0,
            ids: allow.1,
            bases: allow.2,
            properties: deny.0,
            any_branch: deny.1,
            sources: deny.2,
            rightsholders: deny.3,
            duties: more.0,
            honour: more.1,
            ends: more.2,
        },
    )
}

/// A policy that permits nearly everything, so that what a law takes away is felt.
fn wide() -> Parts {
    Parts {
        purpose: "research",
        places: vec!["DE"],
        families: Family::ALL.to_vec(),
        ids: IDS.to_vec(),
        bases: super::words::BASES.to_vec(),
        properties: vec![],
        any_branch: vec![],
        sources: vec![],
        rightsholders: vec![],
        duties: super::words::DUTIES.to_vec(),
        honour: vec![],
        ends: vec![],
    }
}

fn any_expression() -> impl Strategy<Value = Expression> {
    let branch = subsequence(&IDS[..9], 1..3).prop_map(|ids| ids.join(" AND "));
    proptest::collection::vec(branch, 1..3)
        .prop_map(|all| all.iter().map(|b| format!("({b})")).collect::<Vec<_>>().join(" OR ").parse().unwrap())
}

fn any_basis() -> impl Strategy<Value = Basis> {
    prop_oneof![
        Just(Basis::License),
        Just(Basis::Contract("C-1".to_owned())),
        subsequence(&PLACES[..], 1..3).prop_map(|p| Basis::PublicDomain(p.into_iter().map(str::to_owned).collect())),
        Just(Basis::TdmArt4),
        Just(Basis::TdmArt3),
        Just(Basis::OtherException),
        Just(Basis::Own),
    ]
}

/// Any cell, also those that no conclusion gives.
fn any_cell() -> impl Strategy<Value = Cell> {
    let states = [State::Concluded, State::NoneFound, State::Contradicted, State::Unparseable, State::Pending];
    let state = prop_oneof![4 => Just(State::Concluded), 1 => select(states.to_vec()), 1 => Just(State::Unknown)];
    let terms = (proptest::option::weighted(0.8, any_expression()), proptest::option::weighted(0.9, any_basis()));
    let elected = proptest::option::of(any_expression());
    let origin = (subsequence(&SOURCES[..], 0..3), subsequence(&["x", "y", "z"][..], 0..3));
    let optouts = proptest::collection::btree_map(select(&SIGNALS[..]), any::<bool>(), 0..3);
    (state, terms, elected, any::<bool>(), origin, optouts).prop_map(
        |(state, terms, odd, by_first, origin, optouts)| {
            let first = terms.0.as_ref().filter(|e| e.has_choice()).and_then(|e| {
                let branch = e.alternatives().next()?.iter().map(Leaf::as_str).collect::<Vec<_>>().join(" AND ");
                branch.parse().ok()
            });
            Cell {
                state,
                election: if by_first { first } else { odd },
                expression: terms.0,
                basis: terms.1,
                sources: origin.0.iter().map(|s| s.parse().unwrap()).collect(),
                rightsholders: origin.1.iter().map(|s| (*s).to_owned()).collect(),
                optouts,
            }
        },
    )
}

fn judge(parts: &Parts, cell: &Cell) -> Verdict {
    let context = Context { act: Act::Serve, as_of: "2026-06-01".parse().unwrap(), terms: &ReviewedTerms };
    evaluate(&parts.policy(), cell, &context)
}

fn permits(parts: &Parts, cell: &Cell) -> bool {
    judge(parts, cell).is_permitted()
}

/// Both lists, in the order of the first.
fn with<T: Clone + PartialEq>(list: &[T], more: &[T]) -> Vec<T> {
    let new: Vec<T> = more.iter().filter(|m| !list.contains(m)).cloned().collect();
    list.iter().cloned().chain(new).collect()
}

fn only<T: Clone + PartialEq>(list: &[T], keep: &[T]) -> Vec<T> {
    list.iter().filter(|item| keep.contains(item)).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_cell_has_one_verdict_and_every_denial_is_a_reason_against_it(parts in any_parts(), cell in any_cell()) {
        let verdict = judge(&parts, &cell);
        prop_assert_eq!(&verdict, &judge(&parts, &cell));
        prop_assert_eq!(verdict.is_permitted(), verdict.denials.is_empty());
        prop_assert!(cell.state == State::Concluded || !verdict.is_permitted());
        let known = super::words::RULES;
        for rule in verdict.denials.iter().filter_map(|d| d.rule.as_ref()) {
            prop_assert!(known.contains(&rule.key.as_str()), "{} is no rule that an exception can name", rule.key);
            prop_assert!(rule.line > 0);
        }
    }

    #[test]
    fn an_election_chooses_among_the_branches_or_permits_nothing(parts in any_parts(), cell in any_cell()) {
        for parts in [parts, wide()] {
            let is_branch = |branch| cell.expression.as_ref().is_some_and(|e| e.elect(branch).is_some());
            prop_assert!(!permits(&parts, &cell) || cell.election.as_ref().is_none_or(is_branch));
        }
    }

    #[test]
    fn what_is_absent_denies(parts in any_parts(), cell in any_cell()) {
        let none = |change: fn(&mut Parts)| { let mut less = parts.clone(); change(&mut less); less };
        prop_assert!(!permits(&none(|p| p.bases.clear()), &cell));
        let unasked = none(|p| { p.families.clear(); p.ids.clear() });
        let by_license = !matches!(cell.basis, Some(Basis::PublicDomain(_) | Basis::Own)) || cell.expression.is_some();
        prop_assert!(!by_license || !permits(&unasked, &cell));
        let undelivered = none(|p| p.duties.clear());
        let asks = cell.elected().is_some_and(|e| e.leaves().iter().any(|l| {
            ReviewedTerms.properties(l).is_some_and(|p| p.iter().any(|p| *p != Property::NonCommercial
                && *p != Property::NoDerivatives && *p != Property::TimeDelayed && *p != Property::UseRestricted))
        }));
        prop_assert!(!asks || !permits(&undelivered, &cell));
    }

    #[test]
    fn adding_to_what_is_denied_never_permits(parts in any_parts(), other in any_parts(), cell in any_cell()) {
        for base in [parts, wide()] {
            let more = Parts {
                properties: with(&base.properties, &other.properties),
                any_branch: with(&base.any_branch, &other.any_branch),
                sources: with(&base.sources, &other.sources),
                rightsholders: with(&base.rightsholders, &other.rightsholders),
                honour: with(&base.honour, &other.honour),
                ends: with(&base.ends, &other.ends),
                places: with(&base.places, &other.places),
                ..base.clone()
            };
            prop_assert!(!permits(&more, &cell) || permits(&base, &cell));
        }
    }

    #[test]
    fn removing_from_what_is_allowed_never_permits(parts in any_parts(), other in any_parts(), cell in any_cell()) {
        for base in [parts, wide()] {
            let less = Parts {
                families: only(&base.families, &other.families),
                ids: only(&base.ids, &other.ids),
                bases: only(&base.bases, &other.bases),
                duties: only(&base.duties, &other.duties),
                ..base.clone()
            };
            prop_assert!(!permits(&less, &cell) || permits(&base, &cell));
        }
    }

    #[test]
    fn a_basis_holds_in_all_places_or_in_none_of_them_together(parts in any_parts(), cell in any_cell()) {
        let alone = parts.places.iter().all(|place| permits(&Parts { places: vec![place], ..parts.clone() }, &cell));
        prop_assert_eq!(permits(&parts, &cell), alone);
    }

    #[test]
    fn a_request_narrows_to_the_intersection(a in any_parts(), b in any_parts(), cells in proptest::collection::vec(any_cell(), 0..6)) {
        let under = |parts: &Parts, cells: &[Cell]| -> Vec<Cell> {
            cells.iter().filter(|c| permits(parts, c)).cloned().collect()
        };
        let first = under(&b, &under(&a, &cells));
        prop_assert_eq!(&first, &under(&a, &under(&b, &cells)), "in whichever order");
        let both: Vec<Cell> = cells.iter().filter(|c| permits(&a, c) && permits(&b, c)).cloned().collect();
        prop_assert_eq!(first, both);
    }

    #[test]
    fn a_stricter_tier_permits_no_more_than_a_laxer_one(
        parts in any_parts(),
        strict in any_expression(),
        lax in any_expression(),
        basis in any_basis(),
    ) {
        // Policies by properties: no rule by id, branch or origin.
        for base in [parts, wide()] {
            let by_properties = Parts { ids: vec![], any_branch: vec![], sources: vec![], rightsholders: vec![], ..base };
            let cell = |expression: &Expression| Cell {
                expression: Some(expression.clone()), state: State::Concluded, basis: Some(basis.clone()), election: None,
                sources: BTreeSet::from(["a".parse().unwrap()]), rightsholders: BTreeSet::new(), optouts: BTreeMap::new(),
            };
            let (strict, lax) = (cell(&strict), cell(&lax));
            if is_stricter(&tier(&strict, &ReviewedTerms), &tier(&lax, &ReviewedTerms)) {
                prop_assert!(!permits(&by_properties, &strict) || permits(&by_properties, &lax));
            }
        }
    }
}

/// A world of three experts for the mixing rules.
fn mixed(rule: &str, anchor: &str, experts: &[&str]) -> (Option<String>, Vec<usize>) {
    let text =
        format!("{}\n{rule}\nscope = \"session\"\n", include_str!("example.toml").split("[[mix]]").next().unwrap());
    let policy = Policy::parse(Path::new("policy.toml"), text.as_bytes()).unwrap();
    let cell =
        |expression: &str| Cell { expression: expression.parse().ok(), state: State::Concluded, ..Cell::unknown() };
    let (anchor, experts) = (cell(anchor), experts.iter().map(|e| cell(e)).collect::<Vec<_>>());
    let experts: Vec<Vec<&Cell>> = experts.iter().map(|e| vec![e]).collect();
    let mixing = mixing(&policy, &[&anchor], &experts, &ReviewedTerms);
    (mixing.refused.map(|d| d.detail), mixing.excluded.into_iter().map(|(place, _)| place).collect())
}

#[test]
fn a_mixing_rule_refuses_or_leaves_out_the_side_that_is_not_preferred() {
    let experts = ["CC-BY-SA-4.0", "CC-BY-ND-4.0", "MIT", "GPL-3.0-only AND CC-BY-ND-4.0"];
    let none = "[[mix]]\nnever_together = [\"share-alike\", \"no-derivatives\"]";
    assert_eq!(mixed(none, "MIT", &experts), (Some("share-alike beside no-derivatives".to_owned()), vec![]));
    assert_eq!(mixed(none, "MIT", &["CC-BY-SA-4.0", "MIT"]), (None, vec![]));
    let one = format!("{none}\nprefer = \"share-alike\"");
    assert_eq!(mixed(&one, "MIT", &experts), (None, vec![1, 3]));
    let other = format!("{none}\nprefer = \"no-derivatives\"");
    assert_eq!(mixed(&other, "MIT", &experts), (None, vec![0, 3]));
    // The anchor cannot be left out.
    assert_eq!(mixed(&one, "CC-BY-ND-4.0", &["CC-BY-SA-4.0"]).0.as_deref(), Some("share-alike beside no-derivatives"));
    assert_eq!(mixed(&one, "CC-BY-ND-4.0", &["CC-BY-ND-4.0"]), (None, vec![]));
    // An open choice may be any of its branches.
    assert_eq!(mixed(&one, "MIT", &["CC-BY-SA-4.0", "MIT OR CC-BY-ND-4.0"]), (None, vec![1]));
    // The preferred side is not there: two others met, and nothing says which of them stays.
    let three =
        "[[mix]]\nnever_together = [\"share-alike\", \"no-derivatives\", \"non-commercial\"]\nprefer = \"share-alike\"";
    assert_eq!(
        mixed(three, "MIT", &["CC-BY-ND-4.0", "CC-BY-NC-4.0"]).0.as_deref(),
        Some("no-derivatives beside non-commercial")
    );
    assert_eq!(mixed(three, "MIT", &["CC-BY-ND-4.0", "CC-BY-NC-4.0", "CC-BY-SA-4.0"]), (None, vec![0, 1]));
}
