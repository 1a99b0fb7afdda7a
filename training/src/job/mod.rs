//! Training jobs: from a plan and verified manifests to a stamped folder. See [`run_anchor`] and [`run_expert`].

pub mod checkpoint;
pub mod corpus;
mod expert;
pub mod feed;
pub mod finish;
mod start;
pub mod trainer;

#[cfg(test)]
mod tests;

pub use expert::run_expert;
pub use finish::Finished;
pub use start::{Inputs, run_anchor};
