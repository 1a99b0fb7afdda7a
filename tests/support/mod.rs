//! What every test of the whole uses: programs as processes, a house with keys for every role, and corpora and models
//! that are built once in a run of the tests and copied by those who change them.

mod docs;
mod files;
mod house;
mod npm;
mod program;
mod shared;

pub(crate) use docs::{has_test, quoted};
pub(crate) use files::{contents, copy_tree, corpus_differences, differences, flip_byte, random};
pub(crate) use house::{AS_OF, House, NOTES_TERMS};
pub(crate) use npm::npm;
pub(crate) use program::{Ended, flexmix, flexmix_program, quiet, torch_program};
pub(crate) use shared::{SIZES, corpus, model, once};

use std::path::PathBuf;

/// The folder of the committed fixture corpus.
pub(crate) fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus")
}

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}
