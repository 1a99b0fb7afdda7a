//! One way to read what was built: a corpus or model folder as SQL tables. Every number that a report shows comes
//! from here, so that `flexmix query` can reproduce it. Read-only; prints nothing.

mod engine;
mod folder;
mod functions;
mod optional;
mod outward;
mod rows;
mod tables;

pub use engine::Engine;
pub use folder::{Folder, INDEX_FILE, Kind, MANIFEST_FILE, ModelFolder, PUBLIC_FILE, STAMP_FILE, Seal, Signed};
pub use outward::Outward;
pub(crate) use outward::stamp as read_stamp;
pub use rows::{Column, Rows};
pub(crate) use tables::shard_path;

#[cfg(test)]
mod tests;
