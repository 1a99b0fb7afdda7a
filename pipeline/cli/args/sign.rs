//! The arguments of `keys generate`, `sign` and `trust init`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use manifests::date::Date;

/// `flexmix keys …`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make an ECDSA P-256 key pair: PREFIX.key (private, mode 600) and PREFIX.pub
    #[command(after_help = "Example:\n  flexmix keys generate --out keys/builder")]
    Generate {
        /// Where the two files go; neither may exist
        #[arg(long, value_name = "PREFIX")]
        out: PathBuf,
    },
}

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignKind {
    /// A policy, as exact bytes.
    Policy,
    /// A trust file, as exact bytes.
    Trust,
    /// Which branch of an OR is taken.
    Election,
    /// An exception from one rule for one artifact.
    Exception,
    /// What an owner allows.
    Grant,
    /// A withdrawal.
    Withdrawal,
    /// The head over a records folder.
    Head,
}

/// Arguments of `flexmix sign`.
#[derive(Debug, Args)]
#[command(
    after_help = "A policy or trust file is signed as exact bytes, into FILE.dsse.json. A record FILE.toml becomes the signed \
statement FILE.dsse.json. Signing again with another key adds its signature. `head` lists --records and writes \
head.dsse.json there; sign it last.\n\n\
Examples:\n  flexmix sign policy policies/serve.toml --key keys/legal-1.key\n  flexmix sign head head.toml --records records --key keys/head.key"
)]
pub(crate) struct SignArgs {
    /// What it is
    #[arg(value_name = "KIND", value_enum)]
    pub kind: SignKind,
    /// The file to sign
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The private key, PKCS#8 PEM
    #[arg(long, value_name = "KEY")]
    pub key: PathBuf,
    /// The records folder (head only)
    #[arg(long, value_name = "DIR", required_if_eq("kind", "head"))]
    pub records: Option<PathBuf>,
}

/// `flexmix trust …`.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// Write a trust file; sign it then with `flexmix sign trust`
    Init(TrustInitArgs),
}

/// Arguments of `flexmix trust init`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flexmix trust init --out records/trust.toml --root keys/root.pub --key lab-k1=builder:keys/builder.pub \\\n    --key ann=legal:keys/legal-1.pub --from 2026-12-01 --until 2027-11-30"
)]
pub(crate) struct TrustInitArgs {
    /// The trust file to write; must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The root's public key; its owner signs the file
    #[arg(long, value_name = "PEMFILE")]
    pub root: PathBuf,
    /// A key and its roles; repeat for each
    #[arg(long = "key", value_name = "NAME=ROLE[,ROLE]:PEMFILE")]
    pub keys: Vec<String>,
    /// The first day of all keys
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Date,
    /// The last day of all keys
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub until: Date,
    /// Mark it as made with throw-away keys
    #[arg(long)]
    pub demo: bool,
}
