//! A withdrawal is written, weighed and carried out: gates obey from its day on, the report adds up, and a rebuild from
//! the published corpus alone is what a fresh build under the same records would be, with the rest left as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use manifests::manifest::SetManifest;
use manifests::shard::{Row, ShardReader};
use manifests::sign::{Envelope, Statement};
use serde_json::Value;

use crate::support::{AS_OF, Ended, House, corpus, corpus_differences, flexmix, flexmix_program, quiet};

/// Withdraws something and signs the head anew.
pub(crate) fn withdraw(house: &House, target: [&str; 2], kind: &str, effective: &str, more: &[&str]) -> Ended {
    let mut words: Vec<OsString> =
        ["withdraw", "--demo", "--kind", kind, "--effective", effective].map(Into::into).into();
    words.extend(target.map(OsString::from));
    words.extend(["--learned", AS_OF, "--reason", "a test", "--head-until", "2027-06-30"].map(OsString::from));
    words.extend(["--key".into(), house.key("withdrawals").into(), "--head-key".into(), house.key("head").into()]);
    words.extend(["--corpus".into(), house.corpus().into()]);
    house.gated(words.into_iter().chain(more.iter().map(Into::into)))
}

pub(crate) fn rebuild_words(house: &House, from: &Path, to: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["rebuild".into(), from.into(), "--out".into(), to.into()];
    words.extend(["--policy".into(), house.policy("build").into(), "--key".into(), house.key("builder").into()]);
    words.into_iter().chain(house.gate()).collect()
}

/// Rebuilds the house's corpus, with the owner's secret.
pub(crate) fn rebuild(house: &House, to: &Path) -> Ended {
    let secret = ["--secret".into(), house.path("owner.secret").into()];
    flexmix(rebuild_words(house, &house.corpus(), to).into_iter().chain(secret))
}

/// A set's manifest, and its digest as `run.json` has it.
fn manifest(corpus: &Path, set: &str) -> SetManifest {
    let path = corpus.join("sets").join(set).join("manifest.dsse.json");
    Statement::peek_unverified(&Envelope::read(&path).unwrap(), &path).unwrap().predicate
}

/// Every row of every shard.
fn rows(corpus: &Path) -> Vec<Row> {
    let mut all = Vec::new();
    for set in ["public", "code", "notes"] {
        let folder = corpus.join("sets").join(set);
        for shard in manifest(corpus, set).shards {
            let reader = ShardReader::open(&folder, &shard.file).unwrap();
            all.extend((0..reader.row_groups()).flat_map(|group| reader.rows(group).unwrap()));
        }
    }
    all
}

/// The text digest of a document, by the id that it gives itself.
fn text_of(house: &House, declared: &str) -> String {
    let rows = house.query(&house.corpus(), &format!("SELECT digest FROM ledger WHERE declared_id = '{declared}'"));
    rows[0]["digest"].as_str().unwrap().to_owned()
}

/// Files that two corpora do not share.
fn changed(left: &Path, right: &Path) -> BTreeSet<String> {
    corpus_differences(left, right).into_iter().collect()
}

#[test]
fn a_rebuild_of_nothing_is_the_same_corpus() {
    let house = House::copy(&corpus());
    let said = rebuild(&house, &house.path("again")).expect(0).stdout;
    assert!(said.contains("nothing of `fixture` is withdrawn"), "{said}");
    assert_eq!(changed(&house.corpus(), &house.path("again")), BTreeSet::new());
    house.verify(&house.path("again")).expect(0);
}

#[test]
fn a_withdrawn_source_goes_and_the_rest_keeps_its_bytes() {
    let house = House::copy(&corpus());
    let (old, new) = (house.corpus(), house.path("new"));
    withdraw(&house, ["--source", "gadgets"], "contract-end", AS_OF, &[]).expect(0);
    let report = rebuild(&house, &new).expect(0);
    house.verify(&new).expect(0);
    assert_eq!(
        house.number(&new, "SELECT count(*) FROM documents WHERE array_to_string(source, '+') LIKE '%gadgets%'"),
        0
    );
    let gone =
        "SELECT count(*) FROM ledger WHERE source = 'gadgets' AND reason = 'source-withdrawn' AND stage = 'admit'";
    assert_eq!(house.number(&new, gone), 170);
    let changed = changed(&old, &new);
    let expected = |name: &String| {
        name.starts_with("sets/code/")
            || name.starts_with("ledger/")
            || name == "run.json"
            || name.starts_with("rebuilds/")
    };
    assert!(changed.iter().all(expected), "{changed:#?}");
    let untouched = |set: &str| {
        fs::read(old.join(format!("sets/{set}/manifest.dsse.json"))).unwrap()
            == fs::read(new.join(format!("sets/{set}/manifest.dsse.json"))).unwrap()
    };
    assert!(untouched("public") && untouched("notes") && !untouched("code"), "{}", report.stdout);
    // Of the set that changed, shards without a gadget are the files that they were.
    let shards = |corpus: &Path| -> BTreeMap<String, String> {
        manifest(corpus, "code").shards.iter().map(|s| (s.file.path.to_string(), s.file.digest.to_string())).collect()
    };
    let (before, after) = (shards(&old), shards(&new));
    let kept: Vec<&String> =
        after.iter().filter(|(name, digest)| before.get(*name) == Some(digest)).map(|(n, _)| n).collect();
    assert!(!kept.is_empty() && kept.len() < before.len(), "{kept:?} of {before:?}");
    let again = flexmix(rebuild_words(&house, &new, &house.path("again"))).expect(0).stdout;
    assert!(again.contains("is withdrawn"), "{again}");
    assert_eq!(self::changed(&new, &house.path("again")), BTreeSet::new(), "nothing is left to take");
    insta::assert_snapshot!(house.tidy(&masked(&report.stdout)));
}

/// Text without the hex of digests, which differ with every build.
fn masked(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + "sha256:" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

#[test]
fn a_rebuild_is_what_a_fresh_build_under_the_same_records_is() {
    let house = House::copy(&corpus());
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let named = recipe.replace("[tokenizer]\ntrain_on = \"public\"\nvocabulary = 512\n", "");
    assert_ne!(named, recipe);
    fs::write(house.path("recipe.toml"), named).unwrap();
    fs::remove_dir_all(house.corpus()).unwrap();
    house.build(&house.corpus(), &["--threads", "2"]).expect(0);
    let work = text_of(&house, "almanac-012");
    for (target, kind) in [
        (["--source", "cut"], "contract-end"),
        (["--rightsholder", "The widgets' makers"], "court-order"),
        (["--work", work.as_str()], "wrong-license"),
        (["--work", text_of(&house, "note-003").as_str()], "court-order"),
    ] {
        withdraw(&house, target, kind, AS_OF, &[]).expect(0);
    }
    rebuild(&house, &house.path("rebuilt")).expect(0);
    house.verify(&house.path("rebuilt")).expect(0);
    house.build(&house.path("fresh"), &["--threads", "2"]).expect(0);
    for set in ["public", "code", "notes"] {
        let [old, rebuilt, fresh] = ["corpus", "rebuilt", "fresh"].map(|name| manifest(&house.path(name), set));
        assert_ne!(old.documents_root, rebuilt.documents_root, "{set}");
        assert_eq!(rebuilt.documents_root, fresh.documents_root, "{set}");
        assert_eq!(rebuilt.texts_root, fresh.texts_root, "{set}");
        assert_eq!(
            (rebuilt.documents, rebuilt.tokens, &rebuilt.funnel),
            (fresh.documents, fresh.tokens, &fresh.funnel)
        );
    }
    let ledger = |name: &str| {
        let sql = "SELECT doc_id, digest, decision, stage, reason, cell, tier, bytes_in, bytes_added, bytes_removed, \
                   bytes_out, n_tokens, copies, duplicate_of FROM ledger ORDER BY doc_id";
        house.query(&house.path(name), sql)
    };
    let (rebuilt, fresh) = (ledger("rebuilt"), ledger("fresh"));
    let differ: Vec<(&Value, &Value)> = rebuilt.iter().zip(&fresh).filter(|(a, b)| a != b).take(3).collect();
    assert!(differ.is_empty() && rebuilt.len() == fresh.len(), "{differ:#?}");
    // Where nothing moved between shards, the bytes are those of the fresh build.
    let outward = |name: &str| fs::read(house.path(name).join("claims/documents-00000.parquet")).unwrap();
    assert_eq!(outward("rebuilt"), outward("fresh"));
}

#[test]
fn a_rebuild_is_deterministic_and_survives_being_killed() {
    let house = House::copy(&corpus());
    withdraw(&house, ["--source", "gadgets"], "contract-end", AS_OF, &[]).expect(0);
    rebuild(&house, &house.path("one")).expect(0);
    for wait in [20, 60, 120, 250] {
        let mut command = Command::new(flexmix_program());
        let mut child = quiet(command.args(rebuild_words(&house, &house.corpus(), &house.path("two"))))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(wait));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
        }
        child.wait().unwrap();
        let done = house.path("two").is_dir();
        assert!(!done || house.path("two/run.json").is_file(), "a corpus appears whole or not at all");
        if done {
            fs::remove_dir_all(house.path("two")).unwrap();
        }
    }
    rebuild(&house, &house.path("two")).expect(0);
    assert_eq!(changed(&house.path("one"), &house.path("two")), BTreeSet::new());
    assert!(!house.path(".two.rebuild").is_dir());
    let taken = rebuild(&house, &house.path("two")).expect(2).stderr;
    assert!(taken.contains("is not a free place"), "{taken}");
}

#[test]
fn withdrawing_a_source_frees_its_twin_and_withdrawing_the_work_takes_all() {
    let house = House::copy(&corpus());
    let twin = text_of(&house, "almanac-007");
    let report =
        withdraw(&house, ["--source", "almanac"], "contract-end", AS_OF, &["--format", "json"]).expect(0).json();
    let twins = report["impact"]["corpora"][0]["twins"].as_array().unwrap();
    assert_eq!(twins.len(), 1, "{twins:#?}");
    assert_eq!(twins[0]["sources"], serde_json::json!(["almanac", "leaflets"]));
    rebuild(&house, &house.path("freed")).expect(0);
    let left = "SELECT count(*) FROM ledger WHERE source = 'almanac' AND decision <> 'dropped'";
    assert_eq!(house.number(&house.path("freed"), left), 1);
    let kept = format!("SELECT count(*) FROM ledger WHERE digest = '{twin}' AND decision <> 'dropped'");
    assert_eq!(house.number(&house.path("freed"), &kept), 1);
    withdraw(&house, ["--work", &twin], "wrong-license", AS_OF, &[]).expect(0);
    let said = rebuild(&house, &house.path("all")).expect(0).stdout;
    assert_eq!(house.number(&house.path("all"), &kept), 0);
    assert!(said.contains("the tokenizer is kept: it was trained on set `public`"), "{said}");
    // The tokenizer's exposure is no longer known whole, and stages say why.
    assert!(manifest(&house.path("all"), "public").is_rebuilt() && !manifest(&house.path("all"), "code").is_rebuilt());
}

#[test]
fn a_withdrawn_work_does_not_come_back_with_other_white_space_from_another_source() {
    let house = House::copy(&corpus());
    let twin = text_of(&house, "almanac-007");
    withdraw(&house, ["--work", &twin], "erasure", AS_OF, &[]).expect(0);
    let inputs = house.path("inputs");
    crate::support::copy_tree(&crate::support::fixture().join("inputs"), &inputs);
    let text = fs::read_to_string(inputs.join("leaflets/a-copy.txt")).unwrap();
    fs::create_dir(inputs.join("elsewhere")).unwrap();
    fs::write(inputs.join("elsewhere/new.txt"), text.replace(' ', "  \t").replace('\n', "\r\n\r\n")).unwrap();
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let source = "\n[[source]]\nid = \"elsewhere\"\nset = \"public\"\ntitle = \"Elsewhere\"\naccess = \"public\"\nread_at = 2026-11-24\n\
                  object = \"elsewhere\"\nformat = \"plain\"\n[[source.claim]]\nspeaker = \"source\"\nscope = \"collection\"\n\
                  license = \"CC0-1.0\"\nraw = \"CC0-1.0\"\nlocator = \"recipe.toml#elsewhere\"\n";
    fs::write(house.path("recipe.toml"), recipe + source).unwrap();
    let out = house.path("later");
    house.build(&out, &[]).expect(0);
    let of =
        |what: &str| house.number(&out, &format!("SELECT count(*) FROM ledger WHERE digest = '{twin}' AND {what}"));
    assert_eq!((of("source = 'elsewhere'"), of("decision <> 'dropped'"), of("reason = 'work-withdrawn'")), (1, 0, 1));
}

#[test]
fn an_erasure_leaves_no_text_no_digest_and_no_claim() {
    let house = House::copy(&corpus());
    let (old, new) = (house.corpus(), house.path("new"));
    let work = text_of(&house, "almanac-007");
    let id = house.query(&old, "SELECT doc_id FROM ledger WHERE declared_id = 'almanac-007'")[0]["doc_id"].clone();
    let id = id.as_str().unwrap();
    let erased = rows(&old).into_iter().find(|r| r.doc_id.to_string() == id).unwrap();
    withdraw(&house, ["--document", id], "erasure", AS_OF, &[]).expect(0);
    rebuild(&house, &new).expect(0);
    house.verify(&new).expect(0);
    let left = rows(&new);
    assert!(left.iter().all(|r| r.doc_id != erased.doc_id && r.tokens != erased.tokens));
    assert!(left.len() + 1 == rows(&old).len() && erased.tokens.len() > 20);
    assert_eq!(house.number(&new, &format!("SELECT count(*) FROM ledger WHERE digest = '{work}'")), 0);
    assert_eq!(house.number(&new, &format!("SELECT count(*) FROM claims WHERE doc_id = '{id}'")), 0);
    assert_ne!(house.number(&old, &format!("SELECT count(*) FROM claims WHERE doc_id = '{id}'")), 0);
    let row = &house.query(&new, &format!("SELECT * FROM ledger WHERE doc_id = '{id}'"))[0];
    assert_eq!((row["reason"].as_str(), row["declared_id"].is_null()), (Some("work-withdrawn"), true), "{row:#}");
    // The copy that was dropped before has lost its digest too; the record in `records` is the one tombstone.
    let copy = &house.query(&new, "SELECT * FROM ledger WHERE path LIKE '%a-copy.txt'")[0];
    assert_eq!((copy["reason"].as_str(), copy["digest"].is_null()), (Some("exact-duplicate"), true), "{copy:#}");
    rebuild_again(&house, &new);
}

/// Rebuilds a rebuilt corpus: nothing is left to do.
fn rebuild_again(house: &House, from: &Path) {
    let secret = ["--secret".into(), house.path("owner.secret").into()];
    let said = flexmix(rebuild_words(house, from, &house.path("twice")).into_iter().chain(secret)).expect(0).stdout;
    assert!(said.contains("nothing of `fixture` is withdrawn"), "{said}");
    assert_eq!(changed(from, &house.path("twice")), BTreeSet::new());
}

#[test]
fn a_closed_set_is_rebuilt_by_its_owner_alone() {
    let house = House::copy(&corpus());
    let (old, new) = (house.corpus(), house.path("new"));
    let work = text_of(&house, "note-003");
    withdraw(&house, ["--work", &work], "court-order", AS_OF, &[]).expect(0);
    let said = flexmix(rebuild_words(&house, &old, &new)).expect(2).stderr;
    assert!(said.contains("the owner's secret"), "{said}");
    assert!(!new.is_dir());
    rebuild(&house, &new).expect(0);
    house.verify(&new).expect(0);
    let public = |corpus: &Path| fs::read(corpus.join("sets/notes/public-manifest.dsse.json")).unwrap();
    assert_ne!(public(&old), public(&new), "another root over commitments");
    assert_eq!(house.number(&new, "SELECT count(*) FROM documents WHERE \"set\" = 'notes'"), 169);
}

#[test]
fn gates_obey_from_the_effective_day_on_whenever_it_was_learned() {
    let house = House::copy(&corpus());
    withdraw(&house, ["--source", "widgets"], "contract-end", "2026-12-10", &[]).expect(0);
    let denied = |day: &str| {
        let words = ["audit".into(), house.corpus().into(), "--policy".into(), house.policy("research").into()];
        let gate: [OsString; 6] = [
            "--trust".into(),
            house.path("trust.toml").into(),
            "--records".into(),
            house.records().into(),
            "--as-of".into(),
            day.into(),
        ];
        flexmix(words.into_iter().chain(gate).chain(["--format".into(), "json".into()]))
            .stdout
            .contains("source-withdrawn")
    };
    assert_eq!(["2026-12-01", "2026-12-09", "2026-12-10", "2026-12-20"].map(denied), [false, false, true, true]);
    // What was learned later takes effect from its own day all the same.
    let house = House::copy(&corpus());
    let report = withdraw(&house, ["--source", "widgets"], "contract-end", "2026-11-20", &[]).expect(0).stdout;
    assert!(report.contains("in the 11 days between was done before you knew"), "{report}");
    assert!(rebuild(&house, &house.path("new")).expect(0).stdout.contains("40 documents"));
}

#[test]
fn the_report_adds_up_with_the_query_layer_and_reads_well() {
    let house = House::copy(&corpus());
    let folder = house.corpus();
    let words = |more: &[&str]| -> Vec<OsString> {
        let own: [OsString; 4] = ["impact".into(), folder.clone().into(), "--source".into(), "gadgets".into()];
        own.into_iter().chain(more.iter().map(Into::into)).collect()
    };
    let report = house.gated(words(&["--format", "json"])).expect(0).json();
    let corpus = &report["corpora"][0];
    let count = |what: &str, role: &str| {
        let sql = format!(
            "SELECT {what} FROM documents WHERE array_to_string(source, '+') LIKE '%gadgets%' AND role = '{role}'"
        );
        house.number(&folder, &sql)
    };
    let sets = corpus["sets"].as_array().unwrap();
    let code = sets.iter().find(|s| s["set"] == "code").unwrap();
    assert_eq!(code["documents"], count("count(*)", "train"));
    assert_eq!(code["tokens"], count("sum(n_tokens * copies)", "train"));
    assert_eq!(code["held_out"], count("count(*)", "held-out"));
    let sum = |list: &str, key: &str| -> u64 {
        corpus[list].as_array().unwrap().iter().map(|p| p[key].as_u64().unwrap()).sum()
    };
    let all = count("count(*)", "train") + count("count(*)", "held-out");
    assert_eq!((sum("shards", "documents"), sum("tiers", "documents")), (all, all));
    assert_eq!(corpus["documents"].as_array().unwrap().len() as u64, all);
    assert!(sets.iter().all(|s| s["set"] == "code" || s["documents"] == 0));
    let html = house.path("impact.html");
    let said = house.gated(words(&["--html", html.to_str().unwrap()])).expect(0).stdout;
    let page = fs::read_to_string(html).unwrap();
    assert!(page.contains("The least that must be made anew") && !page.contains("http://"), "{page}");
    insta::assert_snapshot!(house.tidy(&masked(&said)));
    let nothing = flexmix([OsString::from("impact"), folder.into()]).expect(2).stderr;
    assert!(nothing.contains("nothing says what is withdrawn"), "{nothing}");
}

#[test]
fn a_released_rebuild_bars_the_manifest_from_before_and_an_owner_answers_for_a_closed_set() {
    let house = House::copy(&corpus());
    withdraw(&house, ["--source", "gadgets"], "contract-end", AS_OF, &["--id", "W-1"]).expect(0);
    let releases = house.records().join("releases");
    let words = rebuild_words(&house, &house.corpus(), &house.path("new"));
    flexmix(words.into_iter().chain(["--releases".into(), releases.clone().into()])).expect(0);
    assert!(releases.join("code-1.dsse.json").is_file() && !releases.join("public-1.dsse.json").is_file());
    house.renew_head(3);
    let plan = |corpus: &str| {
        let words: [OsString; 6] = [
            "train".into(),
            "plan".into(),
            house.path(corpus).into(),
            "--policy".into(),
            house.policy("train").into(),
            "--out".into(),
        ];
        house.gated(words.into_iter().chain([house.path("plan.toml").into()]))
    };
    plan("new").expect(0);
    assert!(plan("corpus").expect(1).stderr.contains("FM-T-012"));
    // The owner looks into the closed set, and signs what was found.
    let record = house.records().join("withdrawals/W-1.dsse.json");
    let words: [OsString; 8] = [
        "impact".into(),
        house.corpus().into(),
        "--withdrawal".into(),
        record.into(),
        "--owner".into(),
        "the plant".into(),
        "--owner-answers".into(),
        house.records().join("answers").into(),
    ];
    house.gated(words).expect(0);
    let answer = house.records().join("answers/W-1-notes.toml");
    let text = fs::read_to_string(&answer).unwrap();
    assert!(text.contains("touched = false") && text.matches("sha256:").count() == 3, "{text}");
    house.sign("impact", &answer, &["owner"]).expect(0);
    house.renew_head(4);
    plan("new").expect(0);
}

#[test]
fn an_opt_out_looks_forward_only() {
    let house = House::copy(&corpus());
    let report = withdraw(&house, ["--source", "widgets"], "opt-out", AS_OF, &[]).expect(0).stdout;
    assert!(report.contains("An opt-out is forward only"), "{report}");
    let audit = |policy: &str| {
        let words: [OsString; 4] =
            ["audit".into(), house.corpus().into(), "--policy".into(), house.policy(policy).into()];
        house.gated(words.into_iter().chain(["--format".into(), "json".into()])).stdout.contains("source-withdrawn")
    };
    assert_eq!(["research", "train", "build"].map(audit), [false, true, true]);
    assert!(rebuild(&house, &house.path("new")).expect(0).stdout.contains("40 documents"));
}

#[test]
fn a_rebuilt_set_without_its_record_does_not_verify() {
    let house = House::copy(&corpus());
    let new = house.path("new");
    withdraw(&house, ["--source", "widgets"], "contract-end", AS_OF, &[]).expect(0);
    rebuild(&house, &new).expect(0);
    let record = new.join("rebuilds/00001.dsse.json");
    let whole = fs::read(&record).unwrap();
    fs::remove_file(&record).unwrap();
    let said = house.verify(&new).expect(1).stdout;
    assert!(said.contains("there is no record of it"), "{said}");
    fs::write(&record, &whole).unwrap();
    house.verify(&new).expect(0);
    fs::write(new.join("rebuilds/00002.dsse.json"), whole).unwrap();
    let said = house.verify(&new).expect(1).stdout;
    assert!(said.contains("it comes after rebuild 1"), "{said}");
    // A rebuild asks for the policy that the corpus was built under.
    let other = house.policy("research");
    let mut words = rebuild_words(&house, &house.corpus(), &house.path("other"));
    let at = words.iter().position(|w| w == "--policy").unwrap() + 1;
    words[at] = other.into();
    let said = flexmix(words).expect(1).stderr;
    assert!(said.contains("was built under policy"), "{said}");
}

#[test]
fn outside_the_owners_house_a_closed_set_is_undecided() {
    let house = House::copy(&corpus());
    let out = house.path("outward");
    let mut words: Vec<OsString> = vec!["publish".into(), house.corpus().into(), "--out".into(), out.clone().into()];
    words.extend(["--key".into(), house.key("owner").into(), "--secret".into(), house.path("owner.secret").into()]);
    house.gated(words).expect(0);
    let ask = |folder: &Path, target: [&str; 2]| {
        let words: [OsString; 2] = ["impact".into(), folder.into()];
        let words = words.into_iter().chain(target.map(OsString::from));
        house.gated(words.chain(["--format".into(), "json".into()])).expect(0).json()
    };
    let work = text_of(&house, "note-003");
    for target in [["--source", "gadgets"], ["--work", &work]] {
        let report = ask(&out, target);
        assert_eq!(report["undecided"][0]["set"], "notes", "{report:#}");
        let inside = ask(&house.corpus(), target);
        assert_eq!(inside["undecided"], serde_json::json!([]), "{inside:#}");
    }
    // Terms stand in what may be said of it.
    assert_eq!(ask(&out, ["--license", "MIT"])["undecided"], serde_json::json!([]));
    rebuild_refused(&house, &out);
}

/// What was handed out is no corpus to rebuild.
fn rebuild_refused(house: &House, from: &Path) {
    let said = flexmix(rebuild_words(house, from, &house.path("nothing"))).expect(2).stderr;
    assert!(said.contains("is no corpus with its shards"), "{said}");
}
