//! The algebra's laws, and what the parser takes and refuses.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Alternative, Expression, Family, Leaf, Property, Terms, reviewed, reviewed_ids};

fn parse(text: &str) -> Expression {
    text.parse().unwrap()
}

/// Every kind of leaf: listed, with `+`, with an exception, and the user's own.
const LEAVES: [&str; 8] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0+",
    "CC-BY-4.0",
    "CC-BY-NC-4.0",
    "GPL-2.0-only",
    "GPL-2.0-only WITH Classpath-exception-2.0",
    "LicenseRef-acme-news",
];

/// Every set of leaves that somebody could allow.
fn allowances() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(LEAVES.to_vec(), 0..=LEAVES.len())
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop::sample::select(LEAVES.to_vec());
    let leaf = leaf.prop_map(str::to_owned).boxed();
    leaf.prop_recursive(3, 12, 3, |inner| {
        (inner.clone(), prop::bool::ANY, inner)
            .prop_map(|(a, and, b)| format!("({a}) {} ({b})", if and { "AND" } else { "OR" }))
    })
    .prop_map(|text| text.parse().unwrap())
}

/// Whether some alternative asks nothing beyond what `leaves` grants: what an allow list of leaves permits.
fn permitted_by(e: &Expression, leaves: &[&str]) -> bool {
    e.alternatives().any(|a| a.iter().all(|l| leaves.contains(&l.as_str())))
}

proptest! {
    #[test]
    fn meet_is_commutative_associative_idempotent(a in expression(), b in expression(), c in expression()) {
        prop_assert_eq!(a.meet(&b).unwrap(), b.meet(&a).unwrap());
        prop_assert_eq!(a.meet(&b).unwrap().meet(&c).unwrap(), a.meet(&b.meet(&c).unwrap()).unwrap());
        prop_assert_eq!(a.meet(&a).unwrap(), a);
    }

    #[test]
    fn join_is_commutative_associative_idempotent(a in expression(), b in expression(), c in expression()) {
        prop_assert_eq!(a.join(&b).unwrap(), b.join(&a).unwrap());
        prop_assert_eq!(a.join(&b).unwrap().join(&c).unwrap(), a.join(&b.join(&c).unwrap()).unwrap());
        prop_assert_eq!(a.join(&a).unwrap(), a);
    }

    #[test]
    fn meet_and_join_absorb_and_distribute(a in expression(), b in expression(), c in expression()) {
        prop_assert_eq!(a.join(&a.meet(&b).unwrap()).unwrap(), a.clone());
        prop_assert_eq!(a.meet(&a.join(&b).unwrap()).unwrap(), a.clone());
        let (over, under) = (a.meet(&b.join(&c).unwrap()), a.meet(&b).unwrap().join(&a.meet(&c).unwrap()));
        prop_assert_eq!(over.unwrap(), under.unwrap());
    }

    /// Whatever is allowed, both permit exactly what each permits, and either what one permits.
    #[test]
    fn meet_never_widens(a in expression(), b in expression(), allowed in allowances()) {
        let (in_a, in_b) = (permitted_by(&a, &allowed), permitted_by(&b, &allowed));
        prop_assert_eq!(permitted_by(&a.meet(&b).unwrap(), &allowed), in_a && in_b);
        prop_assert_eq!(permitted_by(&a.join(&b).unwrap(), &allowed), in_a || in_b);
    }

    /// An alternative of the meet asks at least what some alternative of either asks: duties unite.
    #[test]
    fn meet_unites_what_is_asked(a in expression(), b in expression()) {
        let asked = |alternative: &Alternative| -> BTreeSet<Property> {
            alternative.iter().filter_map(reviewed).flat_map(Terms::property_set).collect()
        };
        let both = a.meet(&b).unwrap();
        for alternative in both.alternatives() {
            for side in [&a, &b] {
                let fits = |part: &Alternative| part.is_subset(alternative) && asked(part).is_subset(&asked(alternative));
                prop_assert!(side.alternatives().any(fits));
            }
        }
    }

    /// No alternative is another one with more beside it, and electing takes one of them whole.
    #[test]
    fn the_form_is_absorbed_and_elections_stay_inside(a in expression()) {
        for one in a.alternatives() {
            prop_assert!(a.alternatives().all(|other| other == one || !other.is_subset(one)));
            let text = one.iter().map(Leaf::as_str).collect::<Vec<_>>().join(" AND ");
            let elected = a.elect(&parse(&text));
            prop_assert_eq!(elected.as_ref().map(Expression::has_choice), Some(false));
            prop_assert_eq!(a.join(&elected.unwrap()).unwrap(), a.clone());
        }
    }

    /// Blanks, parentheses, the case of ids and operators, and the order of operands say nothing.
    #[test]
    fn spelling_says_nothing(a in expression(), lower in prop::bool::ANY) {
        let text = a.to_string();
        let spelt = format!(" (( {} )) ", text.replace('(', " (  ").replace(' ', "  "));
        prop_assert_eq!(&parse(&spelt), &a);
        if lower && !text.contains("LicenseRef-") {
            prop_assert_eq!(&parse(&text.to_lowercase()), &a);
        }
        let turned = text.split(" OR ").collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(" OR ");
        prop_assert_eq!(parse(&turned).to_string(), text);
    }

    #[test]
    fn the_text_is_one_canonical_form(a in expression()) {
        let again: Expression = a.to_string().parse().unwrap();
        prop_assert_eq!(again.to_string(), a.to_string());
        prop_assert_eq!(again, a);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,64}") {
        _ = text.parse::<Expression>();
    }
}

#[test]
fn ids_are_matched_in_any_case_and_printed_in_the_lists_own() {
    assert_eq!(parse("mit or APACHE-2.0").to_string(), "Apache-2.0 OR MIT");
    assert_eq!(
        parse("gpl-2.0-only with classpath-exception-2.0").to_string(),
        "GPL-2.0-only WITH Classpath-exception-2.0"
    );
}

#[test]
fn what_is_no_license_is_refused() {
    let look_alike = "\u{421}C-BY-4.0"; // the first letter is Cyrillic
    for text in [
        "",
        "NOASSERTION",
        "none",
        "MIT And Apache-2.0",
        "Apache 2.0",
        "MIT/Apache-2.0",
        "GPL-3.0",
        look_alike,
        "LicenseRef-a_b",
        "MIT AND",
    ] {
        assert!(text.parse::<Expression>().is_err(), "{text}");
    }
}

#[test]
fn a_stricter_alternative_is_absorbed() {
    assert_eq!(parse("MIT OR (MIT AND Apache-2.0)"), parse("MIT"));
}

#[test]
fn an_election_takes_exactly_one_alternative() {
    let open = parse("MIT OR Apache-2.0");
    assert_eq!(open.elect(&parse("MIT")), Some(parse("MIT")));
    assert_eq!(open.elect(&parse("CC0-1.0")), None);
    assert_eq!(open.elect(&open), None);
}

#[test]
fn the_table_is_sorted_and_holds_listed_ids() {
    let ids: Vec<&str> = reviewed_ids().iter().map(|t| t.id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "rows are sorted bytewise");
    for id in ids {
        let leaves: Vec<Leaf> = parse(id).leaves().into_iter().cloned().collect();
        assert_eq!(leaves.len(), 1);
        assert!(reviewed(&leaves[0]).is_some(), "{id}");
    }
}

#[test]
fn an_exception_is_not_its_license() {
    let expression = parse("GPL-2.0-only WITH Classpath-exception-2.0");
    assert!(expression.leaves().into_iter().all(|l| reviewed(l).is_none()));
}

fn only_leaf(text: &str) -> Leaf {
    parse(text).leaves().into_iter().next().unwrap().clone()
}

#[test]
fn characters_that_look_alike_or_cannot_be_seen_are_refused() {
    for text in [
        "MIT\u{200b}",
        "M\u{ad}IT",
        "\u{feff}MIT",
        "MIT\u{a0}AND Apache-2.0",
        "\u{39c}IT",
        "CC-BY\u{2011}4.0",
        "CC\u{2010}BY-4.0",
        "\u{ff2d}IT",
        "MIT\u{202e}",
        "MIT \u{ff2f}R Apache-2.0",
        "LicenseRef-\u{430}cme",
        "LicenseRef-acme\u{200d}",
        "MIT\0",
    ] {
        assert!(text.parse::<Expression>().is_err(), "{text:?}");
    }
}

#[test]
fn exceptions_known_and_unknown() {
    let llvm = only_leaf("apache-2.0 with llvm-exception");
    assert_eq!(llvm.as_str(), "Apache-2.0 WITH LLVM-exception");
    assert_eq!(reviewed(&llvm).map(|t| t.is_in(Family::Permissive)), Some(true));
    for unknown in ["GPL-2.0-only WITH Made-up-exception", "MIT WITH MIT", "WITH LLVM-exception", "LLVM-exception"] {
        assert!(unknown.parse::<Expression>().is_err(), "{unknown}");
    }
    // A license with an exception that nobody reviewed has no row, whatever row the license has.
    assert!(reviewed(&only_leaf("MIT WITH LLVM-exception")).is_none());
}

#[test]
fn or_later_is_another_license_until_reviewed() {
    assert!(reviewed(&only_leaf("Apache-2.0")).is_some());
    assert!(reviewed(&only_leaf("Apache-2.0+")).is_none());
    assert_ne!(parse("MPL-2.0+"), parse("MPL-2.0"));
    assert!(reviewed(&only_leaf("GPL-2.0-or-later")).is_some());
    for refused in ["GPL-2.0-only+", "GPL-2.0+", "MIT +", "+", "LicenseRef-acme+"] {
        assert!(refused.parse::<Expression>().is_err(), "{refused}");
    }
}

#[test]
fn own_ids_keep_their_case_and_are_one_license_without_it() {
    let (upper, lower) = (only_leaf("LicenseRef-Acme-News"), only_leaf("LicenseRef-acme-news"));
    assert_ne!(upper, lower);
    assert!(upper.is_same_as(&lower) && !upper.is_same_as(&only_leaf("LicenseRef-acme")));
    assert!(!only_leaf("MIT").is_same_as(&only_leaf("Apache-2.0")));
    for refused in ["licenseref-acme", "LICENSEREF-acme", "LicenseRef-", "LicenseRef-a_b", "LicenseRef-a b"] {
        assert!(refused.parse::<Expression>().is_err(), "{refused}");
    }
}

#[test]
fn no_expression_explodes() {
    let pairs: Vec<String> = (0..12).map(|i| format!("(LicenseRef-a{i} OR LicenseRef-b{i})")).collect();
    assert!(pairs.join(" AND ").parse::<Expression>().is_err());
    assert!(format!("{}MIT{}", "(".repeat(2000), ")".repeat(2000)).parse::<Expression>().is_ok());
    assert!("MIT AND ".repeat(2000).parse::<Expression>().is_err());
}

/// What a family lets in is decided by properties and by nothing in the name (reference tables derive it from names).
#[test]
fn families_are_predicates_over_properties() {
    for row in reviewed_ids() {
        let restricted =
            [Property::NoDerivatives, Property::NoTraining, Property::UseRestricted, Property::TimeDelayed];
        let in_any = Family::ALL.into_iter().any(|family| row.is_in(family));
        assert_eq!(in_any, !row.properties.iter().any(|p| restricted.contains(p)), "{}", row.id);
        assert_eq!(
            row.id.contains("-NC"),
            row.properties.contains(&Property::NonCommercial) && row.id.starts_with("CC-")
        );
        assert_eq!(row.id.contains("-ND-"), row.properties.contains(&Property::NoDerivatives), "{}", row.id);
        assert!(!row.properties.contains(&Property::NetworkCopyleft) || row.properties.contains(&Property::ShareAlike));
        assert_eq!(row.property_set().len(), row.properties.len(), "{} says a property twice", row.id);
    }
    let families = |id: &str| Family::ALL.into_iter().filter(|f| reviewed(&only_leaf(id)).unwrap().is_in(*f)).count();
    assert_eq!(families("CC0-1.0"), 7);
    assert_eq!(families("CC-BY-NC-SA-4.0"), 1);
    assert_eq!(families("CC-BY-ND-4.0"), 0);
    assert_eq!(families("ODbL-1.0"), 1);
}

#[test]
fn what_could_not_be_read_again_is_refused() {
    let choice = |i: u32| {
        format!("(LicenseRef-{} OR LicenseRef-{})", "a".repeat(150 + 2 * i as usize), "a".repeat(151 + 2 * i as usize))
    };
    let typed = |n: u32| (0..n).map(choice).collect::<Vec<_>>().join(" AND ");
    assert!(typed(1).parse::<Expression>().is_ok());
    // Sixteen alternatives of four ids each, out of eight that were typed.
    assert!(typed(4).len() < 4096 && typed(4).parse::<Expression>().is_err());
}
