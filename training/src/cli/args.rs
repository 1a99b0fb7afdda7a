//! What can be typed. `flexmix` passes `train anchor`, `train expert`, `merge`, `generate` and `eval` on unchanged, so
//! these are its users' flags too.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Args, Parser, Subcommand, ValueEnum};
use manifests::date::Date;
use manifests::id::ExpertId;

/// Version and build; `flexmix` reads the contract's id here before it works with this program.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let (version, build) = (env!("CARGO_PKG_VERSION"), env!("FLEXMIX_TORCH_BUILD"));
    format!("{version} contract {} build {build} libtorch 2.11.0", manifests::build::CONTRACT)
});

/// Trains, merges and runs FlexOlmo models from verified manifests.
#[derive(Debug, Parser)]
#[command(name = "flexmix-torch", version = VERSION.as_str())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    pub(crate) fn format(&self) -> Format {
        match &self.command {
            Command::Devices(args) => args.format,
            Command::Train { what: Train::Anchor(args) } => args.job.format,
            Command::Train { what: Train::Expert(args) } => args.job.format,
            Command::Merge(args) => args.format,
            Command::Generate(args) => args.session.format,
            Command::Eval { what: Eval::Loss(args) } => args.session.format,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what this machine offers, and test that its bits hold
    #[command(after_help = "Example:\n  flexmix-torch devices --threads 2")]
    Devices(DevicesArgs),
    /// Train a plan's anchor or one of its experts
    Train {
        #[command(subcommand)]
        what: Train,
    },
    /// Lay an anchor and experts side by side and sign the index
    #[command(
        after_help = "Example:\n  flexmix merge --anchor out/train/anchor --expert out/train/math --expert out/train/code \\\n    --out out/models/demo --trust out/trust.toml --key keys/merger.key"
    )]
    Merge(MergeArgs),
    /// Continue a prompt under a policy, and say who answered
    #[command(
        after_help = "Example:\n  flexmix generate out/models/demo --policy serve.toml --trust out/trust.toml \\\n    --records out/records --prompt \"Theorem 1\""
    )]
    Generate(GenerateArgs),
    /// Measure a model under a policy
    Eval {
        #[command(subcommand)]
        what: Eval,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Train {
    /// Train a plan's anchor on the public set and stamp it
    #[command(
        after_help = "Example:\n  flexmix train anchor out/train/plan.toml --policy train.toml \\\n    --trust out/trust.toml --key keys/trainer.key\n\nStopped by SIGTERM or killed, the same command goes on from the last checkpoint."
    )]
    Anchor(AnchorArgs),
    /// Train one of a plan's experts against the stamped anchor and stamp it
    #[command(
        after_help = "Example:\n  flexmix train expert out/train/plan.toml math --policy train.toml \\\n    --trust out/trust.toml --key keys/trainer.key"
    )]
    Expert(ExpertArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Eval {
    /// Held-out loss by set, of the session and of the anchor alone
    #[command(
        after_help = "Example:\n  flexmix eval loss out/models/demo out --policy serve.toml --trust out/trust.toml"
    )]
    Loss(LossArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// Threads; by default all cores
    #[arg(long)]
    pub(crate) threads: Option<i32>,
    /// How to report
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct JobArgs {
    /// The corpus folder; by default the one that the plan names
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,
    /// The policy for act `train`
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The trust file
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// The records folder; by default `records` in the corpus
    #[arg(long, value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// The date of every verdict; by default today in UTC
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<Date>,
    /// The trainer's private key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The job folder; by default beside the plan, by the job's name
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Threads; by default all cores. Bits do not depend on it
    #[arg(long)]
    pub(crate) threads: Option<i32>,
    /// Steps between checkpoints
    #[arg(long, default_value = "100", value_name = "STEPS")]
    pub(crate) checkpoint_every: u64,
    /// How to report the result
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct AnchorArgs {
    /// The plan that `flexmix train plan` wrote
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) job: JobArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExpertArgs {
    /// The plan that `flexmix train plan` wrote
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// The expert's id in the plan
    #[arg(value_name = "ID")]
    pub(crate) id: ExpertId,
    /// The stamped anchor, or its job folder; by default `anchor` beside the plan
    #[arg(long, value_name = "DIR")]
    pub(crate) anchor: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) job: JobArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// The stamped anchor, or its job folder
    #[arg(long, value_name = "DIR")]
    pub(crate) anchor: PathBuf,
    /// A stamped expert, or its job folder; may be repeated
    #[arg(long = "expert", value_name = "DIR")]
    pub(crate) experts: Vec<PathBuf>,
    /// The model's folder; its last part is the model's name
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The trust file
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: PathBuf,
    /// The date of the verification; by default today in UTC
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<Date>,
    /// The merger's private key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// How to report the result
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    /// The model's folder
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// The policy for act `serve`
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The trust file
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// The records folder; by default `records` two folders above the model (the corpus's)
    #[arg(long, value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// The date of every verdict; by default today in UTC
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<Date>,
    /// Threads; by default all cores. Bits do not depend on it
    #[arg(long)]
    pub(crate) threads: Option<i32>,
    /// How to report
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Text to go on from
    #[arg(long, value_name = "TEXT")]
    pub(crate) prompt: String,
    /// Most tokens to add
    #[arg(long, default_value = "64", value_name = "N")]
    pub(crate) max_tokens: usize,
    /// 0 takes the likeliest token, above 0 one is drawn
    #[arg(long, default_value = "0", value_name = "T")]
    pub(crate) temperature: f64,
    /// Seed of the draw
    #[arg(long, default_value = "0")]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct LossArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// The corpus folder
    #[arg(value_name = "DIR")]
    pub(crate) corpus: PathBuf,
    /// A set to measure; may be repeated; by default every set
    #[arg(long = "set", value_name = "SET")]
    pub(crate) sets: Vec<manifests::id::SetName>,
    /// Most held-out tokens of a set
    #[arg(long, default_value = "8192", value_name = "N")]
    pub(crate) max_tokens: u64,
}
