//! docs/policy.md says every key and every value that the parser of policies takes. Keys and the values of typed lists
//! are asked from the parser itself: given a word that it does not know, it says which ones it does.

use std::fs;
use std::path::Path;

use manifests::place;
use manifests::policy::{Policy, words};

use crate::support::workspace;

/// The policy that docs/policy.md shows, which must be the one that the contract's own tests judge by.
fn example(document: &str) -> String {
    let start = document.find("```toml\n").unwrap() + "```toml\n".len();
    let end = document[start..].find("```\n").unwrap() + start;
    document[start..end].to_owned()
}

fn document() -> String {
    fs::read_to_string(workspace().join("docs/policy.md")).unwrap()
}

/// The words that the parser would have taken instead of `unknown`, which stands in the text for it.
fn expected(text: &str) -> Vec<String> {
    let error = Policy::parse(Path::new("policy.toml"), text.as_bytes()).unwrap_err().to_string();
    let list = error.split("expected ").nth(1).unwrap_or_else(|| panic!("no list in: {error}"));
    let words: Vec<String> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(!words.is_empty(), "{error}");
    words
}

/// The part of the document under a heading.
fn part<'a>(document: &'a str, heading: &str) -> &'a str {
    let start = document.find(heading).unwrap_or_else(|| panic!("docs/policy.md has no `{heading}`"));
    let body = &document[start + heading.len()..];
    &body[..body.find("\n### ").or_else(|| body.find("\n## ")).unwrap_or(body.len())]
}

#[test]
fn the_documented_example_is_the_one_that_is_tested() {
    let document = document();
    let tested = fs::read_to_string(workspace().join("manifests/src/policy/example.toml")).unwrap();
    assert_eq!(example(&document), tested);
    Policy::parse(Path::new("policy.toml"), tested.as_bytes()).unwrap();
}

#[test]
fn every_key_of_a_policy_is_documented_in_its_section() {
    let document = document();
    let whole = example(&document);
    let sections = [
        ("### The head of the file", "zzz = 1\n".to_owned() + &whole),
        ("### The head of the file", whole.replace("valid = {", "valid = { zzz = 1,")),
        ("### `[use]`", whole.replace("[use]\n", "[use]\nzzz = 1\n")),
        ("### `[state]`", whole.replace("[state]\n", "[state]\nzzz = 1\n")),
        ("### `[allow]`", whole.replace("[allow]\n", "[allow]\nzzz = 1\n")),
        ("### `[deny]`", whole.replacen("[deny]", "[deny]\nzzz = 1\n", 1)),
        ("### `[or]`", whole.replace("[or]\n", "[or]\nzzz = 1\n")),
        ("### `[duties]`", whole.replace("share-alike = { deliver", "share-alike = { zzz = 1, deliver")),
        ("### `[optout]`", whole.replace("[optout]\n", "[optout]\nzzz = 1\n")),
        ("### `[trust]`", whole.replace("[trust]\n", "[trust]\nzzz = 1\n")),
        ("### `[exposure]`", whole.replace("[[mix]]\n", "[exposure]\nzzz = 1\n[[mix]]\n")),
        ("### `[[mix]]`", whole.replace("[[mix]]\n", "[[mix]]\nzzz = 1\n")),
        ("### `[[exception]]`", whole.replace("[[exception]]\n", "[[exception]]\nzzz = 1\n")),
    ];
    let mut missing = Vec::new();
    let sections_are_keys =
        ["use", "state", "allow", "deny", "or", "duties", "optout", "trust", "exposure", "mix", "exception"];
    for (heading, text) in sections {
        for key in expected(&text) {
            let is_section = heading.ends_with("the file") && sections_are_keys.contains(&key.as_str());
            let there =
                if is_section { document.contains(&format!("[{key}]")) } else { says(part(&document, heading), &key) };
            if !there {
                missing.push(format!("{heading}: {key}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// A key stands as code: `key`, or in a table that is shown, `{ key = … }`.
fn says(part: &str, key: &str) -> bool {
    part.contains(&format!("`{key}`")) || part.contains(&format!("{key} = "))
}

#[test]
fn every_value_of_a_policy_is_documented() {
    let document = document();
    let whole = example(&document);
    let typed = [
        ("### `[use]`", whole.replace("act = \"serve\"", "act = \"zzz\"")),
        ("### `[allow]`", whole.replace("families = [", "families = [\"zzz\", ")),
        ("### `[deny]`", whole.replacen("properties = [", "properties = [\"zzz\", ", 1)),
        ("### `[optout]`", whole.replace("honour = [", "honour = [\"zzz\", ")),
        ("### `[trust]`", whole.replace("assurance = \"claimed\"", "assurance = \"zzz\"")),
        ("### `[exposure]`", whole.replace("[[mix]]\n", "[exposure]\nkinds = [\"zzz\"]\n[[mix]]\n")),
    ];
    let mut wanted: Vec<(&str, String)> = Vec::new();
    for (heading, text) in typed {
        wanted.extend(expected(&text).into_iter().map(|word| (heading, word)));
    }
    let lists = [
        ("### The head of the file", words::SCHEMAS),
        ("### The head of the file", words::DENY),
        ("### `[use]`", words::PURPOSES),
        ("### `[use]`", &["EU", "EEA", place::EVERYWHERE]),
        ("### `[state]`", words::STATES),
        ("### `[allow]`", words::BASES),
        ("### `[duties]`", words::WAYS),
        ("### `[duties]`", words::COVERS),
        ("### `[optout]`", words::DENY),
        ("### `[trust]`", words::UNDECIDED),
        ("### `[[mix]]`", words::SCOPES),
        ("### `[[exception]]`", words::RULES),
    ];
    for (heading, list) in lists {
        wanted.extend(list.iter().map(|word| (heading, (*word).to_owned())));
    }
    let absent = |(heading, word): &(&str, String)| {
        let part = part(&document, heading);
        !part.contains(&format!("\"{word}\"")) && !part.contains(&format!("| `{word}` |"))
    };
    let missing: Vec<_> = wanted.iter().filter(|w| absent(w)).collect();
    assert!(missing.is_empty(), "docs/policy.md does not say {missing:?}");
    assert!(place::EU.iter().all(|state| part(&document, "### `[use]`").contains(state)), "the states of the Union");
    assert!(words::DUTIES.iter().all(|duty| part(&document, "### `[duties]`").contains(&format!("| `{duty}` |"))));
}
