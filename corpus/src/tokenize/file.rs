//! The shape of `tokenizer.json` as we write it: version 1.0, which transformers, tokenizers and others read. Key
//! order is fixed and the vocabulary is written in id order, so equal tokenizers have equal bytes.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::alphabet::printable;
use super::{Error, Result};

/// How cl100k cuts text into words, as OpenAI published it: the grammar that the encoder runs without a regex engine.
const SPLIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A byte-level BPE model.
pub(super) struct Bpe {
    /// The tokens, id = index.
    pub tokens: Vec<Vec<u8>>,
    /// Pairs of token ids, first merged first.
    pub merges: Vec<(u32, u32)>,
    /// Special tokens with their ids; they are no results of merges.
    pub special: Vec<(u32, String)>,
    /// Whether a word that is a token is that token, whatever the merges say (tiktoken's rule).
    pub whole_words: bool,
}

impl Bpe {
    /// The bytes of `tokenizer.json`.
    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let special = |id: &u32| self.special.iter().find(|(s, _)| s == id).map(|(_, text)| text.clone());
        let name = |id: u32| special(&id).unwrap_or_else(|| printable(&self.tokens[id as usize]));
        let added = self.special.iter().map(|(id, content)| Added {
            id: *id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
        });
        let root = Root {
            version: "1.0",
            truncation: None,
            padding: None,
            added_tokens: added.collect(),
            normalizer: None,
            pre_tokenizer: json!({"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": false},
                {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
            ]}),
            post_processor: None,
            decoder: json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}),
            model: Model {
                r#type: "BPE",
                dropout: None,
                unk_token: None,
                continuing_subword_prefix: None,
                end_of_word_suffix: None,
                fuse_unk: false,
                byte_fallback: false,
                ignore_merges: self.whole_words,
                vocab: Vocabulary((0..).take(self.tokens.len()).map(name).collect()),
                merges: self.merges.iter().map(|(a, b)| [name(*a), name(*b)]).collect(),
            },
        };
        serde_json::to_vec(&root).map_err(|e| Error::Malformed(e.to_string()))
    }
}

#[derive(Serialize)]
struct Root<'a> {
    version: &'a str,
    truncation: Option<()>,
    padding: Option<()>,
    added_tokens: Vec<Added<'a>>,
    normalizer: Option<()>,
    pre_tokenizer: Value,
    post_processor: Option<()>,
    decoder: Value,
    model: Model<'a>,
}

#[derive(Serialize)]
struct Added<'a> {
    id: u32,
    content: &'a str,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

#[derive(Serialize)]
struct Model<'a> {
    r#type: &'a str,
    dropout: Option<f32>,
    unk_token: Option<&'a str>,
    continuing_subword_prefix: Option<&'a str>,
    end_of_word_suffix: Option<&'a str>,
    fuse_unk: bool,
    byte_fallback: bool,
    ignore_merges: bool,
    vocab: Vocabulary,
    merges: Vec<[String; 2]>,
}

struct Vocabulary(Vec<String>);

impl Serialize for Vocabulary {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (id, token) in self.0.iter().enumerate() {
            map.serialize_entry(token, &id)?;
        }
        map.end()
    }
}
