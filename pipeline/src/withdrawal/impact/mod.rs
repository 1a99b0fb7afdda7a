//! What a withdrawal touches, for whoever must answer for it: documents, shards, sets, tiers, weights and models with
//! their tokens, what stays free, what nobody here can decide, the least that must be made anew, and what cannot be
//! undone. Numbers of corpora are queries that anybody can repeat; those of weights are sums over signed stamps.

mod answer;
mod corpus;
mod html;
mod report;
mod text;
mod weights;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::exposure::Cell;
use manifests::policy::Act;
use manifests::record::{Impact, Withdrawal, WithdrawalKind, WithdrawalTarget};
use manifests::records::Records;
use manifests::sign::{Envelope, Record, Statement};
use manifests::store::read_capped;
use manifests::trust::Trust;

pub use answer::answers;
pub use html::{KIND, page};
pub use report::{
    Closed, CorpusImpact, Dropped, Files, HeldDocument, ImpactReport, ModelImpact, Part, Rebuild, SetPart, Twin, Use,
    WeightsImpact, Word,
};

use crate::error::{Error, Result};
use crate::query::{Folder, Kind};

/// The question: what is or would be withdrawn.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The withdrawal; a target that nobody withdrew yet is a draft of one.
    pub withdrawal: Withdrawal,
    /// The digest of its record; absent for a draft.
    pub digest: Option<Sha256>,
    /// What the records say beside it.
    pub others: Others,
    /// The day.
    pub as_of: Date,
}

/// What a records folder says beside the withdrawal that is asked about.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// Withdrawals that are not lifted.
    pub withdrawals: Vec<Withdrawal>,
    /// The digests of those that are.
    pub lifted: BTreeSet<Sha256>,
    /// Owners' answers for their closed sets.
    pub answers: Vec<Impact>,
    /// How far all of it was checked, in words.
    pub words: String,
}

impl Others {
    /// What verified records say.
    #[must_use]
    pub fn of(records: Records, words: String) -> Self {
        Self {
            withdrawals: records.withdrawals.into_iter().map(|w| w.record).collect(),
            lifted: records.lifted.iter().map(|w| w.digest).collect(),
            answers: records.impacts,
            words,
        }
    }
}

/// A target that nobody withdrew yet.
#[must_use]
pub fn draft(target: WithdrawalTarget, day: Date) -> Withdrawal {
    Withdrawal {
        schema: Withdrawal::schema(),
        id: "draft".to_owned(),
        demo: false,
        kind: WithdrawalKind::ContractEnd,
        target,
        effective: day,
        learned: day,
        reason: String::new(),
        untouched: BTreeSet::new(),
    }
}

/// Reads a withdrawal and its record's digest: a signed record, as found, or the TOML that somebody wrote.
///
/// # Errors
/// [`Error::Record`] when it is neither.
pub fn read_withdrawal(path: &Path) -> Result<(Withdrawal, Sha256)> {
    if path.extension().is_some_and(|e| e == "json") {
        let envelope = Envelope::read(path)?;
        let digest = Sha256::of(envelope.peek_unverified()?);
        return Ok((Statement::<Withdrawal>::peek_unverified(&envelope, path)?.predicate, digest));
    }
    let bytes = read_capped(path, 1 << 20)?;
    let malformed = |e: &dyn std::fmt::Display| manifests::Error::malformed(Withdrawal::KIND, path, e);
    let text = std::str::from_utf8(&bytes).map_err(|e| malformed(&e))?;
    let record = toml::from_str(text).map_err(|e| malformed(&e))?;
    let digest = super::record::digest(&record)?;
    Ok((record, digest))
}

impl Asked {
    /// The day on which the question is judged: the record may only come into force later.
    #[must_use]
    pub fn day(&self) -> Date {
        self.as_of.max(self.withdrawal.effective)
    }

    /// Whether two legal keys lifted it.
    #[must_use]
    pub fn is_lifted(&self) -> bool {
        self.digest.is_some_and(|digest| self.others.lifted.contains(&digest))
    }

    /// Whether the withdrawal takes a cell, beside the others that stand against the act.
    fn takes(&self, cell: &Cell, act: Act) -> bool {
        let others = self.others.withdrawals.iter().filter(|w| w.is_in_force(self.day()) && w.forbids(act));
        let source = |w: &Withdrawal| match &w.target {
            WithdrawalTarget::Source(source) => Some(source.clone()),
            _ => None,
        };
        self.withdrawal.takes(cell, &others.chain([&self.withdrawal]).filter_map(source).collect())
    }

    /// Whether weights that were made before are denied, too.
    fn act(&self) -> Act {
        if self.withdrawal.forbids(Act::Serve) { Act::Serve } else { Act::Train }
    }

    /// What the owner of a closed set said of a manifest of it: touched, untouched, or nothing.
    fn answer(&self, manifest: Sha256) -> Option<bool> {
        if self.withdrawal.untouched.contains(&manifest) {
            return Some(false);
        }
        let mine = |i: &&Impact| Some(i.withdrawal) == self.digest && i.manifests.contains(&manifest);
        self.others.answers.iter().filter(mine).map(|i| i.touched).reduce(|a, b| a || b)
    }

    /// The text, when a work is withdrawn.
    fn text(&self) -> Option<Sha256> {
        match &self.withdrawal.target {
            WithdrawalTarget::Work { text, .. } => Some(*text),
            _ => None,
        }
    }

    /// What is withdrawn, in words.
    #[must_use]
    pub fn target(&self) -> String {
        match &self.withdrawal.target {
            WithdrawalTarget::Source(source) => format!("the source `{source}`"),
            WithdrawalTarget::Work { text, .. } => format!("the work with the text {text}, every copy of it"),
            WithdrawalTarget::Rightsholder(holder) => format!("everything of the rightsholder `{holder}`"),
            WithdrawalTarget::License(expression) => format!("everything under the terms `{expression}`"),
        }
    }
}

/// A document's text, by its id in the ledgers of these corpora.
///
/// # Errors
/// [`Error::Usage`] when none of them has such a document with a text.
pub fn text_of(document: &str, dirs: &[PathBuf]) -> Result<Sha256> {
    let id: manifests::id::DocId = document.parse().map_err(Error::Record)?;
    for dir in dirs.iter().filter(|d| d.join("sets").is_dir()) {
        let rows = super::taken::ledger(&Folder::open(dir, None)?)?;
        if let Some(text) = rows.iter().find(|r| r.doc_id == id).and_then(|r| r.text) {
            return Ok(text);
        }
    }
    Err(Error::usage(
        format!("no ledger of these folders has a text for document `{document}`"),
        "name the corpus that it is in; document ids are in its ledger: flexmix query DIR \"SELECT doc_id FROM ledger\"",
    ))
}

/// Asks folders what they hold of it: corpora, models, job folders.
///
/// # Errors
/// [`Error::Usage`] for a folder that is none of these, [`Error::Record`] for one whose records or files do not hold.
pub fn impact(asked: &Asked, dirs: &[PathBuf], trust: Option<(&Trust, Date)>) -> Result<ImpactReport> {
    let mut corpora = Vec::new();
    let mut found = weights::Found::default();
    for dir in dirs {
        if dir.join("sets").is_dir() || dir.join(crate::query::INDEX_FILE).is_file() {
            let folder = Folder::open(dir, trust)?;
            if let Some((path, why)) = folder.broken() {
                return Err(manifests::Error::verification(path, why).into());
            }
            match folder.kind {
                Kind::Model => {}
                // What was handed out has no ledger, and only a ledger knows texts.
                Kind::Outward if asked.text().is_some() => found.add_outward(&folder, asked),
                Kind::Outward | Kind::Corpus => corpora.push(corpus::Looked::at(&folder, asked)?),
            }
            found.add(&folder, dir, trust)?;
        } else {
            found.add_job(dir, trust)?;
        }
    }
    let trust = crate::verify::trust_words(trust);
    Ok(report::assemble(asked, corpora, &found, trust))
}
