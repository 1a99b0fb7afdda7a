//! The algebra's laws, and what the parser takes and refuses.

use proptest::prelude::*;

use super::{Expression, Leaf, reviewed, reviewed_ids};

fn parse(text: &str) -> Expression {
    text.parse().unwrap()
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop::sample::select(vec!["MIT", "Apache-2.0", "CC-BY-4.0", "CC-BY-NC-4.0", "GPL-2.0-only"]);
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
    fn meet_never_widens(a in expression(), b in expression()) {
        let both = a.meet(&b).unwrap();
        for allowed in [&["MIT"][..], &["MIT", "Apache-2.0"], &["CC-BY-4.0", "MIT", "GPL-2.0-only"]] {
            prop_assert!(!permitted_by(&both, allowed) || (permitted_by(&a, allowed) && permitted_by(&b, allowed)));
        }
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
