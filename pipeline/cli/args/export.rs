//! The arguments of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use manifests::id::SetName;

use super::{Format, GateArgs};

/// The tool that reads an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportTarget {
    /// dolma documents and attributes (JSON lines, zstd).
    Dolma,
    /// Raw .npy and .csv.gz, for OLMo-core.
    Npy,
    /// .bin and .idx, for Megatron.
    Megatron,
    /// .ds, .ds.index and .ds.metadata, for datatrove and nanotron.
    Datatrove,
}

/// Arguments of `flexmix export`.
#[derive(Debug, Args)]
#[command(
    after_help = "What the policy denies is left out, and listed. A document is written as often as it has copies. Beside the \
files stand export.json (terms, digests) and the NOTICE.\n\nExample:\n  flexmix export corpus --to datatrove --out tokens \
--shuffle 7 --policy policies/train.toml --trust trust.toml"
)]
pub(crate) struct ExportArgs {
    /// The corpus
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// For which tool
    #[arg(long, value_enum, value_name = "TOOL")]
    pub to: ExportTarget,
    /// Where the files go; must be empty or absent
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// A policy with act train, or publish-data where the export is handed on
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// A set to export; repeat for each [default: all public sets]
    #[arg(long = "set", value_name = "SET")]
    pub sets: Vec<SetName>,
    /// Closed sets, too: I own them, and the export stays in my house
    #[arg(long)]
    pub closed: bool,
    /// The documents kept for evaluation, and no training ones
    #[arg(long)]
    pub held_out: bool,
    /// Mix the documents of each shard by this seed [default: stored order]
    #[arg(long, value_name = "SEED")]
    pub shuffle: Option<u64>,
    /// A file ends before the document that would make it longer
    #[arg(long, value_name = "TOKENS", default_value_t = 500_000_000)]
    pub file_tokens: u64,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}
