//! What a finding rests on, for the reader of a denial: documents by license, and the words of one claim as found. For a
//! model the words stand in the corpus beside it, when that is the one that its stamps name.

use std::collections::BTreeSet;

use manifests::digest::Sha256;
use manifests::exposure::Cell;
use serde::Deserialize;

use super::FindingRow;
use super::judge::{CellVerdict, Judgement};
use super::tables::quote;
use crate::error::Result;
use crate::query::{Engine, Folder};
use crate::words::{excerpt, short};

/// Where claims are looked up.
pub(super) enum Words<'a> {
    /// In the folder that is audited.
    Here(&'a Engine),
    /// In the corpus beside a model, for exposures that name one of these manifests.
    Beside(Box<Engine>, BTreeSet<Sha256>),
    /// Nowhere: no corpus is at hand.
    Nowhere,
}

impl Words<'_> {
    /// The claims of the corpus beside a model. One whose signatures or files do not hold is not quoted: what is said of
    /// the model does not depend on it.
    pub(super) fn beside(corpus: Option<&Folder>) -> Self {
        let sound = corpus.filter(|c| c.broken().is_none());
        let opened = sound.and_then(|c| Some((Engine::open_evidence(c).ok()?, c)));
        opened.map_or(Self::Nowhere, |(engine, corpus)| {
            Self::Beside(Box::new(engine), corpus.manifests.iter().map(|m| m.digest).collect())
        })
    }

    fn engine(&self, manifests: &BTreeSet<Sha256>) -> Option<&Engine> {
        match self {
            Self::Here(engine) => Some(engine),
            Self::Beside(engine, known) if !manifests.is_empty() && manifests.is_subset(known) => Some(engine),
            Self::Beside(..) | Self::Nowhere => None,
        }
    }
}

/// What stands behind one finding.
pub(super) struct Cause {
    /// Documents by license, the most first; absent counts are a closed set's.
    pub licenses: Vec<(String, Option<u64>)>,
    /// `README.md:12 "…", sha256:…, read 2026-11-24`.
    pub evidence: Option<String>,
}

#[derive(Deserialize)]
struct LicenseCount {
    license: Option<String>,
    documents: Option<u64>,
}

#[derive(Deserialize)]
struct ClaimRow {
    raw: String,
    digest: String,
    date: Option<String>,
}

pub(super) fn cause(
    judgement: &Judgement<'_>,
    finding: &FindingRow,
    engine: &Engine,
    words: &Words<'_>,
) -> Result<Cause> {
    let text = |column: &str, value: &Option<String>| match value {
        Some(value) => format!("{column} = {}", quote(value)),
        None => format!("{column} IS NULL"),
    };
    let line = finding.line.map_or_else(|| "line IS NULL".to_owned(), |n| format!("line = {n}"));
    let sql = format!(
        "SELECT license, sum(documents) AS documents FROM causes
         WHERE artifact = {} AND NOT lifted AND code = {} AND {line} AND {} AND {} AND license IS NOT NULL
         GROUP BY license ORDER BY documents DESC NULLS LAST, license",
        quote(&judgement.subject.id),
        quote(&finding.code),
        text("\"key\"", &finding.key),
        text("\"value\"", &finding.value),
    );
    let rows: Vec<LicenseCount> = engine.sql(&sql)?.read()?;
    let licenses = rows.into_iter().map(|r| (r.license.unwrap_or_default(), r.documents)).collect();
    let evidence = match &finding.evidence {
        Some(locator) => Some(claim(judgement, locator, words)?),
        None => None,
    };
    Ok(Cause { licenses, evidence })
}

/// The claim at a locator, in its own words where the claims are at hand; else where they stand.
fn claim(judgement: &Judgement<'_>, locator: &str, words: &Words<'_>) -> Result<String> {
    let at = |c: &&CellVerdict<'_>| c.count.evidence.as_deref() == Some(locator);
    let cells: Vec<&CellVerdict<'_>> = judgement.cells.iter().filter(at).collect();
    let sources: BTreeSet<&str> =
        cells.iter().flat_map(|c| c.count.cell.sources.iter().map(manifests::id::SourceId::as_str)).collect();
    let manifests: BTreeSet<Sha256> = cells.iter().map(|c| c.exposure.manifest).collect();
    if sources.is_empty() {
        return Ok(locator.to_owned());
    }
    let Some(engine) = words.engine(&manifests) else {
        let of: Vec<String> = manifests.iter().map(|m| short(&m.to_string())).collect();
        return Ok(format!("{locator}, in the claims of the corpus with manifest {}", of.join(" or ")));
    };
    let listed: Vec<String> = sources.into_iter().map(quote).collect();
    let sql = format!(
        "SELECT raw, digest, date FROM claims WHERE locator = {} AND source IN ({})
         ORDER BY source, digest, raw LIMIT 1",
        quote(locator),
        listed.join(", "),
    );
    let found: Vec<ClaimRow> = engine.sql(&sql)?.read()?;
    Ok(found.first().map_or_else(
        || locator.to_owned(),
        |claim| {
            let read = claim.date.as_ref().map_or_else(String::new, |date| format!(", read {date}"));
            format!("{locator} \"{}\", {}{read}", excerpt(&claim.raw), short(&claim.digest))
        },
    ))
}

/// Permitted cells whose terms left a choice: which branch was elected, and for how many documents.
pub(super) fn permitted_choices(judgement: &Judgement<'_>) -> Vec<(Option<u64>, String, String)> {
    let mut choices: Vec<(Option<u64>, String, String)> = Vec::new();
    for cell in judgement.cells.iter().filter(|c| c.tested && c.denials.is_empty()) {
        let Cell { expression: Some(all), election: Some(branch), .. } = &cell.count.cell else { continue };
        let (all, branch) = (all.to_string(), branch.to_string());
        match choices.iter_mut().find(|c| c.1 == all && c.2 == branch) {
            Some(known) => known.0 = known.0.zip(cell.count.documents).map(|(a, b)| a + b),
            None => choices.push((cell.count.documents, all, branch)),
        }
    }
    choices
}
