//! Publish: committed shards, ledger and claims → the corpus folder, and last of all the signed manifests. A manifest
//! exists only when everything that it names does, and when the ledger balances.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::StringArray;
use manifests::closed::Secret;
use manifests::digest::Sha256;
use manifests::exposure::TokenTotal;
use manifests::id::SetName;
use manifests::ledger::Decision;
use manifests::manifest::{Access, Funnel, ManifestShard, PublicManifest, SetManifest, SourceRef, TokenizerRef};
use manifests::merkle::{DocumentLeaf, FileLeaf, TextLeaf, root_of};
use manifests::sign::statement::Subject;
use manifests::sign::{PrivateKey, Record, Statement};

use super::shard::SetPlan;
use crate::columns::column;
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::table::read;

/// What manifests say beside their sets.
pub struct Common<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// The digest of the admission policy.
    pub policy: Sha256,
    /// The tokenizer.
    pub tokenizer: TokenizerRef,
    /// The version of each stage.
    pub stages: BTreeMap<String, u32>,
    /// The build of flexmix.
    pub build: String,
    /// The builder's key.
    pub key: &'a PrivateKey,
    /// The owner's secret, for closed sets.
    pub secret: Option<&'a Secret>,
}

/// Puts a committed file under its published name, by a hard link where the disk allows one.
///
/// # Errors
/// [`Error::Io`] with the target.
pub fn place(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = std::path::PathBuf::from(name);
    _ = std::fs::remove_file(&part);
    std::fs::hard_link(from, &part)
        .or_else(|_| std::fs::copy(from, &part).map(|_| ()))
        .map_err(|e| Error::io(&part, e))?;
    std::fs::rename(&part, to).map_err(|e| Error::io(to, e))?;
    // Two names of one file: rename leaves both, and a run that goes on after publishing has begun meets that.
    match std::fs::remove_file(&part) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&part, e)),
        _ => Ok(()),
    }
}

/// Removes what a run that was killed while it published left beside the published files.
///
/// # Errors
/// [`Error::Io`] with the file or folder.
pub fn sweep(out: &Path) -> Result<()> {
    let is_left = |name: &str| name.ends_with(".part") || (name.starts_with('.') && name.ends_with(".tmp"));
    let mut folders =
        vec![out.to_path_buf(), out.join("ledger"), out.join("claims"), out.join("excluded"), out.join("sets")];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|e| Error::io(&folder, e))?,
        };
        for entry in entries {
            let path = entry.map_err(|e| Error::io(&folder, e))?.path();
            if folder.ends_with("sets") && path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|n| is_left(&n.to_string_lossy())) && path.is_file() {
                std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
            }
        }
    }
    Ok(())
}

/// Counts a set's ledger: what was read and what became of it.
///
/// # Errors
/// [`Error::Unbalanced`] when rows are missing or without a reason.
pub fn funnels(ledgers: &[std::path::PathBuf]) -> Result<BTreeMap<SetName, Funnel>> {
    let mut funnels: BTreeMap<SetName, Funnel> = BTreeMap::new();
    for file in ledgers {
        for batch in read(file)? {
            let batch = batch?;
            let (sets, decisions): (&StringArray, &StringArray) = (column(&batch, "set")?, column(&batch, "decision")?);
            let reasons: &StringArray = column(&batch, "reason")?;
            for i in 0..batch.num_rows() {
                let funnel = funnels.entry(sets.value(i).parse()?).or_default();
                funnel.read += 1;
                match decisions.value(i) {
                    d if d == Decision::Kept.as_str() => funnel.kept += 1,
                    d if d == Decision::HeldOut.as_str() => funnel.held_out += 1,
                    _ => *funnel.dropped.entry(reasons.value(i).to_owned()).or_default() += 1,
                }
            }
        }
    }
    match funnels.iter().find(|(_, f)| !f.balances() || f.dropped.contains_key("")) {
        Some((set, funnel)) => Err(Error::Unbalanced(format!("set `{set}`: {funnel:?}"))),
        None => Ok(funnels),
    }
}

/// Writes the signed manifest of one set (for a closed set also its public one) and gives the payload's digest.
///
/// # Errors
/// [`Error::Record`] when a law of manifests is broken, [`Error::Usage`] when a closed set has no secret.
pub fn manifest(
    set: &SetPlan,
    shards: Vec<ManifestShard>,
    mut evidence: Vec<FileLeaf>,
    funnel: Funnel,
    common: &Common<'_>,
    folder: &Path,
) -> Result<Sha256> {
    evidence.sort_by(|a, b| a.path.cmp(&b.path));
    let recipe = common.recipe;
    let documents = documents(set)?;
    let mut texts: Vec<TextLeaf> = set.kept.iter().map(|k| TextLeaf { text: k.text }).collect();
    texts.sort_by_key(|leaf| leaf.text);
    texts.dedup();
    let leaf = |s: &ManifestShard| FileLeaf { path: s.file.path.clone(), length: s.file.length, digest: s.file.digest };
    let mut files: Vec<FileLeaf> = shards.iter().map(leaf).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let total = |part: fn(&manifests::exposure::CellCount) -> Option<u64>| set.cells.iter().filter_map(part).sum();
    let access = recipe.access.get(&set.set).copied().unwrap_or(Access::Closed);
    let of_set = recipe.sources.iter().filter(|s| s.set == set.set);
    let tiers = if set.set == recipe.public_set { recipe.anchor_tiers.iter().cloned().collect() } else { vec![] };
    let manifest = SetManifest {
        schema: SetManifest::schema(),
        demo: recipe.demo,
        corpus: recipe.name.clone(),
        set: set.set.clone(),
        access,
        recipe: recipe.digest,
        policy: common.policy,
        build: common.build.clone(),
        stages: common.stages.clone(),
        tokenizer: common.tokenizer.clone(),
        sources: of_set.map(|s| SourceRef { id: s.id.clone(), title: s.title.clone(), object: s.sha256 }).collect(),
        cells: set.cells.clone(),
        tiers: set.tiers.clone(),
        anchor_tiers: tiers,
        documents: total(|c| c.documents),
        tokens: total(|c| c.tokens),
        funnel,
        documents_root: root_of(&documents)?,
        texts_root: root_of(&texts)?,
        files_root: root_of(&files)?,
        evidence_root: root_of(&evidence)?,
        evidence,
        shards,
    };
    sign(manifest, &documents, common.key, common.secret, folder)
}

/// Signs a manifest into its set's folder, for a closed set also its public one; gives the payload's digest.
///
/// # Errors
/// As [`manifest`].
pub fn sign(
    manifest: SetManifest,
    documents: &[DocumentLeaf],
    key: &PrivateKey,
    secret: Option<&Secret>,
    folder: &Path,
) -> Result<Sha256> {
    manifest.check()?;
    let (set, access) = (manifest.set.clone(), manifest.access);
    let named = |s: &ManifestShard| Subject { name: format!("sets/{set}/{}", s.file.path), digest: s.file.digest };
    let mut subjects: Vec<Subject> = manifest.shards.iter().map(named).collect();
    subjects.sort_by(|a, b| a.name.cmp(&b.name));
    let statement = if subjects.is_empty() {
        Statement::about_itself(set.as_str(), manifest)?
    } else {
        Statement::new(subjects, manifest)
    };
    let digest = statement.payload_digest()?;
    if access == Access::Closed {
        public_manifest(&statement.predicate, digest, documents, key, secret, folder)?;
    }
    statement.write(&folder.join("manifest.dsse.json"), key)?;
    Ok(digest)
}

fn documents(set: &SetPlan) -> Result<Vec<DocumentLeaf>> {
    let leaf = |k: &super::shard::Kept| {
        Ok(DocumentLeaf { doc_id: k.doc_id, text: k.text, cell: k.cell.digest()?, n_tokens: k.n_tokens })
    };
    let mut leaves: Vec<DocumentLeaf> = set.kept.iter().map(leaf).collect::<Result<_>>()?;
    leaves.sort_by_key(|l| l.doc_id);
    Ok(leaves)
}

fn public_manifest(
    full: &SetManifest,
    digest: Sha256,
    documents: &[DocumentLeaf],
    key: &PrivateKey,
    secret: Option<&Secret>,
    folder: &Path,
) -> Result<()> {
    let Some(secret) = secret else {
        return Err(Error::usage(
            format!("set `{}` is closed and its commitments need the owner's secret", full.set),
            "give one with `--secret FILE` (at least 32 random bytes)",
        ));
    };
    let public = PublicManifest {
        schema: PublicManifest::schema(),
        demo: full.demo,
        corpus: full.corpus.clone(),
        set: full.set.clone(),
        cells: full.outward_cells().into_iter().collect(),
        tokens: TokenTotal::bucket(full.tokens),
        commitments_root: secret.root(documents)?.root,
        full: secret.manifest(digest)?,
    };
    Statement::about_itself(full.set.as_str(), public)?.write(&folder.join("public-manifest.dsse.json"), key)?;
    Ok(())
}
