//! What can be typed: clap structs and nothing else. What they mean is in `settings.rs`; what is done, in `commands`.
//! Doc comments here are the help text.

mod build;
mod export;
mod license;
mod policy;
mod prove;
mod publish;
mod read;
mod sign;
mod train;
mod withdrawal;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use manifests::date::Date;

pub(crate) use build::BuildArgs;
pub(crate) use export::{ExportArgs, ExportTarget};
pub(crate) use license::{IdentifyArgs, LicenseCommand};
pub(crate) use policy::{DiffArgs, ElectArgs, ExplainArgs, PolicyCheckArgs, PolicyCommand};
pub(crate) use prove::{ProveArgs, VerifyProofArgs};
pub(crate) use publish::{ByAgreement, PublishArgs};
pub(crate) use read::{AuditArgs, InspectArgs, NoticeArgs, QueryArgs, VerifyArgs};
pub(crate) use sign::{KeysCommand, SignArgs, SignKind, TrustCommand, TrustCompromiseArgs, TrustKeysArgs};
pub(crate) use train::{LaunchArgs, PassArgs, PlanArgs, TrainCommand};
pub(crate) use withdrawal::{ImpactArgs, RebuildArgs, TargetArgs, WithdrawArgs};

/// Builds licensed training corpora, and shows what may be used for what.
#[derive(Debug, Parser)]
#[command(name = "flexmix", version = crate::VERSION, propagate_version = true, max_term_width = 110)]
#[command(after_help = "Exit codes: 0 done; 1 policy said no, or verification failed; 2 usage or configuration; \
3 input or storage failure; 70 a bug of flexmix; 75 stopped at a checkpoint, run again.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Global {
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Show no progress
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build a corpus from a recipe: shards, ledger and signed manifests
    Build(BuildArgs),
    /// Check every signature, digest, count and law of a corpus or model folder
    Verify(VerifyArgs),
    /// Show what a corpus or model folder holds
    Inspect(InspectArgs),
    /// Ask a corpus or model folder in SQL (read-only)
    Query(QueryArgs),
    /// Answer whether a corpus or model may be used under a policy, and why not
    Audit(AuditArgs),
    /// Write the NOTICE of a corpus or model: every attribution owed, and what is not known
    Notice(NoticeArgs),
    /// Hand out of a closed corpus what may leave, and nothing else
    Publish(PublishArgs),
    /// Write a corpus for other tools: dolma documents, token files of OLMo-core, Megatron or datatrove
    Export(ExportArgs),
    /// Prove that a document, text or shard is in a set, or that it is not
    Prove(ProveArgs),
    /// Check a proof
    VerifyProof(VerifyProofArgs),
    /// Check, explain and compare policies, and draft elections
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Say which license a text is
    #[command(subcommand)]
    License(LicenseCommand),
    /// Make keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Sign a policy, a trust file or a record
    Sign(SignArgs),
    /// Make trust files
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Plan and run training
    #[command(subcommand)]
    Train(TrainCommand),
    /// Withdraw a source, a work, a rightsholder or terms: write and sign the record
    Withdraw(WithdrawArgs),
    /// Show what a withdrawal touches: documents, shards, sets, experts, models
    Impact(ImpactArgs),
    /// Make a corpus anew without what is withdrawn, from its published files alone
    Rebuild(RebuildArgs),
    /// Merge an anchor and experts into a model (runs flexmix-torch)
    #[command(
        after_help = "Example:\n  flexmix merge --anchor corpus/train/anchor --expert corpus/train/code --out corpus/models/demo \\\n    --trust trust.toml --key keys/merger.key"
    )]
    Merge(PassArgs),
    /// Answer a prompt under a policy (runs flexmix-torch)
    #[command(
        after_help = "Example:\n  flexmix generate corpus/models/demo --policy policies/serve.toml --prompt 'Once upon'"
    )]
    Generate(PassArgs),
    /// Measure a model under a policy (runs flexmix-torch)
    #[command(after_help = "Example:\n  flexmix eval loss corpus/models/demo corpus --policy policies/serve.toml")]
    Eval(PassArgs),
}

/// What every gate takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Gate")]
pub(crate) struct GateArgs {
    /// The trust file: which key may sign what (its signature lies beside it)
    #[arg(long, value_name = "FILE")]
    pub trust: Option<PathBuf>,
    /// The folder of signed records [default: records in the corpus]
    #[arg(long, value_name = "DIR")]
    pub records: Option<PathBuf>,
    /// The day to decide for, UTC [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub as_of: Option<Date>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs: one JSON object with a `schema` member.
    Json,
}
