//! Tokenizer: the barrier before tokens. Either the named tokenizer, or one trained on the anchor tiers of a public
//! set: what the anchor may read, and nothing that is held out.

use std::path::Path;

use corpus::tokenize::{Tokenizer, train_bpe};
use manifests::ledger::Decision;

use super::decided::{Decided, DecidedSlice};
use crate::error::{Error, Result};
use crate::recipe::{Recipe, TokenizerPlan};
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "tokenizer", version: 1 };

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
                slice.each(|rows| {
                    let anchors = |row: &Decided| row.tier.as_ref().is_some_and(|t| recipe.anchor_tiers.contains(t));
                    let read = |(_, row): &(usize, &Decided)| row.decision == Decision::Kept && anchors(row);
                    for (i, _) in rows.decided.iter().enumerate().filter(read) {
                        texts.extend(rows.text(i)?.map(str::to_owned));
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
