//! Claims: what package metadata, license files, readmes, headers and record fields say about terms, kept as found.
//! Words become an expression only through exact tables and equal texts; what a claim permits, and which of several
//! stands, is not decided here (semantics.md §1).

mod cards;
mod compare;
mod dep5;
mod document;
mod files;
mod folder;
mod identify;
mod library;
mod markup;
mod metadata;
mod names;
mod nearest;
mod notices;
mod pattern;
mod readme;
mod source;
mod texts;
mod urls;
mod word_lists;
mod wording;

pub use document::document_claims;
pub use identify::{Identified, identify};
pub use nearest::Change;
pub use source::{SourceClaims, source_claims};

use manifests::claim::{NO_ASSERTION, Statement};

use wording::Terms;

/// The statement that terms amount to.
fn statement(terms: &Terms) -> Statement {
    match terms {
        Terms::Expression(text) => Statement::License { expression: Some(text.clone()) },
        Terms::PublicDomain(places) => Statement::PublicDomain { places: places.clone() },
        Terms::Silent => Statement::License { expression: Some(NO_ASSERTION.to_owned()) },
        Terms::Family(_) | Terms::Unreadable => Statement::License { expression: None },
    }
}

#[cfg(test)]
mod evidence_tests;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod tests;
