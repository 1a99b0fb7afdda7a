//! What was changed after it was signed is found: `flexmix verify` exits 1 and names the file, and a gate over changed
//! records exits 1.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use manifests::rebuild::{Rebuild, UntouchedSet};
use manifests::sign::{Envelope, PrivateKey, Statement};

use crate::support::{AS_OF, Ended, House, corpus, flexmix, flip_byte, model, random};
use crate::withdrawal::{rebuild, withdraw};

/// Verification fails, and names the file.
#[track_caller]
fn assert_named(ended: Ended, file: &str) {
    let ended = ended.expect(1);
    let failures: Vec<&str> = ended.stdout.lines().filter(|l| l.starts_with("FAILED")).collect();
    assert!(failures.iter().any(|l| l.contains(file)), "no failure names `{file}`:\n{}", ended.said());
}

/// Flips one byte at each of `count` random places, one after the other; each must be found under the file's name.
#[track_caller]
fn assert_flips_found(house: &House, folder: &Path, file: &str, count: usize) {
    let path = folder.join(file);
    let whole = fs::read(&path).unwrap();
    let mut seed = 7;
    for _ in 0..count {
        let at = usize::try_from(random(&mut seed) % whole.len() as u64).unwrap();
        flip_byte(&path, at);
        let ended = house.verify(folder);
        assert!(ended.code == 1 && ended.said().contains(file), "byte {at} of {file} was flipped:\n{}", ended.said());
        fs::write(&path, &whole).unwrap();
    }
}

/// A gate over the house's records, asked through the audit of its corpus.
fn gate(house: &House) -> Ended {
    let (corpus, policy) = (house.corpus(), house.policy("research"));
    house.gated(["audit".as_ref(), corpus.as_os_str(), "--policy".as_ref(), policy.as_os_str()])
}

#[test]
fn an_untouched_corpus_and_model_verify() {
    let house = model();
    let ended = house.verify(&house.corpus()).expect(0);
    assert!(ended.stdout.starts_with("verified:") && ended.stdout.contains(" 0 failed"), "{}", ended.said());
    house.verify(&house.model("whole")).expect(0);
}

#[test]
fn a_flipped_byte_in_a_shard_is_found() {
    let house = House::copy(&corpus());
    for file in ["sets/public/shard-00001.parquet", "sets/code/shard-00000.parquet", "sets/notes/heldout-00000.parquet"]
    {
        assert_flips_found(&house, &house.corpus(), file, 4);
    }
}

#[test]
fn a_flipped_byte_in_the_ledger_or_the_claims_is_found() {
    let house = House::copy(&corpus());
    for file in ["ledger/00000.parquet", "claims/documents-00000.parquet", "claims/source-00000.parquet"] {
        assert_flips_found(&house, &house.corpus(), file, 4);
    }
}

#[test]
fn a_query_opens_only_the_files_that_manifests_name() {
    let house = House::copy(&corpus());
    let corpus = house.corpus();
    let words: [&OsStr; 3] = ["query".as_ref(), corpus.as_os_str(), "SELECT count(*) FROM ledger".as_ref()];
    let ask = || flexmix(words);
    ask().expect(0);
    fs::copy(corpus.join("ledger/00000.parquet"), corpus.join("ledger/99999.parquet")).unwrap();
    assert!(ask().expect(1).stderr.contains("ledger/99999.parquet"));
    fs::remove_file(corpus.join("ledger/99999.parquet")).unwrap();
    fs::remove_file(corpus.join("ledger/00000.parquet")).unwrap();
    assert!(ask().expect(1).stderr.contains("ledger/00000.parquet"));
}

#[test]
fn a_flipped_byte_in_a_manifest_is_found() {
    let house = House::copy(&corpus());
    assert_flips_found(&house, &house.corpus(), "sets/public/manifest.dsse.json", 16);
    assert_flips_found(&house, &house.corpus(), "sets/notes/public-manifest.dsse.json", 8);
}

#[test]
fn a_flipped_byte_in_a_stamp_an_index_or_weights_is_found() {
    let house = House::copy(&model());
    let model = house.model("whole");
    assert_flips_found(&house, &model, "experts/code-nc/stamp.dsse.json", 12);
    assert_flips_found(&house, &model, "index.dsse.json", 8);
    assert_flips_found(&house, &model, "anchor/model.safetensors", 3);
    assert_flips_found(&house, &model, "experts/notes-contract/expert.safetensors", 3);
    assert_flips_found(&house, &model, "anchor/tokenizer.json", 3);
}

#[test]
fn a_flipped_byte_in_the_tokenizer_is_found() {
    let house = House::copy(&corpus());
    flip_byte(&house.corpus().join("tokenizer.json"), 200);
    assert_named(house.verify(&house.corpus()), "tokenizer.json");
}

#[test]
fn swapped_shards_are_found() {
    let house = House::copy(&corpus());
    let sets = house.corpus().join("sets");
    let (one, two, aside) =
        (sets.join("public/shard-00000.parquet"), sets.join("public/shard-00001.parquet"), house.path("aside"));
    fs::rename(&one, &aside).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&aside, &two).unwrap();
    let ended = house.verify(&house.corpus());
    assert!(ended.stdout.contains("shard-00000.parquet"), "{}", ended.said());
    assert_named(ended, "shard-00001.parquet");
}

#[test]
fn a_missing_shard_and_a_manifest_of_another_set_are_found() {
    let house = House::copy(&corpus());
    let sets = house.corpus().join("sets");
    fs::remove_file(sets.join("code/shard-00000.parquet")).unwrap();
    assert_named(house.verify(&house.corpus()), "sets/code/shard-00000.parquet");
    let house = House::copy(&corpus());
    let sets = house.corpus().join("sets");
    fs::copy(sets.join("public/manifest.dsse.json"), sets.join("code/manifest.dsse.json")).unwrap();
    assert_named(house.verify(&house.corpus()), "sets/code/");
}

#[test]
fn a_ledger_that_lost_rows_no_longer_balances() {
    let house = House::copy(&corpus());
    let ledger = house.corpus().join("ledger");
    let mut files: Vec<_> = fs::read_dir(&ledger).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 3, "one ledger file for each slice: {files:?}");
    fs::remove_file(&files[0]).unwrap();
    let ended = house.verify(&house.corpus()).expect(1);
    assert!(ended.stdout.contains("ledger balance"), "{}", ended.said());
}

#[test]
fn a_manifest_signed_by_somebody_else_is_refused() {
    let house = House::copy(&corpus());
    // The same manifest, signed by a key that holds another role.
    let path = house.corpus().join("sets/code/manifest.dsse.json");
    let (envelope, key) = (Envelope::read(&path).unwrap(), PrivateKey::read(&house.key("trainer")).unwrap());
    let payload = envelope.peek_unverified().unwrap().to_vec();
    Envelope::sign(envelope.payload_type(), payload, &key).write(&path).unwrap();
    assert_named(house.verify(&house.corpus()), "sets/code/manifest.dsse.json");
    // And a build does not begin with such a key.
    fs::copy(house.key("trainer"), house.key("builder")).unwrap();
    let said = house.build(&house.path("foreign"), &[]).expect(1).stderr;
    assert!(said.contains("FM-T-003") && said.contains("builder"), "{said}");
}

#[test]
fn the_gate_opens_over_untouched_records() {
    gate(&corpus()).expect(0);
}

#[test]
fn a_record_added_or_removed_closes_the_gate() {
    let house = House::copy(&corpus());
    house.grant("late", "source = \"almanac\"", &["build"], "");
    let said = gate(&house).expect(1).stderr;
    assert!(said.contains("FM-T-006"), "{said}");
    let house = House::copy(&corpus());
    fs::remove_file(house.records().join("elections/widgets.dsse.json")).unwrap();
    let said = gate(&house).expect(1).stderr;
    assert!(said.contains("FM-T-006"), "{said}");
    let house = House::copy(&corpus());
    flip_byte(&house.records().join("grants/notes.dsse.json"), 300);
    gate(&house).expect(1);
}

#[test]
fn a_missing_or_rolled_back_head_closes_the_gate() {
    let house = House::copy(&corpus());
    let head = house.records().join("head.dsse.json");
    let first = fs::read(&head).unwrap();
    house.grant("late", "source = \"almanac\"", &["build"], "");
    house.renew_head(2);
    gate(&house).expect(0);
    fs::write(&head, first).unwrap();
    let said = gate(&house).expect(1).stderr;
    assert!(said.contains("FM-T-006"), "{said}");
    fs::remove_file(&head).unwrap();
    let said = gate(&house).expect(1).stderr;
    assert!(said.contains("FM-T-004") && said.contains("hint:"), "{said}");
}

#[test]
fn a_head_never_counts_backwards() {
    let house = House::copy(&corpus());
    house.grant("late", "source = \"almanac\"", &["build"], "");
    house.renew_head(5);
    house.grant("later", "source = \"almanac\"", &["build"], "");
    let text = fs::read_to_string(house.path("head.toml")).unwrap().replace("sequence = 5", "sequence = 4");
    let file = house.write("head.toml", &text);
    let said = house.sign("head", &file, &["head"]).expect(2).stderr;
    assert!(said.contains("head 4 would follow head 5"), "{said}");
}

#[test]
fn a_planted_record_of_a_rebuild_is_not_believed() {
    let house = House::copy(&corpus());
    let new = house.path("new");
    withdraw(&house, ["--source", "widgets"], "contract-end", AS_OF, &[]).expect(0);
    rebuild(&house, &new).expect(0);
    house.verify(&new).expect(0);
    let path = new.join("rebuilds/00001.dsse.json");
    let whole = Envelope::read(&path).unwrap();
    let (stranger, _) = PrivateKey::generate().unwrap().write_pair(&house.path("keys/mallory")).unwrap();
    let stranger = PrivateKey::read(&stranger).unwrap();
    let planted = |change: &dyn Fn(&mut Rebuild)| {
        let mut record = Statement::<Rebuild>::peek_unverified(&whole, &path).unwrap().predicate;
        change(&mut record);
        Statement::about_itself("rebuild", record).unwrap().write(&path, &stranger).unwrap();
        house.verify(&new).expect(1).stdout
    };
    // Every set is said to be untouched, so that there is no set whose builder must have signed.
    let said = planted(&|record| {
        let quiet = record.rebuilt.drain(..).map(|s| UntouchedSet { set: s.set, manifest: s.to });
        record.untouched.extend(quiet);
        record.untouched.sort_by(|a, b| a.set.cmp(&b.set));
    });
    assert!(said.contains("names no set that was rebuilt") && said.contains("there is no record of it"), "{said}");
    // Another set is named than the one that was rebuilt; and the true words, under a stranger's key.
    let said = planted(&|record| {
        let (code, public) = (&mut record.rebuilt[0], &mut record.untouched);
        let other = public.iter_mut().find(|s| s.set.as_str() == "public").unwrap();
        std::mem::swap(&mut code.set, &mut other.set);
        std::mem::swap(&mut code.to, &mut other.manifest);
    });
    assert!(said.contains("FM-T-003") && said.contains("there is no record of it"), "{said}");
    let said = planted(&|_| {});
    assert!(said.contains("FM-T-003") && said.contains("there is no record of it"), "{said}");
    whole.write(&path).unwrap();
    house.verify(&new).expect(0);
}
