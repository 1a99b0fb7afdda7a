//! What a build leaves opens in pyarrow and DuckDB with nothing of ours, and they count what `flexmix query` counts; what
//! is said in several places adds up to the same, from the rows of shards to the totals of stamps.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Ended, House, corpus, flexmix, model};

/// The exit status of a script whose tools could not be installed.
pub(crate) const NOT_INSTALLED: i32 = 77;

/// Runs one of the Python scripts of the tests. Nothing is skipped in silence: without the tools the test fails, unless
/// FLEXMIX_OFFLINE says that there is no registry.
pub(crate) fn script(name: &str, arguments: &[&Path]) -> Option<Ended> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python").join(name);
    let ended = Ended::of(Command::new("python3").arg(script).args(arguments));
    if ended.code != NOT_INSTALLED {
        return Some(ended);
    }
    assert!(std::env::var_os("FLEXMIX_OFFLINE").is_some(), "set FLEXMIX_OFFLINE to go without: {}", ended.stderr);
    eprintln!("skipped: {}", ended.stderr);
    None
}

#[test]
fn pyarrow_and_duckdb_count_what_we_count() {
    let house = corpus();
    let folder = house.corpus();
    let Some(ended) = script("read_parquet.py", &[&folder]) else { return };
    let counts = ended.expect(0).json();
    assert_eq!(counts["pyarrow"], counts["duckdb"]);
    let ours = |sql: &str| Value::from(house.number(&folder, sql));
    let found = &counts["pyarrow"];
    assert_eq!(found["ledger"], ours("SELECT count(*) FROM ledger"));
    assert_eq!(found["kept"], ours("SELECT count(*) FROM ledger WHERE decision = 'kept'"));
    assert_eq!(found["bytes_in"], ours("SELECT sum(bytes_in) FROM ledger"));
    assert_eq!(found["claims"], ours("SELECT count(*) FROM claims"));
    assert_eq!(found["documents"], ours("SELECT count(*) FROM documents"));
    assert_eq!(found["n_tokens"], ours("SELECT sum(n_tokens) FROM documents"));
    assert_eq!(found["tokens"], found["n_tokens"]);
    assert_eq!(found["first"], house.query(&folder, "SELECT min(doc_id) AS first FROM documents")[0]["first"]);
}

/// The laws that DuckDB found by adding up a house's corpus and models; all hold.
#[track_caller]
fn laws(house: &House) -> Option<Value> {
    let counts = script("add_up.py", &[&house.corpus()])?.expect(0).json();
    let laws = counts["laws"].as_array().unwrap();
    for law in laws {
        assert_eq!(law["left"], law["right"], "{}", law["law"]);
    }
    assert!(laws.len() > 30, "only {} laws were tested", laws.len());
    Some(counts)
}

/// A list of objects as sorted rows of a key and two counts.
fn rows(list: &Value, keep: impl Fn(&Value) -> bool, key: &str) -> Value {
    let mut rows: Vec<(String, u64, u64)> = Vec::new();
    for item in list.as_array().unwrap().iter().filter(|i| keep(i)) {
        let count = |name: &str| item[name].as_u64().unwrap();
        rows.push((item[key].as_str().unwrap().to_owned(), count("documents"), count("tokens")));
    }
    rows.retain(|r| r.1 > 0);
    rows.sort();
    serde_json::to_value(rows).unwrap()
}

#[test]
fn exposure_cells_add_up_to_totals_everywhere() {
    let house = corpus();
    let Some(counts) = laws(&house) else { return };
    let folder = house.corpus();
    let inspect =
        flexmix(["inspect".as_ref(), folder.as_os_str(), "--format".as_ref(), "json".as_ref()]).expect(0).json();
    for set in inspect["sets"].as_array().unwrap() {
        let name = set["set"].as_str().unwrap();
        let found = &counts["sets"][name];
        assert_eq!((&set["tokens"], &set["kept"]), (&found["tokens"], &found["documents"]), "{name}");
        let of_set = |row: &Value| row["set"] == name;
        assert_eq!(rows(&inspect["tiers"], of_set, "tier"), found["tiers"], "{name}: inspect's tiers are DuckDB's");
    }
    let sum = |list: &Value| list.as_array().unwrap().iter().map(|r| r["tokens"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum(&inspect["licenses"]), sum(&inspect["sets"]), "terms add up to the sets");
    assert_eq!(sum(&inspect["tiers"]), sum(&inspect["sets"]), "tiers add up to the sets");
}

#[test]
fn an_audits_numbers_are_those_of_the_corpus() {
    let house = corpus();
    let Some(counts) = laws(&house) else { return };
    let (folder, policy) = (house.corpus(), house.policy("commercial"));
    let words = ["audit".as_ref(), folder.as_os_str(), "--policy".as_ref(), policy.as_os_str(), "--format".as_ref()];
    let audit = house.gated(words.into_iter().chain(["json".as_ref()])).json();
    let verdicts = &audit["verdicts"];
    let mut sums = [0u64; 3];
    for judged in verdicts["artifacts"].as_array().unwrap() {
        let found = &counts["sets"][judged["id"].as_str().unwrap()];
        let totals = &judged["totals"];
        assert_eq!((&totals["tokens"], &totals["documents"]), (&found["tokens"], &found["documents"]), "{judged}");
        let count = |name: &str| totals[name].as_u64().unwrap();
        assert_eq!(count("permitted") + count("denied"), count("tokens"));
        for (sum, name) in sums.iter_mut().zip(["tokens", "permitted", "denied"]) {
            *sum += count(name);
        }
    }
    let all = ["tokens", "permitted", "denied"].map(|name| verdicts["tokens"][name].as_u64().unwrap());
    assert_eq!(all, sums, "the first screen's numbers are the sets' together");
    let tiers: u64 = verdicts["tiers"].as_array().unwrap().iter().map(|t| t["tokens"].as_u64().unwrap()).sum();
    assert_eq!(tiers, sums[0], "tiers add up to the whole");
}

#[test]
fn what_stamps_say_was_consumed_adds_up() {
    let house = model();
    let Some(counts) = laws(&house) else { return };
    let folder = house.model("whole");
    let stamps = counts["stamps"].as_array().unwrap();
    assert_eq!(stamps.len(), 3);
    let inspect =
        flexmix(["inspect".as_ref(), folder.as_os_str(), "--format".as_ref(), "json".as_ref()]).expect(0).json();
    for stamp in stamps {
        for (kind, total) in stamp["totals"].as_object().unwrap() {
            let of = |row: &&Value| row["artifact"] == stamp["id"] && row["kind"] == kind.as_str();
            let shown: u64 =
                inspect["exposure"].as_array().unwrap().iter().filter(of).filter_map(|r| r["tokens"].as_u64()).sum();
            assert_eq!(shown, total.as_u64().unwrap(), "{} {kind}", stamp["id"]);
        }
    }
    let artifacts = inspect["artifacts"].as_array().unwrap();
    let steps = |id: &str| artifacts.iter().find(|a| a["artifact"] == id).unwrap()["steps"].as_u64().unwrap();
    let anchor = stamps.iter().find(|s| s["id"] == "anchor").unwrap();
    // The sizes of the fixture's plan: 256 positions a step.
    assert_eq!(anchor["totals"]["gradient"].as_u64().unwrap(), steps("anchor") * 256);
}
