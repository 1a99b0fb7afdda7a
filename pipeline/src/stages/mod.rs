//! The dataflow, one file a stage: read ▶ facts ▶ cluster ▶ decide ▶ hold out ▶ tokenizer ▶ tokenize ▶ shard ▶ ledger ▶
//! publish. A stage reads what former stages committed and nothing else; `run` strings them together. `decided` is what
//! those after `decide` hand over.

pub mod cluster;
pub mod decide;
pub mod decided;
pub mod facts;
pub mod hold_out;
pub mod ledger;
pub mod publish;
pub mod read;
pub mod shard;
pub mod tokenize;
pub mod tokenizer;
