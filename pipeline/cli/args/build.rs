//! The arguments of `build`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::{Format, GateArgs};

/// Arguments of `flexmix build`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flexmix build recipe.toml --out corpus --key keys/builder.key \\\n    --trust records/trust.toml --records records --as-of 2026-12-01"
)]
pub(crate) struct BuildArgs {
    /// The recipe
    #[arg(value_name = "RECIPE")]
    pub recipe: PathBuf,
    /// Where the corpus goes; must be empty or absent without --resume
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The builder's private key, PKCS#8 PEM
    #[arg(long, value_name = "KEY")]
    pub key: PathBuf,
    /// Tasks that run at once; changes no output [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Which one of --world processes this is, from 0; all of them share the corpus folder
    #[arg(long, value_name = "I", requires = "world", default_value_t = 0)]
    pub rank: usize,
    /// Processes that build this corpus together, on one machine or many; changes no output
    #[arg(long, value_name = "N", requires = "rank", default_value_t = 1)]
    pub world: usize,
    /// Go on with a build that was stopped
    #[arg(long)]
    pub resume: bool,
    /// The owner's secret, for closed sets
    #[arg(long, value_name = "FILE")]
    pub secret: Option<PathBuf>,
    /// Keep the text of what is dropped in DIR/excluded, with the rule and the span; it is never published
    #[arg(long)]
    pub keep_excluded: bool,
    /// Where the recipe's inputs lie [default: beside the recipe]
    #[arg(long, value_name = "DIR")]
    pub inputs: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}
