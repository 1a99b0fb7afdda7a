//! Whether a withdrawal in force takes something that would leave. The owner knows the full cells and texts, so that
//! what a recipient could only call undecided is decided here.

use std::collections::BTreeSet;

use manifests::digest::Sha256;
use manifests::exposure::Cell;
use manifests::gate::reason_of;
use manifests::policy::Act;
use manifests::reason::Reason;
use manifests::record::{Withdrawal, WithdrawalTarget};
use manifests::records::Filed;

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

/// The first withdrawal in force against the act that takes any of it: its reason, and its id.
pub(super) fn takes(held: &Held<'_>, act: Act, house: &House<'_>) -> Option<(Reason, String)> {
    let in_force = || house.records.in_force(act, house.as_of);
    let sources = in_force().filter_map(|w| match &w.target {
        WithdrawalTarget::Source(source) => Some(source.clone()),
        _ => None,
    });
    let sources = sources.collect();
    let hit = |w: &Filed<Withdrawal>| {
        // What the owner answered outweighs what was found.
        let answered = held.manifests.iter().any(|m| house.records.is_touched(w, *m));
        answered
            || match &w.target {
                WithdrawalTarget::Work { text, held_by } => {
                    held.texts.contains(text) || !held_by.is_disjoint(&held.manifests)
                }
                _ => held.cells.iter().any(|cell| w.takes(cell, &sources)),
            }
    };
    let found = in_force().find(|w| hit(w))?;
    Some((reason_of(&found.target), found.id.clone()))
}
