//! What became of every document, put together. Tables that a corpus need not have (facts, timings, excluded text)
//! are asked where they are there; where not, the report says what is missing and why.

use serde::Serialize;

use super::domains::{self, DomainRow};
use super::duplicates::{self, Duplicates};
use super::funnel::{self, Funnel};
use super::histogram::{self, Histogram};
use super::reasons::{self, ReasonRow};
use super::samples::{self, Sample};
use super::throughput::{self, Throughput};
use crate::error::Result;
use crate::query::{Engine, Folder};

/// What became of every document.
#[derive(Clone, Debug, Serialize)]
pub struct Curation {
    /// Documents and bytes through the stages, by set.
    pub funnels: Vec<Funnel>,
    /// What dropped documents, by set, stage and reason.
    pub reasons: Vec<ReasonRow>,
    /// Some of the documents that each reason dropped.
    pub samples: Vec<Sample>,
    /// How long each stage took; absent when the build left no times.
    pub throughput: Option<Throughput>,
    /// How sizes and facts are spread.
    pub histograms: Vec<Histogram>,
    /// Documents by the registered domain of their address, else by their folder in the source; most first.
    pub domains: Vec<DomainRow>,
    /// Clusters of equal and near-equal texts.
    pub duplicates: Duplicates,
    /// What this corpus cannot show.
    pub missing: Vec<Missing>,
}

/// A part of the report that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The part.
    pub what: &'static str,
    /// Why, and what would bring it.
    pub why: &'static str,
}

/// Asks a corpus what became of its documents.
pub(super) fn ask(engine: &Engine, folder: &Folder, samples: usize) -> Result<Curation> {
    let filters = reasons::filters(folder);
    let throughput = throughput::ask(engine)?;
    let mut missing = Vec::new();
    if throughput.is_none() {
        missing.push(Missing { what: "throughput", why: "the folder has no `timings.json`" });
    }
    if !engine.has_rows("facts")? {
        missing.push(Missing {
            what: "facts",
            why: "the folder has no facts table: it was built before there was one, or by a recipe without filters",
        });
    }
    if !engine.has_rows("excluded")? {
        missing.push(Missing {
            what: "text of what was dropped",
            why: "it is kept only by `flexmix build --keep-excluded`; samples show where each document lies in its source",
        });
    }
    Ok(Curation {
        funnels: funnel::ask(engine)?,
        reasons: reasons::ask(engine, &filters)?,
        samples: samples::ask(engine, &filters, samples)?,
        throughput,
        histograms: histogram::ask(engine)?,
        domains: domains::ask(engine)?,
        duplicates: duplicates::ask(engine)?,
        missing,
    })
}
