//! The network: OLMo 2 blocks as the dense anchor, and FlexOlmo's mixture over it.
//! Knows tensors and sizes only; nothing of files, manifests, policies or optimizers.

mod attention;
mod experts;
mod forward;
mod moe;
mod ops;
mod size;
mod weights;

#[cfg(test)]
mod tests;

pub use attention::{Attend, Cache, Documents};
pub use experts::{Expert, ExpertLayer, Ffn, Rank};
pub use forward::{Mixture, Network};
pub use ops::{Rope, linear, rms_norm};
pub use size::Size;
pub use weights::{Anchor, Layer};
