//! Every record is accounted for: each planted fault has its row in the ledger, the rest goes on, counts and bytes
//! balance; and equal texts get the terms that semantics §6 gives them.

use std::fs;

use serde_json::Value;

use crate::support::{House, corpus};

/// One ledger row of a document.
#[track_caller]
fn row(house: &House, source: &str, which: &str) -> Value {
    let sql = format!("SELECT * FROM ledger WHERE source = '{source}' AND {which}");
    let rows = house.query(&house.corpus(), &sql);
    assert_eq!(rows.len(), 1, "{sql}: {rows:#?}");
    rows[0].clone()
}

#[track_caller]
fn assert_row(house: &House, source: &str, which: &str, decision: &str, reason: Option<&str>) -> Value {
    let row = row(house, source, which);
    assert_eq!((row["decision"].as_str(), row["reason"].as_str()), (Some(decision), reason), "{row:#}");
    row
}

#[test]
fn planted_faults_have_their_rows_with_file_and_record() {
    let house = corpus();
    let almanac = |reason: &str| format!("reason = '{reason}'");
    let faults = [
        ("almanac", almanac("malformed-json"), "malformed-json", "almanac.jsonl.gz", "record 30 "),
        ("almanac", almanac("empty"), "empty", "almanac.jsonl.gz", "record 31 "),
        ("almanac", almanac("missing-field"), "missing-field", "almanac.jsonl.gz", "record 32 "),
        ("leaflets", "path LIKE '%c-empty.txt'".into(), "empty", "c-empty.txt", "record 0 "),
        ("leaflets", "path LIKE '%d-latin1.txt'".into(), "invalid-utf8", "d-latin1.txt", "record 0 "),
        ("cut", "decision = 'dropped'".into(), "truncated-stream", "cut.jsonl.gz", "record "),
        ("gadgets", "path LIKE '%__init__.py'".into(), "empty", "gadgets/__init__.py", "record 0 "),
    ];
    for (source, which, reason, path, record) in faults {
        let row = assert_row(&house, source, &which, "dropped", Some(reason));
        assert_eq!(row["stage"], "read", "{row:#}");
        assert!(row["path"].as_str().unwrap().ends_with(path), "{row:#}");
        assert!(row["detail"].as_str().unwrap().contains(record), "{row:#}");
    }
    let short = assert_row(&house, "almanac", "declared_id = 'almanac-033'", "dropped", Some("length-too-few-words"));
    assert_eq!(short["stage"], "filter", "{short:#}");
}

#[test]
fn everything_around_a_fault_is_read() {
    let house = corpus();
    let of =
        |source: &str| house.number(&house.corpus(), &format!("SELECT count(*) FROM ledger WHERE source = '{source}'"));
    let counts = ["almanac", "leaflets", "mirror", "gadgets", "widgets", "notes"].map(of);
    assert_eq!(counts, [220, 4, 9, 171, 40, 170]);
    let stays = |source: &str| {
        house.number(
            &house.corpus(),
            &format!("SELECT count(*) FROM ledger WHERE source = '{source}' AND decision <> 'dropped'"),
        )
    };
    // 220 less three unreadable records, a short one, and the one that a copy contradicts.
    assert_eq!([stays("almanac"), stays("gadgets"), stays("widgets"), stays("notes")], [215, 170, 40, 170]);
    let (all, kept) = (of("cut"), stays("cut"));
    assert!(kept > 5 && all == kept + 1, "the records before the break stay: {kept} of {all}");
}

#[test]
fn the_ledger_balances_with_the_records_and_the_shards() {
    let house = corpus();
    let folder = house.corpus();
    let broken = "SELECT count(*) FROM ledger WHERE bytes_in + bytes_added <> bytes_out + bytes_removed";
    assert_eq!(house.number(&folder, broken), 0);
    let unexplained = "SELECT count(*) FROM ledger WHERE (decision = 'dropped') <> (reason IS NOT NULL)";
    assert_eq!(house.number(&folder, unexplained), 0);
    for row in house.query(&folder, "SELECT DISTINCT reason FROM ledger WHERE reason IS NOT NULL") {
        let name = row["reason"].as_str().unwrap();
        assert!(name.parse::<manifests::reason::Reason>().is_ok(), "`{name}` is not in the catalogue");
    }
    let twice = "SELECT count(*) FROM (SELECT doc_id FROM ledger GROUP BY doc_id HAVING count(*) > 1) t";
    assert_eq!(house.number(&folder, twice), 0);
    let apart = "SELECT count(*) FROM (SELECT doc_id, n_tokens FROM ledger WHERE decision <> 'dropped') l \
                 FULL JOIN documents d ON l.doc_id = d.doc_id WHERE l.doc_id IS NULL OR d.doc_id IS NULL OR l.n_tokens <> d.n_tokens";
    assert_eq!(house.number(&folder, apart), 0);
    let run: Value = serde_json::from_slice(&fs::read(folder.join("run.json")).unwrap()).unwrap();
    for set in ["public", "code", "notes"] {
        let count = |decision: &str| {
            house.number(
                &folder,
                &format!("SELECT count(*) FROM ledger WHERE \"set\" = '{set}' AND decision LIKE '{decision}'"),
            )
        };
        let funnel = &run["funnels"][set];
        let dropped: u64 = funnel["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        let said = ["read", "kept", "held_out"].map(|name| funnel[name].as_u64().unwrap());
        assert_eq!(
            [said[0], said[1], said[2], dropped],
            [count("%"), count("kept"), count("held-out"), count("dropped")]
        );
        let tokens = |table: &str, which: &str| {
            house.number(&folder, &format!("SELECT sum({which}) FROM {table} WHERE \"set\" = '{set}'"))
        };
        let in_shards = house.number(
            &folder,
            &format!("SELECT sum(n_tokens * copies) FROM documents WHERE \"set\" = '{set}' AND role = 'train'"),
        );
        assert_eq!((tokens("manifests", "tokens"), tokens("cells", "tokens")), (in_shards, in_shards));
    }
}

#[test]
fn a_copy_without_a_license_narrows_nothing() {
    let house = corpus();
    let copy = assert_row(&house, "leaflets", "path LIKE '%a-copy.txt'", "dropped", Some("exact-duplicate"));
    let original = row(&house, "almanac", "declared_id = 'almanac-007'");
    assert_ne!(original["decision"], "dropped", "{original:#}");
    assert_eq!(copy["duplicate_of"], original["doc_id"]);
    assert_eq!(original["license"], "CC0-1.0");
    let sources = house.query(
        &house.corpus(),
        &format!("SELECT source FROM documents WHERE doc_id = '{}'", original["doc_id"].as_str().unwrap()),
    );
    assert_eq!(sources[0]["source"], serde_json::json!(["almanac", "leaflets"]));
    assert_row(&house, "leaflets", "path LIKE '%b-own.txt'", "dropped", Some("none-found"));
}

#[test]
fn a_copy_under_other_terms_contradicts() {
    let house = corpus();
    let original = assert_row(&house, "almanac", "declared_id = 'almanac-011'", "dropped", Some("contradicted"));
    let detail = original["detail"].as_str().unwrap();
    assert!(detail.contains("CC0-1.0") && detail.contains("CC-BY-SA-4.0"), "both sides are told: {detail}");
    let copy = assert_row(&house, "mirror", "declared_id = 'mirror-0'", "dropped", Some("exact-duplicate"));
    assert_eq!(copy["duplicate_of"], original["doc_id"]);
    assert_row(&house, "mirror", "declared_id = 'mirror-8'", "dropped", Some("unparseable"));
}

#[test]
fn claims_stay_beside_conclusions_as_found() {
    let house = corpus();
    let raw = house.query(
        &house.corpus(),
        "SELECT c.raw, c.speaker, c.locator FROM claims c JOIN ledger l ON c.doc_id = l.doc_id WHERE l.declared_id = 'mirror-8'",
    );
    assert_eq!(raw.len(), 1, "{raw:#?}");
    assert_eq!((raw[0]["raw"].as_str(), raw[0]["speaker"].as_str()), (Some("see website"), Some("source")));
    assert!(!raw[0]["locator"].as_str().unwrap().is_empty());
}

/// The recipe's table of one source, from `[[source]]` to the next.
fn source_table<'a>(recipe: &'a str, id: &str) -> &'a str {
    recipe.split("[[source]]").find(|part| part.contains(&format!("id = \"{id}\""))).unwrap()
}

#[test]
fn an_open_choice_and_unreviewed_terms_are_denied_until_somebody_signs() {
    let house = House::copy(&corpus());
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    // The recipe relies on no election now, and one source claims terms that nobody reviewed.
    let notes = source_table(&recipe, "notes").to_owned();
    let custom = notes.replace("LicenseRef-FIXTURE-notes", "LicenseRef-house-rules");
    let changed = recipe.replace("elections = [\"widgets\"]", "elections = []").replace(&notes, &custom);
    assert_ne!(changed, recipe);
    fs::write(house.path("recipe.toml"), changed).unwrap();
    let out = house.path("second");
    house.build(&out, &[]).expect(0);
    let reasons = |source: &str| {
        house
            .query(&out, &format!("SELECT reason, count(*) AS n FROM ledger WHERE source = '{source}' GROUP BY reason"))
    };
    assert_eq!(reasons("widgets"), [serde_json::json!({ "reason": "election-missing", "n": 40 })]);
    assert_eq!(reasons("notes"), [serde_json::json!({ "reason": "unreviewed-terms", "n": 170 })]);
    let elected = house
        .query(&house.corpus(), "SELECT DISTINCT license FROM ledger WHERE source = 'widgets' AND decision = 'kept'");
    assert_eq!(elected.len(), 1);
    assert!(elected[0]["license"].as_str().unwrap().contains("MIT"), "{elected:?}");
}

#[test]
fn a_changed_input_is_an_error_that_says_so() {
    let house = House::copy(&corpus());
    crate::support::copy_tree(&crate::support::fixture().join("inputs"), &house.path("inputs"));
    crate::support::flip_byte(&house.path("inputs/mirror.jsonl"), 40);
    let said = house.build(&house.path("second"), &[]).expect(3).stderr;
    assert!(said.contains("mirror") && said.contains("sha256:610d1db87ba48c73"), "{said}");
    assert!(!house.path("second/sets").is_dir(), "nothing is published");
}

#[test]
fn a_closed_set_needs_its_owners_secret_and_says_little_outside() {
    let house = House::copy(&corpus());
    let (recipe, out, key) = (house.path("recipe.toml"), house.path("second"), house.key("builder"));
    let words =
        ["build".as_ref(), recipe.as_os_str(), "--out".as_ref(), out.as_os_str(), "--key".as_ref(), key.as_os_str()];
    let said = house.gated(words).expect(2).stderr;
    assert!(said.contains("--secret"), "{said}");
    let path = house.corpus().join("sets/notes/public-manifest.dsse.json");
    let payload = manifests::sign::Envelope::read(&path).unwrap();
    let payload = String::from_utf8(payload.peek_unverified().unwrap().to_vec()).unwrap();
    for secret in ["shard-", "heldout-", "\"documents\"", "pump station", "The plant", "\"sources\":[\"notes\"]"] {
        assert!(!payload.contains(secret), "the public manifest says `{secret}`: {payload}");
    }
    assert!(payload.contains("contract:FIXTURE-1"), "{payload}");
}
