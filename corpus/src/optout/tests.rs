//! Opt-outs: what a reference tool decides on robots.txt, and tables of what sites really write, or smuggle.

use manifests::claim::{Claim, Scope, Signal, Statement};
use manifests::digest::Sha256;
use proptest::prelude::*;
use serde::Deserialize;

use super::robots::Robots;
use super::{AI_AGENTS, Kind, Sites, Snapshot};
use crate::document::{Context, Declared, Document};

#[derive(Deserialize)]
struct Golden {
    by: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    robots: String,
    questions: Vec<(String, String, bool)>,
}

#[test]
fn robots_decide_as_the_reference_tool_does() {
    let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/robots.json")).unwrap();
    assert_eq!(golden.by, "protego 0.7.0");
    let mut asked = 0;
    for case in &golden.cases {
        let robots = Robots::parse(&case.robots);
        for (agent, path, allowed) in &case.questions {
            assert_eq!(robots.allows(agent, path), *allowed, "{agent} {path}\n{}", case.robots);
            asked += 1;
        }
    }
    assert!(asked > 1500, "{asked}");
}

fn snapshot(kind: Kind, url: &str, text: &str) -> Snapshot {
    Snapshot {
        kind,
        url: url.to_owned(),
        status: 200,
        reserved: None,
        quote: String::new(),
        agents: AI_AGENTS.map(str::to_owned).into(),
        read_at: "2026-11-20".parse().unwrap(),
        locator: format!("snapshots/{}", url.rsplit('/').next().unwrap()),
        bytes: text.as_bytes().to_vec(),
        digest: Sha256::of(text.as_bytes()),
    }
}

fn robots(text: &str) -> Snapshot {
    snapshot(Kind::Robots, "https://example.org/robots.txt", text)
}

fn tdmrep(text: &str) -> Snapshot {
    snapshot(Kind::Tdmrep, "https://example.org/.well-known/tdmrep.json", text)
}

fn rsl(content: &str) -> Snapshot {
    let text = format!("<?xml version=\"1.0\"?>\n<rsl xmlns=\"https://rslstandard.org/rsl\">{content}</rsl>");
    snapshot(Kind::Rsl, "https://example.org/license.xml", &text)
}

fn document(url: &str, headers: Option<&str>, page: Option<&str>) -> Document {
    Document {
        source: "s".parse().unwrap(),
        path: "a.html".to_owned(),
        record: 0,
        ordinal: 0,
        declared_id: None,
        text: "text".to_owned(),
        bytes_in: 4,
        bytes_added: 0,
        bytes_removed: 0,
        claims: vec![],
        context: Context {
            record_digest: Sha256::of(b"record"),
            head: String::new(),
            page: page.map(str::to_owned),
            url: Some(url.to_owned()),
            headers: headers.map(|raw| Declared {
                raw: raw.to_owned(),
                speaker: manifests::claim::Speaker::Source,
                locator: "a.jsonl#0/headers".to_owned(),
            }),
            license: None,
            copyright: None,
            attributions: vec![],
        },
    }
}

fn claims(snapshots: &[Snapshot], document: &Document) -> Vec<Claim> {
    Sites::new(snapshots.to_vec()).claims(document, None)
}

/// What is concluded of one signal on `https://example.org/PATH`, for a page with a header that says nothing.
fn on(snapshots: &[Snapshot], path: &str, signal: Signal) -> Option<bool> {
    let document = document(&format!("https://example.org{path}"), Some(""), Some("<html></html>"));
    manifests::conclusion::conclude(&claims(snapshots, &document)).optouts.get(&signal).copied()
}

#[test]
fn one_trainer_shut_out_reserves_and_others_do_not_count() {
    let says = |text: &str, path: &str| on(&[robots(text)], path, Signal::Robots);
    assert_eq!(says("User-agent: GPTBot\nDisallow: /\n", "/a"), Some(true));
    assert_eq!(says("User-agent: *\nDisallow: /private\n", "/private/a"), Some(true));
    assert_eq!(says("User-agent: *\nDisallow: /private\n", "/a"), Some(false));
    assert_eq!(says("User-agent: Googlebot\nDisallow: /\n", "/a"), Some(false));
    assert_eq!(says("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n", "/a"), Some(true));
    assert_eq!(says("User-agent: *\nContent-Signal: search=yes, ai-train=yes\nAllow: /\n", "/a"), Some(false));
    // A slip of the pen in the key is understood as crawlers do.
    assert_eq!(says("User-agent: *\nDissallow: /\n", "/a"), Some(true));
    let mut own = robots("User-agent: OurBot\nDisallow: /\nUser-agent: GPTBot\nDisallow:\n");
    own.agents = vec!["OurBot".to_owned()];
    assert_eq!(on(&[own], "/a", Signal::Robots), Some(true));
}

#[test]
fn another_host_a_failed_answer_and_a_missing_file_are_told_apart() {
    let free = "User-agent: *\nAllow: /\n";
    let elsewhere = snapshot(Kind::Robots, "https://mirror.example.org/robots.txt", free);
    assert_eq!(on(&[elsewhere], "/a", Signal::Robots), None);
    for (status, expected) in [(404, Some(false)), (410, Some(false)), (403, None), (500, None), (503, None)] {
        let none = Snapshot { status, bytes: vec![], ..robots("") };
        assert_eq!(on(&[none], "/a", Signal::Robots), expected, "{status}");
        let none = Snapshot { status, bytes: vec![], ..tdmrep("") };
        assert_eq!(on(&[none], "/a", Signal::Tdmrep), expected, "{status}");
    }
    assert_eq!(on(&[], "/a", Signal::Robots), None);
}

#[test]
fn claims_say_who_where_and_in_which_words() {
    let text = "User-agent: *\nAllow: /\n\nUser-agent: CCBot\nUser-agent: GPTBot\nDisallow: /news/ # no training\n";
    let document = document("https://example.org/news/1", None, None);
    let claims = claims(&[robots(text)], &document);
    assert_eq!(claims.len(), 1, "{claims:#?}");
    assert_eq!(claims[0].statement, Statement::OptOut { signal: Signal::Robots, reserved: Some(true) });
    assert_eq!(claims[0].raw, "Disallow: /news/ # no training [CCBot, GPTBot]");
    assert_eq!(claims[0].locator, "snapshots/robots.txt:6");
    assert_eq!((claims[0].scope, claims[0].digest), (Scope::Access, Sha256::of(text.as_bytes())));
    assert_eq!(claims[0].date.unwrap().to_string(), "2026-11-20");
}

#[test]
fn lines_are_counted_as_people_count_them() {
    let lines = ["# a site", "User-agent: *", "Allow: /", "", "User-agent: GPTBot", "Disallow: /news/"];
    let page = document("https://example.org/news/1", None, None);
    for end in ["\n", "\r\n", "\r"] {
        let claims = claims(&[robots(&lines.join(end))], &page);
        assert_eq!(claims[0].locator, "snapshots/robots.txt:6", "{end:?}");
        assert_eq!(claims[0].raw, "Disallow: /news/ [GPTBot]");
    }
    let content = "<content url=\"/\"><license><permits type=\"usage\">search</permits></license></content>";
    let document_of = |inside: &str| format!("<rsl xmlns=\"https://rslstandard.org/rsl\">\n{inside}\n</rsl>");
    // A file with blank lines before its first element, and one inside a page, whose tag has lines of its own.
    let rsl = snapshot(Kind::Rsl, "https://example.org/license.xml", &format!("\n\r\n{}", document_of(content)));
    let found = claims(&[robots(""), rsl], &page);
    let of_rsl = |c: &&Claim| matches!(c.statement, Statement::OptOut { signal: Signal::Rsl, .. });
    let at: Vec<&str> = found.iter().filter(of_rsl).map(|c| c.locator.as_str()).collect();
    assert!(at.len() == 1 && at[0].ends_with(":4"), "{at:?}");
    let html = format!("<p>\n<script\n type=\"application/rsl+xml\">\n\n{}</script>", document_of(content));
    let said = super::page::said(&html);
    let number = html.lines().position(|line| line.contains("<content")).unwrap() + 1;
    assert_eq!(said.iter().map(|s| s.line).collect::<Vec<_>>(), [number]);
}

#[test]
fn preferences_of_use() {
    let says = |rules: &str, path: &str| on(&[robots(&format!("User-agent: *\n{rules}"))], path, Signal::Aipref);
    // The draft's own example.
    let draft = "Allow: /\nDisallow: /never/\nContent-Usage: train-ai=n\nContent-Usage: /ai-ok/ train-ai=y\n";
    assert_eq!(says(draft, "/test"), Some(true));
    assert_eq!(says(draft, "/ai-ok/test"), Some(false));
    // What cannot be read has no preference of use; the file was read and so was the header.
    assert_eq!(says(draft, "/never/test"), Some(false));
    assert_eq!(says("Content-Usage: search=n\n", "/a"), Some(false));
    assert_eq!(says("Content-Usage: train-ai=y, train-ai=n\n", "/a"), Some(true));
    assert_eq!(says("Content-Usage: train-ai=n, train-ai\n", "/a"), Some(false), "the last value is no token");
    assert_eq!(says("Content-Usage: genai=n\n", "/a"), Some(true));
    for broken in ["Train-AI=n", "train-ai=n,", "=n", "train-ai = n"] {
        assert_eq!(says(&format!("Content-Usage: {broken}\n"), "/a"), None, "{broken}");
    }
    let twice = "Content-Usage: /a train-ai=y\nContent-Usage: /a train-ai=n\n";
    assert_eq!(says(twice, "/a"), Some(true), "equal paths: any disallow wins");
    let header = |fields: &str| {
        let document = document("https://example.org/a", Some(fields), None);
        let claims = claims(&[robots("User-agent: *\nContent-Usage: train-ai=y\n")], &document);
        manifests::conclusion::conclude(&claims).optouts.get(&Signal::Aipref).copied()
    };
    assert_eq!(header("Content-Usage: train-ai=n\n"), Some(true));
    assert_eq!(header("content-usage: search=y\ncontent-usage: train-ai=n\n"), Some(true), "one dictionary");
    assert_eq!(header(""), Some(false));
}

#[test]
fn reservations_by_tdmrep_and_which_of_its_places_speaks() {
    let rules = r#"[{"location": "/open/*", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://example.org/p.json"}]"#;
    let with = |headers: &str, page: &str, path: &str| {
        let document = document(&format!("https://example.org{path}"), Some(headers), Some(page));
        let claims = claims(&[tdmrep(rules)], &document);
        manifests::conclusion::conclude(&claims).optouts.get(&Signal::Tdmrep).copied()
    };
    assert_eq!(with("", "", "/a"), Some(true));
    assert_eq!(with("", "", "/open/a"), Some(false), "the first rule that matches");
    assert_eq!(with("tdm-reservation: 0\n", "", "/a"), Some(false), "the header before the file");
    assert_eq!(with("tdm-reservation: 0\n", "<meta name=\"tdm-reservation\" content=\"1\">", "/a"), Some(true));
    assert_eq!(with("tdm-reservation: 1\n", "<META content='0' NAME=TDM-Reservation />", "/a"), Some(false));
    assert_eq!(with("", "<meta name=\"tdm-reservation\" content=\"perhaps\">", "/a"), Some(true), "unset");
    assert_eq!(with("", "<meta name=\"tdm-reservation\" content=\"perhaps\">", "/open/a"), None);
    for broken in ["", "{}", "[{\"location\": \"/\"}]", "[{\"tdm-reservation\": 1}]", "[{\"location\": \"/\", \"tdm-"] {
        assert_eq!(on(&[tdmrep(broken)], "/a", Signal::Tdmrep), None, "{broken}");
    }
    assert_eq!(on(&[tdmrep("[]")], "/a", Signal::Tdmrep), Some(false));
}

#[test]
fn licenses_of_rsl() {
    let says = |content: &str, path: &str| on(&[robots(""), rsl(content)], path, Signal::Rsl);
    let content = |inside: &str| format!("<content url=\"/\"><license>{inside}</license></content>");
    let permits = "<permits type=\"usage\">search ai-train</permits>";
    for (inside, expected) in [
        (permits.to_owned(), Some(false)),
        (format!("{permits}<payment type=\"free\"/>"), Some(false)),
        ("<permits type=\"usage\">all</permits>".to_owned(), Some(false)),
        ("<permits type=\"usage\">search</permits>".to_owned(), Some(true)),
        (format!("{permits}<payment type=\"crawl\"/>"), Some(true)),
        (format!("{permits}<payment type=\"attribution\"/>"), Some(true)),
        (format!("{permits}<prohibits type=\"usage\">ai-train</prohibits>"), Some(true)),
        (format!("{permits}<prohibits type=\"usage\"><!-- x -->ai-train</prohibits>"), Some(true)),
        (format!("{permits}<prohibits type=\"usage\">ai-whatever</prohibits>"), Some(true)),
        (format!("{permits}<prohibits type=\"usage\">ai-input</prohibits>"), Some(false)),
        (format!("{permits}<permits type=\"user\">non-commercial</permits>"), Some(true)),
        (format!("{permits}<prohibits type=\"geo\">EU</prohibits>"), Some(true)),
        (String::new(), Some(true)),
    ] {
        assert_eq!(says(&content(&inside), "/a"), expected, "{inside}");
    }
    let open = format!("<content url=\"/open/\"><license>{permits}</license></content>");
    let both = content("<prohibits type=\"usage\">ai-train</prohibits>") + &open;
    assert_eq!((says(&both, "/open/a"), says(&both, "/a")), (Some(false), Some(true)));
    let served = format!("<content url=\"/\" server=\"https://l.example.org\"><license>{permits}</license></content>");
    assert_eq!(says(&served, "/a"), Some(true));
    assert_eq!(on(&[rsl("<content>")], "/a", Signal::Rsl), None);
    assert_eq!(on(&[snapshot(Kind::Rsl, "https://example.org/license.xml", "<rsl/>")], "/a", Signal::Rsl), None);
    // A document that is named and was not read leaves the question open; one that was read answers it.
    let named = robots("License: https://example.org/license.xml\nUser-agent: *\nAllow: /\n");
    assert_eq!(on(std::slice::from_ref(&named), "/a", Signal::Rsl), None);
    assert_eq!(on(&[named, rsl(&content(permits))], "/a", Signal::Rsl), Some(false));
    let elsewhere = robots("License: https://other.example/license.xml\nUser-agent: *\nAllow: /\n");
    let kept = [elsewhere, rsl("<content url=\"/b\"/>")];
    assert_eq!(on(&kept, "/a", Signal::Rsl), None, "the document of another host is another one");
}

#[test]
fn pages_and_headers() {
    let says = |headers: Option<&str>, page: Option<&str>, signal: Signal| {
        let claims = claims(&[robots("")], &document("https://example.org/a", headers, page));
        manifests::conclusion::conclude(&claims).optouts.get(&signal).copied()
    };
    let noai = |headers, page| says(headers, page, Signal::Noai);
    assert_eq!(noai(Some(""), Some("<meta name=robots content=\"noai, noimageai\">")), Some(true));
    assert_eq!(noai(Some(""), Some("<meta name=\"GPTBot\" content=\"noai\">")), Some(true));
    assert_eq!(noai(Some("HTTP/1.1 200 OK\nX-Robots-Tag: GPTBot: noai\n"), None), Some(true));
    assert_eq!(noai(Some(""), Some("<meta name=\"robots\" content=\"noindex\">")), Some(false));
    assert_eq!(noai(Some(""), Some("<!-- <meta name=\"robots\" content=\"noai\"> -->")), Some(false));
    // Half of the places is not all of them.
    assert_eq!((noai(None, Some("<p>")), noai(Some(""), None)), (None, None));
    let rsl = |page: &str| says(Some(""), Some(page), Signal::Rsl);
    assert_eq!(rsl("<link rel=\"license\" type=\"application/rsl+xml\" href=\"/l.xml\">"), None);
    let inside = |words: &str| {
        format!(
            "<script type=\"application/rsl+xml\"><rsl xmlns=\"https://rslstandard.org/rsl\"><content url=\"/\"><license>\
             <permits type=\"usage\">{words}</permits></license></content></rsl></script>"
        )
    };
    assert_eq!((rsl(&inside("ai-train")), rsl(&inside("search"))), (Some(false), Some(true)));
    let linked = Some("Link: </l.xml>; rel=\"license\"; type=\"application/rsl+xml\"\n");
    assert_eq!(says(linked, Some("<p>"), Signal::Rsl), None);
}

#[test]
fn terms_speak_for_what_lies_beneath_them_by_a_persons_reading() {
    let terms = |url: &str, reserved| Snapshot {
        reserved: Some(reserved),
        quote: "You may not train models on it.".to_owned(),
        ..snapshot(Kind::Terms, url, "Terms. You may not train models on it.")
    };
    assert_eq!(on(&[terms("https://example.org/", true)], "/a", Signal::Tos), Some(true));
    assert_eq!(on(&[terms("https://example.org/", false)], "/a", Signal::Tos), Some(false));
    assert_eq!(on(&[terms("https://example.org/forum/", true)], "/a", Signal::Tos), None);
    assert_eq!(on(&[], "/a", Signal::Tos), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_a_site_sends_panics(
        text in "(\\PC|[\\n\\r:/*$%#=,;<>\" ]|User-agent: |Disallow: /|Content-Usage: |License: |<rsl xmlns=\"https://rslstandard.org/rsl\">|<content url=\"|<meta name=\"robots\" content=\"){0,40}",
        path in "/[a-z%*$?/\u{e9}]{0,12}",
    ) {
        let all = [robots(&text), tdmrep(&text), rsl(&text), snapshot(Kind::Headers, "https://example.org/", &text)];
        let document = document(&format!("https://example.org{path}"), Some(&text), Some(&text));
        let _ = claims(&all, &document);
    }

    /// A reservation is not undone by anything that is added before it.
    #[test]
    fn no_other_group_takes_a_reservation_back(lines in "((Allow|Disallow|Crawl-delay): /[a-z]{0,3}\\n|User-agent: [a-z]{1,4}\\n){0,8}") {
        let text = format!("{lines}User-agent: GPTBot\nDisallow: /\n");
        prop_assert_eq!(on(&[robots(&text)], "/zzzz", Signal::Robots), Some(true));
    }
}
