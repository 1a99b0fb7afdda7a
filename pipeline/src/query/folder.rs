//! A corpus or model folder: which signed records lie in it and how far they are verified. Reads records, never
//! shards or weights, so that a report of a model works with any of its weights deleted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::manifest::{PublicManifest, SetManifest};
use manifests::publication::PUBLICATION_FILE;
use manifests::sign::{Envelope, Record, Statement};
use manifests::stamp::{Member, ModelIndex, Stamp};
use manifests::store::RelPath;
use manifests::trust::{Role, STATEMENT_TYPE, Trust};
use serde::Serialize;

use super::outward::Outward;
use crate::error::{Error, Result};

/// The file of a set's manifest, in the set's folder.
pub const MANIFEST_FILE: &str = "manifest.dsse.json";
/// The file of a closed set's public manifest, in the set's folder.
pub const PUBLIC_FILE: &str = "public-manifest.dsse.json";
/// The file of a model's index, in the model's folder.
pub const INDEX_FILE: &str = "index.dsse.json";
/// The file of a stamp, in the folder of what it is of.
pub const STAMP_FILE: &str = "stamp.dsse.json";

/// What a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A corpus, with the models that lie beneath it.
    Corpus,
    /// A model.
    Model,
    /// What an owner handed out of a closed corpus.
    Outward,
}

/// How far a record's signatures were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// No trust file was given.
    Unchecked,
    /// Signed by keys that hold the role.
    Verified {
        /// The names of the keys.
        signers: Vec<String>,
    },
    /// Not signed by keys that hold the role, and why.
    Broken(String),
}

/// A signed record as found.
#[derive(Clone, Debug)]
pub struct Signed<T> {
    /// Where.
    pub path: PathBuf,
    /// The digest of its payload: how other records name it.
    pub digest: Sha256,
    /// What it says.
    pub record: T,
    /// Who says so.
    pub seal: Seal,
}

/// A model: its index, and the stamps that could be read.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    /// The folder.
    pub root: PathBuf,
    /// The index.
    pub index: Signed<ModelIndex>,
    /// The stamps in the order of the index, the anchor's first.
    pub stamps: Vec<Signed<Stamp>>,
    /// Members that the index names and that have no stamp here; they may not be taken for permitted, nor for absent.
    pub unstamped: Vec<Member>,
}

impl ModelFolder {
    /// Checks the laws of index and stamps, and that each stamp is the one that the index names for its folder: a
    /// genuine stamp beside other weights says nothing about them.
    ///
    /// # Errors
    /// [`crate::Error::Record`] with the stamp's place.
    pub fn check(&self) -> Result<()> {
        let index = &self.index.record;
        index.check()?;
        for stamp in &self.stamps {
            stamp.record.check()?;
            let in_folder = |m: &&Member| self.root.join(&m.folder).join(STAMP_FILE) == stamp.path;
            let member = std::iter::once(&index.anchor).chain(&index.experts).find(in_folder);
            let found = (stamp.digest, stamp.record.files_root.root, &stamp.record.id);
            if member.is_none_or(|m| (m.stamp, m.files_root, &m.id) != found) {
                let what = "its stamp is not the one that the index names [FM-T-007 digest-mismatch]";
                return Err(manifests::Error::verification(&stamp.path, what).into());
            }
        }
        Ok(())
    }
}

/// A corpus or model folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder.
    pub root: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// The manifests, by set.
    pub manifests: Vec<Signed<SetManifest>>,
    /// The public manifests of closed sets, by set.
    pub public: Vec<Signed<PublicManifest>>,
    /// The models, by name; the one model of a model folder.
    pub models: Vec<ModelFolder>,
    /// What makes it an outward tree.
    pub outward: Option<Outward>,
}

impl Folder {
    /// Opens a folder. With a trust file each record's signatures are checked; a broken one is kept with its reason,
    /// for the caller to refuse or to show.
    ///
    /// # Errors
    /// [`Error::Usage`] when the folder is neither a corpus nor a model; [`Error::Record`] for a record that cannot
    /// be read at all.
    pub fn open(root: &Path, trust: Option<(&Trust, Date)>) -> Result<Self> {
        let (model, outward) = (root.join(INDEX_FILE).is_file(), root.join(PUBLICATION_FILE).is_file());
        if !model && !outward && !root.join("sets").is_dir() {
            let what = format!("`{}` is neither a corpus nor a model folder", root.display());
            let hint = "a corpus holds `sets/`, a model `index.dsse.json`; a build that did not finish has neither";
            return Err(Error::usage(what, hint));
        }
        let mut folder = Self {
            root: root.to_path_buf(),
            kind: if model { Kind::Model } else { Kind::Corpus },
            manifests: vec![],
            public: vec![],
            models: vec![],
            outward: None,
        };
        if model {
            folder.models.push(ModelFolder::open(root, trust)?);
            return Ok(folder);
        }
        if outward {
            folder.kind = Kind::Outward;
            folder.outward = Some(Outward::open(root, trust)?);
        }
        // Inside the house the builder speaks; outside it is the owner who must (semantics.md §4).
        let of_public = if outward { Role::Owner } else { Role::Builder };
        for set in folders_of(&root.join("sets"))? {
            let scope = name_of(&set);
            let (manifest, public) = (set.join(MANIFEST_FILE), set.join(PUBLIC_FILE));
            if manifest.is_file() {
                folder.manifests.push(Signed::read(&manifest, trust, Role::Builder, &scope)?);
            }
            if public.is_file() {
                folder.public.push(Signed::read(&public, trust, of_public, &scope)?);
            }
        }
        for model in folders_of(&root.join("models"))?.iter().filter(|m| m.join(INDEX_FILE).is_file()) {
            folder.models.push(ModelFolder::open(model, trust)?);
        }
        Ok(folder)
    }

    /// Its name: the one that its records give, else the folder's.
    #[must_use]
    pub fn name(&self) -> String {
        let corpus =
            self.manifests.iter().map(|m| &m.record.corpus).chain(self.public.iter().map(|p| &p.record.corpus));
        let recorded = match self.kind {
            Kind::Corpus | Kind::Outward => corpus.min(),
            Kind::Model => self.models.first().map(|m| &m.index.record.name),
        };
        let folder = || self.root.canonicalize().ok().and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()));
        recorded.cloned().or_else(folder).unwrap_or_else(|| self.root.display().to_string())
    }

    /// The corpus that a model lies in, `CORPUS/models/NAME`, or the one that is named for it. Nothing for a corpus.
    ///
    /// # Errors
    /// As [`Folder::open`] for one that is named; one that merely lies there and cannot be read is none.
    pub fn corpus_beside(&self, named: Option<&Path>, trust: Option<(&Trust, Date)>) -> Result<Option<Self>> {
        if self.kind == Kind::Corpus {
            return Ok(None);
        }
        if let Some(named) = named {
            return Self::open(named, trust).map(Some);
        }
        let outer = self.root.canonicalize().ok().and_then(|r| Some(r.parent()?.parent()?.to_path_buf()));
        Ok(outer.filter(|o| o.join("sets").is_dir()).and_then(|o| Self::open(&o, trust).ok()))
    }

    /// Checks that the Parquet files of a corpus are those that its manifests name, before any is opened.
    ///
    /// # Errors
    /// [`Error::Record`] with the file that is missing, changed or named by no manifest.
    pub fn check_files(&self) -> Result<()> {
        for manifest in &self.manifests {
            let set = Path::new("sets").join(manifest.record.set.as_str());
            for shard in &manifest.record.shards {
                self.check_file(&set.join(shard.file.path.as_str()), shard.file.length, shard.file.digest)?;
            }
        }
        self.check_evidence()
    }

    fn check_file(&self, path: &Path, length: u64, digest: Sha256) -> Result<()> {
        let whole = self.root.join(path);
        let found = Sha256::of_file(&whole).map_err(|e| refused(&whole, &e.to_string()))?;
        if found == (length, digest) {
            Ok(())
        } else {
            Err(refused(&whole, "it is not the file that the manifest names"))
        }
    }

    /// Checks that the ledger and claims are those that the manifests name, and nothing beside them; reads no shard.
    ///
    /// # Errors
    /// As [`Folder::check_files`].
    pub fn check_evidence(&self) -> Result<()> {
        // The ledger stays in the house, also that of a public set.
        if self.kind != Kind::Corpus || self.manifests.is_empty() {
            return Ok(());
        }
        let mut named = BTreeSet::new();
        for file in self.manifests.iter().flat_map(|m| &m.record.evidence) {
            let path = PathBuf::from(file.path.as_str());
            self.check_file(&path, file.length, file.digest)?;
            named.insert(path);
        }
        for folder in ["ledger", "claims"] {
            let entries =
                std::fs::read_dir(self.root.join(folder)).map_err(|e| Error::io(self.root.join(folder), e))?;
            for entry in entries {
                let name = entry.map_err(|e| Error::io(self.root.join(folder), e))?.file_name();
                let path = Path::new(folder).join(name);
                if !named.contains(&path) {
                    return Err(refused(&self.root.join(path), "no manifest names this file"));
                }
            }
        }
        Ok(())
    }

    /// The first record whose signatures do not hold.
    #[must_use]
    pub fn broken(&self) -> Option<(&Path, &str)> {
        let manifests = self.manifests.iter().map(|m| (m.path.as_path(), &m.seal));
        let public = self.public.iter().map(|m| (m.path.as_path(), &m.seal));
        let models = self.models.iter().flat_map(|m| {
            let stamps = m.stamps.iter().map(|s| (s.path.as_path(), &s.seal));
            std::iter::once((m.index.path.as_path(), &m.index.seal)).chain(stamps)
        });
        let outward = self.outward.iter().flat_map(Outward::seals);
        manifests.chain(public).chain(models).chain(outward).find_map(|(path, seal)| match seal {
            Seal::Broken(why) => Some((path, why.as_str())),
            _ => None,
        })
    }
}

impl ModelFolder {
    fn open(root: &Path, trust: Option<(&Trust, Date)>) -> Result<Self> {
        let index: Signed<ModelIndex> = Signed::read(&root.join(INDEX_FILE), trust, Role::Merger, &name_of(root))?;
        let members = std::iter::once(&index.record.anchor).chain(&index.record.experts);
        let (mut stamps, mut unstamped) = (Vec::new(), Vec::new());
        for member in members {
            // The merger signs the name of a folder; it may not lead out of the model.
            let folder = member.folder.parse::<RelPath>();
            let folder = folder.map_err(|e| manifests::Error::malformed("model index", &index.path, e))?;
            let path = folder.beneath(root).join(STAMP_FILE);
            // An expert's folder may have been deleted: that must not stop a report on the others.
            if path.is_file() {
                stamps.push(Signed::read(&path, trust, Role::Trainer, member.id.as_str())?);
            } else {
                unstamped.push(member.clone());
            }
        }
        Ok(Self { root: root.to_path_buf(), index, stamps, unstamped })
    }
}

fn refused(path: &Path, what: &str) -> Error {
    manifests::Error::verification(path, format!("{what} [FM-T-007 digest-mismatch]")).into()
}

impl<T: Record> Signed<T> {
    /// Reads a signed record, and checks who signed it where a trust file says who may.
    ///
    /// # Errors
    /// [`Error::Record`] when it is no envelope, or its payload no record of this kind.
    pub fn read(path: &Path, trust: Option<(&Trust, Date)>, role: Role, scope: &str) -> Result<Self> {
        Self::read_for(path, trust, role, |_| vec![scope.to_owned()])
    }

    /// [`Self::read`] for a record that says itself what its signer must hold the role for: each of these scopes.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_for(
        path: &Path,
        trust: Option<(&Trust, Date)>,
        role: Role,
        scopes: impl Fn(&T) -> Vec<String>,
    ) -> Result<Self> {
        let envelope = Envelope::read(path)?;
        let digest = Sha256::of(envelope.peek_unverified()?);
        let record = Statement::<T>::peek_unverified(&envelope, path)?.predicate;
        let mut found = Seal::Unchecked;
        for scope in scopes(&record) {
            found = trust.map_or(Seal::Unchecked, |trust| seal(&envelope, path, trust, role, &scope));
            if matches!(found, Seal::Broken(_)) {
                break;
            }
        }
        Ok(Self { path: path.to_path_buf(), digest, record, seal: found })
    }
}

fn seal(envelope: &Envelope, path: &Path, (trust, as_of): (&Trust, Date), role: Role, scope: &str) -> Seal {
    let verified = match trust.verify(envelope, path, STATEMENT_TYPE, role, scope, as_of) {
        Ok(verified) => verified,
        Err(error) => return Seal::Broken(error.to_string()),
    };
    // The hint of which key signed is not signed itself: one that lies is damage, even where the signature holds.
    let claimed: Vec<&str> = envelope.claimed_key_ids_unverified().collect();
    if let Some(id) = verified.key_ids.iter().find(|id| !claimed.contains(&id.to_string().as_str())) {
        return Seal::Broken(format!("key `{id}` signed it, and no signature names that key"));
    }
    let name = |id| trust.name_of(id).map_or_else(|| format!("{id}"), str::to_owned);
    Seal::Verified { signers: verified.key_ids.iter().map(name).collect() }
}

impl Seal {
    /// Whether the signatures hold; nothing is known without a trust file.
    #[must_use]
    pub const fn verified(&self) -> Option<bool> {
        match self {
            Self::Unchecked => None,
            Self::Verified { .. } => Some(true),
            Self::Broken(_) => Some(false),
        }
    }

    /// The names of the keys that signed, when that was checked.
    #[must_use]
    pub fn signers(&self) -> &[String] {
        match self {
            Self::Verified { signers } => signers,
            _ => &[],
        }
    }
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

/// The folders in a folder, by name; none when it is absent.
pub(super) fn folders_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(e) => return Err(Error::io(folder, e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
