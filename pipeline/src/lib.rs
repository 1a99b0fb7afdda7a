//! The dataflow of flexmix: a recipe becomes tasks, tasks become shards, ledger and signed manifests, and what was
//! built can be verified, asked and audited. Owns the `flexmix` program (`cli/`); knows nothing of libtorch.

pub mod audit;
pub mod build;
pub mod columns;
pub mod engine;
pub mod error;
mod folders;
pub mod html;
pub mod inspect;
pub mod interchange;
pub mod launch;
pub mod mix;
pub mod notice;
pub mod objects;
pub mod outlook;
pub mod pieces;
pub mod policy;
pub mod progress;
pub mod prove;
pub mod publish;
pub mod query;
pub mod ranks;
pub mod recipe;
pub mod rules;
pub mod run;
pub mod signing;
pub mod sizes;
pub mod slice;
pub mod stages;
pub mod table;
pub mod task;
mod tensors;
pub mod timings;
pub mod torch;
pub mod train_plan;
pub mod udf;
pub mod verify;
pub mod withdrawal;
pub mod words;

pub use error::{Error, Result};
