//! What one license file is, for people who decide: exact texts by name, or the nearest text and where the two part.

use super::nearest::{self, Change};
use super::texts::{Found, exact};

/// What a license file turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identified {
    /// Nothing but listed texts.
    Listed {
        /// The ids of each text, in the file's order; several where the list gives them one text.
        texts: Vec<Vec<String>>,
        /// All texts together, when each has one id.
        expression: Option<String>,
    },
    /// Near a listed text and not it: a person must decide.
    Near {
        /// The nearest listed text.
        id: String,
        /// Every place where the file parts from it.
        changes: Vec<Change>,
    },
    /// Near no listed text: a person must decide.
    Unlisted,
}

/// What `text` is. `package` is the name of its package, whose first line may be a title.
#[must_use]
pub fn identify(text: &str, package: Option<&str>) -> Identified {
    let texts = match exact(text, package) {
        Some(Found::Known(ids)) => vec![ids],
        Some(Found::Several(texts)) => texts,
        Some(Found::Unknown { .. }) | None => {
            return match nearest::changes(text, package) {
                Some((id, changes)) => Identified::Near { id: id.to_owned(), changes },
                None => Identified::Unlisted,
            };
        }
    };
    Identified::Listed { expression: all_of(&texts), texts }
}

/// The texts of one file as one expression: all of them, when each has one id.
pub(super) fn all_of(texts: &[Vec<String>]) -> Option<String> {
    let ids: Option<Vec<&str>> =
        texts.iter().map(|ids| if let [one] = &ids[..] { Some(one.as_str()) } else { None }).collect();
    let expression = ids?.join(" AND ").parse::<manifests::license::Expression>().ok()?;
    Some(expression.to_string())
}
