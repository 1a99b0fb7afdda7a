//! License expressions and terms: the SPDX algebra and the reviewed table of what each id permits and asks.
//! Knows nothing of documents or policies.

mod expression;
mod terms;
#[cfg(test)]
mod tests;

pub use expression::{Alternative, Expression, Leaf};
pub use terms::{Family, Property, Terms, reviewed, reviewed_ids};
