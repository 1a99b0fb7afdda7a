//! fastText's supervised models, read as the C++ program reads them and with its results bit for bit: `.bin` and
//! quantised `.ftz`, softmax, hierarchical softmax, one-vs-all and negative sampling. Only prediction; nothing trains
//! here, and nothing knows what the labels mean.
//!
//! Crate `fasttext` 0.8 is not used: by its source, a quantised label tree (which `lid.176.ftz` is) is scored as one
//! softmax, a text of no known word has no labels, and word n-grams leave the line's end out. fastText does otherwise.

mod dictionary;
mod loading;
mod matrix;
mod predict;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use manifests::digest::Sha256;

use dictionary::Dictionary;
use matrix::Matrix;
use predict::Output;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("model `{}`: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is another one than the recipe names.
    #[error("model `{}` is {found}, the recipe names {wanted}", path.display())]
    Pin {
        /// The file.
        path: PathBuf,
        /// Its digest.
        found: Sha256,
        /// The recipe's.
        wanted: Sha256,
    },
    /// The file is no fastText model of a supervised kind, or damaged.
    #[error("model `{}`: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// A label of a model, with the probability that it gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction<'a> {
    /// The label without `__label__`.
    pub label: &'a str,
    /// fastText's score: at most 1.00001, which is `exp(ln(1 + 1e-5))`.
    pub score: f32,
}

/// A model in memory.
#[derive(Debug)]
pub struct Model {
    dictionary: Dictionary,
    input: Matrix,
    output: Output,
    digest: Sha256,
}

impl Model {
    /// The model of a file, loaded once in a process however often it is asked for.
    ///
    /// # Errors
    /// [`Error`] when the file is unreadable, another one than `pin`, or no such model.
    pub fn shared(path: &Path, pin: Sha256) -> Result<Arc<Self>, Error> {
        static LOADED: Mutex<BTreeMap<Sha256, Arc<Model>>> = Mutex::new(BTreeMap::new());
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = loaded.get(&pin) {
            return Ok(Arc::clone(model));
        }
        let model = Self::load(path)?;
        if model.digest != pin {
            return Err(Error::Pin { path: path.to_owned(), found: model.digest, wanted: pin });
        }
        let model = Arc::new(model);
        loaded.insert(pin, Arc::clone(&model));
        Ok(model)
    }

    /// The labels without `__label__`, in the model's order.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.dictionary.labels
    }

    /// The digest of its file.
    #[must_use]
    pub const fn digest(&self) -> Sha256 {
        self.digest
    }

    /// Bytes of memory that it takes, about.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.dictionary.memory() + self.input.memory() + self.output.memory()
    }

    /// Every label that the model gives the text a score for, best first, as `predict(text, k=-1)` in Python has them;
    /// of equal scores the label that comes first in the model. The text is one line: what follows a line end is not
    /// looked at, so callers replace line ends as their reference does.
    #[must_use]
    pub fn predict(&self, text: &str) -> Vec<Prediction<'_>> {
        let features = self.dictionary.line(text.as_bytes());
        if features.is_empty() {
            return Vec::new();
        }
        let hidden = self.input.average(&features);
        let mut scores = self.output.scores(&hidden);
        scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let labels = &self.dictionary.labels;
        scores.into_iter().map(|(score, label)| Prediction { label: &labels[label], score: score.exp() }).collect()
    }
}
