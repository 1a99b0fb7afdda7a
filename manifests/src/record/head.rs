//! What keeps records fresh: the head over the whole folder, and releases, which say which manifest of a set is the
//! current one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::digest::Sha256;
use crate::id::SetName;
use crate::merkle::TreeRoot;
use crate::sign::Record;

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

/// Which manifest of a set is the current one. Where a set was ever released, no gate takes another manifest of it, so
/// that nobody brings back the one before a withdrawal. Signed by the builder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Always `flexmix/release/v1`.
    pub schema: String,
    /// Its name.
    pub id: String,
    /// Made for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// The corpus: the recipe's name.
    pub corpus: String,
    /// The set.
    pub set: SetName,
    /// Rises with each release of the set; the highest counts.
    pub sequence: u64,
    /// The digests of the current manifest's payload, and of its public one for a closed set.
    pub manifests: BTreeSet<Sha256>,
}
record!(Release, "release");
