//! Records as others meet them: golden files of every version that shipped, proofs that stand alone, and reference
//! implementations that verify and spell what we write.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a failed step is a failed test")]

mod golden;
mod kinds;
mod proofs;
mod reference;
mod samples;
