//! Reads a source of an inputs folder from its first record to its last, on the thread that asks: cut, then parse. One
//! record is held at a time.

use std::path::Path;
use std::sync::Arc;

use super::cutter::Cutter;
use super::error::Result;
use super::find::find;
use super::object::Inputs;
use super::parser::Parser;
use super::parts::Source;
use super::spec::SourceSpec;
use crate::document::Outcome;

/// Opens a source: checks the object's digest against the recipe's, then reads nothing until asked.
///
/// # Errors
/// [`Error::Io`](super::Error::Io) when the object cannot be read, [`Error::Changed`](super::Error::Changed) when it is
/// not the pinned one, [`Error::Recipe`](super::Error::Recipe) when a file has no pin.
pub fn open(spec: SourceSpec, inputs: &Path) -> Result<SourceReader> {
    let (spec, objects) = (Arc::new(spec), Arc::new(Inputs::new(inputs)));
    let found = find(&spec, inputs, objects.as_ref())?;
    let all = 0..found.len();
    let source = Source::open(spec, inputs, objects, found)?;
    Ok(SourceReader { cutter: source.cut(all)?, parser: source.parser(), source, done: false })
}

/// The records of a source, in a fixed order.
pub struct SourceReader {
    source: Source,
    cutter: Cutter,
    parser: Parser,
    done: bool,
}

impl SourceReader {
    /// The source that is read.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// What the recipe names and nothing that was read so far has: after the last record, its slips.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        self.cutter.unused().into_iter().chain(self.parser.unused()).collect()
    }
}

impl Iterator for SourceReader {
    type Item = Result<Outcome>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.cutter.record().map(|raw| raw.map(|raw| self.parser.parse(raw))).transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}
