//! Every way a record can be absent, malformed or dishonest. A refusal by policy is not an error: it is a
//! [`crate::policy::Verdict`] with a reason code.

use std::io;
use std::path::{Path, PathBuf};

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong with a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot access `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A value does not have the form that its kind requires.
    #[error("`{value}` is not a valid {kind}: expected {expected}")]
    Invalid {
        /// The kind of value.
        kind: &'static str,
        /// The value as found.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A record cannot be parsed.
    #[error("`{}` is not a valid {kind}: {what}", path.display())]
    Malformed {
        /// The kind of record.
        kind: &'static str,
        /// Where it was read.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        what: String,
    },
    /// A record or file is not what its digest, length or signature says.
    #[error("verification of `{}` failed: {what}", path.display())]
    Verification {
        /// The file.
        path: PathBuf,
        /// The check that failed.
        what: String,
    },
    /// A rule of the contract is broken by the caller.
    #[error("{0}")]
    Contract(String),
}

impl Error {
    /// An I/O error with its path.
    pub fn io(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Io { path: path.as_ref().to_path_buf(), source }
    }

    /// A value of the wrong form.
    pub fn invalid(kind: &'static str, value: impl Into<String>, expected: &'static str) -> Self {
        Self::Invalid { kind, value: value.into(), expected }
    }

    /// A record that cannot be parsed.
    pub fn malformed(kind: &'static str, path: impl AsRef<Path>, what: impl ToString) -> Self {
        Self::Malformed { kind, path: path.as_ref().to_path_buf(), what: what.to_string() }
    }

    /// A failed check of digest, length, signature or freshness.
    pub fn verification(path: impl AsRef<Path>, what: impl Into<String>) -> Self {
        Self::Verification { path: path.as_ref().to_path_buf(), what: what.into() }
    }

    /// Whether this is a failed verification (exit code 1) and not a failed input (exit code 3).
    #[must_use]
    pub const fn is_verification(&self) -> bool {
        matches!(self, Self::Verification { .. })
    }
}
