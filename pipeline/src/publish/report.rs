//! What a publication reports: every file that leaves with its reason and digest, what was refused, and what stayed.

use std::path::PathBuf;

use manifests::digest::Sha256;
use manifests::publication::{Content, Publication, PublishedFile};
use serde::Serialize;

/// A file that leaves.
#[derive(Clone, Debug, Serialize)]
pub struct Published {
    /// Its path in the outward tree.
    pub path: String,
    /// Bytes.
    pub length: u64,
    /// Its digest.
    pub digest: Sha256,
    /// What it holds.
    pub content: Content,
    /// Why it may leave.
    pub reason: &'static str,
}

impl Published {
    pub(super) fn of(file: &PublishedFile) -> Self {
        Self {
            path: file.file.path.to_string(),
            length: file.file.length,
            digest: file.file.digest,
            content: file.content,
            reason: file.content.reason(),
        }
    }
}

/// A set, expert or anchor that may not leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// What it is.
    pub subject: String,
    /// The reason code, where one of docs/reason-codes.md says it.
    pub code: Option<&'static str>,
    /// Why.
    pub why: String,
}

/// A file that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StayedFile {
    /// Its path in the corpus.
    pub path: String,
    /// Why.
    pub reason: &'static str,
}

/// What `flexmix publish` reports.
#[derive(Clone, Debug, Serialize)]
pub struct PublishReport {
    /// Always `flexmix/publish-report/v1`.
    pub schema: &'static str,
    /// Made with throw-away keys.
    pub demo: bool,
    /// The outward tree; absent for a dry run.
    pub out: Option<PathBuf>,
    /// The signed list's file in it.
    pub list: &'static str,
    /// The digest of the list's payload.
    pub digest: Sha256,
    /// The files, by path.
    pub published: Vec<Published>,
    /// Sets and weights that may not leave.
    pub refused: Vec<Refused>,
    /// Every other file of the corpus.
    pub stayed: Vec<StayedFile>,
    /// What its owner should know before handing it on.
    pub notes: Vec<&'static str>,
}

/// What its owner should know.
pub(super) fn notes(has_secret: bool, first_version: bool, publication: &Publication) -> Vec<&'static str> {
    let has = |content| publication.files.iter().any(|f| f.content == content);
    let mut notes = Vec::new();
    if !has_secret && has(Content::PublicManifest) {
        notes.push("the commitments were not computed again: give the owner's secret with `--secret`");
    }
    if first_version {
        notes.push(
            "a public manifest of version 1 tells how many documents its set has: build anew for one that does not",
        );
    }
    if has(Content::Weights) {
        notes.push(
            "a stamp tells how many steps an expert trained and how much public text beside its own: where the plan \
             trained one epoch, that tells the size of its set",
        );
        notes.push("weights may memorise: what is promised of text is not promised of weights");
    }
    notes
}
