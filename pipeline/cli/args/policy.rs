//! The arguments of `policy …`. A policy may be a draft in all of them: nothing is opened, built or trained by it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, GateArgs};

/// `flexmix policy …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Parse a policy, and list its rules by line; with a corpus, the rules that match nothing in it
    Check(PolicyCheckArgs),
    /// Tell in plain words why one document or expert is permitted or denied, and what would change it
    Explain(ExplainArgs),
    /// Compare two policies over a corpus and its models: what changes sides, and by which line
    Diff(DiffArgs),
    /// Draft elections for license choices that nobody decided, for two legal keys to sign
    Elect(ElectArgs),
}

/// Arguments of `flexmix policy check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flexmix policy check policies/serve.toml\n  flexmix policy check policies/serve.toml --on corpus --trust trust.toml --records records"
)]
pub(crate) struct PolicyCheckArgs {
    /// The policy
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A corpus to hold it against: rules that match nothing, and documents that it queues for its owner
    #[arg(long, value_name = "DIR")]
    pub on: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix policy explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flexmix policy explain policies/serve.toml corpus --document 1f0c9a… --trust trust.toml\n  flexmix policy explain policies/serve.toml corpus --expert code-nc --model demo --trust trust.toml"
)]
#[command(group(clap::ArgGroup::new("subject").required(true).args(["document", "expert"])))]
pub(crate) struct ExplainArgs {
    /// The policy
    #[arg(value_name = "POLICY")]
    pub policy: PathBuf,
    /// A corpus or model folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The document, by its id in the ledger
    #[arg(long, value_name = "ID")]
    pub document: Option<String>,
    /// The expert, by its id; `anchor` is the anchor
    #[arg(long, value_name = "ID")]
    pub expert: Option<String>,
    /// The model of the expert, where the folder has several
    #[arg(long, value_name = "NAME", requires = "expert")]
    pub model: Option<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix policy diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flexmix policy diff policies/serve.toml policies/serve-draft.toml --on corpus --trust trust.toml\n\n\
Ends with 0 whatever changes sides; with --expect-same, with 1 when anything does."
)]
pub(crate) struct DiffArgs {
    /// The first policy
    #[arg(value_name = "A")]
    pub first: PathBuf,
    /// The second policy
    #[arg(value_name = "B")]
    pub second: PathBuf,
    /// The corpus or model folder
    #[arg(long, value_name = "DIR")]
    pub on: PathBuf,
    /// End with 1 when anything changes sides
    #[arg(long)]
    pub expect_same: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix policy elect`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flexmix policy elect policies/build.toml --on corpus --out drafts --trust trust.toml --records records\n  flexmix sign election drafts/elect-mit-or-apache-2.0.toml --key legal-1.key"
)]
pub(crate) struct ElectArgs {
    /// The policy whose `[or] elect` names branches
    #[arg(value_name = "POLICY")]
    pub policy: PathBuf,
    /// The corpus
    #[arg(long, value_name = "DIR")]
    pub on: PathBuf,
    /// Where the drafts go, one file each; a file that is there is never changed
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}
