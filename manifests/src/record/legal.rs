//! What two legal keys sign: elections, decisions, exceptions, and the lifting of a withdrawal.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::digest::Sha256;
use crate::id::SourceId;
use crate::license::Expression;
use crate::sign::Record;

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

/// What a decision is on, by digest: another text needs another decision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DecisionSubject {
    /// The bytes that claims were read from: a license file, a metadata file, a record. What the decision says stands
    /// in the place of every license statement read from them.
    Claim(Sha256),
    /// A document, by the digest of its normalised text. What the decision says stands in the place of its conclusion,
    /// wherever the text lies.
    Text(Sha256),
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    /// These terms apply.
    Terms(Expression),
    /// In the public domain in these places; `*` is everywhere.
    PublicDomain(BTreeSet<String>),
    /// Under review: nothing is permitted until another decision takes this one's place.
    Pending,
}

/// A human decision on terms that no rule could read. Signed by two legal keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Always `flexmix/decision/v1`.
    pub schema: String,
    /// Its name, by which a recipe relies on it.
    pub id: String,
    /// Made for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// What it is on.
    pub subject: DecisionSubject,
    /// What was decided.
    pub outcome: Outcome,
    /// Who decided.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why: what was read, and where.
    pub reason: String,
}
record!(Decision, "decision");

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

/// The lifting of a withdrawal, from a day on. The withdrawal stays among the records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// Always `flexmix/lift/v1`.
    pub schema: String,
    /// Its name.
    pub id: String,
    /// Made for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// The digest of the withdrawal's payload: this one and no other.
    pub withdrawal: Sha256,
    /// The first day on which the withdrawal no longer acts.
    pub effective: Date,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
}
record!(Lift, "lift");
