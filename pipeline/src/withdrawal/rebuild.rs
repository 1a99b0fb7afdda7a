//! The minimal rebuild: a corpus without what the records take, made from the published corpus alone, since the inputs
//! may be gone. What holds nothing of it keeps its bytes; the rest is written anew and signed. It is made in a folder
//! of its own beside its place, verified there, and appears by one rename, so that a kill leaves nothing half done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use manifests::closed::Secret;
use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::gate::{Gate, GateOptions};
use manifests::id::SetName;
use manifests::memory::Memory;
use manifests::merkle::root_of;
use manifests::policy::Act;
use manifests::sign::PrivateKey;
use serde::Serialize;

use super::make::{Job, documents};
use super::taken::{LedgerRow, Taken, ledger, taken};
use crate::build::RunRecord;
use crate::error::{Error, Result};
use crate::query::{Folder, Kind};

/// What a rebuild is asked to do.
#[derive(Clone, Debug)]
pub struct RebuildOptions {
    /// The corpus as published.
    pub dir: PathBuf,
    /// The new corpus; must be absent or empty.
    pub out: PathBuf,
    /// The admission policy that the corpus was built under.
    pub policy: PathBuf,
    /// The builder's private key.
    pub key: PathBuf,
    /// The owner's secret, for closed sets that are rewritten.
    pub secret: Option<PathBuf>,
    /// Where releases of the sets that are written anew go, when they are to be signed.
    pub releases: Option<PathBuf>,
    /// The trust file.
    pub trust: Option<PathBuf>,
    /// The records folder.
    pub records: PathBuf,
    /// The date.
    pub as_of: Date,
    /// Where what was seen before is kept, against rollbacks.
    pub memory: Memory,
}

/// What became of one set.
#[derive(Clone, Debug, Serialize)]
pub struct SetReport {
    /// The set.
    pub set: SetName,
    /// The digest of its manifest before.
    pub before: Sha256,
    /// The digest of its manifest after; the same for an untouched set.
    pub after: Sha256,
    /// Documents taken out.
    pub documents: u64,
    /// Their tokens.
    pub tokens: u64,
    /// Files written anew.
    pub rewritten: Vec<String>,
    /// Files of which nothing was left.
    pub removed: Vec<String>,
    /// Files that kept their bytes.
    pub untouched: u64,
}

impl SetReport {
    /// Whether nothing of the set changed.
    #[must_use]
    pub const fn is_untouched(&self) -> bool {
        self.rewritten.is_empty() && self.removed.is_empty()
    }
}

/// What a rebuild did.
#[derive(Clone, Debug, Serialize)]
pub struct RebuildReport {
    /// Always `flexmix/rebuild-report/v1`.
    pub schema: &'static str,
    /// The recipe's name.
    pub corpus: String,
    /// The day that withdrawals were judged for.
    pub as_of: Date,
    /// The sequence of the head over the records.
    pub head: u64,
    /// The withdrawals that took something.
    pub withdrawals: BTreeSet<String>,
    /// Every set.
    pub sets: Vec<SetReport>,
    /// The set that the kept tokenizer was trained on, when documents were taken from it.
    pub tokenizer_saw: Option<SetName>,
    /// Releases that were signed.
    pub releases: Vec<PathBuf>,
}

/// Makes `out` from the corpus in `dir`: the same without what the records take.
///
/// # Errors
/// [`Error::Usage`] for a place that is in use, no corpus, or a closed set without its secret; [`Error::Record`] when
/// trust, records or anything of the corpus does not verify; [`Error::Refused`] when the policy is not the corpus's
/// own, denies more than what is withdrawn, or the key may not sign.
pub fn rebuild(options: &RebuildOptions) -> Result<RebuildReport> {
    let key = PrivateKey::read(&options.key)?;
    let secret = options.secret.as_deref().map(Secret::read).transpose()?;
    let gate = Gate::open(&GateOptions {
        policy: options.policy.clone(),
        trust: options.trust.clone(),
        records: options.records.clone(),
        as_of: options.as_of,
        act: Act::Build,
        memory: options.memory.clone(),
    })?;
    let folder = believed(&options.dir, &gate)?;
    let (run, recipe) = RunRecord::read(&folder)?;
    let making = claim(&options.out)?;
    let rows = ledger(&folder)?;
    check_ledger(&folder, &rows)?;
    let taken = taken(&folder, &gate, &rows, &recipe)?;
    let job = Job { folder: &folder, recipe, run, gate: &gate, rows, taken, key, secret, making };
    let proven = job.make().and_then(|report| job.prove(&report).map(|()| report));
    match &proven {
        Ok(_) => std::fs::rename(&job.making, &options.out).map_err(|e| Error::io(&options.out, e))?,
        Err(_) => crate::folders::clear(&job.making)?,
    }
    let mut report = proven?;
    if let Some(folder) = &options.releases {
        let demo = job.recipe.demo;
        report.releases = super::release::write(&report, &options.out, folder, &gate.records, demo, &job.key)?;
    }
    Ok(report)
}

/// The corpus, when its records and files are those that builders signed.
fn believed(dir: &Path, gate: &Gate) -> Result<Folder> {
    let folder = Folder::open(dir, Some((&gate.trust, gate.as_of)))?;
    if folder.kind != Kind::Corpus || folder.manifests.is_empty() {
        let what = format!("`{}` is no corpus with its shards", dir.display());
        return Err(Error::usage(what, "a rebuild reads ledger, claims and shards; ask whoever holds them"));
    }
    if let Some((path, why)) = folder.broken() {
        return Err(manifests::Error::verification(path, why).into());
    }
    folder.check_files()?;
    let tokenizer = dir.join("tokenizer.json");
    let (_, found) = Sha256::of_file(&tokenizer)?;
    for signed in &folder.manifests {
        signed.record.check()?;
        if signed.record.tokenizer.digest != found {
            let what = "it is not the tokenizer that the manifests name [FM-T-007 digest-mismatch]";
            return Err(manifests::Error::verification(&tokenizer, what).into());
        }
        if signed.record.policy != gate.policy.digest {
            return Err(Error::Refused {
                what: format!(
                    "set `{}` was built under policy {}, not `{}`",
                    signed.record.set, signed.record.policy, gate.policy.file
                ),
                hint: Some("give the policy that the corpus was built under; for another one build anew".to_owned()),
            });
        }
    }
    Ok(folder)
}

/// Every document of the ledger stands in the signed roots, so that what is decided from it is decided of the shards.
fn check_ledger(folder: &Folder, rows: &[LedgerRow]) -> Result<()> {
    for signed in &folder.manifests {
        let documents = documents(rows, &signed.record.set, &Taken::default())?;
        if root_of(&documents)? != signed.record.documents_root {
            let what = "the ledger's documents are not those of the documents root [FM-T-007 digest-mismatch]";
            return Err(manifests::Error::verification(&signed.path, what).into());
        }
    }
    Ok(())
}

/// The hidden folder beside `out` that the corpus is made in; what a killed rebuild left there goes.
fn claim(out: &Path) -> Result<PathBuf> {
    let is_free = if out.is_dir() {
        std::fs::read_dir(out).map_err(|e| Error::io(out, e))?.next().is_none()
    } else {
        !out.try_exists().map_err(|e| Error::io(out, e))?
    };
    let Some(name) = out.file_name().filter(|_| is_free) else {
        return Err(Error::usage(
            format!("`{}` is not a free place", out.display()),
            "name a folder that is not there",
        ));
    };
    let making = out.with_file_name(format!(".{}.rebuild", name.to_string_lossy()));
    crate::folders::clear(&making)?;
    std::fs::create_dir_all(&making).map_err(|e| Error::io(&making, e))?;
    Ok(making)
}
