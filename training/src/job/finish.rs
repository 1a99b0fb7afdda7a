//! The end of a job: weights, configuration, tokenizer and stamp in one folder that appears whole, signed twice
//! (our stamp, and an OpenSSF model signature over the same files).

use std::fs;
use std::path::{Path, PathBuf};

use manifests::digest::Sha256;
use manifests::exposure::Exposure;
use manifests::id::ExpertId;
use manifests::merkle::{FileLeaf, root_of};
use manifests::policy::Assurance;
use manifests::sign::{PrivateKey, Statement, Subject as SignedSubject, sign_folder};
use manifests::stamp::{RouterRow, Stamp, Subject};
use manifests::store::write_atomic;
use tch::Tensor;

use crate::error::{Error, Result};
use crate::tensors::to_bytes;

/// The build of this program: a digest of its sources, the contract's and the lock file.
pub const BUILD: &str = env!("FLEXMIX_TORCH_BUILD");
/// The stamp's name in a folder.
pub const STAMP: &str = "stamp.dsse.json";

/// What a job leaves.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Finished {
    /// `anchor`, or the expert's id.
    pub id: String,
    /// The stamped folder.
    pub folder: PathBuf,
    /// The identity of the weights: what a grant names.
    pub files_root: Sha256,
    /// The digest of the stamp's payload.
    pub stamp: Sha256,
    /// Optimizer steps.
    pub steps: u64,
}

/// A folder about to be published.
pub(super) struct Product<'a> {
    pub(super) subject: Subject,
    pub(super) id: ExpertId,
    pub(super) demo: bool,
    pub(super) weights: (&'a str, Vec<(String, Tensor)>),
    pub(super) config: Vec<u8>,
    pub(super) tokenizer: Option<Vec<u8>>,
    pub(super) anchor: Option<Sha256>,
    pub(super) exposures: Vec<Exposure>,
    pub(super) row: Option<RouterRow>,
    pub(super) plan: Sha256,
    pub(super) job: Sha256,
    pub(super) seed: u64,
    pub(super) steps: u64,
}

impl Product<'_> {
    /// Writes, stamps and signs the folder `target`, which must not be there, and makes it appear by one rename.
    pub(super) fn publish(self, target: &Path, key: &PrivateKey) -> Result<Finished> {
        let partial = target.with_extension("partial");
        match fs::remove_dir_all(&partial) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&partial, e)),
            _ => {}
        }
        fs::create_dir_all(&partial).map_err(|e| Error::io(&partial, e))?;
        let (name, tensors) = &self.weights;
        let mut files =
            vec![(*name, to_bytes(tensors, Some(("format", "pt".into())))?), ("config.json", self.config.clone())];
        files.extend(self.tokenizer.clone().map(|bytes| ("tokenizer.json", bytes)));
        files.sort_by_key(|(name, _)| *name);
        let mut leaves = Vec::new();
        for (name, bytes) in &files {
            write_atomic(&partial.join(name), bytes)?;
            leaves.push(FileLeaf { path: name.parse()?, length: bytes.len() as u64, digest: Sha256::of(bytes) });
        }
        let stamp = self.stamp(leaves)?;
        let (id, root, steps) = (stamp.id.to_string(), stamp.files_root.root, stamp.steps);
        let subjects = vec![SignedSubject { name: id.clone(), digest: root }];
        let digest = Statement::new(subjects, stamp).write(&partial.join(STAMP), key)?;
        sign_folder(&partial, key)?;
        fs::rename(&partial, target).map_err(|e| Error::io(target, e))?;
        sync(target.parent().unwrap_or(Path::new(".")))?;
        Ok(Finished { id, folder: target.to_owned(), files_root: root, stamp: digest, steps })
    }

    fn stamp(self, files: Vec<FileLeaf>) -> Result<Stamp> {
        let mut tensors: Vec<String> = self.weights.1.into_iter().map(|(name, _)| name).collect();
        tensors.sort();
        let mut exposures = self.exposures;
        exposures.sort();
        let stamp = Stamp {
            schema: "flexmix/stamp/v1".into(),
            demo: self.demo,
            subject: self.subject,
            id: self.id,
            assurance: Assurance::Claimed,
            files_root: root_of(&files)?,
            files,
            anchor: self.anchor,
            exposures,
            tensors,
            row: self.row,
            plan: self.plan,
            config: self.job,
            build: BUILD.to_owned(),
            seed: self.seed,
            steps: self.steps,
        };
        stamp.check()?;
        Ok(stamp)
    }
}

/// The digest of an expert's router rows, over all layers in order.
pub(super) fn row_digest(rows: &[Tensor]) -> Sha256 {
    let mut hasher = manifests::digest::Hasher::new();
    for row in rows {
        let row = row.detach().contiguous();
        let mut bytes = vec![0; row.numel() * 4];
        row.copy_data_u8(&mut bytes, row.numel());
        hasher.update(&bytes);
    }
    hasher.finish()
}

fn sync(folder: &Path) -> Result<()> {
    fs::File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io(folder, e))
}
