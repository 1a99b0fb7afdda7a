//! Training and inference of FlexOlmo models from verified manifests: loader, trainer, merge, session.
//! Reads shards only through `manifests`; knows nothing of raw documents, `corpus` or `pipeline`.

pub mod config;
pub mod contrast;
pub mod error;
pub mod evaluate;
pub mod folder;
pub mod generate;
pub mod job;
pub mod merge;
pub mod model;
pub mod optim;
pub mod rng;
pub mod session;
pub mod shim;
pub mod tensors;

pub use error::{Error, Result};
