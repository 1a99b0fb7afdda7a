//! Reports on policies for those who answer for them: what a policy leaves of a corpus and its models, and why, for one
//! document or expert, for two policies side by side, and for choices that nobody has made yet. A policy may be a draft
//! here; nothing is built, trained or opened by it. Verdicts come from the gate, numbers from the query layer.

mod because;
mod cells;
mod check;
mod diff;
mod diff_text;
mod elect;
mod expert;
mod explain;
mod explain_text;

pub use because::Because;
pub(crate) use check::waiting;
pub use check::{OnReport, Queued, Waiting, on};
pub use diff::{DiffReport, Moved, MovedExpert, Sums, diff};
pub use elect::{Draft, ElectReport, Open, elect};
pub use expert::{ExpertReport, expert};
pub use explain::{ClaimRow, Copy, DocumentReport, Where, document};
pub(crate) use explain::{claims, copies};
pub(crate) use explain_text::{claim_lines, followed};

use manifests::gate::Gate;
use manifests::policy::Policy;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::query::{Folder, ModelFolder};

/// A policy as reports name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its file.
    pub file: String,
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// The digest of its exact bytes.
    pub digest: String,
    /// Whether two legal keys signed it; without, it is a draft and opens no gate.
    pub signed: bool,
    /// The act.
    pub act: String,
    /// The purpose.
    pub purpose: String,
    /// The places.
    pub places: Vec<String>,
    /// The day of the verdicts.
    pub as_of: String,
    /// Made for a demonstration.
    pub demo: bool,
}

impl Asked {
    fn of(rehearsal: &Rehearsal) -> Self {
        let Policy { file, id, version, digest, act, purpose, places, demo, .. } = &rehearsal.gate.policy;
        Self {
            file: file.clone(),
            id: id.clone(),
            version: *version,
            digest: digest.to_string(),
            signed: rehearsal.signed,
            act: act.as_str().to_owned(),
            purpose: purpose.clone(),
            places: places.clone(),
            as_of: rehearsal.gate.as_of.to_string(),
            demo: *demo,
        }
    }

    /// `policy acme-serve-eu v4 (act serve, purpose commercial, in EU and US), as of 2026-12-03`.
    fn in_words(&self) -> String {
        let draft = if self.signed { "" } else { " DRAFT (two legal keys have not signed it)" };
        let demo = if self.demo { " DEMO" } else { "" };
        format!(
            "policy {} v{}{demo}{draft}: act {}, purpose {}, in {}, as of {}",
            self.id,
            self.version,
            self.act,
            self.purpose,
            self.places.join(" and "),
            self.as_of
        )
    }
}

/// A policy to ask: signed or a draft, over verified trust and records.
#[derive(Debug)]
pub struct Rehearsal {
    /// The gate; reports only.
    pub gate: Gate,
    /// Whether two legal keys signed the policy.
    pub signed: bool,
}

/// Refuses a folder whose records do not hold: a report on them would say what nobody signed.
fn sound(folder: &Folder) -> Result<()> {
    if let Some((path, why)) = folder.broken() {
        return Err(Error::Record(manifests::Error::verification(path, why)));
    }
    folder.models.iter().try_for_each(ModelFolder::check)
}
