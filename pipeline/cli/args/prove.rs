//! The arguments of `prove` and `verify-proof`.

use std::path::PathBuf;

use clap::Args;
use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::id::{DocId, SetName};
use manifests::store::RelPath;

use super::Format;

/// What is asked of a set: exactly one.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct QuestionArgs {
    /// Is this document in the set? (the `doc_id` of the ledger)
    #[arg(long, value_name = "ID")]
    pub document: Option<DocId>,
    /// Is the text in this file in the set, spacing aside?
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// The same for a text known by its normalised digest
    #[arg(long, value_name = "SHA256")]
    pub digest: Option<Sha256>,
    /// Is this shard one of the set's files?
    #[arg(long, value_name = "NAME")]
    pub file: Option<RelPath>,
}

/// Arguments of `flexmix prove`.
#[derive(Debug, Args)]
#[command(
    after_help = "The proof carries the set's signed manifest, so that it can be checked without the corpus: with\n\
`flexmix verify-proof`, or with docs/verify_proof.py, which uses nothing of flexmix. It says that something is there, \
or that it is not.\n\n\
Of a closed set only its owner can prove, with --secret. That a document is there is shown by opening one commitment; \
such a proof may be handed out. That something is not there takes the full manifest: show such a proof, and keep it.\n\n\
Examples:\n  flexmix prove corpus --document 0e6f1c2b3a495867768594a3b2c1d0ef --out proof.json\n  \
flexmix prove corpus --set code --text letter.txt --out proof.json"
)]
pub(crate) struct ProveArgs {
    /// A corpus folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The set [default: the one that holds it]
    #[arg(long, value_name = "SET")]
    pub set: Option<SetName>,
    #[command(flatten)]
    pub question: QuestionArgs,
    /// Where the proof goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The owner's secret, for a closed set
    #[arg(long, value_name = "FILE")]
    pub secret: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Arguments of `flexmix verify-proof`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without a trust file the proof's integrity is checked, and who signed its manifest stays unknown.\n\n\
Example:\n  flexmix verify-proof proof.json --trust trust.toml --manifest corpus/sets/code/manifest.dsse.json"
)]
pub(crate) struct VerifyProofArgs {
    /// The proof
    #[arg(value_name = "PROOF")]
    pub proof: PathBuf,
    /// The trust file: which key may sign manifests (its signature lies beside it)
    #[arg(long, value_name = "FILE")]
    pub trust: Option<PathBuf>,
    /// The day to decide for, UTC [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub as_of: Option<Date>,
    /// A manifest that you have: the proof must be about this one
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// The owner's secret: shows that a closed set's public manifest commits to the full one
    #[arg(long, value_name = "FILE")]
    pub secret: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
