//! Policies and verdicts (semantics.md §7). A policy is a strict TOML file with positions; evaluation is pure and
//! total: no clock, no I/O, the same inputs give the same verdict. Who signed a policy is [`crate::gate`]'s business.

mod evaluate;
mod file;
#[cfg(test)]
mod laws;
mod mixing;
mod raw;
mod reader;
#[cfg(test)]
mod tests;
pub mod words;

pub use evaluate::{Context, Denial, ReviewedTerms, TermsSource, Verdict, evaluate};
pub use file::{Act, Assurance, Duty, Exception, Listed, Mix, Policy, RuleRef};
pub use mixing::{Mixing, mixing};
