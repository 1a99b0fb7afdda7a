//! The report of `flexmix inspect`, put together.

use serde::Serialize;

use super::curation::{Curation, ask};
use super::holdings::{
    self, ArtifactRow, DroppedRow, ExposureRow, LicenseRow, OutwardRow, SetRow, SourceRow, TierRow, TokenizerRow,
};
use crate::error::Result;
use crate::query::{Engine, Folder, Kind};

/// What `flexmix inspect` reports.
#[derive(Clone, Debug, Serialize)]
pub struct InspectReport {
    /// Always `flexmix/inspect-report/v2`.
    pub schema: &'static str,
    /// What the folder is.
    pub kind: Kind,
    /// How far signatures were checked.
    pub trust: String,
    /// Documents, by set.
    pub sets: Vec<SetRow>,
    /// Closed sets of which only the public manifest is here, by terms.
    pub outward: Vec<OutwardRow>,
    /// Dropped documents, by set, stage and reason.
    pub dropped: Vec<DroppedRow>,
    /// Training tokens, by set and tier.
    pub tiers: Vec<TierRow>,
    /// Training tokens, by terms.
    pub licenses: Vec<LicenseRow>,
    /// Input and output, by source.
    pub sources: Vec<SourceRow>,
    /// Tokenizers of the manifests.
    pub tokenizers: Vec<TokenizerRow>,
    /// Anchors and experts.
    pub artifacts: Vec<ArtifactRow>,
    /// What they consumed, by kind, set and terms.
    pub exposure: Vec<ExposureRow>,
    /// What became of every document; absent for a folder without a ledger, and in an audit's facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curation: Option<Curation>,
}

/// Reads what a folder holds. `trust` says in words how far the folder's signatures were checked.
///
/// # Errors
/// Those of the queries.
pub fn holdings(folder: &Folder, trust: String) -> Result<InspectReport> {
    holdings::ask(&Engine::open(folder)?, folder, trust)
}

/// Reads what a folder holds and, of a corpus, what became of every document, with at most `samples` documents that
/// each reason dropped in each set.
///
/// # Errors
/// Those of the queries.
pub fn inspect(folder: &Folder, trust: String, samples: usize) -> Result<InspectReport> {
    let engine = Engine::open(folder)?;
    let mut report = holdings::ask(&engine, folder, trust)?;
    if folder.kind == Kind::Corpus {
        report.curation = Some(ask(&engine, folder, samples)?);
    }
    Ok(report)
}
