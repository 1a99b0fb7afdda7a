//! What can go wrong in a run, sorted by who can mend it: the one who wrote the recipe, the one who owns the inputs,
//! the one who owns the policy. The command maps these kinds to exit codes.

use std::path::{Path, PathBuf};

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a run stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The recipe, or an option, does not say what it must.
    #[error("`{}` is not a valid recipe: {what}", path.display())]
    Recipe {
        /// The recipe.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        what: String,
    },
    /// A command was used wrongly.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// The way out.
        hint: Option<String>,
    },
    /// A file could not be read or written.
    #[error("cannot access `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A source could not be read.
    #[error(transparent)]
    Source(#[from] corpus::source::Error),
    /// A record is absent, malformed or dishonest.
    #[error(transparent)]
    Record(#[from] manifests::Error),
    /// A policy or a check said no.
    #[error("{what}")]
    Refused {
        /// What was refused, and why.
        what: String,
        /// The way out.
        hint: Option<String>,
    },
    /// A document could not be tokenized, or a tokenizer not be made.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The query engine failed.
    #[error("query engine: {0}")]
    Engine(#[from] datafusion::error::DataFusionError),
    /// A Parquet file could not be written or read.
    #[error("cannot use `{}` as Parquet", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// The ledger does not balance, so nothing is published.
    #[error("the ledger does not balance: {0}")]
    Unbalanced(String),
    /// Another process of the same build has published the corpus: nothing is left to do.
    #[error("another rank has finished this corpus")]
    FinishedElsewhere,
    /// A law of our own was broken.
    #[error("a bug of flexmix: {0}")]
    Bug(String),
}

impl Error {
    /// An I/O error with its path.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().to_path_buf(), source }
    }

    /// A Parquet error with its path.
    pub fn parquet(path: impl AsRef<Path>, source: parquet::errors::ParquetError) -> Self {
        Self::Parquet { path: path.as_ref().to_path_buf(), source }
    }

    /// A wrong use, with the way out.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: Some(hint.into()) }
    }

    /// The way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::Refused { hint, .. } => hint.clone(),
            Self::Source(source) => source.hint().map(str::to_owned),
            _ => None,
        }
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Engine(error.into())
    }
}
