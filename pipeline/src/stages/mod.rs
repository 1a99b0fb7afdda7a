//! The dataflow, one file a stage: read ▶ facts ▶ cluster ▶ decide ▶ tokenizer ▶ tokenize ▶ shard ▶ ledger ▶ publish.
//! A stage reads what former stages committed and nothing else; `run` strings them together.

pub mod cluster;
pub mod decide;
pub mod facts;
pub mod ledger;
pub mod publish;
pub mod read;
pub mod shard;
pub mod tokenize;
pub mod tokenizer;
