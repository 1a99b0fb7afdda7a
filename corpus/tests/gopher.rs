//! `gopher@dolma` against dolma 1.2.1 itself: every attribute and every decision of golden/gopher.jsonl.gz, which
//! golden/make_gopher.py wrote by running dolma's tagger and mixer.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::Read as _;

use corpus::filter::{Attributes, Chain, DocumentView, FilterToml, GopherThresholds};
use serde_json::Value;

fn golden() -> Vec<Value> {
    let mut text = String::new();
    let bytes: &[u8] = include_bytes!("golden/gopher.jsonl.gz");
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Our attributes by dolma's names, rounded as dolma writes them.
fn named(a: &Attributes) -> serde_json::Map<String, Value> {
    let round = |x: f64| format!("{x:.5}").parse::<f64>().unwrap();
    let mut out = serde_json::Map::new();
    for (n, value) in (2..).zip(a.top_ngrams).filter_map(|(n, v)| v.map(|v| (n, v))) {
        out.insert(format!("fraction_of_characters_in_most_common_{n}grams"), round(value).into());
    }
    for (n, value) in (5..).zip(a.duplicate_ngrams).filter_map(|(n, v)| v.map(|v| (n, v))) {
        out.insert(format!("fraction_of_characters_in_duplicate_{n}grams"), round(value).into());
    }
    for (name, value) in [
        ("character_count", a.character_count as f64),
        ("word_count", a.word_count as f64),
        ("median_word_length", a.median_word_length),
        ("symbol_to_word_ratio", a.symbol_to_word_ratio),
        ("fraction_of_words_with_alpha_character", a.words_with_letter),
        ("required_word_count", a.required_word_count as f64),
        ("fraction_of_lines_starting_with_bullet_point", a.bullet_lines),
        ("fraction_of_lines_ending_with_ellipsis", a.ellipsis_lines),
        ("fraction_of_duplicate_lines", a.duplicate_lines),
        ("fraction_of_characters_in_duplicate_lines", a.duplicate_line_characters),
    ] {
        out.insert(name.to_owned(), round(value).into());
    }
    out
}

#[test]
fn every_attribute_equals_dolmas() {
    let golden = golden();
    assert!(golden.len() >= 300);
    for line in &golden {
        let text = line["text"].as_str().unwrap();
        assert_eq!(Value::Object(named(&Attributes::of(text))), line["attributes"], "{text:?}");
    }
}

#[test]
fn every_decision_equals_dolmas() {
    let (mut kept, mut fired) = (0, std::collections::BTreeSet::new());
    for line in golden() {
        let text = line["text"].as_str().unwrap();
        let thresholds = GopherThresholds::default();
        let broken = thresholds.broken(&Attributes::of(text));
        let drops: Vec<usize> =
            line["drops"].as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect();
        assert_eq!(broken, drops, "{text:?}");
        assert_eq!(broken.is_empty(), line["kept"].as_bool().unwrap(), "{text:?}");
        kept += usize::from(broken.is_empty());
        fired.extend(broken);
    }
    // All but the two rules that small texts cannot break: over 100,000 words, and a median word of over 10 letters.
    assert!(kept >= 40 && fired.len() >= 18, "{kept} {fired:?}");
}

/// The mixes as published name attributes that the tagger does not write, so three rules never fire: dolma says so.
#[test]
fn the_published_spelling_is_without_the_three_top_ngram_rules() {
    let off = GopherThresholds { top_2gram: 1e9, top_3gram: 1e9, top_4gram: 1e9, ..GopherThresholds::default() };
    let mut differing = 0;
    for line in golden() {
        let text = line["text"].as_str().unwrap();
        assert_eq!(off.broken(&Attributes::of(text)).is_empty(), line["published"].as_bool().unwrap(), "{text:?}");
        differing += usize::from(line["published"] != line["kept"]);
    }
    assert!(differing > 0);
}

fn chain(toml: &str) -> Chain {
    #[derive(serde::Deserialize)]
    struct Recipe {
        filter: Vec<FilterToml>,
    }
    let recipe: Recipe = toml::from_str(toml).unwrap();
    Chain::new(recipe.filter).unwrap()
}

#[test]
fn a_chain_is_ordered_scoped_and_travels_as_json() {
    let chain = chain(
        "[[filter]]\nname = \"length\"\nthresholds = { min_bytes = 10 }\n\
         [[filter]]\nname = \"gopher@dolma\"\nsets = [\"news\"]\nthresholds = { min_words = 5 }\n",
    );
    let json = chain.to_json().unwrap();
    assert_eq!(Chain::from_json(&json).unwrap(), chain);
    assert_eq!(Chain::from_json(&json).unwrap().to_json().unwrap(), json);
    let (news, code) = ("news".parse().unwrap(), "code".parse().unwrap());
    let apply = |set, text| chain.apply(set, &DocumentView { text, url: None });
    let reason = |set, text| apply(set, text).reason.map(|r| (r.code, r.value, r.threshold));
    assert_eq!(reason(&news, "short"), Some(("length-too-few-bytes", Some(5.0), Some(10.0))));
    assert_eq!(reason(&news, "four words are few"), Some(("gopher-too-few-words", Some(4.0), Some(5.0))));
    assert_eq!(reason(&code, "four words are few"), None);
    let facts = apply(&code, "fünf\nwords\n");
    assert_eq!((facts.counts.bytes, facts.counts.characters, facts.counts.words, facts.counts.lines), (12, 11, 2, 2));
    assert_eq!((facts.text, facts.bytes_added, facts.bytes_removed), (None, 0, 0));
}

#[test]
fn typing_errors_are_refused() {
    let refused = |toml: &str| toml::from_str::<FilterToml>(toml).unwrap_err().to_string();
    assert!(refused("name = \"gopher@dolma\"\nthresholds = { min_word = 3 }").contains("unknown field `min_word`"));
    assert!(refused("name = \"gopher@dolma\"\nset = [\"news\"]").contains("unknown field `set`"));
    assert!(refused("name = \"gopher\"").contains("gopher@dolma"));
    assert!(Chain::from_json("[{\"name\":\"length\",\"thresholds\":{\"min_words\":-1}}]").is_err());
}
