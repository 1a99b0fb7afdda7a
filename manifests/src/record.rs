//! The small signed records: elections, grants, withdrawals, exceptions and the head over them. People write them as
//! TOML; `flexmix sign` turns them into signed statements. What they say is used by [`crate::gate`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::digest::Sha256;
use crate::exposure::Cell;
use crate::id::SourceId;
use crate::license::{Expression, Property};
use crate::merkle::TreeRoot;
use crate::policy::Act;
use crate::sign::Record;

macro_rules! record {
    ($name:ident, $kind:literal) => {
        impl Record for $name {
            const KIND: &'static str = $kind;
            const VERSION: u32 = 1;
        }
    };
}

/// Which branch of an OR is taken, by whom and why. Signed by two legal keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Election {
    /// Always `flexmix/election/v1`.
    pub schema: String,
    /// Its name.
    pub id: String,
    /// Made for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// The terms that leave the choice.
    pub expression: Expression,
    /// The branch taken.
    pub branch: Expression,
    /// The sources that it is for; empty is all.
    #[serde(default)]
    pub sources: BTreeSet<SourceId>,
    /// Who chose.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}
record!(Election, "election");

impl Election {
    /// The branch that the election gives a document of these terms and sources, if it is for them.
    #[must_use]
    pub fn elects(&self, expression: &Expression, sources: &BTreeSet<SourceId>) -> Option<Expression> {
        let covers = self.sources.is_empty() || sources.is_subset(&self.sources);
        (covers && self.expression == *expression).then(|| expression.elect(&self.branch)).flatten()
    }
}

/// What a grant is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum GrantSubject {
    /// A source, to its builder.
    Source(SourceId),
    /// Weights, to their operator: the Merkle root over the folder's files.
    Weights(Sha256),
}

/// Reviewed terms of a license id of the owner's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantedTerms {
    /// The id, `LicenseRef-…`.
    pub id: Expression,
    /// Its properties.
    pub properties: BTreeSet<Property>,
}

/// What an owner allows. Signed by the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Always `flexmix/grant/v1`.
    pub schema: String,
    /// Its name.
    pub id: String,
    /// Made for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// What is granted.
    pub subject: GrantSubject,
    /// Who grants.
    pub owner: String,
    /// The acts.
    pub acts: BTreeSet<Act>,
    /// The purposes; `*` is any.
    pub purposes: BTreeSet<String>,
    /// The places; `*` is any.
    pub places: BTreeSet<String>,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// The contract's reference, where there is one.
    pub contract: Option<String>,
    /// Terms that the contract defines.
    #[serde(default)]
    pub terms: Vec<GrantedTerms>,
}
record!(Grant, "grant");

impl Grant {
    /// Whether the grant covers an act for a purpose in all these places on this day.
    #[must_use]
    pub fn covers(&self, act: Act, purpose: &str, places: &[String], as_of: Date) -> bool {
        let has = |set: &BTreeSet<String>, value: &str| set.contains("*") || set.contains(value);
        self.acts.contains(&act)
            && has(&self.purposes, purpose)
            && places.iter().all(|p| has(&self.places, p))
            && (self.from..=self.until).contains(&as_of)
    }
}

/// What a withdrawal takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WithdrawalTarget {
    /// A source; its twins from other sources stay.
    Source(SourceId),
    /// A work, by the digest of its normalised text, and the manifests that hold it.
    Work {
        /// The text.
        text: Sha256,
        /// Manifests that hold it, from an impact report.
        held_by: BTreeSet<Sha256>,
    },
    /// Everything of a rightsholder.
    Rightsholder(String),
    /// Everything under terms that were wrongly claimed.
    License(Expression),
}

/// Why something is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalKind {
    /// A contract ended.
    ContractEnd,
    /// The license was wrong.
    WrongLicense,
    /// An opt-out, forward only.
    OptOut,
    /// A right to erasure.
    Erasure,
    /// A court's order.
    CourtOrder,
}

/// A withdrawal. One key with the role is enough to add it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Always `flexmix/withdrawal/v1`.
    pub schema: String,
    /// Its name.
    pub id: String,
    /// Made for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// Why.
    pub kind: WithdrawalKind,
    /// What.
    pub target: WithdrawalTarget,
    /// From when.
    pub effective: Date,
    /// When it was learned.
    pub learned: Date,
    /// In words.
    pub reason: String,
    /// Manifests of closed sets whose owners said that they hold nothing of it.
    #[serde(default)]
    pub untouched: BTreeSet<Sha256>,
}
record!(Withdrawal, "withdrawal");

impl Withdrawal {
    /// Whether the withdrawal is in force and takes this cell (semantics.md §2: a source's takes a cell when all its
    /// sources are hit, a rightsholder's when any is).
    #[must_use]
    pub fn takes(&self, cell: &Cell, others: &[Self], as_of: Date) -> bool {
        let in_force = |w: &Self| w.effective <= as_of;
        let source_hit = |s: &SourceId| {
            others.iter().any(|w| in_force(w) && matches!(&w.target, WithdrawalTarget::Source(t) if t == s))
        };
        in_force(self)
            && match &self.target {
                WithdrawalTarget::Source(source) => {
                    cell.sources.contains(source) && cell.sources.iter().all(source_hit)
                }
                WithdrawalTarget::Rightsholder(holder) => cell.rightsholders.contains(holder),
                WithdrawalTarget::License(expression) => cell.expression.as_ref() == Some(expression),
                WithdrawalTarget::Work { .. } => false,
            }
    }
}

/// A signed exception beside those in the policy. Signed by two legal keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExceptionRecord {
    /// Always `flexmix/exception/v1`.
    pub schema: String,
    /// Its name.
    pub id: String,
    /// Made for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// The artifact: the Merkle root of its files, or a manifest's digest.
    pub subject: Sha256,
    /// The key of the one rule that it lifts.
    pub rule: String,
    /// The most tokens that it covers.
    pub max_tokens: u64,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Its last day.
    pub expires: Date,
}
record!(ExceptionRecord, "exception");

/// The head over all records: signed, numbered and dated, so that a rollback or a missing withdrawal shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Always `flexmix/head/v1`.
    pub schema: String,
    /// Made for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// Rises by one.
    pub sequence: u64,
    /// The day of signing.
    pub issued: Date,
    /// The last day.
    pub expires: Date,
    /// Root over every file of the records folder but the head itself.
    pub root: TreeRoot,
    /// The digests of all withdrawals, sorted.
    pub withdrawals: BTreeSet<Sha256>,
}
record!(Head, "head");
