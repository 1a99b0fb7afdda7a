//! Checks that a corpus, a model folder or an outward tree is what its signed records say: signatures, lengths, digests, counts, roots
//! and balance. Believes no file until its digest is checked, judges no terms (that is `audit`), and reports every
//! failure, not only the first.

mod corpus;
mod ledger;
mod model;
mod outward;
mod rebuilds;
mod shard;

use std::path::Path;

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::memory::Memory;
use manifests::merkle::FileLeaf;
use manifests::records::Records;
use manifests::store::{RelPath, open_beneath};
use manifests::trust::Trust;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::query::{Folder, Kind, Seal, Signed};

pub(crate) use outward::signature as model_signature;

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It could not be made with what is there.
    Skipped,
}

/// One check of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The file or folder, relative to the folder that is verified.
    pub file: String,
    /// What was checked.
    pub check: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, or what was counted.
    pub detail: String,
}

/// What `flexmix verify` reports.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// Always `flexmix/verify-report/v1`.
    pub schema: &'static str,
    /// What the folder is.
    pub kind: Kind,
    /// How far signatures were checked, in words.
    pub trust: String,
    /// Whether nothing failed.
    pub ok: bool,
    /// Checks that passed, failed and could not be made.
    pub passed: usize,
    /// See `passed`.
    pub failed: usize,
    /// See `passed`.
    pub skipped: usize,
    /// The checks, in a fixed order.
    pub checks: Vec<Check>,
}

/// The words for a folder whose signatures nobody can judge (semantics.md §4).
pub const UNKNOWN_SIGNER: &str = "integrity only, signer unknown";

/// How far signatures are checked, in words.
#[must_use]
pub fn trust_words(trust: Option<(&Trust, Date)>) -> String {
    trust.map_or_else(
        || UNKNOWN_SIGNER.to_owned(),
        |(trust, as_of)| {
            let demo = if trust.is_demo() { "DEMO " } else { "" };
            format!("signatures under {demo}trust file {} as of {as_of}", trust.path().display())
        },
    )
}

/// Verifies a folder. Without a trust file, signers stay unknown; without a records folder, records are not read. The
/// memory beside the records folder knows which head was seen before, so that an older one fails.
///
/// # Errors
/// [`Error::Usage`] when it is no folder of ours, [`Error::Io`] when something cannot be read at all. What is
/// readable and wrong is in the report.
pub fn verify(root: &Path, trust: Option<(&Trust, Date)>, records: Option<(&Path, &Memory)>) -> Result<VerifyReport> {
    let folder = match Folder::open(root, trust) {
        Err(Error::Record(manifests::Error::Malformed { kind, path, what })) => {
            let mut log = Log::new(root);
            log.failed(&path, "record", format!("it is not a valid {kind}: {what}"));
            let kind = match root.join("sets").is_dir() {
                _ if root.join(manifests::publication::PUBLICATION_FILE).is_file() => Kind::Outward,
                true => Kind::Corpus,
                false => Kind::Model,
            };
            return Ok(log.report(kind, trust));
        }
        other => other?,
    };
    let mut log = Log::new(root);
    match &folder.outward {
        Some(outward) => outward::verify(&folder, outward, trust, &mut log)?,
        None if folder.kind == Kind::Corpus => {
            corpus::verify(&folder, &mut log)?;
            rebuilds::verify(&folder, trust, &mut log)?;
        }
        None => {}
    }
    for model in &folder.models {
        model::verify(model, &mut log)?;
    }
    if let (Some((trust, as_of)), Some((records, memory))) = (trust, records) {
        let found = Records::open(records, trust, as_of);
        match found.and_then(|found| memory.head(trust, &found.head).map(|()| found)) {
            Ok(found) => log.passed(records, "records", format!("head {} holds", found.head.sequence)),
            Err(error) => log.failed(error_path(&error).unwrap_or(records), "records", error.to_string()),
        }
    }
    Ok(log.report(folder.kind, trust))
}

fn error_path(error: &manifests::Error) -> Option<&Path> {
    match error {
        manifests::Error::Io { path, .. }
        | manifests::Error::Malformed { path, .. }
        | manifests::Error::Verification { path, .. } => Some(path),
        _ => None,
    }
}

/// Collects checks.
struct Log<'a> {
    root: &'a Path,
    checks: Vec<Check>,
}

impl<'a> Log<'a> {
    fn new(root: &'a Path) -> Self {
        Self { root, checks: vec![] }
    }

    fn add(&mut self, file: &Path, check: &'static str, outcome: Outcome, detail: impl Into<String>) {
        let file = file.strip_prefix(self.root).unwrap_or(file).display().to_string();
        self.checks.push(Check { file, check, outcome, detail: detail.into() });
    }

    fn passed(&mut self, file: &Path, check: &'static str, detail: impl Into<String>) {
        self.add(file, check, Outcome::Passed, detail);
    }

    fn failed(&mut self, file: &Path, check: &'static str, detail: impl Into<String>) {
        self.add(file, check, Outcome::Failed, detail);
    }

    fn skipped(&mut self, file: &Path, check: &'static str, detail: impl Into<String>) {
        self.add(file, check, Outcome::Skipped, detail);
    }

    /// Adds what a check of a record's own laws gives.
    fn law(&mut self, file: &Path, check: &'static str, result: std::result::Result<String, String>) {
        match result {
            Ok(detail) => self.passed(file, check, detail),
            Err(detail) => self.failed(file, check, detail),
        }
    }

    fn seal<T>(&mut self, signed: &Signed<T>) {
        match &signed.seal {
            Seal::Unchecked => self.skipped(&signed.path, "signature", UNKNOWN_SIGNER),
            Seal::Verified { signers } => self.passed(&signed.path, "signature", signers.join(", ")),
            Seal::Broken(why) => self.failed(&signed.path, "signature", why.clone()),
        }
    }

    fn report(self, kind: Kind, trust: Option<(&Trust, Date)>) -> VerifyReport {
        let count = |outcome| self.checks.iter().filter(|c| c.outcome == outcome).count();
        let (passed, failed, skipped) = (count(Outcome::Passed), count(Outcome::Failed), count(Outcome::Skipped));
        VerifyReport {
            schema: "flexmix/verify-report/v1",
            kind,
            trust: trust_words(trust),
            ok: failed == 0,
            passed,
            failed,
            skipped,
            checks: self.checks,
        }
    }
}

/// Length and digest of a plain file beneath a folder; no link is followed, and a pipe is not waited for.
fn digest_beneath(root: &Path, path: &RelPath) -> std::result::Result<(u64, Sha256), String> {
    let place = path.beneath(root);
    let found = open_beneath(root, path).and_then(|file| Sha256::of_reader(file, &place));
    found.map_err(|e| match e {
        manifests::Error::Io { source, .. } => format!("cannot be read: {source}"),
        manifests::Error::Verification { what, .. } => what,
        other => other.to_string(),
    })
}

/// Checks the length and digest of a file that a signed record names.
fn file(root: &Path, leaf: &FileLeaf) -> std::result::Result<String, String> {
    let (length, digest) = digest_beneath(root, &leaf.path)?;
    if length != leaf.length {
        return Err(format!("{length} bytes, the record names {}", leaf.length));
    }
    equal(&digest, &leaf.digest)
}

/// Says whether two things that should be equal are.
fn equal<T: PartialEq + std::fmt::Display>(found: &T, named: &T) -> std::result::Result<String, String> {
    if found == named { Ok(found.to_string()) } else { Err(format!("found {found}, the record names {named}")) }
}
