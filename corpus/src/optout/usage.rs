//! AI preferences (draft-ietf-aipref-vocab): a structured-field dictionary of `y` and `n` by category of use.

use manifests::claim::Signal;
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use super::Said;

/// The label for training, and those of older drafts that cover it.
const LABELS: [&str; 6] = ["train-ai", "train-genai", "genai", "ai", "bots", "all"];

/// What a statement of preference says of training; nothing when it says nothing of it.
pub(super) fn said(statement: &str, raw: &str, line: usize) -> Option<Said> {
    let dictionary = match Parser::new(statement).parse::<Dictionary>() {
        Ok(dictionary) => dictionary,
        Err(error) => return Some(Said::new(Signal::Aipref, None, format!("{raw} [not a dictionary: {error}]"), line)),
    };
    let value = |label: &str| match dictionary.get(label) {
        Some(ListEntry::Item(item)) => match &item.bare_item {
            BareItem::Token(token) => Some(token.as_str() == "n").filter(|n| *n || token.as_str() == "y"),
            _ => None,
        },
        _ => None,
    };
    let values: Vec<bool> = LABELS.into_iter().filter_map(value).collect();
    // Any label that covers training and says no reserves, whatever the others allow.
    let reserved = values.iter().any(|refused| *refused);
    (!values.is_empty()).then(|| Said::new(Signal::Aipref, Some(reserved), raw, line))
}
