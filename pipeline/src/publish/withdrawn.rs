//! Whether a withdrawal in force takes something that would leave. The owner knows the full cells and texts, so that
//! what a recipient could only call undecided is decided here.

use std::collections::BTreeSet;

use manifests::digest::Sha256;
use manifests::exposure::Cell;
use manifests::reason::Reason;
use manifests::record::{Withdrawal, WithdrawalTarget};

use super::House;

/// What an artifact holds, as far as its owner knows.
pub(super) struct Held<'a> {
    /// Its cells.
    pub cells: Vec<&'a Cell>,
    /// Manifests that it is, or was made from.
    pub manifests: BTreeSet<Sha256>,
    /// Normalised texts, for closed sets.
    pub texts: BTreeSet<Sha256>,
}

/// The first withdrawal that takes any of it: its reason, and its id.
pub(super) fn takes(held: &Held<'_>, house: &House<'_>) -> Option<(Reason, String)> {
    let all = &house.records.withdrawals;
    let hit = |w: &Withdrawal| match &w.target {
        WithdrawalTarget::Work { text, held_by } => {
            w.effective <= house.as_of
                && (held.texts.contains(text) || held_by.iter().any(|m| held.manifests.contains(m)))
        }
        _ => held.cells.iter().any(|cell| w.takes(cell, all, house.as_of)),
    };
    let found = all.iter().find(|w| hit(w))?;
    let reason = match found.target {
        WithdrawalTarget::Source(_) => Reason::SourceWithdrawn,
        WithdrawalTarget::Work { .. } => Reason::WorkWithdrawn,
        WithdrawalTarget::Rightsholder(_) => Reason::RightsholderWithdrawn,
        WithdrawalTarget::License(_) => Reason::LicenseWithdrawn,
    };
    Some((reason, found.id.clone()))
}
