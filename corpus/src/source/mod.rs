//! Foreign objects → documents: a recipe's source table, the object that it pins, and the records in it.
//!
//! Every record comes out exactly once, as a document or as a failed record with a reason; reading goes on after a
//! bad one. Folders, archives and single files are read as streams, in an order fixed by the object's bytes. Knows
//! nothing of policies, tasks or output.

mod claim_toml;
mod container;
mod cutter;
mod decode;
mod error;
mod evidence;
mod find;
mod globs;
mod object;
mod parser;
mod parts;
mod place;
mod raw;
mod reader;
mod records;
mod snapshot_toml;
mod spec;
mod tar;
mod unused;
mod zip;

#[cfg(test)]
mod tests;

pub use cutter::Cutter;
pub use error::{Error, Result};
pub use evidence::EvidenceFile;
pub use find::find;
pub use globs::Globs;
pub use object::{Found, Inputs, Object, Objects, Unavailable};
pub use parser::Parser;
pub use parts::Source;
pub use place::{Place, is_address};
pub use raw::RawRecord;
pub use reader::{SourceReader, open};
pub use records::Cut;
pub use spec::{Client, PackageToml, SourceSpec, SourceToml};
