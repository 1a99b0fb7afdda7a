//! From manifests to a session, with the real programs: plan, jobs, stamps, merge, and answers under two policies.
//! What a policy excludes is never opened, and excluding is never having merged, bit for bit.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use serde_json::Value;

use crate::support::{Ended, House, copy_tree, flexmix, flip_byte, model, quiet, random, torch_program};

/// Runs `flexmix generate` under a policy.
pub(crate) fn generate(house: &House, model: &Path, policy: &str) -> Ended {
    let words: Vec<OsString> = vec![
        "generate".into(),
        model.into(),
        "--policy".into(),
        house.policy(policy).into(),
        "--prompt".into(),
        "The miller watched".into(),
        "--max-tokens".into(),
        "24".into(),
        "--threads".into(),
        "1".into(),
        "--format".into(),
        "json".into(),
    ];
    house.gated(words)
}

/// Runs `flexmix eval loss` under a policy.
fn losses(house: &House, model: &Path, policy: &str, threads: &str) -> Ended {
    let mut words: Vec<OsString> = vec!["eval".into(), "loss".into(), model.into(), house.corpus().into()];
    words.extend(["--policy".into(), house.policy(policy).into(), "--format".into(), "json".into()]);
    words.extend(["--max-tokens".into(), "2000".into(), "--threads".into(), threads.into()]);
    house.gated(words)
}

/// The ids in a part of a session's report.
pub(crate) fn ids(report: &Value, part: &str) -> Vec<String> {
    report["session"][part].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect()
}

/// The loss of a set.
fn loss(report: &Value, set: &str) -> f64 {
    let sets = report["sets"].as_array().unwrap();
    sets.iter().find(|s| s["set"] == set).unwrap_or_else(|| panic!("no loss of `{set}`: {report}"))["loss"]
        .as_f64()
        .unwrap()
}

#[test]
fn the_plan_proposes_an_expert_for_each_tier_and_shows_the_outlook() {
    let house = model();
    let (plan, _) = manifests::plan::Plan::read(&house.plan()).unwrap();
    let experts: Vec<&str> = plan.experts.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(experts, ["code-nc", "notes-contract"]);
    // Forty widgets are too few for an expert: they join the stricter tier of their set, never a laxer one.
    assert_eq!(plan.experts[0].tiers, ["concluded/license/non-commercial+notice", "concluded/license/notice"]);
    let [train, research, commercial] = &plan.outlook[..] else { panic!("{:?}", plan.outlook) };
    assert_eq!((train.usable.len(), research.usable.len(), commercial.usable.len()), (2, 2, 1));
    assert_eq!(commercial.excluded, ["code-nc: license-denied"]);
    assert!(commercial.anchor_denied.is_none() && commercial.usable_ppm < 1_000_000);
}

#[test]
fn stamps_count_what_was_consumed() {
    let house = model();
    let folder = house.corpus();
    let gradient = |artifact: &str, set: &str| {
        let sql = format!(
            "SELECT coalesce(sum(tokens), 0) FROM exposure WHERE artifact = '{artifact}' AND kind = 'gradient' AND \"set\" = '{set}'"
        );
        house.number(&folder, &sql)
    };
    assert_eq!(gradient("anchor", "public"), 16_384);
    // An expert has seen what its anchor saw, its own text, and as much public text.
    assert_eq!((gradient("code-nc", "code"), gradient("code-nc", "public")), (4096, 16_384 + 4096));
    let closed = house.query(&folder, "SELECT tokens, documents, sources, at_most FROM exposure WHERE artifact = 'notes-contract' AND \"set\" = 'notes' AND kind = 'gradient'");
    assert_eq!(closed.len(), 1);
    assert!(
        closed[0]["tokens"].is_null() && closed[0]["documents"].is_null(),
        "a closed set gives no counts: {closed:?}"
    );
    assert_eq!((closed[0]["at_most"].as_u64(), &closed[0]["sources"]), (Some(10_000), &serde_json::json!([])));
}

#[test]
fn a_policy_decides_who_answers_and_says_why() {
    let house = model();
    let whole = house.model("whole");
    let all = losses(&house, &whole, "research", "1").expect(0).json();
    assert_eq!((ids(&all, "admitted").len(), ids(&all, "excluded").len()), (2, 0));
    let some = losses(&house, &whole, "commercial", "1").expect(0).json();
    assert_eq!(
        (ids(&some, "admitted"), ids(&some, "excluded")),
        (vec!["notes-contract".to_owned()], vec!["code-nc".to_owned()])
    );
    let cause = &some["session"]["excluded"][0]["causes"][0];
    assert_eq!(
        (cause["code"].as_str(), cause["reason"].as_str()),
        (Some("FM-P-014"), Some("license-denied")),
        "{cause:#}"
    );
    assert!(cause["rule"].as_str().unwrap().contains("deny.properties \"non-commercial\""), "{cause:#}");
    assert!(cause["tokens"].as_u64().unwrap() > 0 && !cause["evidence"].as_str().unwrap().is_empty(), "{cause:#}");
    // The expert that left had learned its set.
    assert!(loss(&all, "code") < loss(&some, "code"), "{all}\n{some}");
    let human: Vec<OsString> = vec![
        "generate".into(),
        whole.into(),
        "--policy".into(),
        house.policy("commercial").into(),
        "--prompt".into(),
        "A".into(),
    ];
    let said = house.gated(human).expect(0).stdout;
    assert!(said.contains("excluded: code-nc") && said.contains("FM-P-014"), "{said}");
}

#[test]
fn excluding_an_expert_is_never_having_merged_it() {
    let house = House::copy(&model());
    house.merge("without", &["notes-contract"]).expect(0);
    let (whole, without) = (house.model("whole"), house.model("without"));
    let excluded = losses(&house, &whole, "commercial", "1").expect(0).json();
    let never = losses(&house, &without, "commercial", "1").expect(0).json();
    // JSON carries every bit of a double: equal text is equal bits.
    assert_eq!(excluded["sets"], never["sets"]);
    assert_eq!(excluded["session"]["admitted_set"], never["session"]["admitted_set"]);
    let two_threads = losses(&house, &whole, "commercial", "2").expect(0).json();
    assert_eq!(excluded["sets"], two_threads["sets"]);
    let answer = |model: &Path| generate(&house, model, "commercial").expect(0).json()["answer"].clone();
    assert_eq!(answer(&whole), answer(&without));
    let with_all = losses(&house, &whole, "research", "1").expect(0).json();
    assert_ne!(with_all["sets"], excluded["sets"], "the excluded expert changes something when it answers");
}

#[test]
fn excluded_weights_are_never_opened() {
    let house = House::copy(&model());
    let whole = house.model("whole");
    let before = generate(&house, &whole, "commercial").expect(0).stdout;
    let folder = whole.join("experts/code-nc");
    let weights = folder.join("expert.safetensors");
    fs::write(&weights, b"poison").unwrap();
    assert_eq!(generate(&house, &whole, "commercial").expect(0).stdout, before);
    generate(&house, &whole, "research").expect(1);
    // Whoever opens a pipe that nobody writes to waits for ever.
    fs::remove_file(&weights).unwrap();
    assert!(Command::new("mkfifo").arg(&weights).status().unwrap().success());
    assert_eq!(generate(&house, &whole, "commercial").expect(0).stdout, before);
    fs::remove_file(&weights).unwrap();
    assert_eq!(generate(&house, &whole, "commercial").expect(0).stdout, before);
    house.verify(&whole).expect(1);
    fs::remove_dir_all(&folder).unwrap();
    let gone = generate(&house, &whole, "commercial").expect(0).json();
    let kept: Value = serde_json::from_str(&before).unwrap();
    assert_eq!(gone["answer"], kept["answer"]);
    house.verify(&whole).expect(0);
}

#[test]
fn changed_weights_are_refused() {
    let house = House::copy(&model());
    let whole = house.model("whole");
    let weights = whole.join("experts/notes-contract/expert.safetensors");
    let length = usize::try_from(weights.metadata().unwrap().len()).unwrap();
    flip_byte(&weights, length - 9);
    for policy in ["research", "commercial"] {
        let said = generate(&house, &whole, policy).expect(1).stderr;
        assert!(said.contains("expert.safetensors"), "{said}");
    }
    flip_byte(&weights, length - 9);
    generate(&house, &whole, "research").expect(0);
    flip_byte(&whole.join("anchor/model.safetensors"), length);
    generate(&house, &whole, "research").expect(1);
}

#[test]
fn a_session_is_a_gate() {
    let house = House::copy(&model());
    let whole = house.model("whole");
    // A policy for another act, no trust, weights without a grant, and a withdrawal.
    generate(&house, &whole, "train").expect(1);
    let policy = house.policy("research");
    let words = [
        "generate".as_ref(),
        whole.as_os_str(),
        "--policy".as_ref(),
        policy.as_os_str(),
        "--prompt".as_ref(),
        "A".as_ref(),
    ];
    let said = flexmix(words).expect(1).stderr;
    assert!(said.contains("FM-T-001"), "{said}");
    flexmix(["generate".as_ref(), whole.as_os_str(), "--prompt".as_ref(), "A".as_ref()]).expect(2);

    let text = "schema = \"flexmix/withdrawal/v1\"\nid = \"w-1\"\ndemo = true\nkind = \"contract-end\"\n\
                target = { source = \"gadgets\" }\neffective = 2026-12-01\nlearned = 2026-12-01\nreason = \"a test\"\n";
    let file = house.write("records/withdrawals/w-1.toml", text);
    house.sign("withdrawal", &file, &["withdrawals"]).expect(0);
    house.renew_head(3);
    let withdrawn = generate(&house, &whole, "research").expect(0).json();
    let causes = withdrawn["session"]["excluded"].as_array().unwrap();
    let reasons = |id: &str| -> Vec<&str> {
        let one = causes.iter().find(|e| e["id"] == id).unwrap_or_else(|| panic!("`{id}` answered: {withdrawn:#}"));
        one["causes"].as_array().unwrap().iter().map(|c| c["reason"].as_str().unwrap()).collect()
    };
    assert!(reasons("code-nc").contains(&"source-withdrawn"));
    // Its owner has not said whether the closed set holds something of the source.
    assert!(reasons("notes-contract").contains(&"undecided-withdrawal"));
}

#[test]
fn weights_without_a_grant_do_not_answer() {
    let house = House::copy(&model());
    for suffix in ["toml", "dsse.json"] {
        fs::remove_file(house.records().join("grants").join(format!("weights-code-nc.{suffix}"))).unwrap();
    }
    house.renew_head(3);
    let report = generate(&house, &house.model("whole"), "research").expect(0).json();
    assert_eq!(ids(&report, "excluded"), ["code-nc"]);
    assert_eq!(report["session"]["excluded"][0]["causes"][0]["reason"], "grant-missing");
}

/// Starts a job of the plan by itself, in a folder of its own.
fn job(house: &House, name: &str, out: &Path) -> Command {
    let mut command = Command::new(torch_program());
    let (kind, id) = if name == "anchor" { ("anchor", None) } else { ("expert", Some(name)) };
    command.args(["train", kind]).arg(house.plan()).args(id).arg("--out").arg(out).args(house.job_words());
    if name != "anchor" {
        command.arg("--anchor").arg(house.stamped("anchor"));
    }
    quiet(&mut command).args(["--checkpoint-every", "1"]).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn a_killed_job_goes_on_to_the_same_stamp() {
    let house = House::copy(&model());
    for name in ["anchor", "code-nc"] {
        let whole = house.path(&format!("whole-{name}"));
        let started = Instant::now();
        assert!(job(&house, name, &whole).status().unwrap().success(), "{name}");
        let time = started.elapsed();
        let stamp = |out: &Path| fs::read(out.join("model/stamp.dsse.json")).unwrap();
        assert_eq!(
            stamp(&whole),
            fs::read(house.stamped(name).join("stamp.dsse.json")).unwrap(),
            "checkpoints change nothing"
        );
        let killed = house.path(&format!("killed-{name}"));
        let (mut seed, mut kills, mut midway) = (3, 0, 0);
        while kills < 10 {
            let mut child = job(&house, name, &killed).spawn().unwrap();
            sleep(time * u32::try_from(20 + random(&mut seed) % 60).unwrap() / 100);
            let finished = child.try_wait().unwrap();
            if let Some(status) = finished {
                assert!(status.success(), "{name}: {status}");
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            midway += u32::from(killed.join("checkpoint.safetensors").is_file());
        }
        eprintln!("{name}: killed {kills} times in {time:?}, {midway} with a checkpoint to go on from");
        assert!(midway > 0, "{name} was never killed between two checkpoints");
        let ended = Ended::of(job(&house, name, &killed).stdout(Stdio::piped()).stderr(Stdio::piped()));
        ended.expect(0);
        assert_eq!(stamp(&killed), stamp(&whole), "{name} after {kills} kills");
        let product = |out: &Path| crate::support::contents(&out.join("model"));
        assert_eq!(product(&killed), product(&whole));
    }
}

#[test]
fn a_job_that_is_asked_to_stop_keeps_a_checkpoint_and_says_so() {
    let house = House::copy(&model());
    let out = house.path("asked");
    let mut child = job(&house, "anchor", &out).spawn().unwrap();
    // Its first metrics show that steps are being taken; before them there is nothing to keep.
    let metrics = out.join("metrics.jsonl");
    while !fs::metadata(&metrics).is_ok_and(|m| m.len() > 0) {
        assert!(child.try_wait().unwrap().is_none(), "the job ended before it could be asked to stop");
        sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(75), "stopped at a checkpoint: run again");
    assert!(out.join("checkpoint.safetensors").is_file());
    Ended::of(job(&house, "anchor", &out).stdout(Stdio::piped()).stderr(Stdio::piped())).expect(0);
    let stamp = |folder: &Path| fs::read(folder.join("stamp.dsse.json")).unwrap();
    assert_eq!(stamp(&out.join("model")), stamp(&house.stamped("anchor")), "a stop changes nothing");
}

#[test]
fn a_job_does_not_start_on_a_changed_shard_or_under_a_policy_that_denies() {
    let house = House::copy(&model());
    let out = house.path("job");
    let run = |name: &str, policy: &str| {
        let mut words: Vec<OsString> = vec!["train".into(), "expert".into(), house.plan().into(), name.into()];
        words.extend(["--out".into(), out.clone().into(), "--key".into(), house.key("trainer").into()]);
        words.extend(["--policy".into(), house.policy(policy).into()]);
        house.gated(words)
    };
    run("code-nc", "commercial").expect(1);
    flip_byte(&house.corpus().join("sets/code/shard-00000.parquet"), 5000);
    let said = run("code-nc", "train").expect(1).stderr;
    assert!(said.contains("shard-00000.parquet"), "{said}");
    assert!(!out.join("model").is_dir());
}

#[test]
fn a_finished_launch_trains_nothing_again() {
    let house = House::copy(&model());
    let before = house.path("before");
    copy_tree(&house.corpus().join("train"), &before);
    let words: Vec<OsString> = vec!["train".into(), "launch".into(), house.plan().into(), "--".into()];
    let said = flexmix(words.into_iter().chain(house.job_words())).expect(0).stderr;
    assert!(said.contains("finished before"), "{said}");
    assert_eq!(crate::support::differences(&before, &house.corpus().join("train")), Vec::<String>::new());
}

#[test]
fn a_merge_refuses_what_does_not_belong_together() {
    let house = House::copy(&model());
    house.merge("whole", &["code-nc"]).expect(2);
    let said = house.merge("twice", &["code-nc", "code-nc"]).expect(2).stderr;
    assert!(said.contains("`code-nc` is named twice"), "{said}");
    assert!(!house.model("twice").is_dir());
    // An anchor of another seed is another anchor.
    let text = fs::read_to_string(house.plan()).unwrap();
    let other = house.write("corpus/train/other.toml", &text.replacen("seed = 1", "seed = 2", 1));
    let words: Vec<OsString> =
        vec!["train".into(), "anchor".into(), other.into(), "--out".into(), house.path("other").into()];
    flexmix(words.into_iter().chain(house.job_words())).expect(0);
    let mut words: Vec<OsString> = vec!["merge".into(), "--anchor".into(), house.path("other/model").into()];
    words.extend(["--expert".into(), house.stamped("code-nc").into(), "--out".into(), house.model("mixed").into()]);
    words.extend(["--key".into(), house.key("merger").into(), "--trust".into(), house.path("trust.toml").into()]);
    words.extend(["--as-of".into(), crate::support::AS_OF.into()]);
    let said = flexmix(words).expect(1).stderr;
    assert!(said.contains("trained against anchor"), "{said}");
}

#[test]
fn an_audit_of_a_model_needs_no_weights() {
    let house = House::copy(&model());
    let whole = house.model("whole");
    for weights in
        ["anchor/model.safetensors", "experts/code-nc/expert.safetensors", "experts/notes-contract/expert.safetensors"]
    {
        fs::remove_file(whole.join(weights)).unwrap();
    }
    let policy = house.policy("commercial");
    let said =
        house.gated(["audit".as_ref(), whole.as_os_str(), "--policy".as_ref(), policy.as_os_str()]).expect(0).stdout;
    assert!(said.contains("code-nc") && said.contains("FM-P-014"), "{said}");
}

#[test]
fn what_has_no_stamp_is_never_taken_for_permitted() {
    let house = House::copy(&model());
    let (whole, policy) = (house.model("whole"), house.policy("commercial"));
    fs::remove_file(whole.join("experts/code-nc/stamp.dsse.json")).unwrap();
    let said =
        house.gated(["audit".as_ref(), whole.as_os_str(), "--policy".as_ref(), policy.as_os_str()]).expect(0).stdout;
    assert!(said.contains("IN PART") && said.contains("code-nc") && said.contains("FM-T-008"), "{said}");
    let said = house.verify(&whole).expect(1);
    assert!(said.stdout.contains("code-nc/stamp.dsse.json"), "{}{}", said.stdout, said.stderr);
}

#[test]
fn devices_test_their_own_bits() {
    let ended = Ended::of(Command::new(torch_program()).args(["devices", "--format", "json"])).expect(0);
    assert!(ended.json().is_object());
}
