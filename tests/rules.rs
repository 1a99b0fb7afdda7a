//! What a recipe asks of a text decides what becomes of it: rules in SQL over facts, and filters of the field, with
//! their reason and their numbers in the ledger and their facts in a table beside it.

use std::fs;
use std::path::PathBuf;

use crate::support::{Ended, House, corpus};

/// Builds the fixture's recipe with `more` before its first source.
fn build(house: &House, name: &str, more: &str) -> (PathBuf, Ended) {
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let (head, sources) = recipe.split_once("[[source]]").unwrap();
    house.write("recipe.toml", &format!("{head}{more}\n[[source]]{sources}"));
    let out = house.path(name);
    let ended = house.build(&out, &[]);
    (out, ended)
}

#[test]
fn a_rule_drops_what_it_does_not_hold_of_and_says_so() {
    let house = House::copy(&corpus());
    let rule = "[[rule]]\nname = \"long-enough\"\nkeep = \"words >= 100 OR source = 'none'\"\nsets = [\"public\"]\n";
    let (out, ended) = build(&house, "ruled", rule);
    ended.expect(0);
    house.verify(&out).expect(0);
    let dropped = house.number(&out, "SELECT count(*) FROM ledger WHERE reason = 'rule-not-met'");
    let short = "SELECT count(*) FROM ledger l JOIN facts f ON f.doc_id = l.doc_id
                 WHERE l.\"set\" = 'public' AND f.words < 100 AND f.words >= 20";
    assert!(dropped > 0);
    assert_eq!(dropped, house.number(&out, short), "the filter before it took what has fewer than 20");
    let said =
        "SELECT count(*) FROM ledger WHERE reason = 'rule-not-met' AND detail LIKE 'rule `long-enough`: words >= 100%'";
    assert_eq!(house.number(&out, said), dropped);
    let others = "SELECT count(*) FROM ledger WHERE reason = 'rule-not-met' AND \"set\" <> 'public'";
    assert_eq!(house.number(&out, others), 0);
}

#[test]
fn a_rule_that_cannot_be_asked_is_refused_before_anything_is_read() {
    for (keep, why) in [("wordz > 3", "wordz"), ("random() > 0.5", "answers differently"), ("words + 1", "truth value")]
    {
        let house = House::copy(&corpus());
        let (out, ended) = build(&house, "refused", &format!("[[rule]]\nname = \"bad\"\nkeep = \"{keep}\"\n"));
        let ended = ended.expect(2);
        assert!(ended.stderr.contains("rule `bad`") && ended.stderr.contains(why), "{}", ended.stderr);
        assert!(!out.join("work").try_exists().unwrap());
    }
}

#[test]
fn filters_of_the_field_leave_reason_numbers_and_facts() {
    let house = House::copy(&corpus());
    let filters = "[[filter]]\nname = \"gopher-quality@datatrove\"\nthresholds = { min_doc_words = 80 }\n\n\
                   [[filter]]\nname = \"gopher-repetition@datatrove\"\n";
    let (out, ended) = build(&house, "filtered", filters);
    ended.expect(0);
    house.verify(&out).expect(0);
    let short = house.number(&out, "SELECT count(*) FROM ledger WHERE reason = 'gopher-short-doc'");
    assert!(short > 0);
    assert_eq!(short, house.number(&out, "SELECT count(*) FROM facts WHERE gopher_quality_words < 80"));
    let said = "SELECT count(*) FROM ledger l JOIN facts f ON f.doc_id = l.doc_id WHERE l.reason = 'gopher-short-doc'
                AND l.detail = concat('value ', CAST(CAST(f.gopher_quality_words AS BIGINT) AS VARCHAR), ', threshold 80')
                AND f.threshold = 80 AND f.filter = 1";
    assert_eq!(house.number(&out, said), short);
    // What the first filter dropped, the second never saw.
    let unseen = "SELECT count(*) FROM ledger l JOIN facts f ON f.doc_id = l.doc_id
                  WHERE l.reason = 'gopher-short-doc' AND f.gopher_repetition_top_2_gram IS NOT NULL";
    assert_eq!(house.number(&out, unseen), 0);
}
