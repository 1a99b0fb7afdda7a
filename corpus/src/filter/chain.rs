//! The recipe's ordered chain of filters. It travels as a literal JSON argument of the function that applies it, so a
//! plan says all that decided; equal chains have equal JSON.

use manifests::id::SetName;
use serde::{Deserialize, Serialize};

use super::gopher::{Attributes, GopherThresholds};
use super::length::LengthThresholds;
use super::python;

/// Why a chain cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The JSON is no chain.
    #[error("not a filter chain: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A threshold with which a filter could not work.
    #[error("`{0}` of filter `{1}` must be a finite number of at least 0")]
    Threshold(&'static str, &'static str),
}

/// A filter as a recipe writes it:
///
/// ```toml
/// [[filter]]
/// name = "gopher@dolma"
/// sets = ["news", "academic"]        # absent: every set
/// thresholds = { min_words = 30 }    # absent ones are the reference's
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", deny_unknown_fields)]
#[non_exhaustive]
pub enum FilterToml {
    /// Gopher's quality and repetition rules as dolma 1.2.1 computes them.
    #[serde(rename = "gopher@dolma")]
    GopherDolma {
        /// The sets that it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sets: Option<Vec<SetName>>,
        /// Its thresholds.
        #[serde(default)]
        thresholds: GopherThresholds,
    },
    /// Bounds on bytes and words.
    #[serde(rename = "length")]
    Length {
        /// The sets that it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sets: Option<Vec<SetName>>,
        /// Its thresholds.
        #[serde(default)]
        thresholds: LengthThresholds,
    },
}

/// A filter whose thresholds have been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(FilterToml);

impl TryFrom<FilterToml> for Filter {
    type Error = Error;

    fn try_from(filter: FilterToml) -> Result<Self, Error> {
        if let FilterToml::GopherDolma { thresholds: t, .. } = &filter {
            let plain =
                [t.min_median_word_length, t.max_median_word_length, t.symbol_to_word_ratio, t.words_with_letter];
            let more = [t.bullet_lines, t.ellipsis_lines, t.duplicate_lines, t.duplicate_line_characters];
            let grams = [t.top_2gram, t.top_3gram, t.top_4gram];
            let mut all = plain.iter().chain(&more).chain(&grams).chain(&t.duplicate_ngrams);
            if all.any(|x| !x.is_finite() || *x < 0.0) {
                return Err(Error::Threshold("thresholds", "gopher@dolma"));
            }
        }
        Ok(Self(filter))
    }
}

impl Filter {
    fn applies_to(&self, set: &SetName) -> bool {
        let (FilterToml::GopherDolma { sets, .. } | FilterToml::Length { sets, .. }) = &self.0;
        sets.as_ref().is_none_or(|sets| sets.contains(set))
    }

    fn reason(&self, text: &str, counts: &Counts) -> Option<Reason> {
        match &self.0 {
            FilterToml::GopherDolma { thresholds, .. } => thresholds.reason(&Attributes::of(text)),
            FilterToml::Length { thresholds, .. } => thresholds.reason(counts),
        }
    }
}

/// The rule that dropped a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// Kebab-case code, `gopher-too-few-words`.
    pub code: &'static str,
    /// The document's value.
    pub value: f64,
    /// The threshold that it missed.
    pub threshold: f64,
}

impl Reason {
    pub(super) fn of(code: &'static str, value: u64, threshold: u64) -> Self {
        Self { code, value: value as f64, threshold: threshold as f64 }
    }
}

/// Sizes of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes of UTF-8.
    pub bytes: u64,
    /// Code points.
    pub characters: u64,
    /// Runs of anything but white space, as Python's `str.split`.
    pub words: u64,
    /// Lines; a last one without a line end counts.
    pub lines: u64,
}

impl Counts {
    /// The sizes of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let words = python::split(text).count() as u64;
        Self { bytes: text.len() as u64, characters: python::len(text), words, lines: text.lines().count() as u64 }
    }
}

/// What the chain found out about one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The first rule, in the chain's order, that the document breaks; none when it is kept.
    pub reason: Option<Reason>,
    /// The text as the filters left it; none when they changed nothing.
    pub text: Option<String>,
    /// Bytes that edits added.
    pub bytes_added: u64,
    /// Bytes that edits removed: `bytes in + added = bytes out + removed`.
    pub bytes_removed: u64,
    /// Sizes of the text as it came in.
    pub counts: Counts,
}

/// An ordered chain of filters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    filters: Vec<Filter>,
}

impl Chain {
    /// A chain that applies `filters` in their order.
    #[must_use]
    pub const fn new(filters: Vec<Filter>) -> Self {
        Self { filters }
    }

    /// The chain as JSON, with every threshold spelled out.
    ///
    /// # Errors
    /// None that a checked chain can give.
    pub fn to_json(&self) -> Result<String, Error> {
        Ok(serde_json::to_string(&self.filters.iter().map(|f| &f.0).collect::<Vec<_>>())?)
    }

    /// The chain of [`Self::to_json`].
    ///
    /// # Errors
    /// [`Error`] when the text is no chain.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let filters: Vec<FilterToml> = serde_json::from_str(json)?;
        Ok(Self { filters: filters.into_iter().map(Filter::try_from).collect::<Result<_, _>>()? })
    }

    /// What the chain says about a text of `set`. Filters of today only test; `text` and the byte counts are for those
    /// that edit.
    #[must_use]
    pub fn apply(&self, set: &SetName, text: &str) -> Facts {
        let counts = Counts::of(text);
        let mut ours = self.filters.iter().filter(|f| f.applies_to(set));
        Facts { reason: ours.find_map(|f| f.reason(text, &counts)), counts, ..Facts::default() }
    }
}
