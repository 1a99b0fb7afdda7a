//! The dataflow, one file a stage: read ▶ facts ▶ cluster ▶ decide ▶ hold out ▶ tokenizer ▶ tokenize ▶ shard ▶ ledger ▶
//! publish. A stage reads what former stages committed and nothing else; `run` strings them together. `decided` is what
//! those after `decide` hand over.

pub mod cluster;
pub mod decide;
pub mod decided;
pub mod excluded;
pub mod facts;
pub mod hold_out;
pub mod ledger;
pub mod mix;
pub mod publish;
pub mod read;
pub mod shard;
pub mod tokenize;
pub mod tokenizer;

/// The ledger's names of stages, in the dataflow's order.
pub const ORDER: [&str; 7] = ["read", "facts", "filter", "cluster", "admit", "hold-out", "mix"];

/// Where a stage that the ledger names stands in the dataflow; one that is not known comes last.
#[must_use]
pub fn place(stage: &str) -> usize {
    ORDER.iter().position(|name| *name == stage).unwrap_or(ORDER.len())
}
