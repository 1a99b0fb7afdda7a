//! What can go wrong in training and inference, in words that read well after "failed to …".
//! Says what happened and where; which exit code that is, is the program's business.

use std::path::{Path, PathBuf};

/// This crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// This crate's errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("`{path}`: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file holds something else than it should.
    #[error("`{path}`: {why}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A plan, flag or configuration makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A signature, digest or identity does not hold.
    #[error("`{path}` does not verify: {why}")]
    Unverified {
        /// The artifact.
        path: PathBuf,
        /// What does not hold.
        why: String,
    },
    /// A policy said no.
    #[error("{0}")]
    Denied(String),
    /// A router row from too few documents.
    #[error("a router row needs at least {least} {side} documents, found {found}")]
    TooFewDocuments {
        /// `own` or `public`.
        side: &'static str,
        /// Documents there are.
        found: usize,
        /// Documents needed.
        least: usize,
    },
    /// A layer's statistics have no separating direction.
    #[error("layer {layer} has no separating router row: its inputs are not finite or do not differ")]
    NoRow {
        /// The layer, from 0.
        layer: usize,
    },
    /// Loss or gradient stopped being a number.
    #[error("{what} is `{value}` at step {step}")]
    NotFinite {
        /// `loss` or `gradient norm`.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The step, from 1.
        step: u64,
    },
    /// Stopped on request, at a checkpoint.
    #[error("stopped at step {step} of {steps}, checkpoint written")]
    Stopped {
        /// Steps done.
        step: u64,
        /// Steps in all.
        steps: u64,
    },
    /// The contract crate refused.
    #[error(transparent)]
    Manifests(#[from] manifests::Error),
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
    /// The shim refused.
    #[error("libtorch shim: {0}")]
    Shim(String),
}

impl Error {
    /// An I/O error at `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// A malformed file.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over what they have just made")]
    pub fn format(path: &Path, why: impl ToString) -> Self {
        Self::Format { path: path.to_owned(), why: why.to_string() }
    }

    /// An artifact that does not verify.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over what they have just made")]
    pub fn unverified(path: &Path, why: impl ToString) -> Self {
        Self::Unverified { path: path.to_owned(), why: why.to_string() }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::TooFewDocuments { .. } => {
                Some("join this expert's tier with a stricter one of the same set, or give it more documents".into())
            }
            Self::NotFinite { .. } => {
                Some("lower `lr` or raise `warmup` in the plan, and delete the job folder".into())
            }
            Self::Stopped { .. } => Some("run the same command again to go on".into()),
            _ => None,
        }
    }
}
