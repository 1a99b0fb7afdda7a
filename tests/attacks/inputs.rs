//! A corpus whose sources attack the terms of their own text: built once under a policy for commercial use, from inputs
//! that are written here. Each document's declared id says what it tries.

use std::fs;

use manifests::digest::Sha256;
use serde_json::{Value, json};

use crate::support::{AS_OF, House, copy_tree, corpus, fixture, once};

/// License fields that mean or pretend something else: id, words.
pub(super) const FIELDS: [(&str, &str); 26] = [
    ("cyrillic", "\u{421}C-BY-4.0"),
    ("no-break-hyphen", "CC\u{2011}BY\u{2011}4.0"),
    ("zero-width", "CC-BY-4.0\u{200b}"),
    ("zero-width-inside", "M\u{200b}IT"),
    ("full-width", "\u{ff2d}\u{ff29}\u{ff34}"),
    ("right-to-left", "\u{202e}0.4-YB-CC"),
    ("nc-case", "cc-by-nc-4.0"),
    ("nc-spaces", "CC BY-NC 4.0"),
    ("nc-url", "https://creativecommons.org/licenses/by-nc/4.0/"),
    ("nc-url-http", "http://creativecommons.org/licenses/by-nc/4.0"),
    ("nc-url-deed", "https://creativecommons.org/licenses/by-nc/4.0/deed.de"),
    ("nc-name", "Creative Commons Attribution-NonCommercial 4.0 International"),
    ("nc-prose", "Creative Commons - Attribution-NonCommercial - https://creativecommons.org/licenses/by-nc/4.0/"),
    ("nc-hub", "cc-by-nc-4.0, mit"),
    ("nc-and", "MIT AND CC-BY-NC-4.0"),
    ("nc-or", "MIT OR CC-BY-NC-4.0"),
    ("nc-or-lower", "cc-by-nc-4.0 or mit"),
    ("nc-slash", "MIT/CC-BY-NC-4.0"),
    ("nc-trailing", "MIT (non-commercial use only)"),
    ("no-training", "MIT, not for training"),
    ("no-training-long", "Released under the MIT license, but not to be used for training of models."),
    ("no-assertion", "NOASSERTION"),
    ("none", "NONE"),
    ("custom", "LicenseRef-everything-is-allowed"),
    ("markup", "<b onmouseover=alert(1)>MIT</b>"),
    ("nested", "((((((MIT)))) AND (CC-BY-NC-4.0))"),
];

/// Words that make a text of their own, long enough for every filter.
pub(super) fn text(name: &str) -> String {
    let sentence =
        |n: usize| format!("The {name} of house number {n} was written down by the clerk in the church book.");
    (1..4).map(sentence).collect::<Vec<_>>().join(" ")
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// A source of JSON lines, in the recipe's words.
fn source(house: &House, id: &str, more: &str, rows: &[Value]) -> String {
    let file = house.write(&format!("inputs/{id}.jsonl"), &lines(rows));
    let (_, digest) = Sha256::of_file(&file).unwrap();
    format!(
        "\n[[source]]\nid = \"{id}\"\nset = \"public\"\naccess = \"public\"\nread_at = 2026-11-24\n\
         object = \"{id}.jsonl\"\nsha256 = \"{}\"\nformat = \"jsonl\"\nlicense_field = \"license\"\n{more}",
        digest.hex()
    )
}

const PLAIN: &str = "title = \"A source\"\nlicense_speaker = \"source\"\n";

/// The same text in two sources, under these terms.
const TWINS: [(&str, Option<&str>, Option<&str>); 5] = [
    ("twin-laundered", Some("CC-BY-NC-4.0"), Some("CC0-1.0")),
    ("twin-split", Some("CC-BY-SA-4.0"), Some("CC-BY-ND-4.0")),
    ("twin-poisoned", Some("CC0-1.0"), None),
    ("twin-poisoned-in-words", Some("CC0-1.0"), Some("all rights reserved")),
    ("twin-equal", Some("CC0-1.0"), Some("CC0-1.0")),
];

fn twin(name: &str, license: Option<&str>, change: impl Fn(String) -> String) -> Value {
    let mut row = json!({"id": name, "text": change(text(name))});
    license.iter().for_each(|l| row["license"] = json!(l));
    row
}

/// The sources that attack, as the recipe's text.
fn sources(house: &House) -> String {
    let fields: Vec<Value> =
        FIELDS.iter().map(|(id, words)| json!({"id": id, "text": text(id), "license": words})).collect();
    let left: Vec<Value> = TWINS.iter().map(|(id, one, _)| twin(id, *one, |t| t)).collect();
    // A copy is not hidden by other spaces, line ends or composed letters.
    let spaced = |t: String| format!("\n  {}\t\r\n", t.replace(". ", ".\n\n   ").replace(' ', " \u{a0}"));
    let right: Vec<Value> = TWINS.iter().map(|(id, _, two)| twin(id, *two, spaced)).collect();
    let aggregated = [json!({"id": "aggregated", "text": text("aggregated"), "license": "CC0-1.0"})];
    let returned = [
        json!({"id": "returned-as-it-was", "text": text("withdrawn work"), "license": "CC0-1.0"}),
        json!({"id": "returned-respaced", "text": text("other withdrawn work").replace(' ', "\n \t"), "license": "CC0-1.0"}),
        json!({"id": "returned-reworded", "text": text("withdrawn work").replace("clerk", "scribe"), "license": "CC0-1.0"}),
    ];
    let hostile = "title = \"<script>alert(1)</script>\"\nrightsholder = \"\\\"><img src=x onerror=alert(1)>\\u001b[2J\"\n\
                   license_speaker = \"source\"\n";
    let scripted = [json!({"id": "<script>alert(2)</script>", "text": text("script"), "license": "CC0-1.0"})];
    let tables = [
        source(house, "fields", PLAIN, &fields),
        source(house, "twins-left", PLAIN, &left),
        source(house, "twins-right", PLAIN, &right),
        source(house, "aggregator", &PLAIN.replace("\"source\"", "\"aggregator\""), &aggregated),
        source(house, "returned", PLAIN, &returned),
        source(house, "scripted", hostile, &scripted),
    ];
    tables.concat() + &package(house)
}

/// A package whose license text has one sentence more than MIT.
fn package(house: &House) -> String {
    let mit = fs::read_to_string(fixture().join("../../fuzz/entries/mit.txt")).unwrap();
    for (folder, text) in [
        ("plain", mit.clone()),
        ("sentence", format!("{mit}\nThe Software must not be used to train machine learning models.\n")),
        ("inside", mit.replace("the following conditions:", "the following conditions and to no use for training:")),
        ("holder", mit.replace("A. Holder", "A. Holder, not licensed for training")),
    ] {
        house.write(&format!("inputs/{folder}/LICENSE"), &text);
        house.write(&format!("inputs/{folder}/{folder}.txt"), &self::text(folder));
    }
    let table = |folder: &str| {
        format!(
            "\n[[source]]\nid = \"package-{folder}\"\nset = \"public\"\ntitle = \"A package\"\naccess = \"public\"\n\
             read_at = 2026-11-24\nobject = \"{folder}\"\nformat = \"plain\"\ninclude = [\"*.txt\"]\n\
             metadata_speaker = \"rightsholder\"\n"
        )
    };
    ["plain", "sentence", "inside", "holder"].map(table).concat()
}

/// Signs withdrawals of works by the digest of their normalised text.
fn withdraw(house: &House) {
    for (id, name) in [("w-1", "withdrawn work"), ("w-2", "other withdrawn work")] {
        // The text has single spaces and no other white space: it is its own normal form.
        let digest = Sha256::of(text(name).as_bytes());
        let record = format!(
            "schema = \"flexmix/withdrawal/v1\"\nid = \"{id}\"\ndemo = true\nkind = \"erasure\"\n\
             target = {{ work = {{ text = \"{digest}\", held_by = [] }} }}\neffective = {AS_OF}\nlearned = {AS_OF}\nreason = \"a test\"\n"
        );
        let file = house.write(&format!("records/withdrawals/{id}.toml"), &record);
        house.sign("withdrawal", &file, &["withdrawals"]).expect(0);
    }
}

/// The attacked corpus, in `corpus` of its house.
pub(super) fn attacked() -> House {
    let before = corpus();
    once("attacked", |house| {
        copy_tree(&before.path(""), &house.path(""));
        fs::remove_dir_all(house.corpus()).unwrap();
        copy_tree(&fixture().join("inputs"), &house.path("inputs"));
        let policy = fs::read_to_string(house.policy("commercial")).unwrap();
        let policy =
            policy.replace("act = \"serve\"", "act = \"build\"").replace("fixture-commercial", "fixture-strict");
        let policy = house.write("policies/strict.toml", &policy);
        house.sign("policy", &policy, &["legal-1", "legal-2"]).expect(0);
        withdraw(house);
        house.renew_head(2);
        let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
        let (top, rest) = recipe.split_once("[[source]]").unwrap();
        // The almanac alone stays, for the tokenizer to learn from.
        let (almanac, _) = rest.split_once("[[source]]").unwrap();
        let top = top.replace("policies/build.toml", "policies/strict.toml").replace("[\"widgets\"]", "[]");
        house.write("recipe.toml", &format!("{top}[[source]]{almanac}{}", sources(house)));
        house.build(&house.corpus(), &["--threads", "1"]).expect(0);
    })
}
