//! The arguments of `train …`, and of the commands that `flexmix-torch` carries out.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, GateArgs};

/// `flexmix train …`.
#[derive(Debug, Subcommand)]
pub(crate) enum TrainCommand {
    /// Propose an anchor and one expert for each set and tier with enough tokens
    Plan(PlanArgs),
    /// Train the anchor of a plan (runs flexmix-torch)
    #[command(
        after_help = "Example:\n  flexmix train anchor corpus/train/plan.toml --key keys/trainer.key --policy policies/train.toml"
    )]
    Anchor(PassArgs),
    /// Train one expert of a plan (runs flexmix-torch)
    #[command(
        after_help = "Example:\n  flexmix train expert corpus/train/plan.toml code-open --key keys/trainer.key --policy policies/train.toml"
    )]
    Expert(PassArgs),
    /// Run a plan's jobs: the anchor, then the experts; finished ones are skipped
    Launch(LaunchArgs),
}

/// Everything after the command, handed over unchanged.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub(crate) struct PassArgs {
    /// Arguments of flexmix-torch; `--help` asks it
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Arguments of `flexmix train plan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flexmix train plan corpus --policy policies/serve.toml --policy policies/research.toml \\\n    --out corpus/train/plan.toml --max-experts 3"
)]
pub(crate) struct PlanArgs {
    /// The corpus
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// A policy to show the outlook of; repeat for each
    #[arg(long = "policy", value_name = "FILE", required = true)]
    pub policies: Vec<PathBuf>,
    /// Where the plan goes
    #[arg(long, value_name = "PLAN")]
    pub out: PathBuf,
    /// The most experts; what has no place is listed as left out
    #[arg(long, value_name = "N")]
    pub max_experts: Option<NonZeroU32>,
    /// A preset of the model and job sizes, TOML
    #[arg(long, value_name = "FILE")]
    pub sizes: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix train launch`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flexmix train launch corpus/train/plan.toml --jobs 2 -- --key keys/trainer.key --policy policies/train.toml"
)]
pub(crate) struct LaunchArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Experts that train side by side
    #[arg(long, value_name = "N", default_value = "1")]
    pub jobs: NonZeroUsize,
    /// Arguments for every job, handed to flexmix-torch unchanged
    #[arg(value_name = "ARGUMENTS", last = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}
