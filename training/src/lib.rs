//! Training and inference of FlexOlmo models from verified manifests: loader, trainer, merge, session.
//! Reads shards only through `manifests`; knows nothing of raw documents, `corpus` or `pipeline`.

pub mod contrast;
pub mod error;
pub mod model;
pub mod optim;
pub mod rng;
pub mod shim;

pub use error::{Error, Result};
