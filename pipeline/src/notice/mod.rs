//! NOTICE: what is owed to whom for the text that is kept or that weights consumed. Every document whose terms ask for
//! attribution or a notice is in an entry with the words that were found, or listed among the unknowns; nothing is left
//! out because nobody found a name. Closed sets say what their owner agreed, which is nothing until it is signed.

mod scope;
mod tables;
#[cfg(test)]
mod tests;
mod text;

use manifests::gate::Gate;
use manifests::id::SetName;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::query::{Engine, Folder, Kind, ModelFolder};
use scope::Scope;

pub use text::MARK;

/// What was done to the text: licenses ask that changes be said.
pub const CHANGES: &str = "Documents were selected and copies of the same text left out. Markup, metadata and lines that \
filters name were taken off where the counts below say so, and what remained was turned into token ids. Words were not \
rewritten. Whether weights trained on it are changed material is not said here.";

/// What a NOTICE is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The gate whose policy says what is used; without one all that is kept or consumed counts.
    pub gate: Option<&'a Gate>,
    /// The sets; all when empty.
    pub sets: &'a [SetName],
    /// For a model: the corpus beside it, whose claims have the statements.
    pub beside: Option<&'a Folder>,
}

/// What is owed.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    /// Always `flexmix/notice/v1`.
    pub schema: &'static str,
    /// The corpus's or model's name.
    pub subject: String,
    /// What it is.
    pub kind: Kind,
    /// How far signatures were checked.
    pub trust: String,
    /// The policy and day whose permitted text is listed; absent when all text is.
    pub policy: Option<String>,
    /// The sets that were asked about; empty is all.
    pub sets: Vec<String>,
    /// For a model: the anchor and experts that take part.
    pub artifacts: Vec<String>,
    /// What was done to the text.
    pub changes: &'static str,
    /// What is owed, by terms.
    pub licenses: Vec<LicenseNotice>,
    /// Closed sets whose terms ask for something.
    pub closed: Vec<ClosedNotice>,
    /// What is not known.
    pub unknowns: Vec<Unknown>,
    /// Documents whose terms ask for something: each is in an entry, and among the unknowns when no words were found.
    pub documents: u64,
    /// Of these with words or a name to give.
    pub covered: u64,
}

/// What one set of terms asks.
#[derive(Clone, Debug, Serialize)]
pub struct LicenseNotice {
    /// The terms: the elected branch, or the whole expression when none is elected.
    pub terms: String,
    /// Whether a choice is open, so that what every branch asks is listed.
    pub open_choice: bool,
    /// The licenses in it.
    pub parts: Vec<LicensePart>,
    /// What is owed to each source.
    pub sources: Vec<SourceNotice>,
}

/// A license.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LicensePart {
    /// Its id.
    pub id: String,
    /// Its name on the SPDX list.
    pub name: Option<String>,
    /// Where its text is.
    pub text: Option<String>,
    /// What it asks; absent when nobody reviewed it.
    pub asks: Option<Vec<String>>,
}

/// What is owed to a source.
#[derive(Clone, Debug, Serialize)]
pub struct SourceNotice {
    /// The set.
    pub set: String,
    /// The source.
    pub source: String,
    /// Its title.
    pub title: Option<String>,
    /// Other sources that the same texts came from.
    pub also_from: Vec<String>,
    /// Who holds rights, where the recipe says.
    pub rightsholders: Vec<String>,
    /// Documents under these terms.
    pub documents: u64,
    /// Of these with text added or taken off.
    pub changed: u64,
    /// Of these without a statement of their own or of their source.
    pub without_statement: u64,
    /// Where the terms were read.
    pub terms_at: Vec<String>,
    /// Copyright statements and attributions, as found.
    pub statements: Vec<Said>,
}

/// Words as found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said {
    /// `copyright` or `attribution`.
    pub kind: String,
    /// The words.
    pub words: String,
    /// Documents that they cover.
    pub documents: u64,
    /// Where the first was found.
    pub locator: String,
}

/// A closed set whose terms ask for something.
#[derive(Clone, Debug, Serialize)]
pub struct ClosedNotice {
    /// The set.
    pub set: String,
    /// The terms that ask.
    pub terms: Vec<String>,
    /// What can be said.
    pub says: &'static str,
    /// Whom its owner agreed to name; empty without an agreed list.
    pub sources: Vec<AgreedSource>,
}

/// A source of a closed set that its owner agreed to name.
#[derive(Clone, Debug, Serialize)]
pub struct AgreedSource {
    /// The source.
    pub source: String,
    /// Its title.
    pub title: String,
    /// Who holds rights.
    pub rightsholders: Vec<String>,
    /// Copyright statements and attributions, as found.
    pub statements: Vec<String>,
}

/// Why something is among the unknowns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The terms ask for a notice or a name, and none was found.
    NoStatement,
    /// The terms themselves are not known.
    TermsUnknown,
    /// The corpus that has the statements is not at hand.
    CorpusMissing,
    /// The weights have no stamp, so what they consumed is not known.
    StampMissing,
}

/// What is not known.
#[derive(Clone, Debug, Serialize)]
pub struct Unknown {
    /// Why.
    pub why: Why,
    /// The terms, or the state where there are none.
    pub terms: Option<String>,
    /// The set, or the artifact without a stamp.
    pub set: String,
    /// The source, where it is known.
    pub source: Option<String>,
    /// Documents, where they are counted.
    pub documents: Option<u64>,
    /// Which: all of them.
    pub listed: Vec<Document>,
    /// The manifest whose corpus is missing.
    pub manifest: Option<String>,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Document {
    /// Its id.
    pub doc_id: String,
    /// Its path in the source.
    pub path: String,
}

/// Lists what is owed.
///
/// # Errors
/// [`Error::Record`] when a record that it rests on is not signed as it must be; [`Error::Refused`] when the policy
/// denies the anchor of a model, so that nothing runs; [`Error::Usage`] for a set that is not there.
pub fn notice(folder: &Folder, ask: Ask<'_>, trust: String) -> Result<Notice> {
    if ask.gate.is_some() {
        for folder in std::iter::once(folder).chain(ask.beside) {
            if let Some((path, why)) = folder.broken() {
                return Err(Error::Record(manifests::Error::verification(path, why)));
            }
        }
        folder.models.iter().try_for_each(ModelFolder::check)?;
    }
    let scope = Scope::of(folder, ask)?;
    let mut notice = Notice {
        schema: "flexmix/notice/v1",
        subject: folder.name(),
        kind: folder.kind,
        trust,
        policy: ask
            .gate
            .map(|g| format!("{} v{} as of {}, {}", g.policy.id, g.policy.version, g.as_of, g.policy.digest)),
        sets: ask.sets.iter().map(ToString::to_string).collect(),
        artifacts: scope.artifacts.clone(),
        changes: CHANGES,
        licenses: vec![],
        closed: scope.closed.clone(),
        unknowns: scope.unknowns.clone(),
        documents: 0,
        covered: 0,
    };
    let corpus = if folder.kind == Kind::Corpus { Some(folder) } else { ask.beside };
    if let Some(corpus) = corpus.filter(|_| !scope.cells.is_empty()) {
        let engine = Engine::open_evidence(corpus)?;
        tables::fill(&mut notice, &scope, &engine)?;
    }
    notice.unknowns.sort_by(|a, b| (a.why, &a.set, &a.source, &a.terms).cmp(&(b.why, &b.set, &b.source, &b.terms)));
    Ok(notice)
}

impl Notice {
    /// The NOTICE as a text file.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::notice(self)
    }

    /// Documents that are listed among the unknowns.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.unknowns.iter().filter_map(|u| u.documents).sum()
    }
}
