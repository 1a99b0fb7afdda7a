//! The arguments of `withdraw`, `impact` and `rebuild`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use manifests::date::Date;
use manifests::record::WithdrawalKind;

use super::{Format, GateArgs};

/// What is withdrawn; exactly one of these.
#[derive(Clone, Debug, Default, Args)]
#[group(id = "target", multiple = false)]
#[command(next_help_heading = "What is withdrawn")]
pub(crate) struct TargetArgs {
    /// A source; the same text from other sources stays free
    #[arg(long, value_name = "ID")]
    pub source: Option<String>,
    /// A work, by the digest of its normalised text: every copy
    #[arg(long, value_name = "DIGEST")]
    pub work: Option<String>,
    /// A work, by the id of one of its documents in the corpora: every copy
    #[arg(long, value_name = "ID")]
    pub document: Option<String>,
    /// Everything of a rightsholder
    #[arg(long, value_name = "NAME")]
    pub rightsholder: Option<String>,
    /// Everything under terms that were claimed wrongly, an SPDX expression
    #[arg(long, value_name = "EXPR")]
    pub license: Option<String>,
}

/// Why something is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    /// A contract ended.
    ContractEnd,
    /// The license was claimed wrongly.
    WrongLicense,
    /// An opt-out: forward only.
    OptOut,
    /// A right to erasure.
    Erasure,
    /// A court's order.
    CourtOrder,
}

impl From<KindArg> for WithdrawalKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::ContractEnd => Self::ContractEnd,
            KindArg::WrongLicense => Self::WrongLicense,
            KindArg::OptOut => Self::OptOut,
            KindArg::Erasure => Self::Erasure,
            KindArg::CourtOrder => Self::CourtOrder,
        }
    }
}

/// Arguments of `flexmix withdraw`.
#[derive(Debug, Args)]
#[command(
    after_help = "The record is written to DIR/withdrawals/ID.toml, and signed beside it. It is in force at every gate from its \
effective day on, once the head is signed anew.\n\n\
Example:\n  flexmix withdraw --source forum --kind contract-end --effective 2026-12-31 --learned 2026-12-01 \\\n    --reason 'contract C-12 ends' --records records --key keys/withdrawals.key --corpus corpus \\\n    --head-key keys/head.key --head-until 2026-12-31"
)]
pub(crate) struct WithdrawArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Why
    #[arg(long, value_enum)]
    pub kind: KindArg,
    /// The first day on which it is in force, UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub effective: Date,
    /// The day on which you learned of it, UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub learned: Date,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The record's name [default: made from kind, day and target]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// A key that holds the role `withdrawals`
    #[arg(long, value_name = "KEY")]
    pub key: PathBuf,
    /// A corpus that may hold it; repeat for each. A work's record names the manifests that do
    #[arg(long = "corpus", value_name = "DIR")]
    pub corpora: Vec<PathBuf>,
    /// Also sign the head anew, with this key
    #[arg(long, value_name = "KEY", requires = "head_until")]
    pub head_key: Option<PathBuf>,
    /// The new head's last day
    #[arg(long, value_name = "YYYY-MM-DD", requires = "head_key")]
    pub head_until: Option<Date>,
    /// Mark the record as made with throw-away keys
    #[arg(long)]
    pub demo: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix impact`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flexmix impact corpus --source forum\n  flexmix impact corpus corpus/models/demo --withdrawal records/withdrawals/W-7.dsse.json --html impact.html"
)]
pub(crate) struct ImpactArgs {
    /// Corpora, models and job folders to look into
    #[arg(value_name = "DIR", required = true)]
    pub dirs: Vec<PathBuf>,
    /// A withdrawal's record, signed or as TOML, in place of a target
    #[arg(long, value_name = "FILE", group = "target")]
    pub withdrawal: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// For the owner of closed sets: draft the answers that only you can give, one file for each closed set
    #[arg(long, value_name = "DIR", requires = "owner")]
    pub owner_answers: Option<PathBuf>,
    /// Who answers
    #[arg(long, value_name = "NAME", requires = "owner_answers")]
    pub owner: Option<String>,
    /// Also write one self-contained HTML file
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix rebuild`.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads the published corpus alone. Shards that hold nothing withdrawn keep their bytes, and sets that hold nothing \
keep their manifests.\n\n\
Example:\n  flexmix rebuild corpus --out corpus-2 --policy policies/build.toml --key keys/builder.key \\\n    --trust trust.toml --records records"
)]
pub(crate) struct RebuildArgs {
    /// The corpus
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Where the new corpus goes; must be empty or absent
    #[arg(long, value_name = "NEW")]
    pub out: PathBuf,
    /// The policy that the corpus was built under
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The builder's private key, PKCS#8 PEM
    #[arg(long, value_name = "KEY")]
    pub key: PathBuf,
    /// The owner's secret, when a closed set is rewritten
    #[arg(long, value_name = "FILE")]
    pub secret: Option<PathBuf>,
    /// Also sign releases of the sets that are written anew into this folder, usually one of the records: then no gate
    /// takes their former manifests any more
    #[arg(long, value_name = "DIR")]
    pub releases: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}
