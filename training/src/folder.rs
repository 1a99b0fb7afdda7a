//! A stamped folder, opened in two steps: the stamp, which a policy judges, and only then the files that it names.

use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::gate::read_record;
use manifests::stamp::{Stamp, Subject};
use manifests::store::read_beneath;
use manifests::trust::{Role, Trust};

use crate::config::{AnchorConfig, ExpertConfig};
use crate::error::{Error, Result};
use crate::job::finish::STAMP;
use crate::model::{Anchor, Expert, Rank};
use crate::tensors::TensorFile;

/// Longest configuration or tokenizer that is read.
const CAP: u64 = 64 << 20;
/// The anchor's id.
pub const ANCHOR: &str = "anchor";

/// A folder whose stamp verified. Nothing else in it was opened yet.
#[derive(Debug, Clone)]
pub struct Stamped {
    /// What its trainer says of it.
    pub stamp: Stamp,
    /// The digest of the stamp's payload.
    pub digest: Sha256,
    /// The folder.
    pub folder: PathBuf,
}

impl Stamped {
    /// Reads and verifies the stamp in `folder` of `id`, and nothing else.
    ///
    /// # Errors
    /// When it is missing, signed by nobody who may, or breaks its own laws.
    pub fn open(folder: &Path, id: &str, trust: &Trust, as_of: Date) -> Result<Self> {
        let path = folder.join(STAMP);
        let (stamp, digest): (Stamp, _) = read_record(trust, &path, Role::Trainer, id, as_of)?;
        stamp.check()?;
        let expected = if id == ANCHOR { Subject::Anchor } else { Subject::Expert };
        if stamp.id.as_str() != id || stamp.subject != expected {
            return Err(Error::unverified(&path, format!("it is the stamp of `{}`", stamp.id)));
        }
        Ok(Self { stamp, digest, folder: folder.to_owned() })
    }

    /// The identity of its weights.
    #[must_use]
    pub fn files_root(&self) -> Sha256 {
        self.stamp.files_root.root
    }

    fn expected(&self, name: &str) -> Result<Sha256> {
        let leaf = self.stamp.files.iter().find(|leaf| leaf.path.as_str() == name);
        leaf.map(|leaf| leaf.digest)
            .ok_or_else(|| Error::unverified(&self.folder, format!("its stamp names no `{name}`")))
    }

    /// The bytes of a small file, which must be those that the stamp names.
    ///
    /// # Errors
    /// When it can't be read or was changed.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let expected = self.expected(name)?;
        let bytes = read_beneath(&self.folder, &name.parse()?, CAP)?;
        let found = Sha256::of(&bytes);
        if found != expected {
            let path = self.folder.join(name);
            return Err(Error::unverified(&path, format!("it is {found}, its stamp names {expected}")));
        }
        Ok(bytes)
    }

    fn weights(&self, name: &str) -> Result<TensorFile> {
        TensorFile::open(&self.folder.join(name), Some(self.expected(name)?))
    }

    /// Opens the anchor's configuration and weights.
    ///
    /// # Errors
    /// When a file is not what the stamp or the configuration says.
    pub fn anchor(&self) -> Result<(AnchorConfig, Anchor)> {
        let config = AnchorConfig::parse(&self.folder.join("config.json"), &self.read("config.json")?)?;
        let file = self.weights("model.safetensors")?;
        Ok((config.clone(), Anchor::build(config.size(), |name, shape| file.get(name, shape))?))
    }

    /// Opens an expert's configuration and weights, which must be of the given anchor.
    ///
    /// # Errors
    /// As [`Stamped::anchor`], and when it was trained against another anchor.
    pub fn expert(&self, anchor: &Self, size: &crate::model::Size) -> Result<(ExpertConfig, Expert)> {
        let config = ExpertConfig::parse(&self.folder.join("config.json"), &self.read("config.json")?)?;
        self.check_anchor(anchor)?;
        if config.anchor != anchor.files_root() {
            return Err(Error::unverified(&self.folder, "its configuration names another anchor than its stamp"));
        }
        let file = self.weights("expert.safetensors")?;
        let expert = Expert::build(size, Rank(config.rank()), |name, shape| file.get(name, shape))?;
        Ok((config, expert))
    }

    /// Checks that this expert was trained against exactly that anchor.
    ///
    /// # Errors
    /// [`Error::Unverified`].
    pub fn check_anchor(&self, anchor: &Self) -> Result<()> {
        if self.stamp.anchor == Some(anchor.digest) {
            return Ok(());
        }
        let trained = self.stamp.anchor.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
        let why = format!("it was trained against anchor {trained}, this one is {}", anchor.digest);
        Err(Error::unverified(&self.folder, why))
    }
}
