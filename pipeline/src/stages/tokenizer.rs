//! Tokenizer: the barrier before tokens. Either the named tokenizer, or one trained on the anchor tiers of a public
//! set: what the anchor may read, and nothing that is held out.

use std::path::Path;

use arrow::array::{Array, LargeStringArray, StringArray};
use corpus::tokenize::{Tokenizer, train_bpe};
use manifests::ledger::Decision;

use crate::columns::column;
use crate::error::{Error, Result};
use crate::recipe::{Recipe, TokenizerPlan};
use crate::slice::SliceRef;
use crate::table::read;
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "tokenizer", version: 1 };

/// A slice with what former stages found out about it.
#[derive(Clone, Debug)]
pub struct DecidedSlice {
    /// The slice.
    pub slice: SliceRef,
    /// Its facts.
    pub facts: std::path::PathBuf,
    /// Its decisions.
    pub decisions: std::path::PathBuf,
}

/// Writes `tokenizer.json`.
///
/// # Errors
/// [`Error::Tokenizer`], or a file that can't be read or written.
pub fn run(recipe: &Recipe, slices: &[DecidedSlice], folder: &Path) -> Result<Vec<String>> {
    let json = match &recipe.tokenizer {
        TokenizerPlan::Dolma2 => Tokenizer::dolma2().map_err(failed)?.to_json().to_vec(),
        TokenizerPlan::Train { set, vocabulary } => {
            let mut texts = Vec::new();
            for slice in slices.iter().filter(|s| s.slice.source.set == *set) {
                slice.each_text(|text, row| {
                    if row.decision == Decision::Kept.as_str() && recipe.anchor_tiers.contains(&row.tier) {
                        texts.push(text.to_owned());
                    }
                    Ok(())
                })?;
            }
            if texts.is_empty() {
                return Err(Error::Refused {
                    what: format!("set `{set}` has no document in the anchor tiers, so no tokenizer can be trained"),
                    hint: Some("compare `anchor_tiers` with the tiers in the ledger".to_owned()),
                });
            }
            train_bpe(texts, *vocabulary as usize).map_err(failed)?
        }
    };
    let name = "tokenizer.json".to_owned();
    manifests::store::write_atomic(&folder.join(&name), &json)?;
    Ok(vec![name])
}

pub(super) fn failed(error: impl std::fmt::Display) -> Error {
    Error::Tokenizer(error.to_string())
}

/// What a text's row says beside its text.
pub struct TextRow {
    /// The row in its slice.
    pub row: usize,
    /// The decision's name.
    pub decision: String,
    /// The tier; empty when there is none.
    pub tier: String,
}

impl DecidedSlice {
    /// Every readable text of the slice, as the filters left it, with its row.
    ///
    /// # Errors
    /// A file that can't be read, or what `each` returns.
    pub fn each_text(&self, mut each: impl FnMut(&str, &TextRow) -> Result<()>) -> Result<()> {
        let mut first = 0;
        for ((slice, facts), decisions) in read(&self.slice.file)?.zip(read(&self.facts)?).zip(read(&self.decisions)?) {
            let (slice, facts, decisions) = (slice?, facts?, decisions?);
            let (texts, edited): (&LargeStringArray, &LargeStringArray) =
                (column(&slice, "text")?, column(&facts, "text")?);
            let (decision, tier): (&StringArray, &StringArray) =
                (column(&decisions, "decision")?, column(&decisions, "tier")?);
            for i in (0..slice.num_rows()).filter(|i| texts.is_valid(*i)) {
                let text = if edited.is_valid(i) { edited.value(i) } else { texts.value(i) };
                let tier = if tier.is_valid(i) { tier.value(i) } else { "" };
                let row = TextRow { row: first + i, decision: decision.value(i).to_owned(), tier: tier.to_owned() };
                each(text, &row)?;
            }
            first += slice.num_rows();
        }
        Ok(())
    }
}
