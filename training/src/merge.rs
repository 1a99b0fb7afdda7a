//! Merging: stamped folders side by side and a signed index of their digests. No weight changes; removing an expert
//! is not listing it.

use std::fs;
use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::memory::Memory;
use manifests::sign::{PrivateKey, Statement, Subject};
use manifests::stamp::{Member, ModelIndex};
use manifests::trust::Trust;

use crate::error::{Error, Result};
use crate::folder::{ANCHOR, Stamped};

/// The index's name in a model folder.
pub const INDEX: &str = "index.dsse.json";

/// What a merge takes.
#[derive(Debug, Clone)]
pub struct Merge {
    /// The anchor's folder, or its job folder.
    pub anchor: PathBuf,
    /// The experts' folders, or their job folders.
    pub experts: Vec<PathBuf>,
    /// The model's folder, which must not exist; its last part is the model's name.
    pub out: PathBuf,
    /// The trust file that stamps are verified under.
    pub trust: PathBuf,
    /// The date of the verification.
    pub as_of: Date,
    /// Where what was seen before is kept, against rollbacks.
    pub memory: Memory,
    /// The merger's key.
    pub key: PathBuf,
}

/// A merged model.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Merged {
    /// The model's folder.
    pub folder: PathBuf,
    /// The digest of the index's payload.
    pub index: Sha256,
    /// The anchor's id and the experts', in the order of the index.
    pub members: Vec<String>,
}

/// The stamped folder: `folder` itself, or `model` in a job folder.
fn stamped_in(folder: &Path) -> PathBuf {
    let nested = folder.join("model");
    if nested.is_dir() { nested } else { folder.to_owned() }
}

fn open(folder: &Path, trust: &Trust, as_of: Date) -> Result<Stamped> {
    let folder = stamped_in(folder);
    // The stamp says whose it is; `Stamped::open` then verifies that its signer may sign for that id.
    let path = folder.join(crate::job::finish::STAMP);
    let envelope = manifests::sign::Envelope::read(&path)?;
    let claimed = Statement::<manifests::stamp::Stamp>::peek_unverified(&envelope, &path)?;
    Stamped::open(&folder, claimed.predicate.id.as_str(), trust, as_of)
}

/// Checks every file against its stamp, places the folders side by side and signs the index.
///
/// # Errors
/// When a stamp or file does not verify, anchors differ, an id stands twice, or the folder exists.
pub fn merge(task: &Merge) -> Result<Merged> {
    let trust = Trust::open(&task.trust, task.as_of)?;
    task.memory.trust(&trust)?;
    let key = PrivateKey::read(&task.key)?;
    let name = task.out.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(Error::Usage(format!("`--out {}` names no folder", task.out.display())));
    }
    let anchor = open(&task.anchor, &trust, task.as_of)?;
    if anchor.stamp.id.as_str() != ANCHOR {
        return Err(Error::Usage(format!(
            "`{}` is expert `{}`, not an anchor",
            task.anchor.display(),
            anchor.stamp.id
        )));
    }
    let mut experts = Vec::new();
    for folder in &task.experts {
        let expert = open(folder, &trust, task.as_of)?;
        expert.check_anchor(&anchor)?;
        if experts.iter().any(|other: &Stamped| other.stamp.id == expert.stamp.id) {
            return Err(Error::Usage(format!("expert `{}` is named twice", expert.stamp.id)));
        }
        experts.push(expert);
    }
    experts.sort_by_key(Stamped::files_root);
    let demo = anchor.stamp.demo || experts.iter().any(|e| e.stamp.demo);
    let index = ModelIndex {
        schema: "flexmix/model-index/v1".into(),
        demo,
        name: name.clone(),
        anchor: member(&anchor, ANCHOR),
        experts: experts.iter().map(|e| member(e, &format!("experts/{}", e.stamp.id))).collect(),
    };
    index.check()?;
    let members: Vec<String> = std::iter::once(&anchor).chain(&experts).map(|s| s.stamp.id.to_string()).collect();
    let digest = place(task, &anchor, &experts, index, &key)?;
    Ok(Merged { folder: task.out.clone(), index: digest, members })
}

fn member(stamped: &Stamped, folder: &str) -> Member {
    Member {
        folder: folder.to_owned(),
        id: stamped.stamp.id.clone(),
        stamp: stamped.digest,
        files_root: stamped.files_root(),
    }
}

/// Builds the folder beside its place and makes it appear by one rename.
fn place(task: &Merge, anchor: &Stamped, experts: &[Stamped], index: ModelIndex, key: &PrivateKey) -> Result<Sha256> {
    if fs::symlink_metadata(&task.out).is_ok() {
        return Err(Error::Usage(format!("`{}` is there already; name another `--out`", task.out.display())));
    }
    let partial = task.out.with_extension("partial");
    match fs::remove_dir_all(&partial) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&partial, e)),
        _ => {}
    }
    copy(anchor, &partial.join(&index.anchor.folder))?;
    for (expert, member) in experts.iter().zip(&index.experts) {
        copy(expert, &partial.join(&member.folder))?;
    }
    let subjects = std::iter::once(&index.anchor).chain(&index.experts);
    let subjects = subjects.map(|m| Subject { name: m.id.to_string(), digest: m.files_root }).collect();
    let digest = Statement::new(subjects, index).write(&partial.join(INDEX), key)?;
    fs::rename(&partial, &task.out).map_err(|e| Error::io(&task.out, e))?;
    Ok(digest)
}

/// Hard-links or copies every file of a stamped folder; the copies must be what the stamp names.
fn copy(stamped: &Stamped, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|e| Error::io(to, e))?;
    let entries = fs::read_dir(&stamped.folder).map_err(|e| Error::io(&stamped.folder, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(&stamped.folder, e))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).map_err(|e| Error::io(&from, e))?;
        }
    }
    for leaf in &stamped.stamp.files {
        let path = leaf.path.beneath(to);
        let (length, digest) = Sha256::of_file(&path)?;
        if (length, digest) != (leaf.length, leaf.digest) {
            return Err(Error::unverified(&path, format!("it is {digest}, its stamp names {}", leaf.digest)));
        }
    }
    Ok(())
}
