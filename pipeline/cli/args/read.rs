//! The arguments of commands that read: `verify`, `inspect`, `query`, `audit`.

use std::path::PathBuf;

use clap::Args;

use manifests::id::SetName;

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
#[command(
    after_help = "Of a corpus it shows what each stage dropped and why, samples of that, how long stages took, how sizes and facts \
are spread, where documents come from, and duplicates. With --document it tells one document's whole story.\n\n\
Examples:\n  flexmix inspect corpus --html report.html\n  flexmix inspect corpus --document 0e6f1c\n  \
flexmix inspect corpus --document almanac.jsonl.gz#33 --format json"
)]
pub(crate) struct InspectArgs {
    /// A corpus or model folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Tell of one document: its id or the beginning of it, the id that its record declares, or PATH#RECORD
    #[arg(long, value_name = "ID", conflicts_with_all = ["html", "samples"])]
    pub document: Option<String>,
    /// Also write one self-contained HTML file with plots; replaces an earlier one and nothing else
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
    /// Documents that are shown of each reason and set
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub samples: usize,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix query`.
#[derive(Debug, Args)]
#[command(
    after_help = "Tables: ledger, claims, facts, documents, sources, cells, public_cells, manifests, stamps, exposure; and, signed by \
nobody, excluded and timings. Functions beside SQL's: folder_of(path), registered_domain(url).\n\n\
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
    /// Also write one self-contained HTML file; replaces an earlier report and nothing else
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
    /// Also write the NOTICE of what is permitted, and link it from the HTML file
    #[arg(long, value_name = "OUT")]
    pub notice: Option<PathBuf>,
    /// For a model: the corpus whose claims have the words behind its terms [default: the corpus that it lies in]
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `flexmix notice`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --policy it lists all that was kept or consumed; with one, what the policy permits.\n\n\
Example:\n  flexmix notice corpus/models/demo --policy policies/serve.toml --trust records/trust.toml --out NOTICE"
)]
pub(crate) struct NoticeArgs {
    /// A corpus or model folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The policy whose permitted text is listed
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A set to list; repeat for each [default: all]
    #[arg(long = "set", value_name = "SET")]
    pub sets: Vec<SetName>,
    /// Write it there; replaces an earlier NOTICE of ours and nothing else
    #[arg(long, value_name = "NOTICE")]
    pub out: Option<PathBuf>,
    /// For a model: the corpus whose claims have the statements [default: the corpus that it lies in]
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}
