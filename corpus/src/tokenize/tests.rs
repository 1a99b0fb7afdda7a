//! Tokenizer tests: parity of dolma2 with tiktoken's own code, determinism of training, round trips.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{END_OF_TEXT, Error, Tokenizer, train_bpe};

static DOLMA2: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::dolma2().unwrap());
static TIKTOKEN: LazyLock<tiktoken_rs::CoreBPE> = LazyLock::new(|| tiktoken_rs::cl100k_base().unwrap());

const VARIED: [&str; 12] = [
    "Don't we'll I'VE they'd She'S it'sn't 'tis o'clock",
    "  leading\t\ttabs \n\n\n   and   runs\r\n\r\n  of white space \u{a0}\u{3000}x",
    "1 12 123 1234 12345678901234567890 3.14159 1,000,000 ٣٤٥٦ ½Ⅷ",
    "fn main() { let x: Vec<u8> = vec![0; 1 << 20]; // zero\n    println!(\"{x:?}\"); }\n}",
    "Größe, naïve café, Ελληνικά, русский текст, 中文文本，日本語のテキスト、한국어 텍스트",
    "👩‍👩‍👧‍👦 🇩🇪 e\u{301} \u{200b}zero\u{feff}width \u{202e}rtl עברית العربية",
    "https://example.org/a_b?c=d&e=%20#f <p class=\"x\">…</p> --- *** ___ ===",
    "\\begin{align} \\int_0^\\infty e^{-x^2} dx &= \\frac{\\sqrt{\\pi}}{2} \\end{align}",
    "CamelCaseIdentifier snake_case_identifier SCREAMING_CASE kebab-case x1y2z3",
    "a\rb\nc\u{85}d\u{2028}e\u{b}f\u{c}g\u{1c}h\u{0}i",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "the<|endoftext|>text <|im_start|> |||EMAIL_ADDRESS||| <|fim_prefix|>",
];

fn repository_text() -> String {
    [include_str!("../../../Cargo.toml"), include_str!("train.rs"), include_str!("tests.rs")].concat()
}

#[test]
fn dolma2_has_olmos_ids() {
    assert_eq!(DOLMA2.vocabulary_size(), 100_278);
    assert_eq!(DOLMA2.eos(), 100_257);
    assert_eq!(DOLMA2.decode(&[100_277, 100_256, 100_276]).unwrap(), "<|pad|><|extra_id_0|><|endofprompt|>");
    assert!(matches!(DOLMA2.decode(&[100_278]), Err(Error::UnknownId { id: 100_278, .. })));
}

#[test]
fn dolma2_equals_tiktoken_token_for_token() {
    let long = repository_text();
    let joined = VARIED.join("\n");
    for text in VARIED.iter().copied().chain([long.as_str(), joined.as_str()]) {
        assert_eq!(DOLMA2.encode(text).unwrap(), TIKTOKEN.encode_ordinary(text), "{text:?}");
    }
}

#[test]
fn special_names_in_a_text_are_text() {
    let ids = DOLMA2.encode(&format!("a{END_OF_TEXT}b<|pad|>|||IP_ADDRESS|||")).unwrap();
    assert!(ids.iter().all(|id| *id < 100_256), "{ids:?}");
    let trained = Tokenizer::from_json(&train_bpe([END_OF_TEXT.repeat(50)], 400).unwrap()).unwrap();
    let ids = trained.encode(END_OF_TEXT).unwrap();
    assert!(!ids.contains(&trained.eos()));
    assert_eq!(trained.decode(&ids).unwrap(), END_OF_TEXT);
}

#[test]
fn training_does_not_depend_on_order_batching_or_threads() {
    let text = repository_text();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let whole = train_bpe(&lines, 700).unwrap();
    let reversed = train_bpe(lines.iter().rev(), 700).unwrap();
    assert!(whole == reversed);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            std::thread::spawn(move || train_bpe(lines, 700).unwrap())
        })
        .collect();
    assert!(threads.into_iter().all(|t| t.join().unwrap() == whole));
    let tokenizer = Tokenizer::from_json(&whole).unwrap();
    assert_eq!((tokenizer.vocabulary_size(), tokenizer.eos()), (700, 0));
    assert_eq!(tokenizer.to_json(), whole);
    assert_eq!(tokenizer.digest(), manifests::digest::Sha256::of(&whole));
}

/// Merges by the definition: count all pairs anew, take the most frequent, smallest ids first.
fn naive_merges(words: &[(&str, usize)], merges: usize) -> Vec<(String, String)> {
    let mut words: Vec<(Vec<String>, usize)> =
        words.iter().map(|(w, n)| (w.chars().map(String::from).collect(), *n)).collect();
    let mut order: Vec<String> = (b'!'..=b'~').map(|b| char::from(b).to_string()).collect();
    let mut out = Vec::new();
    for _ in 0..merges {
        let mut counts = std::collections::BTreeMap::new();
        for (word, n) in &words {
            for pair in word.windows(2) {
                *counts.entry((pair[0].clone(), pair[1].clone())).or_insert(0) += n;
            }
        }
        let rank = |t: &String| order.iter().position(|o| o == t).unwrap();
        let best = counts.iter().filter(|(_, n)| **n >= 2);
        let best = best.max_by_key(|((a, b), n)| (**n, std::cmp::Reverse((rank(a), rank(b)))));
        let Some(((a, b), _)) = best else { break };
        let (a, b) = (a.clone(), b.clone());
        for (word, _) in &mut words {
            let mut i = 0;
            while i + 1 < word.len() {
                if word[i] == a && word[i + 1] == b {
                    word.splice(i..i + 2, [format!("{a}{b}")]);
                }
                i += 1;
            }
        }
        if !order.contains(&format!("{a}{b}")) {
            order.push(format!("{a}{b}"));
        }
        out.push((a, b));
    }
    out
}

fn merges_of(json: &[u8]) -> Vec<(String, String)> {
    let value: serde_json::Value = serde_json::from_slice(json).unwrap();
    let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
    value["model"]["merges"].as_array().unwrap().iter().map(|m| (text(&m[0]), text(&m[1]))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn training_follows_the_definition(words in proptest::collection::vec(("[ab]{1,7}|[a-d]{1,6}", 1usize..6), 1..12)) {
        // One text per word keeps the cutter from joining them.
        let texts: Vec<&str> = words.iter().flat_map(|(w, n)| std::iter::repeat_n(w.as_str(), *n)).collect();
        let trained = merges_of(&train_bpe(&texts, 100_000).unwrap());
        let words: Vec<(&str, usize)> = words.iter().map(|(w, n)| (w.as_str(), *n)).collect();
        prop_assert_eq!(trained, naive_merges(&words, usize::MAX));
    }

    #[test]
    fn dolma2_equals_tiktoken_on_any_text(text in "(\\PC|[ \\t\\n\\r'sdmtlverSTé0-9中.,!]){0,80}") {
        prop_assert_eq!(DOLMA2.encode(&text).unwrap(), TIKTOKEN.encode_ordinary(&text));
    }

    #[test]
    fn dolma2_equals_tiktoken_at_a_ragged_end(text in "[x.]{0,2}[ \\t\\n\\r\\u{a0}]{0,9}") {
        prop_assert_eq!(DOLMA2.encode(&text).unwrap(), TIKTOKEN.encode_ordinary(&text));
    }

    #[test]
    fn round_trip(text in "(\\PC|\\s|[\\x00-\\x1f]){0,200}") {
        static TRAINED: LazyLock<Tokenizer> =
            LazyLock::new(|| Tokenizer::from_json(&train_bpe([repository_text()], 500).unwrap()).unwrap());
        for tokenizer in [&*DOLMA2, &*TRAINED] {
            let ids = tokenizer.encode(&text).unwrap();
            prop_assert_eq!(tokenizer.decode(&ids).unwrap(), text.clone());
            prop_assert!(!ids.contains(&tokenizer.eos()));
        }
    }
}

#[test]
fn other_files_are_refused_by_name() {
    assert!(matches!(Tokenizer::from_json(b"{"), Err(Error::Malformed(_))));
    assert!(matches!(
        Tokenizer::from_json(b"{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}"),
        Err(Error::NotByteLevel)
    ));
    assert!(matches!(train_bpe(["x"], 256), Err(Error::VocabularySize(256))));
    let json = String::from_utf8(train_bpe(["x"], 300).unwrap()).unwrap();
    let ended = json.replace(END_OF_TEXT, "<|other|>");
    assert!(matches!(Tokenizer::from_json(ended.as_bytes()), Err(Error::NoEndOfText)));
}
