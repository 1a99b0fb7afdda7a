//! The recipe's ordered chain of filters. It travels as a literal JSON argument of the function that applies it, so a
//! plan says all that decided; equal chains have equal JSON.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt::Debug;
use std::sync::Arc;

use manifests::id::SetName;

use super::facts::{Counts, FactColumn, Facts, Outcome};
use super::recipe::{Error, FilterToml};
use crate::segment::{Span, words};

/// A document as the chain receives it.
#[derive(Clone, Copy, Debug, Default)]
pub struct DocumentView<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its address, where the source names one.
    pub url: Option<&'a str>,
}

/// One version of a document's text. What several filters need of it is computed once and lent.
#[derive(Debug)]
pub struct Text<'a> {
    text: &'a str,
    url: Option<&'a str>,
    counts: OnceCell<Counts>,
    words: OnceCell<Vec<Span>>,
}

impl<'a> Text<'a> {
    /// The text of `document` as it came in.
    #[must_use]
    pub const fn of(document: &DocumentView<'a>) -> Self {
        Self { text: document.text, url: document.url, counts: OnceCell::new(), words: OnceCell::new() }
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The document's address.
    #[must_use]
    pub const fn url(&self) -> Option<&'a str> {
        self.url
    }

    /// The places of its words, as spaCy cuts English.
    pub fn words(&self) -> &[Span] {
        self.words.get_or_init(|| {
            let mut found = Vec::new();
            words(self.text, &mut found);
            found
        })
    }

    /// The text's sizes.
    pub fn counts(&self) -> Counts {
        *self.counts.get_or_init(|| Counts::of(self.text))
    }
}

/// A filter: a pure function of a text and its address, with its thresholds inside. To add one: a file with the type, a
/// variant of [`FilterToml`], its codes in `manifests::reason`.
pub trait Filter: Debug + Send + Sync {
    /// The facts that it finds out about a text, in the order of [`Outcome::values`]; names start with the filter's own
    /// prefix.
    fn columns(&self) -> Vec<FactColumn>;

    /// What it says about `text`. All values are computed, whichever rule is broken first.
    fn apply(&self, text: &Text<'_>) -> Outcome;
}

/// A filter in its place.
#[derive(Clone, Debug)]
struct Link {
    toml: FilterToml,
    filter: Arc<dyn Filter>,
    columns: Vec<FactColumn>,
}

/// An ordered chain of filters.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    links: Vec<Link>,
}

impl PartialEq for Chain {
    fn eq(&self, other: &Self) -> bool {
        self.links.iter().map(|l| &l.toml).eq(other.links.iter().map(|l| &l.toml))
    }
}

impl Chain {
    /// A chain that applies `filters` in their order. Where the same filter stands twice, the second one's columns end
    /// in `_2`.
    ///
    /// # Errors
    /// [`Error`] when a filter could not work with its settings.
    pub fn new(filters: Vec<FilterToml>) -> Result<Self, Error> {
        let mut chain = Self::default();
        for toml in filters {
            let filter = toml.filter()?;
            let mut columns = filter.columns();
            for column in &mut columns {
                let taken = |name: &str| chain.links.iter().flat_map(|l| &l.columns).any(|c| c.name == name);
                let again = (2..).map(|n| format!("{}_{n}", column.name));
                if let Some(name) = std::iter::once(column.name.clone()).chain(again).find(|name| !taken(name)) {
                    column.name = name;
                }
            }
            chain.links.push(Link { toml, filter, columns });
        }
        Ok(chain)
    }

    /// The chain as JSON, with every threshold spelled out.
    ///
    /// # Errors
    /// None that a checked chain can give.
    pub fn to_json(&self) -> Result<String, Error> {
        Ok(serde_json::to_string(&self.links.iter().map(|l| &l.toml).collect::<Vec<_>>())?)
    }

    /// The chain of [`Self::to_json`].
    ///
    /// # Errors
    /// [`Error`] when the text is no chain.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        Self::new(serde_json::from_str(json)?)
    }

    /// The facts that the chain finds out, in the order of [`Facts::values`]: one name is one column.
    #[must_use]
    pub fn columns(&self) -> Vec<FactColumn> {
        self.links.iter().flat_map(|l| l.columns.iter().cloned()).collect()
    }

    /// The name of the filter at a place of the chain, as the recipe writes it.
    #[must_use]
    pub fn name(&self, filter: usize) -> Option<&'static str> {
        self.links.get(filter).map(|l| l.toml.name())
    }

    /// What the chain says about a document of `set`: each filter sees the text as those before it left it, and the
    /// first that drops it is the last to see it.
    #[must_use]
    pub fn apply(&self, set: &SetName, document: &DocumentView<'_>) -> Facts {
        let mut facts = Facts { counts: Counts::of(document.text), ..Facts::default() };
        let mut text = Cow::Borrowed(document.text);
        let mut at = 0;
        while facts.reason.is_none() && at < self.links.len() {
            let edited = self.read(&text, document.url, set, &mut at, &mut facts);
            text = edited.map_or(text, Cow::Owned);
        }
        let known: usize = self.links.iter().map(|l| l.columns.len()).sum();
        facts.values.resize(known, None);
        facts.text = match text {
            Cow::Owned(text) => Some(text),
            Cow::Borrowed(_) => None,
        };
        facts
    }

    /// Runs the filters from place `at` on one version of the text: until one drops it or edits it into the next.
    fn read(&self, text: &str, url: Option<&str>, set: &SetName, at: &mut usize, facts: &mut Facts) -> Option<String> {
        let version = Text::of(&DocumentView { text, url });
        while let Some(link) = self.links.get(*at) {
            let place = *at;
            *at += 1;
            let mut outcome = if link.toml.applies_to(set) { link.filter.apply(&version) } else { Outcome::kept() };
            outcome.values.resize(link.columns.len(), None);
            facts.values.append(&mut outcome.values);
            if let Some(mut reason) = outcome.reason {
                reason.filter = place;
                facts.reason = Some(reason);
                return None;
            }
            if let Some(edited) = outcome.edited {
                facts.bytes_added += edited.added;
                facts.bytes_removed += edited.removed;
                return Some(edited.text);
            }
        }
        None
    }
}
