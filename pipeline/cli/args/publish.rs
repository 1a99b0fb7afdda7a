//! The arguments of `publish`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Format, GateArgs};

/// What an owner and a recipient agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByAgreement {
    /// The terms of the text with origin and counts.
    Cells,
    /// Who is to be named, in their own words.
    Attribution,
}

/// Arguments of `flexmix publish`.
#[derive(Debug, Args)]
#[command(
    after_help = "Of a closed set leave: its public manifest with the owner's signature, and the weights that were trained on it \
with their stamps. By agreement: full cells, and who is to be named. Public sets leave under a policy whose act is \
publish-data, other weights under one whose act is release-weights. Everything else stays, and the report says why.\n\n\
Example:\n  flexmix publish corpus --out outward --key keys/owner.key --secret owner.secret --trust records/trust.toml"
)]
pub(crate) struct PublishArgs {
    /// The corpus
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Where the outward tree goes; must be empty or absent
    #[arg(long, value_name = "OUT", required_unless_present = "dry_run")]
    pub out: Option<PathBuf>,
    /// The owner's private key, PKCS#8 PEM
    #[arg(long, value_name = "KEY")]
    pub key: PathBuf,
    /// A set to hand out; repeat for each [default: all]
    #[arg(long = "set", value_name = "SET")]
    pub sets: Vec<String>,
    /// The owner's secret: commitments are computed again and compared
    #[arg(long, value_name = "FILE")]
    pub secret: Option<PathBuf>,
    /// What leaves by agreement only; repeat for each
    #[arg(long, value_enum, value_name = "WHAT")]
    pub by_agreement: Vec<ByAgreement>,
    /// A policy with act publish-data or release-weights; repeat for each
    #[arg(long = "policy", value_name = "FILE")]
    pub policies: Vec<PathBuf>,
    /// List what would leave and what would stay; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub gate: GateArgs,
}
