//! What an owner signs: grants, and the answer to a withdrawal that only the owner of a closed set can give.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::digest::Sha256;
use crate::id::{SetName, SourceId};
use crate::license::{Expression, Property};
use crate::policy::Act;
use crate::sign::Record;

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
        self.acts.contains(&act)
            && (self.purposes.contains("*") || self.purposes.contains(purpose))
            && places.iter().all(|p| crate::place::covers(&self.places, p))
            && (self.from..=self.until).contains(&as_of)
    }
}

/// Whether a closed set holds what a withdrawal takes: its owner's word, since nobody else can look (semantics.md §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// Always `flexmix/impact/v1`.
    pub schema: String,
    /// Its name.
    pub id: String,
    /// Made for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// The digest of the withdrawal's payload.
    pub withdrawal: Sha256,
    /// The closed set.
    pub set: SetName,
    /// The digests of its manifests that the answer is for: public ones (stamps name them) and full ones (jobs do).
    pub manifests: BTreeSet<Sha256>,
    /// Whether any of it is touched. A touched set is denied until it is rebuilt; an untouched one stays.
    pub touched: bool,
    /// Who answers.
    pub owner: String,
    /// When.
    pub on: Date,
}
record!(Impact, "impact");
