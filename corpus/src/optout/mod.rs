//! Opt-out signals: what a site, a response or a page says against mining and training, as found. robots.txt (RFC
//! 9309), TDMRep, AI preferences (AIPREF), Really Simple Licensing (RSL), `noai` and terms of service.
//!
//! Three answers are kept apart: reserved, looked at and not reserved, and not looked at. What cannot be read is none of
//! the first two. What a reservation ends is not decided here (semantics.md §1).

mod address;
mod headers;
mod page;
mod pattern;
mod robots;
mod rsl;
mod sites;
mod snapshot;
mod tdmrep;
mod usage;

pub(crate) use page::is_rsl;
pub use sites::Sites;
pub use snapshot::{AI_AGENTS, Kind, Snapshot};

use manifests::claim::Signal;

/// What one place says of one document by one signal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    signal: Signal,
    /// Whether it reserves; absent when its words cannot be read.
    reserved: Option<bool>,
    /// The words, as found.
    raw: String,
    /// Their line, from 1.
    line: usize,
}

impl Said {
    fn new(signal: Signal, reserved: Option<bool>, raw: impl Into<String>, line: usize) -> Self {
        let mut raw = raw.into();
        raw.truncate(raw.floor_char_boundary(MAX_QUOTE));
        Self { signal, reserved, raw, line }
    }
}

/// The most bytes that are quoted of one place.
const MAX_QUOTE: usize = 2000;

#[cfg(test)]
mod tests;
