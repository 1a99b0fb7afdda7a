//! The arguments of commands that read: `verify`, `inspect`, `query`, `audit`, `policy check`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, GateArgs};

/// Arguments of `flexmix verify`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  flexmix verify corpus --trust records/trust.toml")]
pub(crate) struct VerifyArgs {
    /// A corpus or model folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix inspect`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  flexmix inspect corpus --format json")]
pub(crate) struct InspectArgs {
    /// A corpus or model folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix query`.
#[derive(Debug, Args)]
#[command(
    after_help = "Tables: ledger, claims, documents, sources, cells, public_cells, manifests, stamps, exposure.\n\n\
Example:\n  flexmix query corpus \"SELECT reason, count(*) AS n FROM ledger WHERE decision = 'dropped' GROUP BY reason ORDER BY n DESC\""
)]
pub(crate) struct QueryArgs {
    /// A corpus or model folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The query
    #[arg(value_name = "SQL")]
    pub sql: String,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix audit`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flexmix audit corpus/models/demo --policy policies/serve.toml --trust records/trust.toml \\\n    --records records --as-of 2026-12-03 --html report.html"
)]
pub(crate) struct AuditArgs {
    /// A corpus or model folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The policy to ask; without one the audit lists facts and decides nothing
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Also write one self-contained HTML file
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// `flexmix policy …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Parse a policy, and list its rules by line
    Check(PolicyCheckArgs),
}

/// Arguments of `flexmix policy check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  flexmix policy check policies/serve.toml")]
pub(crate) struct PolicyCheckArgs {
    /// The policy
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
