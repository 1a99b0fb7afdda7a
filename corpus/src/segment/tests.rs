//! Token for token what spaCy says: by hand where a rule is known for its quirk, and golden/spacy.jsonl.gz, which
//! golden/fuzz_spacy.py wrote.

use std::io::Read as _;

use proptest::prelude::*;

use super::*;

fn cut(text: &str) -> Vec<&str> {
    let mut spans = Vec::new();
    words(text, &mut spans);
    spans.into_iter().map(|span| &text[span]).collect()
}

#[test]
fn the_sample_of_the_reference() {
    let text = "Don't stop -- it's 3.5% of U.S. GDP, e.g. (really)... ok?";
    let expected = "Do|n't|stop|--|it|'s|3.5|%|of|U.S.|GDP|,|e.g.|(|really|)|...|ok|?";
    assert_eq!(cut(text).join("|"), expected);
}

#[test]
fn tables_are_whole() {
    assert!(tables::tables().rule("Don't").is_some() && tables::tables().rule("Dont").is_some());
    assert!(tables::tables().has(tables::Set::Alpha, '𠀀') && !tables::tables().has(tables::Set::Alpha, '𐂃'));
    assert_eq!(tables::tables().hyphens.len(), 7);
}

proptest! {
    #[test]
    fn tokens_tile_the_text_but_for_single_spaces(text in "[ \\na-cA-C0-2.,'()\\-:/@%$\u{e9}\u{2019}\u{2026}]{0,40}") {
        let mut spans = Vec::new();
        tokens(&text, &mut spans);
        let mut at = 0;
        for span in spans {
            prop_assert!(span.start == at || span.start == at + 1 && text.as_bytes()[at] == b' ');
            prop_assert!(span.end > span.start);
            at = span.end;
        }
        prop_assert!(text[at..].is_empty() || &text[at..] == " ");
    }
}

#[test]
fn every_token_and_sentence_is_spacys() {
    let golden: &[u8] = include_bytes!("../../tests/golden/spacy.jsonl.gz");
    let mut lines = String::new();
    flate2::read::GzDecoder::new(golden).read_to_string(&mut lines).unwrap();
    let mut compared = 0;
    for line in lines.lines() {
        let (text, expected): (String, [Vec<String>; 2]) = serde_json::from_str(line).unwrap();
        let of = |spans: &[Span]| spans.iter().map(|span| text[span.clone()].to_owned()).collect::<Vec<_>>();
        let mut spans = Vec::new();
        tokens(&text, &mut spans);
        assert_eq!([of(&spans), of(&sentences(&text))], expected, "{text:?}");
        compared += 1;
    }
    assert_eq!(compared, 3000);
}
