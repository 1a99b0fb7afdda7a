//! Records of legal, owners and the withdrawals desk: other spellings, other types, other signers.

use std::fs;
use std::path::Path;

use manifests::record::Head;
use manifests::records::Listing;
use manifests::sign::{Envelope, PrivateKey, Record, Statement};

use crate::support::{AS_OF, Ended, House, corpus};

/// The house's gate, asked through the audit of its corpus.
fn gate(house: &House) -> Ended {
    let (corpus, policy) = (house.corpus(), house.policy("research"));
    house.gated(["audit".as_ref(), corpus.as_os_str(), "--policy".as_ref(), policy.as_os_str()])
}

fn key(house: &House, name: &str) -> PrivateKey {
    PrivateKey::read(&house.key(name)).unwrap()
}

/// A head over the records as they are, signed by a key of the house.
fn head(house: &House, sequence: u64, signer: &str) {
    let Listing { root, withdrawals, .. } = Listing::of(&house.records()).unwrap();
    let [issued, expires] = [AS_OF, "2027-06-30"].map(|day| day.parse().unwrap());
    let head = Head { schema: Head::schema(), demo: true, sequence, issued, expires, root, withdrawals };
    let statement = Statement::about_itself("head", head).unwrap();
    statement.write(&house.records().join("head.dsse.json"), &key(house, signer)).unwrap();
}

/// Replaces a record's payload and signs it with keys of the house; the head follows.
fn resign(house: &House, record: &Path, signers: &[&str], change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let envelope = Envelope::read(record).unwrap();
    let payload = change(envelope.peek_unverified().unwrap().to_vec());
    let mut signed = Envelope::sign(envelope.payload_type(), payload, &key(house, signers[0]));
    signers[1..].iter().for_each(|signer| signed.add_signature(&key(house, signer)));
    signed.write(record).unwrap();
    // A record that cannot even be listed leaves the head as it was.
    if Listing::of(&house.records()).is_ok() {
        head(house, 2, "head");
    }
}

fn replaced(payload: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(payload).unwrap();
    assert!(text.contains(from), "{text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn a_record_that_two_readers_could_read_differently_is_refused_whoever_signed_it() {
    type Change = fn(Vec<u8>) -> Vec<u8>;
    let changes: [(Change, &str); 10] = [
        (|p| replaced(p, "\"branch\":\"MIT\"", "\"branch\":\"MIT\",\"branch\":\"Apache-2.0\""), "stands twice"),
        (|p| [b"\xEF\xBB\xBF".to_vec(), p].concat(), "expected value"),
        (|p| [p, b"\n".to_vec()].concat(), "canonical form"),
        (|p| [p, b"{}".to_vec()].concat(), "trailing characters"),
        (|p| replaced(p, "{\"_type\"", "{ \"_type\""), "canonical form"),
        (|p| replaced(p, "\"demo\":true", "\"demo\":true,\"weight\":1.5"), "not an integer"),
        (|p| replaced(p, "\"demo\":true", "\"demo\":true,\"weight\":9007199254740993"), "2^53"),
        (|p| replaced(p, "\"demo\":true", "\"demo\":true,\"dust\":\"x\""), "unknown field"),
        (|p| replaced(p, "\"branch\":\"MIT\"", "\"branch\":\"mit\""), "not written as"),
        (|p| replaced(p, "election/v1", "election/v2"), "schema"),
    ];
    for (change, words) in changes {
        let house = House::copy(&corpus());
        resign(&house, &house.records().join("elections/widgets.dsse.json"), &["legal-1", "legal-2"], change);
        let ended = gate(&house);
        assert!(ended.code != 0 && ended.stderr.contains("widgets.dsse.json"), "{words}: {}", ended.said());
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

#[test]
fn look_alike_ids_are_no_ids() {
    // A Cyrillic letter, a non-breaking hyphen, a space of no width, a soft hyphen, a full-width letter.
    for branch in ["\u{41c}IT", "M\u{2011}IT", "MIT\u{200b}", "M\u{ad}IT", "\u{ff2d}IT"] {
        let house = House::copy(&corpus());
        let change = |p| replaced(p, "\"branch\":\"MIT\"", &format!("\"branch\":\"{branch}\""));
        resign(&house, &house.records().join("elections/widgets.dsse.json"), &["legal-1", "legal-2"], change);
        let ended = gate(&house);
        assert!(ended.code != 0 && ended.stderr.contains("license expression"), "{}", ended.said());
    }
}

#[test]
fn a_record_signed_by_another_valid_key_is_refused() {
    let cases = [
        ("elections/widgets.dsse.json", &["owner", "builder"][..]),
        ("elections/widgets.dsse.json", &["legal-1", "withdrawals"]),
        ("grants/notes.dsse.json", &["builder"]),
        ("grants/notes.dsse.json", &["legal-1", "legal-2"]),
    ];
    for (record, signers) in cases {
        let house = House::copy(&corpus());
        resign(&house, &house.records().join(record), signers, |payload| payload);
        let said = gate(&house).expect(1).stderr;
        assert!(
            said.contains(record) && (said.contains("FM-T-003") || said.contains("distinct keys")),
            "{signers:?}: {said}"
        );
    }
    // The head over the records too.
    let house = House::copy(&corpus());
    head(&house, 2, "legal-1");
    assert!(gate(&house).expect(1).stderr.contains("FM-T-003"));
    head(&house, 2, "head");
    gate(&house).expect(0);
}

/// The wire form of an envelope, changed.
fn rewired(path: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let mut wire = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut wire);
    fs::write(path, wire.to_string()).unwrap();
}

#[test]
fn another_payload_type_is_another_message() {
    let house = House::copy(&corpus());
    let record = house.records().join("elections/widgets.dsse.json");
    rewired(&record, |w| w["payloadType"] = "application/vnd.flexmix.policy+toml".into());
    head(&house, 2, "head");
    // What is no statement is no record: the recipe's election is missing now.
    let said = house.build(&house.path("second"), &[]).expect(1).stderr;
    assert!(said.contains("widgets"), "{said}");
    // A policy's signatures do not speak for a statement, nor a statement's for a policy.
    let house = House::copy(&corpus());
    let policy = house.path("policies/research.toml.dsse.json");
    rewired(&policy, |w| w["payloadType"] = "application/vnd.in-toto+json".into());
    let said = gate(&house).expect(1).stderr;
    assert!(said.contains("research.toml.dsse.json"), "{said}");
}

#[test]
fn signatures_are_counted_by_keys_that_verify() {
    let house = House::copy(&corpus());
    let policy = house.path("policies/research.toml.dsse.json");
    let whole = fs::read(&policy).unwrap();
    let restore = || fs::write(&policy, &whole).unwrap();
    // A stranger's signature beside them changes nothing, and gives nothing.
    let stranger = PrivateKey::generate().unwrap();
    let mut envelope = Envelope::read(&policy).unwrap();
    envelope.add_signature(&stranger);
    envelope.write(&policy).unwrap();
    gate(&house).expect(0);
    restore();
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &str); 4] = [
        // One key under two names, one key twice, a hint without a signature, more than an envelope may carry.
        (|w| w["signatures"][1]["sig"] = w["signatures"][0]["sig"].clone(), "twice"),
        (|w| w["signatures"][1] = w["signatures"][0].clone(), "twice"),
        (|w| w["signatures"][1]["sig"] = "AAAA".into(), "not over these bytes"),
        (|w| w["signatures"] = vec![w["signatures"][0].clone(); 17].into(), "1 to 16"),
    ];
    for (change, words) in cases {
        rewired(&policy, change);
        let ended = gate(&house);
        assert!(ended.code != 0 && ended.stderr.contains(words), "{words}: {}", ended.said());
        restore();
    }
}

#[test]
fn a_withdrawal_left_out_of_the_head_or_taken_back_is_refused() {
    let house = House::copy(&corpus());
    let text = format!(
        "schema = \"flexmix/withdrawal/v1\"\nid = \"w-1\"\ndemo = true\nkind = \"erasure\"\n\
         target = {{ source = \"almanac\" }}\neffective = {AS_OF}\nlearned = {AS_OF}\nreason = \"a test\"\n"
    );
    let file = house.write("records/withdrawals/w-1.toml", &text);
    house.sign("withdrawal", &file, &["withdrawals"]).expect(0);
    house.renew_head(2);
    let said = gate(&house).expect(0).stdout;
    assert!(said.contains("source-withdrawn"), "{said}");
    // A head that names the files and not the withdrawal among them.
    let Listing { root, .. } = Listing::of(&house.records()).unwrap();
    let [issued, expires] = [AS_OF, "2027-06-30"].map(|day| day.parse().unwrap());
    let head = Head {
        schema: Head::schema(),
        demo: true,
        sequence: 3,
        issued,
        expires,
        root,
        withdrawals: std::collections::BTreeSet::new(),
    };
    let statement = Statement::about_itself("head", head).unwrap();
    statement.write(&house.records().join("head.dsse.json"), &key(&house, "head")).unwrap();
    assert!(gate(&house).expect(1).stderr.contains("FM-T-006"));
}
