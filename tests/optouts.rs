//! Opt-outs: what a recipe's snapshots, a response's header and a page say reaches cells, ends a license only where a
//! policy says so, and what nobody looked at is not taken for permission.

use std::collections::BTreeSet;
use std::fs;

use manifests::digest::Sha256;
use serde_json::{Value, json};

use crate::support::{House, corpus};

const ROBOTS: &str = "User-agent: GPTBot\nDisallow: /closed/\n\nUser-agent: *\nAllow: /\n";
const TDMREP: &str = "[{\"location\": \"/\", \"tdm-reservation\": 0}]\n";

/// A page with words enough for a tokenizer, each its own.
fn page(n: usize, head: &str) -> String {
    let words: String = (0..40).map(|w| format!("<p>Word {} of page {n}.</p>\n", w * 7919 % 977 + n)).collect();
    format!("<html><head>{head}</head><body>{words}</body></html>")
}

/// A house whose recipe reads a site's pages and records from two hosts, of which one was looked at.
fn site() -> House {
    let house = House::copy(&corpus());
    for n in 0..12 {
        house.write(&format!("inputs/site/open/{n}.html"), &page(n, ""));
    }
    house.write("inputs/site/closed/a.html", &page(100, ""));
    house.write("inputs/site/open/noai.html", &page(101, "<meta name=\"robots\" content=\"noai\">"));
    let record = |id: &str, n: usize, url: &str, headers: Value| {
        json!({ "id": id, "text": page(n, "").replace('<', "("), "url": url, "headers": headers }).to_string() + "\n"
    };
    let records = [
        record("free", 200, "https://site.example/open/r", json!({})),
        record("reserved", 201, "https://site.example/open/r", json!({ "Content-Usage": "train-ai=n" })),
        record("broken", 202, "https://site.example/open/r", json!({ "Content-Usage": "train-ai=n,," })),
        record("elsewhere", 203, "https://other.example/open/r", json!({})),
    ];
    house.write("inputs/records.jsonl", &records.concat());
    house.write("inputs/snapshots/robots.txt", ROBOTS);
    house.write("inputs/snapshots/tdmrep.json", TDMREP);
    let sha = |text: &str| Sha256::of(text.as_bytes());
    let snapshots = format!(
        "[[source.optout]]\nkind = \"robots.txt\"\nurl = \"https://site.example/robots.txt\"\nfile = \"snapshots/robots.txt\"\nsha256 = \"{}\"\nread_at = 2026-11-20\n\
         [[source.optout]]\nkind = \"tdmrep.json\"\nurl = \"https://site.example/.well-known/tdmrep.json\"\nfile = \"snapshots/tdmrep.json\"\nsha256 = \"{}\"\n",
        sha(ROBOTS),
        sha(TDMREP)
    );
    let source = |id: &str, object: &str, more: &str| {
        format!(
            "\n[[source]]\nid = \"{id}\"\nset = \"public\"\ntitle = \"{id}\"\naccess = \"public\"\nread_at = 2026-11-24\nobject = \"{object}\"\n{more}\
             [[source.claim]]\nspeaker = \"source\"\nscope = \"collection\"\nlicense = \"CC0-1.0\"\nraw = \"CC0\"\nlocator = \"recipe.toml#{id}\"\n{snapshots}"
        )
    };
    let pages = "format = \"html\"\naddress = \"https://site.example/\"\ninclude = [\"**/*.html\", \"**/*.htm\"]\n";
    let pin = Sha256::of(records.concat().as_bytes());
    let fields = format!(
        "sha256 = \"{pin}\"\nformat = \"jsonl\"\nurl_field = \"url\"\nheaders_field = \"headers\"\nlicense_field = \"licence\"\nlicense_speaker = \"source\"\n"
    );
    let recipe = "schema = \"flexmix/recipe/v1\"\nname = \"site\"\ndemo = true\nseed = 7\nheld_out = 0.0\npolicy = \"policies/build.toml\"\n\
                  public_set = \"public\"\nanchor_tiers = [\"concluded/license/none\"]\n";
    house.write(
        "recipe.toml",
        &(recipe.to_owned() + &source("pages", "site", pages) + &source("records", "records.jsonl", &fields)),
    );
    house
}

/// The opt-out answers of the cells of a built set.
fn optouts(house: &House, out: &str) -> BTreeSet<String> {
    let path = house.path(out).join("sets/public/manifest.dsse.json");
    let payload = manifests::sign::Envelope::read(&path).unwrap().peek_unverified().unwrap().to_vec();
    let manifest: Value = serde_json::from_slice(&payload).unwrap();
    let cells = manifest["predicate"]["cells"].as_array().unwrap();
    cells.iter().map(|c| c["cell"]["optouts"].to_string()).collect()
}

/// What became of documents: path or id, and the reason.
fn dropped(house: &House, out: &str) -> Vec<(String, String)> {
    let sql = "SELECT coalesce(declared_id, path) AS id, reason FROM ledger WHERE decision = 'dropped' ORDER BY id";
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    house.query(&house.path(out), sql).iter().map(|row| (text(row, "id"), text(row, "reason"))).collect()
}

#[test]
fn reservations_reach_cells_and_end_a_license_only_where_the_policy_says_so() {
    let house = site();
    let report = house.build(&house.path("first"), &["--format", "json"]).expect(0);
    // Nothing of it ends a license: every document stays, and says what was found.
    assert_eq!(dropped(&house, "first"), []);
    let expected = [
        // Pages: robots and TDMRep were read; nobody kept the headers, so no page is clear of `noai`.
        r#"{"robots":false,"tdmrep":false}"#,
        r#"{"robots":true,"tdmrep":false}"#,
        r#"{"noai":true,"robots":false,"tdmrep":false}"#,
        // Records: the header says something, says nothing, or cannot be read; the other host was not looked at.
        r#"{"aipref":true,"robots":false,"tdmrep":false}"#,
        r#"{"aipref":false,"robots":false,"tdmrep":false}"#,
        "{}",
    ];
    assert_eq!(optouts(&house, "first"), expected.map(str::to_owned).into());
    let claims = house.query(
        &house.path("first"),
        "SELECT c.raw, c.locator, c.expression, c.date FROM claims c JOIN ledger l ON c.doc_id = l.doc_id \
         WHERE l.path = 'closed/a.html' AND c.kind = 'opt-out' AND c.expression = 'robots: reserved'",
    );
    assert_eq!(claims.len(), 1, "{claims:#?}");
    assert_eq!(claims[0]["locator"], "snapshots/robots.txt:2");
    assert_eq!(
        (claims[0]["raw"].as_str(), claims[0]["date"].as_str()),
        (Some("Disallow: /closed/ [GPTBot]"), Some("2026-11-20"))
    );
    // Names of the recipe that met nothing are told.
    let warnings = [
        "source `pages`: include `**/*.htm` matches no path",
        "source `records`: no record says anything in the field `licence`",
    ];
    assert_eq!(report.json()["warnings"], json!(warnings));

    let policy = fs::read_to_string(house.policy("build")).unwrap();
    let optout = "\n[optout]\nhonour = [\"robots\", \"aipref\"]\nends = [\"tdm-art4\", \"license\"]\nunchecked = \"deny\"\n\n[trust]";
    house.write("policies/build.toml", &policy.replacen("\n[trust]", optout, 1));
    fs::remove_file(house.path("policies/build.toml.dsse.json")).unwrap();
    house.sign("policy", &house.policy("build"), &["legal-1", "legal-2"]).expect(0);
    // The pages are out of it: their headers were not kept, so nobody knows of their preferences.
    house.build(&house.path("second"), &[]).expect(0);
    let reasons = dropped(&house, "second");
    let of = |id: &str| reasons.iter().find(|(which, _)| which == id).map(|(_, reason)| reason.as_str());
    assert_eq!(of("free"), None, "{reasons:?}");
    assert_eq!((of("reserved"), of("broken")), (Some("opted-out"), Some("opt-out-unchecked")), "{reasons:?}");
    assert_eq!((of("elsewhere"), of("open/0.html")), (Some("opt-out-unchecked"), Some("opt-out-unchecked")));
    assert_eq!(of("closed/a.html"), Some("opted-out"), "{reasons:?}");
    assert_eq!(optouts(&house, "second"), [r#"{"aipref":false,"robots":false,"tdmrep":false}"#.to_owned()].into());
}

#[test]
fn a_snapshot_is_pinned_and_says_where_it_is_from() {
    let house = site();
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let says = |from: &str, to: &str, code: i32| {
        assert!(recipe.contains(from), "{from}");
        house.write("recipe.toml", &recipe.replace(from, to));
        house.build(&house.path("out"), &[]).expect(code).stderr
    };
    let said = says("https://site.example/robots.txt", "https://site.example/copy/robots.html", 2);
    assert!(said.contains("is not where a site has its file"), "{said}");
    let said = says("address = \"https://site.example/\"\n", "", 2);
    assert!(said.contains("give `address` or `url_field`"), "{said}");
    house.write("inputs/snapshots/robots.txt", "User-agent: *\nAllow: /\n");
    let said = says("name = \"site\"", "name = \"site\"", 3);
    assert!(said.contains("robots.txt") && said.contains("changed"), "{said}");
}
