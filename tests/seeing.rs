//! Seeing what happened: the funnel, reasons, samples, times, plots and the story of one document, as the real program
//! tells them. DuckDB counts the same; hostile words stay words; the text of what was dropped never leaves.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use manifests::digest::Sha256;
use serde_json::Value;

use crate::readers::script;
use crate::support::{Ended, House, copy_tree, corpus, corpus_differences, fixture, flexmix, npm, once};

/// Words that must stay words wherever they are shown.
const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>\u{1b}[2J\u{202e}evil\nKEPT: all of it";

fn inspect(folder: &Path, more: &[&OsStr]) -> Ended {
    flexmix(["inspect".as_ref(), folder.as_os_str()].into_iter().chain(more.iter().copied()))
}

fn json(folder: &Path, more: &[&OsStr]) -> Value {
    let format: [&OsStr; 2] = ["--format".as_ref(), "json".as_ref()];
    inspect(folder, &[more, &format].concat()).expect(0).json()
}

fn story(folder: &Path, id: &str) -> Value {
    json(folder, &["--document".as_ref(), id.as_ref()])
}

/// A house whose corpus kept what it dropped, among it a text and a declared id that are hostile.
fn excluding() -> House {
    let before = corpus();
    once("excluding", |house| {
        copy_tree(&before.path(""), &house.path(""));
        fs::remove_dir_all(house.corpus()).unwrap();
        copy_tree(&fixture().join("inputs"), &house.path("inputs"));
        let hostile = serde_json::json!({"id": HOSTILE, "text": HOSTILE, "url": "https://www.pages.example.co.uk/<b>"});
        let other = serde_json::json!({"id": "other", "text": "short", "url": "http://Shop.Example.co.uk:80/?q"});
        let file = house.write("inputs/hostile.jsonl", &format!("{hostile}\n{other}\n"));
        let digest = Sha256::of_file(&file).unwrap().1;
        let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
        let source = format!(
            "\n[[source]]\nid = \"hostile\"\nset = \"public\"\ntitle = \"Hostile\"\naccess = \"public\"\n\
             read_at = 2026-11-24\nobject = \"hostile.jsonl\"\nsha256 = \"{}\"\nformat = \"jsonl\"\nurl_field = \"url\"\n",
            digest.hex()
        );
        house.write("recipe.toml", &recipe.replacen("\n[[source]]", &format!("{source}\n[[source]]"), 1));
        house.build(&house.corpus(), &["--keep-excluded"]).expect(0);
    })
}

/// A report without what differs from run to run: the numbers of the times.
fn timeless(text: &str) -> String {
    let mut kept = Vec::new();
    let mut in_times = false;
    for line in text.lines() {
        in_times = (in_times && !line.is_empty()) || line.starts_with("throughput");
        if !in_times {
            kept.push(line.to_owned());
        } else if !line.starts_with(['-', 's', 't']) || line.starts_with("throughput") {
            kept.push(line.split("  ").next().unwrap().split(", ").next().unwrap().to_owned());
        }
    }
    let text = kept.join("\n");
    let (first, rest) = text.split_once("sha256:").unwrap_or((&text, ""));
    let digits = |part: &str| part.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '…').to_owned();
    rest.split("sha256:").fold(first.to_owned(), |all, part| all + "sha256:…" + &digits(part))
}

#[test]
fn the_report_reads_well() {
    let house = corpus();
    insta::assert_snapshot!(timeless(&inspect(&house.corpus(), &[]).expect(0).stdout));
}

#[test]
fn duckdb_counts_what_the_report_says() {
    for house in [corpus(), excluding()] {
        let guard = tempfile::tempdir().unwrap();
        let report = guard.path().join("report.json");
        let said = inspect(&house.corpus(), &["--format".as_ref(), "json".as_ref()]).expect(0);
        assert_eq!(said.json()["schema"], "flexmix/inspect-report/v2");
        fs::write(&report, &said.stdout).unwrap();
        let Some(ended) = script("inspected.py", &[&house.corpus(), &report]) else { return };
        let counts = ended.expect(0).json();
        let laws = counts["laws"].as_array().unwrap();
        for law in laws {
            assert_eq!(law["left"], law["right"], "{}", law["law"]);
        }
        assert!(laws.len() > 60, "only {} laws were tested", laws.len());
    }
}

#[test]
fn every_reason_has_samples_and_the_dropped_text_is_shown_where_it_was_kept() {
    let house = excluding();
    let report = json(&house.corpus(), &["--samples".as_ref(), "2".as_ref()]);
    let (reasons, samples) = (&report["curation"]["reasons"], report["curation"]["samples"].as_array().unwrap());
    for row in reasons.as_array().unwrap() {
        let own: Vec<&Value> =
            samples.iter().filter(|s| s["set"] == row["set"] && s["reason"] == row["reason"]).collect();
        assert!(!own.is_empty() && own.len() <= 2, "{row}: {own:?}");
        let is_of_text = row["stage"] != "read";
        assert!(own.iter().all(|s| s["text"].is_object() == is_of_text), "{row}: {own:?}");
    }
    let short = samples.iter().find(|s| s["reason"] == "length-too-few-words" && s["source"] == "almanac").unwrap();
    assert_eq!((&short["value"], &short["threshold"], &short["filter"]), (&4.0.into(), &20.0.into(), &"length".into()));
    let text = short["text"]["before"].as_str().unwrap();
    assert!(text.len() > 5 && short["text"]["cut_after"] == false, "{short}");
    let none = json(&corpus().corpus(), &[]);
    assert!(none["curation"]["samples"].as_array().unwrap().iter().all(|s| s["text"].is_null()));
    assert!(
        none["curation"]["missing"]
            .as_array()
            .unwrap()
            .iter()
            .any(|m| m["why"].as_str().unwrap().contains("--keep-excluded"))
    );
}

#[test]
fn places_are_registered_domains_else_folders() {
    let report = json(&excluding().corpus(), &[]);
    let places = report["curation"]["domains"].as_array().unwrap();
    let of = |place: &str| places.iter().find(|p| p["place"] == place).unwrap_or_else(|| panic!("{places:?}"));
    assert_eq!((&of("example.co.uk")["kind"], &of("example.co.uk")["documents"]), (&"domain".into(), &2.into()));
    assert_eq!((&of("almanac")["kind"], &of("almanac")["documents"]), (&"folder".into(), &220.into()));
    assert_eq!(of("gadgets: gadgets")["documents"], 171);
}

#[test]
fn keeping_what_was_dropped_changes_nothing_that_is_published() {
    let house = House::copy(&corpus());
    let with = house.path("with");
    house.build(&with, &["--keep-excluded"]).expect(0);
    let (kept, changed): (Vec<String>, Vec<String>) =
        corpus_differences(&house.corpus(), &with).into_iter().partition(|name| name.starts_with("excluded/"));
    assert_eq!(changed, Vec::<String>::new());
    assert!(!kept.is_empty());
    let dropped = house.number(&with, "SELECT count(*) FROM ledger WHERE decision = 'dropped'");
    assert_eq!(house.number(&with, "SELECT count(*) FROM excluded"), dropped);
    house.verify(&with).expect(0);
    // A finished corpus without it has nothing left to keep.
    let said = house.build(&house.corpus(), &["--keep-excluded", "--resume"]).expect(2).stderr;
    assert!(said.contains("what it dropped is gone"), "{said}");
    house.build(&with, &["--keep-excluded", "--resume"]).expect(0);
    // Gone or garbled, it is not missed.
    fs::write(with.join("excluded/00000.parquet"), "no table").unwrap();
    house.verify(&with).expect(0);
    inspect(&with, &[]).expect(0);
    fs::remove_dir_all(with.join("excluded")).unwrap();
    house.verify(&with).expect(0);
}

#[test]
fn what_was_dropped_never_leaves() {
    let house = House::copy(&excluding());
    let guard = tempfile::tempdir().unwrap();
    let out = guard.path().join("outward");
    let (folder, key, policy) = (house.corpus(), house.key("owner"), house.policy("publish"));
    let words = [
        "publish".as_ref(),
        folder.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
        "--key".as_ref(),
        key.as_os_str(),
        "--policy".as_ref(),
        policy.as_os_str(),
        "--format".as_ref(),
        "json".as_ref(),
    ];
    let report = house.gated(words).expect(0).json();
    assert!(!report["published"].as_array().unwrap().is_empty());
    let mut reasons = 0;
    for stayed in report["stayed"].as_array().unwrap() {
        if stayed["path"].as_str().unwrap().starts_with("excluded/") {
            assert!(stayed["reason"].as_str().unwrap().contains("dropped"), "{stayed}");
            reasons += 1;
        }
    }
    assert!(reasons > 3, "every file of it is listed as staying");
    for (name, bytes) in crate::support::contents(&out) {
        assert!(!name.starts_with("excluded") && name != "timings.json", "{name}");
        assert!(!bytes.windows(8).any(|w| w == b"alert(1)"), "{name}");
    }
}

#[test]
fn times_are_beside_the_corpus_and_not_of_it() {
    let house = House::copy(&corpus());
    let folder = house.corpus();
    let times = &json(&folder, &[])["curation"]["throughput"];
    assert_eq!(times["threads"], 2);
    let stages = times["stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|s| s["stage"].as_str().unwrap()).collect();
    assert_eq!((names[0], *names.last().unwrap()), ("read", "ledger"));
    let read = house.number(&folder, "SELECT count(*) FROM ledger");
    assert_eq!(stages[0]["documents"], read);
    assert!(stages.iter().all(|s| s["tasks"].as_u64() >= Some(1) && s["bytes"].as_u64() > Some(0)), "{stages:?}");
    assert!(stages[0]["busy_us"].as_u64() > Some(0));
    let kept = house.number(&folder, "SELECT count(*) FROM ledger WHERE decision <> 'dropped'");
    assert_eq!(stages.iter().find(|s| s["stage"] == "tokenize").unwrap()["documents"], kept);
    for broken in [Some("{}"), None] {
        match broken {
            Some(text) => fs::write(folder.join("timings.json"), text).unwrap(),
            None => fs::remove_file(folder.join("timings.json")).unwrap(),
        }
        house.verify(&folder).expect(0);
        let report = json(&folder, &[]);
        assert!(report["curation"]["throughput"].is_null());
        assert!(report["curation"]["missing"].as_array().unwrap().iter().any(|m| m["what"] == "throughput"));
    }
}

#[test]
fn hostile_words_stay_words() {
    let house = House::copy(&excluding());
    let page = house.path("page.html");
    let said = inspect(&house.corpus(), &["--html".as_ref(), page.as_os_str()]).expect(0).stdout;
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the text is on the page, as words");
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    assert!(!page.contains("<img"));
    let rows =
        house.query(&house.corpus(), "SELECT doc_id FROM ledger WHERE source = 'hostile' AND declared_id <> 'other'");
    let story = inspect(&house.corpus(), &["--document".as_ref(), rows[0]["doc_id"].as_str().unwrap().as_ref()]).stdout;
    assert!(said.contains("alert(1)") && story.contains("alert(1)"));
    for (name, text) in [("page", &page), ("report", &said), ("story", &story)] {
        let hidden = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert!(!text.chars().any(|c| hidden(&c)), "{name}");
    }
    for (name, text) in [("report", &said), ("story", &story)] {
        assert!(!text.lines().any(|l| l.starts_with("KEPT: all of it")), "{name}: a text begins no line");
    }
}

/// What a browser made of a page; none where there is no registry to get one from.
fn browsed(page: &Path) -> Option<Value> {
    let packages = npm("chromium-138.0.2", &["@sparticuz/chromium@138.0.2", "puppeteer-core@24.15.0"])?;
    let unpacked = packages.join("tmp");
    fs::create_dir_all(&unpacked).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser.mjs");
    let mut node = Command::new("node");
    // Where it unpacks itself, and that it is to bring its own libraries.
    node.env("TMPDIR", &unpacked).env("AWS_LAMBDA_JS_RUNTIME", "nodejs22.x");
    Some(Ended::of(node.arg(script).arg(&packages).arg(page)).expect(0).json())
}

#[test]
fn the_page_works_in_a_browser_and_asks_nothing_of_a_network() {
    let house = House::copy(&excluding());
    let (page, plain) = (house.path("page.html"), house.path("plain.html"));
    inspect(&house.corpus(), &["--html".as_ref(), page.as_os_str()]).expect(0);
    inspect(&corpus().corpus(), &["--html".as_ref(), plain.as_os_str()]).expect(0);
    let text = fs::read_to_string(plain).unwrap();
    for outside in
        ["http:", "https:", " src=", "url(", "@import", "<link", "<iframe", "<object", "<embed", "<base", "<form"]
    {
        assert!(!text.contains(outside), "{outside}");
    }
    assert!(text.matches("<svg class=\"plot\"").count() >= 3, "sizes are plotted");
    let Some(browsed) = browsed(&page) else { return };
    assert!(
        browsed["dom"].as_str().unwrap().contains("<search id=\"search\">"),
        "the page's own script ran under the page's own policy"
    );
    assert_eq!(browsed["complaints"], serde_json::json!([]));
    assert_eq!(browsed["asked"].as_array().unwrap().len(), 1, "it asks for itself: {}", browsed["asked"]);
    assert!(browsed["plots"].as_u64().unwrap() >= 3, "plots have a width");
}

#[test]
fn a_document_is_found_by_id_declared_id_or_place() {
    let house = corpus();
    let folder = house.corpus();
    let row = house.query(&folder, "SELECT doc_id, path FROM ledger WHERE declared_id = 'almanac-033'")[0].clone();
    let (id, path) = (row["doc_id"].as_str().unwrap(), row["path"].as_str().unwrap());
    let whole = story(&folder, id);
    assert_eq!(whole["schema"], "flexmix/document-story/v1");
    let record = whole["origin"]["record"].as_u64().unwrap();
    for other in [id[..8].to_owned(), "almanac-033".to_owned(), format!("{path}#{record}"), id.to_uppercase()] {
        assert_eq!(story(&folder, &other), whole, "{other}");
    }
    let said = inspect(&folder, &["--document".as_ref(), path.as_ref()]).expect(2).stderr;
    assert!(said.contains("220 documents") && said.contains("almanac.jsonl.gz"), "{said}");
    let said = inspect(&folder, &["--document".as_ref(), "nothing' OR '1'='1".as_ref()]).expect(2).stderr;
    assert!(said.contains("no document"), "{said}");
}

#[test]
fn a_story_is_what_the_tables_say() {
    let house = corpus();
    let folder = house.corpus();
    for row in house.query(
        &folder,
        "SELECT * FROM ledger WHERE source IN ('leaflets', 'mirror') OR stage = 'filter' ORDER BY doc_id",
    ) {
        let told = story(&folder, row["doc_id"].as_str().unwrap());
        assert_eq!(told["ledger"], row);
        let twin = row["duplicate_of"].as_str();
        assert_eq!(told["survivor"]["doc_id"].as_str(), twin);
        let outcome = match row["stage"].as_str().unwrap() {
            "read" => serde_json::json!([]),
            "filter" => serde_json::json!(["dropped"]),
            _ => serde_json::json!(["passed"]),
        };
        let said: Vec<&Value> = told["filters"].as_array().unwrap().iter().map(|f| &f["outcome"]).collect();
        assert_eq!(serde_json::json!(said), outcome, "{told}");
    }
    let of =
        |which: &str| house.query(&folder, &format!("SELECT doc_id FROM ledger WHERE {which} ORDER BY doc_id LIMIT 1"));
    let mut stories = String::new();
    for which in
        ["declared_id = 'almanac-033'", "reason = 'exact-duplicate'", "reason = 'malformed-json'", "decision = 'kept'"]
    {
        let id = of(which)[0]["doc_id"].as_str().unwrap().to_owned();
        let said = inspect(&folder, &["--document".as_ref(), id.as_ref()]).expect(0).stdout;
        stories += &format!("== {which}\n{}\n", timeless(&said).replace(&folder.display().to_string(), "CORPUS"));
    }
    insta::assert_snapshot!(stories);
}
