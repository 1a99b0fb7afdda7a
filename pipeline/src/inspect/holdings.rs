//! What a folder holds: sets, tiers, terms, sources, tokenizers, weights and what they consumed. An audit shows these
//! as its facts.

use serde::{Deserialize, Serialize};

use super::InspectReport;
use crate::error::Result;
use crate::query::{Engine, Folder};

/// What became of one set's input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetRow {
    /// The set.
    pub set: String,
    /// `public` or `closed`.
    pub access: String,
    /// Documents and failed records read.
    pub read: u64,
    /// Kept for training.
    pub kept: u64,
    /// Kept for evaluation.
    pub held_out: u64,
    /// Dropped.
    pub dropped: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Training tokens × copies.
    pub tokens: u64,
}

/// What may be said of a closed set outside its owner's house, for one cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutwardRow {
    /// The set.
    pub set: String,
    /// The terms.
    pub license: Option<String>,
    /// Whether they are known.
    pub state: String,
    /// What that rests on.
    pub basis: Option<String>,
    /// The bound on the whole set's tokens, all cells together.
    pub at_most: Option<u64>,
    /// The digest of the public manifest.
    pub manifest: String,
}

/// Documents that one reason took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DroppedRow {
    /// The set.
    pub set: String,
    /// The stage that dropped them.
    pub stage: String,
    /// The reason's name.
    pub reason: String,
    /// Documents.
    pub documents: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A tier of a set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TierRow {
    /// The set.
    pub set: String,
    /// The tier.
    pub tier: String,
    /// Documents.
    pub documents: u64,
    /// Tokens × copies.
    pub tokens: u64,
}

/// Documents of equal terms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LicenseRow {
    /// The terms.
    pub license: Option<String>,
    /// Whether they are known.
    pub state: String,
    /// What that rests on.
    pub basis: Option<String>,
    /// Documents.
    pub documents: u64,
    /// Tokens × copies.
    pub tokens: u64,
}

/// A source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceRow {
    /// The set.
    pub set: String,
    /// The source.
    pub source: String,
    /// Its title.
    pub title: Option<String>,
    /// Documents and failed records read.
    pub read: u64,
    /// Kept, for training or evaluation.
    pub kept: u64,
    /// Tokens of those, once.
    pub tokens: u64,
}

/// A tokenizer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenizerRow {
    /// Its name.
    pub tokenizer: String,
    /// Its digest.
    pub digest: String,
    /// Token ids.
    pub vocabulary: u64,
    /// Sets that use it.
    pub sets: u64,
}

/// An anchor or expert.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ArtifactRow {
    /// The model.
    pub model: String,
    /// The id.
    pub artifact: String,
    /// `anchor` or `expert`.
    pub subject: String,
    /// How far its stamp was checked.
    pub assurance: String,
    /// The identity of its weights.
    pub files_root: String,
    /// Optimizer steps.
    pub steps: u64,
    /// Whether the stamp's signatures hold; absent when that was not checked.
    pub verified: Option<bool>,
}

/// What an artifact consumed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExposureRow {
    /// The model.
    pub model: String,
    /// The id.
    pub artifact: String,
    /// How.
    pub kind: String,
    /// Of which set.
    pub set: String,
    /// The terms.
    pub license: Option<String>,
    /// Whether they are known.
    pub state: String,
    /// What that rests on.
    pub basis: Option<String>,
    /// Documents; absent for a closed set.
    pub documents: Option<u64>,
    /// Tokens; absent for a closed set.
    pub tokens: Option<u64>,
    /// The bound on a closed set's tokens, all cells together.
    pub at_most: Option<u64>,
}

const SETS: &str = r#"
SELECT m."set", m.access, coalesce(l.read, m.read) AS read, coalesce(l.kept, m.kept) AS kept,
       coalesce(l.held_out, m.held_out) AS held_out, coalesce(l.dropped, m.dropped) AS dropped,
       coalesce(l.bytes_in, 0) AS bytes_in, m.tokens
FROM manifests m LEFT JOIN (
  SELECT "set", count(*) AS read,
         sum(CASE WHEN decision = 'kept' THEN 1 ELSE 0 END) AS kept,
         sum(CASE WHEN decision = 'held-out' THEN 1 ELSE 0 END) AS held_out,
         sum(CASE WHEN decision = 'dropped' THEN 1 ELSE 0 END) AS dropped,
         sum(bytes_in) AS bytes_in
  FROM ledger GROUP BY "set") l ON l."set" = m."set"
ORDER BY m."set""#;

const OUTWARD: &str = r#"
SELECT p."set", p.license, p.state, p.basis, p.at_most, p.manifest
FROM public_cells p LEFT JOIN manifests m ON m."set" = p."set"
WHERE m."set" IS NULL ORDER BY p."set", p.license, p.state, p.basis"#;

const DROPPED: &str = r#"
SELECT "set", stage, reason, count(*) AS documents, sum(bytes_in) AS bytes
FROM ledger WHERE decision = 'dropped' GROUP BY "set", stage, reason ORDER BY "set", documents DESC, stage, reason"#;

const TIERS: &str = r#"
SELECT "set", tier, sum(documents) AS documents, sum(tokens) AS tokens
FROM cells GROUP BY "set", tier ORDER BY "set", tokens DESC, tier"#;

const LICENSES: &str = "
SELECT license, state, basis, sum(documents) AS documents, sum(tokens) AS tokens
FROM cells GROUP BY license, state, basis ORDER BY tokens DESC, state, license, basis";

const SOURCES: &str = r#"
SELECT l."set", l.source, min(s.title) AS title, count(*) AS read,
       sum(CASE WHEN l.decision = 'dropped' THEN 0 ELSE 1 END) AS kept, sum(l.n_tokens) AS tokens
FROM ledger l LEFT JOIN sources s ON s."set" = l."set" AND s.source = l.source
GROUP BY l."set", l.source ORDER BY l."set", l.source"#;

const TOKENIZERS: &str = "
SELECT tokenizer, tokenizer_digest AS digest, vocabulary, count(*) AS sets
FROM manifests GROUP BY tokenizer, tokenizer_digest, vocabulary ORDER BY tokenizer, digest";

const ARTIFACTS: &str = "
SELECT model, artifact, subject, assurance, files_root, steps, verified
FROM stamps ORDER BY model, subject, artifact";

/// Positions add up over exposures of one kind (an anchor's text and the same text seen again as contrast were both fed
/// forward); documents of several may be the same ones, so the most of any counts.
const EXPOSURE: &str = r#"
SELECT model, artifact, kind, "set", license, state, basis,
       sum(documents) AS documents, sum(tokens) AS tokens, max(at_most) AS at_most
FROM (SELECT model, artifact, kind, "set", license, state, basis, cell_digest,
             max(documents) AS documents, sum(tokens) AS tokens, max(at_most) AS at_most
      FROM exposure GROUP BY model, artifact, kind, "set", license, state, basis, cell_digest)
GROUP BY model, artifact, kind, "set", license, state, basis
ORDER BY model, artifact, kind, "set", tokens DESC, license, state"#;

/// Asks a folder's tables what it holds.
pub(super) fn ask(engine: &Engine, folder: &Folder, trust: String) -> Result<InspectReport> {
    Ok(InspectReport {
        schema: super::SCHEMA,
        kind: folder.kind,
        trust,
        sets: engine.sql(SETS)?.read()?,
        outward: engine.sql(OUTWARD)?.read()?,
        dropped: engine.sql(DROPPED)?.read()?,
        tiers: engine.sql(TIERS)?.read()?,
        licenses: engine.sql(LICENSES)?.read()?,
        sources: engine.sql(SOURCES)?.read()?,
        tokenizers: engine.sql(TOKENIZERS)?.read()?,
        artifacts: engine.sql(ARTIFACTS)?.read()?,
        exposure: engine.sql(EXPOSURE)?.read()?,
        curation: None,
    })
}
