//! Hands a finished corpus to other tools: dolma documents with attributes, token files for OLMo-core, Megatron and
//! datatrove. Reads shards through their signed manifests only, takes of them what a policy permits, and says beside
//! the files which terms they carry. Knows nothing of recipes.

mod admit;
mod datatrove;
mod dolma;
mod export;
mod megatron;
mod npy;
mod sidecar;
mod tokens;

use std::collections::BTreeSet;
use std::path::PathBuf;

use manifests::id::SetName;

pub use export::export;
pub use sidecar::{EXPORT_FILE, ExportReport, ExportedFile, ExportedSet, LeftOut, LicenseTotal};

/// What other tools read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// dolma documents and attributes, JSON lines.
    Dolma,
    /// Raw `.npy` and `.csv.gz`, as OLMo-core and dolma have them.
    Npy,
    /// Megatron's `.bin` and `.idx`.
    Megatron,
    /// datatrove's `.ds`, `.ds.index` and `.ds.metadata`.
    Datatrove,
}

impl Target {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dolma => "dolma",
            Self::Npy => "npy",
            Self::Megatron => "megatron",
            Self::Datatrove => "datatrove",
        }
    }
}

/// What an export is asked for.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// The corpus.
    pub dir: PathBuf,
    /// Where it goes; must be empty or absent.
    pub out: PathBuf,
    /// For whom.
    pub target: Target,
    /// The sets; all public ones when empty.
    pub sets: BTreeSet<SetName>,
    /// Closed sets, too: the export then stays in their owner's house.
    pub closed: bool,
    /// The held-out documents and not the training ones.
    pub held_out: bool,
    /// Mix the documents of each shard by this seed; absent: in stored order.
    pub shuffle: Option<u64>,
    /// A file ends before the document that would make it longer than this.
    pub file_tokens: u64,
}
