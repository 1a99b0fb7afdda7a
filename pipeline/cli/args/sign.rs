//! The arguments of `keys generate`, `sign` and `trust …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use manifests::date::Date;
use manifests::sign::KeyId;

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
    /// What the terms of a license file or text are, where no rule could read them.
    Decision,
    /// An exception from one rule for one artifact.
    Exception,
    /// What an owner allows.
    Grant,
    /// A withdrawal.
    Withdrawal,
    /// The lifting of a withdrawal.
    Lift,
    /// An owner's answer to a withdrawal, for a closed set.
    Impact,
    /// Which manifest of a set is the current one.
    Release,
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
    #[command(
        after_help = "Example:\n  flexmix trust init --out records/trust.toml --root keys/root.pub --key lab-k1=builder:keys/builder.pub \\\n    --key press=owner@daily-news:keys/press.pub --key ann=legal:keys/legal-1.pub --from 2026-12-01 --until 2027-11-30"
    )]
    Init(TrustKeysArgs),
    /// Write the trust file that takes another's place; a root key of each signs it
    #[command(
        after_help = "Example:\n  flexmix trust rotate trust.toml --out trust-2.toml --root keys/root-2.pub --key lab-k2=builder:keys/builder-2.pub \\\n    --from 2027-06-01 --until 2028-05-31\n  flexmix sign trust trust-2.toml --key keys/root.key && flexmix sign trust trust-2.toml --key keys/root-2.key"
    )]
    Rotate(TrustRotateArgs),
    /// Write the trust file that voids what a key signed after a head; a root key signs it
    #[command(
        after_help = "Example:\n  flexmix trust compromise trust.toml --out trust-2.toml --key-id sha256:77ab… --records records-at-head-12 \\\n    --vouch corpus/sets/news/manifest.dsse.json"
    )]
    Compromise(TrustCompromiseArgs),
}

/// Arguments of `flexmix trust init`: the keys of a trust file.
#[derive(Debug, Args)]
pub(crate) struct TrustKeysArgs {
    /// The trust file to write; must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The root's public key; its owner signs the file
    #[arg(long, value_name = "PEMFILE")]
    pub root: PathBuf,
    /// A key, its roles, and the sets, sources or experts that it is for (none named: all); repeat for each
    #[arg(long = "key", value_name = "NAME=ROLE[,ROLE][@SCOPE[,SCOPE]]:PEMFILE")]
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

/// Arguments of `flexmix trust rotate`.
#[derive(Debug, Args)]
pub(crate) struct TrustRotateArgs {
    /// The trust file before
    #[arg(value_name = "TRUST")]
    pub before: PathBuf,
    #[command(flatten)]
    pub keys: TrustKeysArgs,
}

/// Arguments of `flexmix trust compromise`.
#[derive(Debug, Args)]
pub(crate) struct TrustCompromiseArgs {
    /// The trust file before
    #[arg(value_name = "TRUST")]
    pub before: PathBuf,
    /// The trust file to write; must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The id of the key that was compromised
    #[arg(long = "key-id", value_name = "SHA256")]
    pub key: KeyId,
    /// The records folder as it was under the last head when the key was its owner's alone
    #[arg(long, value_name = "DIR")]
    pub records: PathBuf,
    /// An envelope outside of the records (manifest, stamp, index) that stands; repeat for each
    #[arg(long, value_name = "FILE")]
    pub vouch: Vec<PathBuf>,
}
