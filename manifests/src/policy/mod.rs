//! Policies and verdicts (semantics.md §7). A policy is a strict TOML file with positions; evaluation is pure and
//! total: no clock, no I/O, the same inputs give the same verdict. Who signed a policy is [`crate::gate`]'s business.

mod evaluate;
mod file;
mod raw;
#[cfg(test)]
mod tests;

pub use evaluate::{Context, Denial, ReviewedTerms, TermsSource, Verdict, evaluate, mixing};
pub use file::{Act, Assurance, Duty, Exception, Listed, Mix, Policy, RuleRef};
