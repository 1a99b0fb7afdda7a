//! What people read first: the audit page and the NOTICE. A page asks nothing of a network, hostile titles are words,
//! nothing that is not ours is overwritten, and nothing owed is lost.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ended, House, copy_tree, corpus, fixture, model};

/// Runs a report on a folder under a policy of the house.
fn report(house: &House, command: &str, folder: &Path, policy: &str, more: &[&OsStr]) -> Ended {
    let policy = house.policy(policy);
    let words = [command.as_ref(), folder.as_os_str(), "--policy".as_ref(), policy.as_os_str()];
    house.gated(words.into_iter().chain(more.iter().copied()))
}

fn json(house: &House, command: &str, folder: &Path, policy: &str) -> Value {
    report(house, command, folder, policy, &["--format".as_ref(), "json".as_ref()]).json()
}

/// A page's words, without marks, style and script; digests without their digits, which differ from build to build.
fn words_of(page: &str) -> String {
    let mut text = String::new();
    let mut rest = &page[page.find("<body").unwrap()..page.find("<script").unwrap()];
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        let close = rest[open..].find('>').unwrap() + open;
        let tag = rest[open + 1..close].trim_start_matches('/').split([' ', '/']).next().unwrap();
        text.push_str(match tag {
            "b" | "code" | "span" | "a" => "",
            "td" | "th" | "dd" => " | ",
            _ => "\n",
        });
        rest = &rest[close + 1..];
    }
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let lines: Vec<&str> = plain.lines().map(str::trim).filter(|l| !l.is_empty() && *l != "|").collect();
    without_digits(&lines.join("\n"))
}

fn without_digits(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += "sha256:…";
        plain += part.trim_start_matches(|c: char| c.is_ascii_hexdigit()).trim_start_matches('…');
    }
    plain
}

#[test]
fn the_page_of_a_corpus_reads_well() {
    let house = House::copy(&corpus());
    let page = house.path("report/index.html");
    report(&house, "audit", &house.corpus(), "commercial", &["--html".as_ref(), page.as_os_str()]).expect(0);
    let page = fs::read_to_string(page).unwrap();
    insta::assert_snapshot!(house.tidy(&words_of(&page)));
}

#[test]
fn an_audit_of_a_corpus_reads_well() {
    let house = House::copy(&corpus());
    let said = report(&house, "audit", &house.corpus(), "commercial", &[]).expect(0).stdout;
    insta::assert_snapshot!(without_digits(&house.tidy(&said)));
}

#[test]
fn a_page_asks_nothing_of_a_network_and_links_its_notice() {
    let house = House::copy(&corpus());
    let (page, notice) = (house.path("report/index.html"), house.path("report/NOTICE"));
    let more = ["--html".as_ref(), page.as_os_str(), "--notice".as_ref(), notice.as_os_str()];
    report(&house, "audit", &house.corpus(), "research", &more).expect(0);
    let page = fs::read_to_string(page).unwrap();
    for outside in
        ["http:", "https:", " src=", "url(", "@import", "<link", "<iframe", "<object", "<embed", "<base", "<form"]
    {
        assert!(!page.contains(outside), "{outside}");
    }
    let links: Vec<&str> = page.split("href=\"").skip(1).map(|l| l.split('"').next().unwrap()).collect();
    assert!(links.contains(&"NOTICE"), "{links:?}");
    assert!(links.iter().all(|l| l.starts_with('#') || *l == "NOTICE"), "{links:?}");
    assert!(fs::read_to_string(notice).unwrap().starts_with("NOTICE: "));
}

#[test]
fn hostile_titles_are_words_on_every_report() {
    let house = House::copy(&corpus());
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let hostile = "<script>alert(1)</script>\\\"><img src=x onerror=alert(2)>\\u001B[2J\\u202Eevil\\nYES: all of it";
    let recipe = recipe.replacen("An almanac", hostile, 1).replacen("The widgets' makers", &format!("W{hostile}"), 1);
    house.write("recipe.toml", &recipe);
    let folder = house.path("hostile");
    house.build(&folder, &[]).expect(0);
    let page = house.path("hostile.html");
    let said = report(&house, "audit", &folder, "research", &["--html".as_ref(), page.as_os_str()]).expect(0).stdout;
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the title is on the page, as words");
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    assert!(!page.contains("<img"));
    let notice = report(&house, "notice", &folder, "research", &[]).expect(0).stdout;
    assert!(notice.contains("W<script>"), "{notice}");
    for (name, text) in [("page", &page), ("audit", &said), ("notice", &notice)] {
        let hidden = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert!(!text.chars().any(|c| hidden(&c)), "{name}");
        assert!(!text.lines().any(|l| l.starts_with("YES: all of it")), "{name}: a title begins no line");
    }
}

#[test]
fn a_report_replaces_reports_of_its_kind_and_nothing_else() {
    let house = House::copy(&corpus());
    let folder = house.corpus();
    let (page, notice) = (house.path("report.html"), house.path("NOTICE"));
    for _ in 0..2 {
        report(&house, "audit", &folder, "research", &["--html".as_ref(), page.as_os_str()]).expect(0);
        report(&house, "notice", &folder, "research", &["--out".as_ref(), notice.as_os_str()]).expect(0);
    }
    let mine = house.write("mine.html", "<!DOCTYPE html><title>my own page</title>");
    report(&house, "audit", &folder, "research", &["--html".as_ref(), mine.as_os_str()]).expect(2);
    report(&house, "notice", &folder, "research", &["--out".as_ref(), mine.as_os_str()]).expect(2);
    report(&house, "notice", &folder, "research", &["--out".as_ref(), page.as_os_str()]).expect(2);
    let impact = |out: &Path| {
        house.gated([
            "impact".as_ref(),
            folder.as_os_str(),
            "--source".as_ref(),
            "gadgets".as_ref(),
            "--html".as_ref(),
            out.as_os_str(),
        ])
    };
    impact(&house.path("impact.html")).expect(0);
    impact(&house.path("impact.html")).expect(0);
    impact(&page).expect(2);
    let recipe = house.path("recipe.toml");
    let before = fs::read(&recipe).unwrap();
    let said = report(&house, "audit", &folder, "research", &["--html".as_ref(), recipe.as_os_str()]).expect(2).stderr;
    assert!(said.contains("recipe.toml"), "{said}");
    assert_eq!(fs::read(&recipe).unwrap(), before);
    assert_eq!(fs::read_to_string(&mine).unwrap(), "<!DOCTYPE html><title>my own page</title>");
}

#[test]
fn a_notice_reads_well() {
    let house = House::copy(&corpus());
    let said = report(&house, "notice", &house.corpus(), "research", &[]).expect(0).stdout;
    insta::assert_snapshot!(without_digits(&house.tidy(&said)));
}

/// The strings of one member, all through a list.
fn members(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_kept_document_that_asks_is_in_the_notice_or_among_its_unknowns() {
    let house = corpus();
    let folder = house.corpus();
    let notice =
        house.gated(["notice".as_ref(), folder.as_os_str(), "--format".as_ref(), "json".as_ref()]).expect(0).json();
    // Asked by the tier's label, which the NOTICE does not look at.
    let asks =
        "decision <> 'dropped' AND \"set\" <> 'notes' AND (tier LIKE '%/%attribution%' OR tier LIKE '%/%notice%')";
    let owed = house.number(&folder, &format!("SELECT count(*) FROM ledger WHERE {asks}"));
    assert!(owed > 0);
    assert_eq!(notice["documents"], owed);
    let listed: BTreeSet<String> =
        notice["unknowns"].as_array().unwrap().iter().flat_map(|u| members(&u["listed"], "doc_id")).collect();
    let entries: u64 = notice["licenses"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|l| l["sources"].as_array().unwrap())
        .map(|s| s["documents"].as_u64().unwrap())
        .sum();
    assert_eq!(entries, owed, "each document is in one entry");
    let silent = house.query(
        &folder,
        &format!(
            "SELECT doc_id, source FROM ledger WHERE {asks} AND source NOT IN (SELECT source FROM claims
             WHERE kind IN ('copyright', 'attribution') AND doc_id IS NULL) AND doc_id NOT IN (SELECT doc_id FROM claims
             WHERE kind IN ('copyright', 'attribution') AND doc_id IS NOT NULL)"
        ),
    );
    for row in &silent {
        let id = row["doc_id"].as_str().unwrap();
        assert!(listed.contains(id), "{row}: nobody is named for it, and it is not listed");
    }
    let text = serde_json::to_string(&notice).unwrap();
    // The closed set's documents and sources are not named.
    assert_eq!(members(&notice["closed"], "set"), ["notes"]);
    let closed = house.query(&folder, "SELECT doc_id FROM ledger WHERE \"set\" = 'notes'");
    assert!(closed.iter().all(|row| !text.contains(row["doc_id"].as_str().unwrap())));
    assert!(!text.contains("The plant"), "a closed set's rightsholder is its owner's to name");
}

/// A source of three files under MIT: one with its author, one without, and one with two that nobody should have to
/// believe.
fn essays(house: &House) -> std::path::PathBuf {
    copy_tree(&fixture().join("inputs"), &house.path("inputs"));
    let body = |n: u32| {
        format!("# Essay {n} says why a thing that was written once may be read by many people on many days.\n")
            .repeat(3)
    };
    let license = "# SPDX-License-Identifier: MIT\n";
    house.write(
        "inputs/essays/a.py",
        &format!("{license}# SPDX-FileCopyrightText: © 2024 Ada Žitná <ada@a.invalid>\n{}", body(1)),
    );
    house.write("inputs/essays/b.py", &format!("{license}{}", body(2)));
    house.write(
        "inputs/essays/c.py",
        &format!("{license}# Copyright (c) 2020 Bob\n# Copyright (c) 2021 <b>Eve</b>\n{}", body(3)),
    );
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let source = "\n[[source]]\nid = \"essays\"\nset = \"code\"\ntitle = \"Essays\"\naccess = \"public\"\n\
                  read_at = 2026-11-24\nobject = \"essays\"\nformat = \"plain\"\n";
    house.write(
        "recipe.toml",
        &recipe.replace("\n[[source]]\nid = \"gadgets\"", &format!("{source}\n[[source]]\nid = \"gadgets\"")),
    );
    let folder = house.path("essays");
    house.build(&folder, &[]).expect(0);
    folder
}

#[test]
fn copyright_statements_are_kept_verbatim_and_silence_is_listed() {
    let house = House::copy(&corpus());
    let folder = essays(&house);
    let notice = json(&house, "notice", &folder, "research");
    let mit = notice["licenses"].as_array().unwrap().iter().find(|l| l["terms"] == "MIT").unwrap().clone();
    assert_eq!(mit["parts"][0]["text"], "https://spdx.org/licenses/MIT.html");
    let of_essays = mit["sources"].as_array().unwrap().iter().find(|s| s["source"] == "essays").unwrap().clone();
    let words = members(&of_essays["statements"], "words");
    // Each statement that the claims have, as they have it.
    let claimed: BTreeSet<String> = house
        .query(&folder, "SELECT DISTINCT raw FROM claims WHERE source = 'essays' AND kind = 'copyright'")
        .iter()
        .map(|row| row["raw"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(words.iter().cloned().collect::<BTreeSet<_>>(), claimed);
    for said in ["© 2024 Ada Žitná <ada@a.invalid>", "Copyright (c) 2020 Bob", "Copyright (c) 2021 <b>Eve</b>"] {
        assert!(words.iter().any(|w| w.contains(said)), "{said}: {words:?}");
    }
    let unknown = notice["unknowns"].as_array().unwrap().iter().find(|u| u["source"] == "essays").unwrap().clone();
    let paths = members(&unknown["listed"], "path");
    assert!(paths.len() == 1 && paths[0].ends_with("b.py"), "{paths:?}");
    assert_eq!(unknown["why"], "no-statement");
}

#[test]
fn a_notice_lists_what_a_policy_permits() {
    let house = corpus();
    let folder = house.corpus();
    let terms = |policy| members(&json(&house, "notice", &folder, policy)["licenses"], "terms");
    assert!(terms("research").iter().any(|t| t.starts_with("PolyForm-Noncommercial")));
    assert!(!terms("commercial").iter().any(|t| t.starts_with("PolyForm-Noncommercial")));
    let said = report(&house, "notice", &folder, "research", &["--set".as_ref(), "nowhere".as_ref()]).expect(2).stderr;
    assert!(said.contains("`code`"), "{said}");
}

#[test]
fn an_experts_own_text_is_told_from_the_public_text_beside_it() {
    let house = model();
    let audit = json(&house, "audit", &house.model("whole"), "commercial");
    let of = |id: &str| -> Value {
        let all = audit["verdicts"]["artifacts"].as_array().unwrap();
        all.iter().find(|j| j["id"] == id).unwrap().clone()
    };
    let (anchor, expert) = (of("anchor"), of("code-nc"));
    assert_eq!(anchor["own"], anchor["totals"]);
    assert_eq!(anchor["own"]["denied"], 0);
    // The expert's own text is denied whole, however much public text it saw.
    assert_eq!((&expert["own"]["permitted"], &expert["own"]["denied"]), (&0.into(), &expert["own"]["tokens"]));
    assert!(expert["totals"]["permitted"].as_u64().unwrap() > 0);
    let exposure = "SELECT \"set\", sum(tokens) AS tokens, max(documents) AS documents FROM exposure
                    WHERE artifact = 'code-nc' AND kind = 'gradient' GROUP BY \"set\" ORDER BY \"set\"";
    let rows = house.query(&house.model("whole"), exposure);
    assert_eq!(rows[0]["set"], "code");
    assert_eq!(expert["own"]["tokens"], rows[0]["tokens"], "positions fed forward, not rows made from the same text");
    let sum = rows.iter().map(|r| r["tokens"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(expert["totals"]["tokens"], sum);
    let kept = house.number(&house.corpus(), "SELECT documents FROM manifests WHERE \"set\" = 'code'");
    assert!(expert["own"]["documents"].as_u64().unwrap() <= kept, "no document counts for each kind of exposure");
    let text = audit["verdicts"]["artifacts"].as_array().unwrap().iter().find_map(|j| j["denial"].as_str()).unwrap();
    assert!(text.contains("100.0% of its own tokens"), "{text}");
}

#[test]
fn an_audit_of_a_model_quotes_the_corpus_beside_it_or_says_where_the_words_are() {
    let house = House::copy(&model());
    let denial = |model: &Path| -> String {
        let audit = json(&house, "audit", model, "commercial");
        let all = audit["verdicts"]["artifacts"].as_array().unwrap().clone();
        all.iter().find_map(|j| j["denial"].as_str()).unwrap().to_owned()
    };
    let beside = denial(&house.model("whole"));
    assert!(beside.contains("evidence: ") && beside.contains("read 2026-11-24"), "{beside}");
    let alone = house.path("alone");
    copy_tree(&house.model("whole"), &alone);
    let said = denial(&alone);
    assert!(said.contains("in the claims of the corpus with manifest sha256:"), "{said}");
}

#[test]
fn a_models_notice_covers_what_the_admitted_consumed() {
    let house = House::copy(&model());
    let whole = house.model("whole");
    let research = json(&house, "notice", &whole, "research");
    assert!(
        members(&research["licenses"], "terms").iter().any(|t| t.starts_with("PolyForm-Noncommercial")),
        "{research}"
    );
    let commercial = json(&house, "notice", &whole, "commercial");
    let takes_part: Vec<&str> = commercial["artifacts"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(!takes_part.contains(&"code-nc"), "{takes_part:?}");
    assert!(!members(&commercial["licenses"], "terms").iter().any(|t| t.starts_with("PolyForm")), "{commercial}");
    // Without the corpus nothing is dropped: what asks is listed as not known.
    let alone = house.path("alone");
    copy_tree(&whole, &alone);
    let alone = json(&house, "notice", &alone, "research");
    assert_eq!(alone["licenses"], Value::Array(vec![]));
    let whys = members(&alone["unknowns"], "why");
    assert!(whys.contains(&"corpus-missing".to_owned()), "{alone}");
}

#[test]
fn an_audit_shows_open_withdrawals_and_exceptions_that_end() {
    let house = House::copy(&corpus());
    let folder = house.corpus();
    let audit = json(&house, "audit", &folder, "commercial");
    let code = audit["verdicts"]["artifacts"].as_array().unwrap().iter().find(|j| j["id"] == "code").unwrap().clone();
    let exception = format!(
        "schema = \"flexmix/exception/v1\"\nid = \"E-1\"\ndemo = true\nsubject = \"{}\"\nrule = \"deny.properties\"\n\
         max_tokens = 10\nreason = \"asked\"\nowner = \"legal@fixture.invalid\"\nexpires = 2026-12-20\n",
        code["digest"].as_str().unwrap()
    );
    let file = house.write("records/exceptions/e.toml", &exception);
    house.sign("exception", &file, &["legal-1", "legal-2"]).expect(0);
    let withdrawal = |id: &str, kind: &str, source: &str, effective: &str| {
        let text = format!(
            "schema = \"flexmix/withdrawal/v1\"\nid = \"{id}\"\ndemo = true\nkind = \"{kind}\"\n\
             target = {{ source = \"{source}\" }}\neffective = {effective}\nlearned = 2026-11-30\nreason = \"asked\"\n"
        );
        let file = house.write(&format!("records/withdrawals/{id}.toml"), &text);
        house.sign("withdrawal", &file, &["withdrawals"]).expect(0);
    };
    withdrawal("W-1", "contract-end", "widgets", "2026-12-01");
    withdrawal("W-2", "contract-end", "gadgets", "2026-12-15");
    house.renew_head(2);
    let audit = json(&house, "audit", &folder, "commercial");
    let standing = &audit["verdicts"]["standing"];
    assert_eq!(standing["head"]["sequence"], 2);
    let exception = &standing["exceptions"][0];
    assert_eq!((&exception["artifact"], &exception["days_left"]), (&"code".into(), &19.into()));
    assert_eq!(exception["ending"], true);
    let rows = standing["withdrawals"].as_array().unwrap();
    let of = |id: &str| rows.iter().find(|w| w["id"] == id).unwrap().clone();
    assert_eq!((&of("W-1")["in_force"], &of("W-1")["denies"]), (&true.into(), &serde_json::json!(["code"])));
    assert_eq!((&of("W-2")["in_force"], &of("W-2")["denies"]), (&false.into(), &serde_json::json!([])));
    // Each token counts once in the set's verdict, however many rules deny it.
    let code = audit["verdicts"]["artifacts"].as_array().unwrap().iter().find(|j| j["id"] == "code").unwrap().clone();
    assert_eq!(code["totals"]["denied"], code["totals"]["tokens"]);
    let blockers = audit["verdicts"]["blockers"].as_array().unwrap();
    let withdrawn = blockers.iter().find(|b| b["reason"] == "source-withdrawn").unwrap();
    assert!(!withdrawn["fix"].as_str().unwrap().contains("an exception with"), "{withdrawn}");
    let page = house.path("standing.html");
    let said = report(&house, "audit", &folder, "commercial", &["--html".as_ref(), page.as_os_str()]).stdout;
    for text in [said, words_of(&fs::read_to_string(page).unwrap())] {
        assert!(text.contains("ends on 2026-12-20, in 19 days"), "{text}");
        assert!(text.contains("in force since 2026-12-01, denies code"), "{text}");
        assert!(text.contains("from 2026-12-15, denies nothing here"), "{text}");
    }
}
