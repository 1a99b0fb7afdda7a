//! Errors of reading: what stops a source, in contrast to a bad record, which is a row of the ledger.

use std::io;
use std::path::{Path, PathBuf};

use manifests::digest::Sha256;

/// The result of this module's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The recipe says something that is not possible.
    #[error("source `{id}`: {what}")]
    Recipe {
        /// The source's id, as written.
        id: String,
        /// What is wrong.
        what: String,
    },
    /// An object is not what the recipe pins.
    #[error("source `{id}`: `{}` changed: its digest is {found}, the recipe pins {expected}", path.display())]
    Changed {
        /// The source.
        id: String,
        /// The object.
        path: PathBuf,
        /// The digest in the recipe.
        expected: Sha256,
        /// The digest of the bytes.
        found: Sha256,
    },
}

impl Error {
    pub(crate) fn io(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Io { path: path.as_ref().to_path_buf(), source }
    }

    pub(crate) fn recipe(id: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Recipe { id: id.into(), what: what.into() }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("fetch the recipe's objects into the inputs folder first")
            }
            Self::Changed { .. } => Some(
                "fetch the pinned object again; if the change is meant, read its text and license evidence anew, then \
                 change `sha256` and `read_at` in the recipe",
            ),
            Self::Io { .. } | Self::Recipe { .. } => None,
        }
    }
}
