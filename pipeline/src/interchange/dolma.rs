//! dolma documents and attributes: JSON lines, row for row in the same order. Text is what the tokens stand for, which
//! is the text that was kept, byte for byte, since the tokenizer is byte-level.

use std::path::Path;

use corpus::tokenize::Tokenizer;
use manifests::shard::Row;
use serde_json::json;

use super::export::Written;
use crate::error::{Error, Result};

/// The name of the attributes' folder and tagger.
const NAME: &str = "flexmix";
const LEVEL: i32 = 3;

/// Two files under way.
#[derive(Default)]
pub(super) struct DolmaFile {
    documents: Vec<u8>,
    attributes: Vec<u8>,
}

impl DolmaFile {
    pub(super) fn push(&mut self, row: &Row, tokenizer: &Tokenizer) -> Result<()> {
        let bytes = tokenizer.decode_bytes(&row.tokens).map_err(|e| Error::Tokenizer(e.to_string()))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::Tokenizer(format!("the tokens of document `{}` are no text", row.doc_id)))?;
        // Spans of attributes are counted in code points.
        let length = text.chars().count();
        let id = row.doc_id.to_string();
        let source = row.source.first().map_or("", |s| s.as_str());
        let document = json!({
            "id": id,
            "text": text,
            "source": source,
            "metadata": {
                "license": row.license,
                "tier": row.tier,
                "set": row.set,
                "sources": row.source,
                "rightsholders": row.rightsholder,
            },
        });
        let span = |score: f64| json!([[0, length, score]]);
        let (tokens, copies) = (u32::try_from(row.tokens.len()).unwrap_or(u32::MAX), row.copies);
        let attributes = json!({
            "id": id,
            "source": source,
            "attributes": {
                format!("{NAME}__{NAME}__tokens"): span(f64::from(tokens)),
                format!("{NAME}__{NAME}__copies"): span(f64::from(copies)),
            },
        });
        for (line, out) in [(document, &mut self.documents), (attributes, &mut self.attributes)] {
            serde_json::to_writer(&mut *out, &line).map_err(|e| Error::Bug(e.to_string()))?;
            out.push(b'\n');
        }
        Ok(())
    }

    pub(super) fn finish(self, base: &str, root: &Path, written: &mut Written) -> Result<()> {
        let files =
            [(format!("documents/{base}"), self.documents), (format!("attributes/{NAME}/{base}"), self.attributes)];
        for (name, lines) in files {
            let packed = zstd::encode_all(lines.as_slice(), LEVEL).map_err(|e| Error::Bug(e.to_string()))?;
            written.write(root, &format!("{name}.jsonl.zst"), &packed)?;
        }
        Ok(())
    }
}
