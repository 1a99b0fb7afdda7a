//! Erasures beside other withdrawals and after them: whatever else took a text, its digest, the id that it gave itself
//! and the claims on it go.

use std::fs;
use std::path::Path;

use crate::support::{AS_OF, House, corpus, flexmix};
use crate::withdrawal::{rebuild, rebuild_words, withdraw};

/// How much is left of a source's documents in ledger and claims.
fn traces(house: &House, corpus: &Path, source: &str) -> [u64; 2] {
    let of = format!("source = '{source}'");
    [
        format!("SELECT count(*) FROM ledger WHERE {of} AND (digest IS NOT NULL OR declared_id IS NOT NULL)"),
        format!("SELECT count(*) FROM claims WHERE doc_id IN (SELECT doc_id FROM ledger WHERE {of})"),
    ]
    .map(|sql| house.number(corpus, &sql))
}

/// Rebuilds a corpus that is no longer the house's own.
fn rebuild_from(house: &House, from: &Path, to: &Path) -> String {
    let secret = ["--secret".into(), house.path("owner.secret").into()];
    flexmix(rebuild_words(house, from, to).into_iter().chain(secret)).expect(0).stdout
}

#[test]
fn an_erasure_is_not_lost_beside_another_withdrawal() {
    for target in [["--source", "gadgets"], ["--rightsholder", "The gadgets' makers"]] {
        let house = House::copy(&corpus());
        let new = house.path("new");
        // By name, and so in every list, the end of the contract comes first.
        withdraw(&house, ["--source", "gadgets"], "contract-end", AS_OF, &["--id", "a-contract-end"]).expect(0);
        withdraw(&house, target, "erasure", AS_OF, &["--id", "b-erasure"]).expect(0);
        assert!(traces(&house, &house.corpus(), "gadgets")[0] > 0, "there is something to erase");
        rebuild(&house, &new).expect(0);
        house.verify(&new).expect(0);
        assert_eq!(traces(&house, &new, "gadgets"), [0, 0], "{target:?}");
        assert!(traces(&house, &new, "widgets")[0] > 0, "the others keep theirs");
        let record = fs::read(new.join("rebuilds/00001.dsse.json")).unwrap();
        let envelope: manifests::sign::Envelope = serde_json::from_slice(&record).unwrap();
        let payload = String::from_utf8(envelope.peek_unverified().unwrap().to_vec()).unwrap();
        assert!(payload.contains("a-contract-end") && payload.contains("b-erasure"), "{payload}");
        let again = rebuild_from(&house, &new, &house.path("again"));
        assert!(again.contains("nothing of `fixture` is withdrawn"), "{again}");
    }
}

#[test]
fn an_erasure_reaches_what_an_earlier_rebuild_dropped() {
    for target in [["--source", "widgets"], ["--rightsholder", "The widgets' makers"]] {
        let house = House::copy(&corpus());
        let (new, newer) = (house.path("new"), house.path("newer"));
        withdraw(&house, ["--source", "widgets"], "contract-end", AS_OF, &[]).expect(0);
        rebuild(&house, &new).expect(0);
        assert!(traces(&house, &new, "widgets")[0] > 0, "a contract's end erases nothing");
        withdraw(&house, target, "erasure", AS_OF, &[]).expect(0);
        rebuild_from(&house, &new, &newer);
        house.verify(&newer).expect(0);
        assert_eq!(traces(&house, &newer, "widgets"), [0, 0], "{target:?}");
        let again = rebuild_from(&house, &newer, &house.path("again"));
        assert!(again.contains("nothing of `fixture` is withdrawn"), "{again}");
    }
}

#[test]
fn a_work_that_two_withdrawals_take_is_erased_when_one_of_them_is_an_erasure() {
    let house = House::copy(&corpus());
    let new = house.path("new");
    let row = &house.query(&house.corpus(), "SELECT digest FROM ledger WHERE declared_id = 'almanac-012'")[0];
    let text = row["digest"].as_str().unwrap();
    withdraw(&house, ["--work", text], "court-order", AS_OF, &["--id", "a-court-order"]).expect(0);
    withdraw(&house, ["--work", text], "erasure", AS_OF, &["--id", "b-erasure"]).expect(0);
    rebuild(&house, &new).expect(0);
    let left = format!("SELECT count(*) FROM ledger WHERE digest = '{text}' OR declared_id = 'almanac-012'");
    assert_eq!((house.number(&house.corpus(), &left), house.number(&new, &left)), (1, 0));
}
