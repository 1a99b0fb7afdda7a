//! Withdrawals: what is taken back, why, and from when (semantics.md §6). One key with the role is enough to add one;
//! only two legal keys lift it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::digest::Sha256;
use crate::exposure::Cell;
use crate::id::SourceId;
use crate::license::Expression;
use crate::policy::Act;
use crate::sign::Record;

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
    /// Everything under terms that were wrongly claimed, alone or among others.
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
    /// Manifests that were looked into and hold nothing of it. For a closed set the gates ask its owner all the same.
    #[serde(default)]
    pub untouched: BTreeSet<Sha256>,
}
record!(Withdrawal, "withdrawal");

impl Withdrawal {
    /// Whether its effective day has come.
    #[must_use]
    pub fn is_in_force(&self, as_of: Date) -> bool {
        self.effective <= as_of
    }

    /// Whether it takes a work and names no manifest, held or untouched: nobody looked yet, so that nothing that was
    /// made before can be known to be free of it.
    #[must_use]
    pub fn nobody_looked(&self) -> bool {
        matches!(&self.target, WithdrawalTarget::Work { held_by, .. } if held_by.is_empty())
            && self.untouched.is_empty()
    }

    /// Whether it stands against an act. An opt-out looks forward only: text is no longer collected, trained on or
    /// published, and weights that were made before stay. Every other kind stands against every act.
    #[must_use]
    pub fn forbids(&self, act: Act) -> bool {
        self.kind != WithdrawalKind::OptOut || matches!(act, Act::Build | Act::Train | Act::PublishData)
    }

    /// Whether the withdrawal takes this cell (semantics.md §2: a source's takes a cell when all its sources are hit,
    /// a rightsholder's when any is; a license's when its ids stand in the terms, in whatever branch, since a wrong claim
    /// makes all that was said beside it doubtful). `sources` are those of all withdrawals in force.
    #[must_use]
    pub fn takes(&self, cell: &Cell, sources: &BTreeSet<SourceId>) -> bool {
        match &self.target {
            WithdrawalTarget::Source(source) => cell.sources.contains(source) && cell.sources.is_subset(sources),
            WithdrawalTarget::Rightsholder(holder) => cell.rightsholders.contains(holder),
            WithdrawalTarget::License(expression) => cell.expression.as_ref().is_some_and(|terms| {
                let named = terms.leaves();
                expression.leaves().iter().all(|leaf| named.contains(leaf))
            }),
            WithdrawalTarget::Work { .. } => false,
        }
    }
}
