//! From a signed corpus to a session under a policy: jobs, stamps, merge, exclusion. Uses files and signatures as the
//! programs do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops, and says where it is")]

mod fixture;

use std::fs;
use std::path::{Path, PathBuf};

use fixture::{Fixture, as_of};
use manifests::exposure::{Kind, TokenTotal};
use manifests::trust::Trust;
use tch::Tensor;
use training::folder::Stamped;
use training::job::trainer::Next;
use training::job::{Finished, run_anchor, run_expert};
use training::merge::{Merge, Merged, merge};
use training::model::Documents;
use training::session::Session;
use training::{Error, Result, evaluate};

fn train(fixture: &Fixture) -> [Finished; 3] {
    let inputs = fixture.inputs();
    let mut go = |_| Next::GoOn;
    let anchor = run_anchor(&inputs, &mut |_| {}, &mut go).unwrap();
    let experts =
        ["math", "code"].map(|id| run_expert(&inputs, &id.parse().unwrap(), None, &mut |_| {}, &mut go).unwrap());
    let [math, code] = experts;
    let all = [anchor, math, code];
    all.iter().for_each(|done| fixture.grant(&done.id, done.files_root));
    all
}

fn merged(fixture: &Fixture, name: &str, jobs: &[&str]) -> Result<Merged> {
    merge(&Merge {
        memory: manifests::memory::Memory::Off,
        anchor: fixture.root.join("train/anchor"),
        experts: jobs.iter().map(|job| fixture.root.join("train").join(job)).collect(),
        out: fixture.root.join("models").join(name),
        trust: fixture.root.join("trust.toml"),
        as_of: as_of(),
        key: fixture.key(),
    })
}

fn logits(session: &Session) -> Tensor {
    let ids: Vec<i64> = (0..30).map(|i| i * 7 % 60).collect();
    let ids = Tensor::from_slice(&ids);
    session.with_mixture(|mix| session.network.logits(&ids, &mut Documents::new(&[30]), mix)).unwrap()
}

fn open(model: &Path, fixture: &Fixture, policy: &str) -> Result<Session> {
    Session::open(model, &fixture.gate(policy))
}

#[test]
fn excluding_an_expert_is_never_having_merged_it() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(dir.path());
    let [anchor, math, code] = train(&fixture);
    let all = merged(&fixture, "all", &["math", "code"]).unwrap().folder;
    let less = merged(&fixture, "less", &["code"]).unwrap().folder;

    let research = open(&all, &fixture, "research").unwrap();
    assert_eq!(research.experts.len(), 2);
    let commercial = open(&all, &fixture, "commercial").unwrap();
    assert_eq!(commercial.report.admitted.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(), ["code"]);
    let cause = &commercial.report.excluded[0].causes[0];
    assert_eq!(commercial.report.excluded[0].id, "math");
    assert!(cause.detail.contains("CC-BY-NC-4.0"), "{cause:?}");
    let never = open(&less, &fixture, "commercial").unwrap();
    assert!(logits(&commercial).equal(&logits(&never)), "bit for bit");
    assert!(!logits(&commercial).equal(&logits(&research)));
    assert_eq!(commercial.report.admitted_set, never.report.admitted_set);

    // The excluded folder's files are never opened: poisoned, then gone, nothing changes.
    let weights = all.join("experts/math/expert.safetensors");
    fs::remove_file(&weights).unwrap();
    fs::write(&weights, b"poison").unwrap();
    assert!(logits(&open(&all, &fixture, "commercial").unwrap()).equal(&logits(&never)));
    assert!(matches!(open(&all, &fixture, "research"), Err(Error::Unverified { .. })));
    fs::remove_dir_all(all.join("experts/math")).unwrap();
    let without = open(&all, &fixture, "research").unwrap();
    assert!(logits(&without).equal(&logits(&never)));
    assert_eq!(without.report.excluded[0].causes[0].reason, "stamp-missing");

    // The losses differ by set as they should, and only held-out shards are read.
    let trust = Trust::open(&fixture.root.join("trust.toml"), as_of()).unwrap();
    for set in ["public", "math", "code"] {
        fs::remove_file(fixture.root.join("sets").join(set).join("shard-00000.parquet")).unwrap();
    }
    let loss = |session: &Session, set: &str| {
        evaluate::loss(session, &fixture.root, &set.parse().unwrap(), &trust, as_of(), 10_000).unwrap_err()
    };
    // The fixture's file is no tokenizer that a model could share with another corpus: digests are compared first.
    let mut foreign = open(&less, &fixture, "research").unwrap();
    foreign.tokenizer.push(b' ');
    assert!(matches!(loss(&foreign, "math"), Error::Usage(_)));
    let got = evaluate::loss(&research, &fixture.root, &"math".parse().unwrap(), &trust, as_of(), 10_000);
    let got = got.unwrap().unwrap();
    assert_eq!(got.documents, 12);
    assert!(got.loss < got.anchor_loss, "{got:?}");
    assert_eq!(anchor.steps, 12);
    assert_eq!((math.steps, code.steps), (10, 10));
}

#[test]
fn stamps_account_for_every_position() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(dir.path());
    train(&fixture);
    let trust = Trust::open(&fixture.root.join("trust.toml"), as_of()).unwrap();
    let stamp = |id: &str| {
        let folder = fixture.root.join("train").join(id).join("model");
        manifests::sign::verify_folder(&folder, &[manifests::sign::PrivateKey::read(&fixture.key()).unwrap().public()])
            .unwrap();
        Stamped::open(&folder, id, &trust, as_of()).unwrap().stamp
    };
    let anchor = stamp("anchor");
    let gradient = |stamp: &manifests::stamp::Stamp, set: &str| -> Vec<u64> {
        let mine = stamp.exposures.iter().filter(|e| e.kind == Kind::Gradient && e.set.as_str() == set);
        mine.map(|e| if let TokenTotal::Exact(n) = e.tokens { n } else { 0 }).collect()
    };
    assert_eq!(gradient(&anchor, "public"), [12 * 128]);
    assert!(anchor.exposures.iter().any(|e| e.kind == Kind::Tokenizer));
    let math = stamp("math");
    assert_eq!(gradient(&math, "math"), [10 * 128 / 2]);
    // Its own public text, and the anchor's.
    let mut public = gradient(&math, "public");
    public.sort_unstable();
    assert_eq!(public, [10 * 128 / 2, 12 * 128]);
    let row = math.row.unwrap();
    assert_eq!((row.own_documents, row.public_documents), (100, 100));
    let made = math.exposures.iter().filter(|e| e.kind == Kind::RowInit).flat_map(|e| &e.cells);
    assert_eq!(made.map(|c| c.documents).collect::<Vec<_>>(), [Some(100), Some(100)]);
}

#[test]
fn a_stopped_job_goes_on_to_the_same_weights_on_any_threads() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let fixture = Fixture::new(one.path());
    copy(one.path(), two.path());
    let mut inputs = fixture.inputs();
    tch::set_num_threads(1);
    let whole = run_anchor(&inputs, &mut |_| {}, &mut |_| Next::GoOn).unwrap();
    tch::set_num_threads(2);
    inputs.plan = two.path().join("train/plan.toml");
    for at in [3, 6] {
        let end = run_anchor(&inputs, &mut |_| {}, &mut |p| if p.step == at { Next::Drop } else { Next::GoOn });
        assert!(matches!(end, Err(Error::Stopped { .. })));
    }
    let resumed = run_anchor(&inputs, &mut |_| {}, &mut |_| Next::GoOn).unwrap();
    assert_eq!((whole.files_root, whole.stamp), (resumed.files_root, resumed.stamp));
    // Finished: run again, it does nothing and says the same.
    assert_eq!(run_anchor(&inputs, &mut |_| {}, &mut |_| unreachable!()).unwrap().stamp, whole.stamp);
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_job_whose_manifest_or_policy_does_not_hold_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(dir.path());
    let mut inputs = fixture.inputs();
    // A policy for another act permits nothing.
    inputs.policy = fixture.root.join("commercial.toml");
    assert!(matches!(run_anchor(&inputs, &mut |_| {}, &mut |_| Next::GoOn), Err(Error::Denied(_))));
    // A shard with one flipped byte.
    let inputs = fixture.inputs();
    let shard = fixture.root.join("sets/public/shard-00000.parquet");
    let mut bytes = fs::read(&shard).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&shard, bytes).unwrap();
    let error = run_anchor(&inputs, &mut |_| {}, &mut |_| Next::GoOn).unwrap_err();
    assert!(matches!(&error, Error::Manifests(inner) if inner.is_verification()), "{error}");
    assert!(error.to_string().contains("shard-00000.parquet"));
}
