//! The tokenizer that the pipeline runs: the fast encoder of crate tokenizers, and a decoder that is a table.

use manifests::digest::Sha256;
use serde_json::Value;
use tokenizers::pipeline::{EncodeOptions, Override, PipelineTokenizer};

use super::alphabet::raw;
use super::{Error, Result, dolma2};

/// The token that ends a document.
pub const END_OF_TEXT: &str = "<|endoftext|>";
/// Other names of it in tokenizers that we read.
const OTHER_ENDS: [&str; 2] = ["<|end_of_text|>", "</s>"];

/// A byte-level BPE tokenizer. `decode(encode(text)) == text` for every text, and a special token's name inside a
/// text is encoded as the characters it is: nobody ends a document by writing `<|endoftext|>` into it.
pub struct Tokenizer {
    encoder: PipelineTokenizer,
    options: EncodeOptions,
    bytes: Vec<Vec<u8>>,
    eos: u32,
    json: Vec<u8>,
}

impl Tokenizer {
    /// OLMo's dolma2: the cl100k ranks with OLMo's special tokens (flexolmo.md §5.4); 100,278 tokens.
    ///
    /// # Errors
    /// [`Error::Ranks`] when the ranks that the crate ships are not the known ones.
    pub fn dolma2() -> Result<Self> {
        Self::from_json(&dolma2::model()?.to_json()?)
    }

    /// The tokenizer of a `tokenizer.json`, of whichever version.
    ///
    /// # Errors
    /// When the bytes are no tokenizer, it is no byte-level BPE, or it has no end-of-text token.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let malformed = |e: &dyn std::fmt::Display| Error::Malformed(e.to_string());
        let mut value: Value = serde_json::from_slice(json).map_err(|e| malformed(&e))?;
        tokenizers::canonicalize_value(&mut value).map_err(|e| malformed(&e))?;
        if value["model"]["byte_level"] != Value::Bool(true) {
            return Err(Error::NotByteLevel);
        }
        let special = special_tokens(&value)?;
        let end = |name: &&str| special.iter().find(|(_, text)| text == name).map(|(id, _)| *id);
        let mut ends = [END_OF_TEXT].into_iter().chain(OTHER_ENDS);
        let eos = ends.find_map(|name| end(&name)).ok_or(Error::NoEndOfText)?;
        let bytes = byte_table(&value, &special)?;
        let canonical = serde_json::to_string(&value).map_err(|e| malformed(&e))?;
        let encoder = tokenizers::from_json(&canonical).map_err(|e| malformed(&e))?;
        let options = EncodeOptions {
            add_special_tokens: false,
            encode_special_tokens: true,
            padding: Override::Off,
            truncation: Override::Off,
        };
        Ok(Self { encoder, options, bytes, eos, json: json.to_vec() })
    }

    /// Appends the ids of `text` to `out`. No special token is added or recognised.
    ///
    /// # Errors
    /// [`Error::Encode`] when the encoder refuses the text.
    pub fn encode_into(&self, text: &str, out: &mut Vec<u32>) -> Result<()> {
        let mut tokens = Vec::with_capacity(text.len() / 3 + 1);
        self.encoder.encode_into(text, &self.options, &mut tokens).map_err(|e| Error::Encode(e.to_string()))?;
        out.extend(tokens.iter().map(|t| t.id()));
        Ok(())
    }

    /// The ids of `text`.
    ///
    /// # Errors
    /// As [`Self::encode_into`].
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut out = Vec::new();
        self.encode_into(text, &mut out)?;
        Ok(out)
    }

    /// The bytes that `ids` stand for; special tokens give their names.
    ///
    /// # Errors
    /// [`Error::UnknownId`] for an id outside the vocabulary.
    pub fn decode_bytes(&self, ids: &[u32]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(ids.len() * 4);
        for &id in ids {
            let size = self.bytes.len();
            out.extend_from_slice(self.bytes.get(id as usize).ok_or(Error::UnknownId { id, size })?);
        }
        Ok(out)
    }

    /// The text that `ids` stand for; bytes that are no UTF-8 (a token sequence cut inside a character) become U+FFFD.
    ///
    /// # Errors
    /// As [`Self::decode_bytes`].
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.decode_bytes(ids)?).into_owned())
    }

    /// One more than the largest id.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.bytes.len()
    }

    /// The id of the end-of-text token.
    #[must_use]
    pub const fn eos(&self) -> u32 {
        self.eos
    }

    /// The bytes of `tokenizer.json`: for a file that was read, the file's own.
    #[must_use]
    pub fn to_json(&self) -> &[u8] {
        &self.json
    }

    /// The SHA-256 of [`Self::to_json`], by which manifests and anchors name a tokenizer.
    #[must_use]
    pub fn digest(&self) -> Sha256 {
        Sha256::of(&self.json)
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokenizer({} tokens, {})", self.bytes.len(), self.digest())
    }
}

fn special_tokens(value: &Value) -> Result<Vec<(u32, String)>> {
    let added = value["added_tokens"].as_array().map(Vec::as_slice).unwrap_or_default();
    let parsed = added.iter().map(|token| Some((id(&token["id"])?, token["content"].as_str()?.to_owned())));
    parsed.collect::<Option<_>>().ok_or_else(|| Error::Malformed("an added token without id or content".to_owned()))
}

fn id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}

/// The bytes of every id; ids that nothing names stay empty.
fn byte_table(value: &Value, special: &[(u32, String)]) -> Result<Vec<Vec<u8>>> {
    let malformed = |what: &str| Error::Malformed(what.to_owned());
    let vocabulary = value["model"]["vocab"].as_object().ok_or_else(|| malformed("no vocabulary"))?;
    let mut entries: Vec<(u32, Vec<u8>)> = Vec::with_capacity(vocabulary.len() + special.len());
    for (token, number) in vocabulary {
        let id = id(number).ok_or_else(|| malformed("a token whose id is no u32"))?;
        if special.iter().all(|(s, _)| *s != id) {
            entries.push((id, raw(token).ok_or(Error::NotByteLevel)?));
        }
    }
    entries.extend(special.iter().map(|(id, text)| (*id, text.clone().into_bytes())));
    let size = entries.iter().map(|(id, _)| *id as usize + 1).max().unwrap_or(0);
    if size > entries.len().saturating_mul(2).max(1 << 16) {
        return Err(malformed("token ids are far apart"));
    }
    let mut table = vec![Vec::new(); size];
    for (id, bytes) in entries {
        table[id as usize] = bytes;
    }
    Ok(table)
}
