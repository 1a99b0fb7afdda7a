//! A filter as a recipe writes it. Every setting has a default, and the chain's JSON spells all of them out.

use std::sync::Arc;

use manifests::id::SetName;
use serde::{Deserialize, Serialize};

use super::chain::Filter;
use super::gopher::GopherThresholds;
use super::gopher_quality::GopherQualityThresholds;
use super::gopher_repetition::GopherRepetitionThresholds;
use super::length::LengthThresholds;

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

/// The sets that a filter is for, and its thresholds:
///
/// ```toml
/// [[filter]]
/// name = "gopher@dolma"
/// sets = ["news", "academic"]        # absent: every set
/// thresholds = { min_words = 30 }    # absent ones are the reference's
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings<T: Default> {
    /// The sets that it is for.
    #[serde(default = "every_set", skip_serializing_if = "Option::is_none")]
    pub sets: Option<Vec<SetName>>,
    /// Its thresholds.
    #[serde(default)]
    pub thresholds: T,
}

const fn every_set() -> Option<Vec<SetName>> {
    None
}

/// A filter as a recipe writes it, told apart by its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name")]
#[non_exhaustive]
pub enum FilterToml {
    /// Gopher's quality and repetition rules as dolma 1.2.1 computes them.
    #[serde(rename = "gopher@dolma")]
    GopherDolma(Settings<GopherThresholds>),
    /// Gopher's quality rules as datatrove 0.10.0 decides them.
    #[serde(rename = "gopher-quality@datatrove")]
    GopherQualityDatatrove(Settings<GopherQualityThresholds>),
    /// Gopher's repetition rules as datatrove 0.10.0 decides them.
    #[serde(rename = "gopher-repetition@datatrove")]
    GopherRepetitionDatatrove(Settings<GopherRepetitionThresholds>),
    /// Bounds on bytes and words.
    #[serde(rename = "length")]
    Length(Settings<LengthThresholds>),
}

impl FilterToml {
    /// The name in a recipe.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::GopherDolma(_) => "gopher@dolma",
            Self::GopherQualityDatatrove(_) => "gopher-quality@datatrove",
            Self::GopherRepetitionDatatrove(_) => "gopher-repetition@datatrove",
            Self::Length(_) => "length",
        }
    }

    const fn sets(&self) -> Option<&Vec<SetName>> {
        match self {
            Self::GopherDolma(s) => s.sets.as_ref(),
            Self::GopherQualityDatatrove(s) => s.sets.as_ref(),
            Self::GopherRepetitionDatatrove(s) => s.sets.as_ref(),
            Self::Length(s) => s.sets.as_ref(),
        }
    }

    /// Whether it is for documents of `set`.
    #[must_use]
    pub fn applies_to(&self, set: &SetName) -> bool {
        self.sets().is_none_or(|sets| sets.contains(set))
    }

    /// The filter, ready to run: settings checked, files read.
    pub(super) fn filter(&self) -> Result<Arc<dyn Filter>, Error> {
        Ok(match self {
            Self::GopherDolma(s) => Arc::new(s.thresholds.checked()?),
            Self::GopherQualityDatatrove(s) => Arc::new(s.thresholds.clone()),
            Self::GopherRepetitionDatatrove(s) => Arc::new(s.thresholds.clone()),
            Self::Length(s) => Arc::new(s.thresholds.clone()),
        })
    }
}
