//! Stamps: what an anchor or expert says it consumed, signed by its trainer. A stamp is a claim, with an assurance.
//! The model index names the stamps of everything merged.

use serde::{Deserialize, Serialize};

use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::exposure::{Exposure, Kind};
use crate::id::ExpertId;
use crate::merkle::{FileLeaf, TreeRoot};
use crate::policy::Assurance;
use crate::sign::Record;

/// What a stamp is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The public model.
    Anchor,
    /// One expert.
    Expert,
}

/// How an expert's router row came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouterRow {
    /// `separating` (own against public text) or `mean` (the published way).
    pub method: String,
    /// Own documents that it was made from.
    pub own_documents: u64,
    /// Public documents that it was made from.
    pub public_documents: u64,
    /// The digest of the row as trained, over all layers.
    pub digest: Sha256,
}

/// The signed provenance of an anchor or expert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// Always `flexmix/stamp/v1`.
    pub schema: String,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// What it is of.
    pub subject: Subject,
    /// The expert's id; `anchor` for the anchor.
    pub id: ExpertId,
    /// How far somebody else checked it.
    pub assurance: Assurance,
    /// The files of the folder, sorted by path, without the stamp and the model signature.
    pub files: Vec<FileLeaf>,
    /// The Merkle root over `files`: the identity of the weights.
    pub files_root: TreeRoot,
    /// The digest of the anchor's stamp that an expert was trained against.
    pub anchor: Option<Sha256>,
    /// Everything consumed, the anchor's exposure included.
    pub exposures: Vec<Exposure>,
    /// The tensors that training changed, sorted.
    pub tensors: Vec<String>,
    /// The router row of an expert.
    pub row: Option<RouterRow>,
    /// The digest of the plan that launched the job.
    pub plan: Sha256,
    /// The digest of the job's configuration.
    pub config: Sha256,
    /// The build of `flexmix-torch` that trained it.
    pub build: String,
    /// The seed of initialisation and order.
    pub seed: u64,
    /// Optimizer steps ancestral to the weights.
    pub steps: u64,
}

impl Record for Stamp {
    const KIND: &'static str = "stamp";
    const VERSION: u32 = 1;
}

impl Stamp {
    /// Checks the laws inside a stamp: every exposure adds up, something was consumed, the root is that of the files, roles fit.
    ///
    /// # Errors
    /// [`Error::Contract`] that says which law is broken.
    pub fn check(&self) -> Result<()> {
        let law = |what: &str| Err(Error::Contract(format!("stamp of `{}`: {what}", self.id)));
        for exposure in &self.exposures {
            exposure.check()?;
        }
        if crate::merkle::root_of(&self.files)? != self.files_root {
            return law("the root is not that of the files");
        }
        // Weights come from gradients: a stamp that lists none would pass every policy by saying nothing.
        if !self.exposures.iter().any(|e| e.kind == Kind::Gradient && !e.cells.is_empty()) {
            return law("it names nothing that the weights were trained on");
        }
        match self.subject {
            Subject::Anchor if self.anchor.is_some() || self.row.is_some() => law("an anchor has no anchor and no row"),
            Subject::Expert if self.anchor.is_none() || self.row.is_none() => law("an expert names its anchor and row"),
            _ => Ok(()),
        }
    }
}

/// One folder of a model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The folder, relative to the model.
    pub folder: String,
    /// The expert's id; `anchor` for the anchor.
    pub id: ExpertId,
    /// The digest of its stamp's payload.
    pub stamp: Sha256,
    /// The Merkle root over its files.
    pub files_root: Sha256,
}

/// The index of a model: its folders by digest, signed by the merger. Verifying it reads no weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelIndex {
    /// Always `flexmix/model-index/v1`.
    pub schema: String,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// The model's name.
    pub name: String,
    /// The anchor.
    pub anchor: Member,
    /// The experts, by digest of their weights.
    pub experts: Vec<Member>,
}

impl Record for ModelIndex {
    const KIND: &'static str = "model-index";
    const VERSION: u32 = 1;
}

impl ModelIndex {
    /// Checks that experts are in the order of their digests and named once.
    ///
    /// # Errors
    /// [`Error::Contract`] that says which law is broken.
    pub fn check(&self) -> Result<()> {
        let law = |what: &str| Err(Error::Contract(format!("index of model `{}`: {what}", self.name)));
        if self.experts.windows(2).any(|pair| pair[0].files_root >= pair[1].files_root) {
            return law("experts are not distinct and in the order of their digests");
        }
        let mut ids: Vec<_> = self.experts.iter().map(|m| &m.id).collect();
        ids.sort();
        ids.dedup();
        if ids.len() != self.experts.len() { law("an expert is named twice") } else { Ok(()) }
    }
}
