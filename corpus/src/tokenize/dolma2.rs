//! dolma2, OLMo's tokenizer: the cl100k ranks that crate tiktoken-rs ships, and OLMo's special tokens
//! (flexolmo.md §5.4: end of text 100257, padding 100277, 100,278 tokens).

use std::collections::HashMap;

use super::file::Bpe;
use super::{END_OF_TEXT, Error, Result};

/// Ordinary tokens of cl100k.
const RANKS: u32 = 100_256;

/// The model, merges included.
pub(super) fn model() -> Result<Bpe> {
    let tokens = ranks()?;
    let ids: HashMap<&[u8], u32> = (0..).zip(&tokens).map(|(id, t)| (t.as_slice(), id)).collect();
    let mut merges = Vec::new();
    for token in &tokens {
        // tiktoken merges by the rank of the result, so every way to cut a token is a merge of that rank.
        let cut = |at: usize| Some((*ids.get(&token[..at])?, *ids.get(&token[at..])?));
        let mut cuts: Vec<(u32, u32)> = (1..token.len()).filter_map(cut).collect();
        cuts.sort_unstable();
        merges.extend(cuts);
    }
    Ok(Bpe { tokens, merges, special: special(), whole_words: true })
}

fn ranks() -> Result<Vec<Vec<u8>>> {
    let incomplete = |e: &dyn std::fmt::Display| Error::Ranks(e.to_string());
    let bpe = tiktoken_rs::cl100k_base().map_err(|e| incomplete(&e))?;
    (0..RANKS).map(|rank| bpe.decode_bytes(&[rank]).map_err(|e| incomplete(&e))).collect()
}

/// The special tokens in id order, from the first id after the ranks.
fn special() -> Vec<(u32, String)> {
    let mut names: Vec<String> = vec!["<|extra_id_0|>".to_owned(), END_OF_TEXT.to_owned()];
    names.extend(["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"].map(str::to_owned));
    names.extend(["|||PHONE_NUMBER|||", "|||EMAIL_ADDRESS|||", "|||IP_ADDRESS|||"].map(str::to_owned));
    names.extend(["<|im_start|>", "<|im_end|>"].map(str::to_owned));
    names.extend((1..=10).map(|n| format!("<|extra_id_{n}|>")));
    names.extend(["<|endofprompt|>", "<|pad|>"].map(str::to_owned));
    (RANKS..).zip(names).collect()
}
