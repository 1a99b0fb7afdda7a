//! Makes proofs about a corpus: that a document, text or shard is in a set, or that it is not. What is proved is read
//! from the ledger, whose files the manifest names by digest, and must lead to the manifest's own roots. Opens no
//! shard; believes no file that the manifest does not name.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::{Array, FixedSizeBinaryArray, StringArray, UInt64Array};
use manifests::closed::Secret;
use manifests::digest::Sha256;
use manifests::id::SetName;
use manifests::ledger::Decision;
use manifests::manifest::{Access, PublicManifest, SetManifest};
use manifests::merkle::{DocumentLeaf, FileLeaf, Leaf, TextLeaf, Tree, TreeRoot};
use manifests::proof::{Answer, Carried, Evidence, Opening, Proof, Question};
use manifests::sign::Envelope;
use manifests::store::read_capped;

use crate::columns::{column, doc_id};
use crate::error::{Error, Result};
use crate::query::{Folder, Signed};
use crate::table::read;

/// The longest text that is asked about, in bytes.
const TEXT_CAP: u64 = 1 << 30;

/// The digest by which sets know the text in a file.
///
/// # Errors
/// [`Error::Record`] when it cannot be read, [`Error::Usage`] when it is not UTF-8.
pub fn text_digest(file: &Path) -> Result<Sha256> {
    let text = String::from_utf8(read_capped(file, TEXT_CAP)?).map_err(|_| {
        Error::usage(format!("`{}` is not UTF-8 text", file.display()), "a text is asked about as a set holds it")
    })?;
    Ok(corpus::normalize::digest(&text))
}

/// Proves the answer to a question. Without a set, the one set that holds what is asked about, or the only one, is meant.
///
/// # Errors
/// [`Error::Usage`] when the set is not clear, or is closed and its owner's secret is missing; [`Error::Refused`] when
/// the folder was handed out, without its ledger, or is not what its manifest says; [`Error::Record`] and [`Error::Io`] as for any folder.
pub fn prove(root: &Path, set: Option<&SetName>, question: &Question, secret: Option<&Secret>) -> Result<Proof> {
    let folder = Folder::open(root, None)?;
    if folder.outward.is_some() && (folder.manifests.is_empty() || !matches!(question, Question::File(_))) {
        return Err(Error::Refused {
            what: format!(
                "`{}` was handed out, and the ledger that proofs are made from stayed behind",
                root.display()
            ),
            hint: Some(
                "ask its owner: `flexmix prove` in the folder that `flexmix build` wrote makes the proof, and \
                 `flexmix verify-proof` checks it anywhere"
                    .to_owned(),
            ),
        });
    }
    let manifest = choose(&folder, set, question)?;
    match manifest.record.access {
        Access::Public => open_set(&folder, manifest, question, None),
        Access::Closed => closed_set(&folder, manifest, question, secret),
    }
}

/// The set that is asked about.
fn choose<'a>(folder: &'a Folder, set: Option<&SetName>, question: &Question) -> Result<&'a Signed<SetManifest>> {
    let names = || folder.manifests.iter().map(|m| m.record.set.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = set {
        let found = folder.manifests.iter().find(|m| m.record.set == *name);
        let outward = folder.public.iter().any(|p| p.record.set == *name);
        return found.ok_or_else(|| {
            if outward {
                let what = format!("set `{name}` is closed, and only its public manifest is here");
                return Error::usage(what, "its owner alone can prove what is in it");
            }
            Error::usage(
                format!("there is no set `{name}` in `{}`", folder.root.display()),
                format!("sets: {}", names()),
            )
        });
    }
    if let [only] = folder.manifests.as_slice() {
        return Ok(only);
    }
    let mut holders = Vec::new();
    for manifest in &folder.manifests {
        if holds(folder, manifest, question)? {
            holders.push(manifest);
        }
    }
    match holders.as_slice() {
        [one] => Ok(one),
        [] => Err(Error::usage(
            "no set holds it, and absence is proved for one set",
            format!("name it with `--set`: {}", names()),
        )),
        _ => {
            let found: Vec<&str> = holders.iter().map(|m| m.record.set.as_str()).collect();
            Err(Error::usage("several sets hold it", format!("name one with `--set`: {}", found.join(", "))))
        }
    }
}

fn holds(folder: &Folder, manifest: &Signed<SetManifest>, question: &Question) -> Result<bool> {
    Ok(match question {
        Question::Document(id) => documents(folder, manifest)?.iter().any(|d| d.doc_id == *id),
        Question::Text(text) => documents(folder, manifest)?.iter().any(|d| d.text == *text),
        Question::File(path) => manifest.record.shards.iter().any(|s| s.file.path == *path),
    })
}

/// A proof under the set's own manifest.
fn open_set(
    folder: &Folder,
    manifest: &Signed<SetManifest>,
    question: &Question,
    public: Option<Carried>,
) -> Result<Proof> {
    let record = &manifest.record;
    let (root, included, evidence) = match question {
        Question::Document(id) => {
            let tree = tree(manifest, documents(folder, manifest)?, &record.documents_root)?;
            let found = tree.look_up(id);
            (record.documents_root, found.at.is_some(), Evidence::Documents(found))
        }
        Question::Text(text) => {
            let texts: BTreeSet<Sha256> = documents(folder, manifest)?.into_iter().map(|d| d.text).collect();
            let leaves = texts.into_iter().map(|text| TextLeaf { text }).collect();
            let found = tree(manifest, leaves, &record.texts_root)?.look_up(text);
            (record.texts_root, found.at.is_some(), Evidence::Texts(found))
        }
        Question::File(path) => {
            let shards = record.shards.iter().map(|s| &s.file);
            let leaf = |f: &manifests::shard::ShardEntry| FileLeaf {
                path: f.path.clone(),
                length: f.length,
                digest: f.digest,
            };
            let found = tree(manifest, shards.map(leaf).collect(), &record.files_root)?.look_up(path);
            (record.files_root, found.at.is_some(), Evidence::Files(found))
        }
    };
    Ok(Proof {
        schema: Proof::SCHEMA.to_owned(),
        set: record.set.clone(),
        question: question.clone(),
        answer: if included { Answer::Included } else { Answer::Absent },
        manifest: Carried::new(Envelope::read(&manifest.path)?)?,
        root,
        evidence,
        public,
    })
}

/// A closed set's owner opens the commitment to what is there, and shows the full manifest for what is not.
fn closed_set(
    folder: &Folder,
    manifest: &Signed<SetManifest>,
    question: &Question,
    secret: Option<&Secret>,
) -> Result<Proof> {
    let set = &manifest.record.set;
    let Some(secret) = secret else {
        return Err(Error::usage(
            format!("set `{set}` is closed, and its owner alone can prove what is in it"),
            "give the owner's secret with `--secret FILE`",
        ));
    };
    let public = folder.public.iter().find(|p| p.record.set == *set);
    let public = public.ok_or_else(|| refused(&manifest.path, "its public manifest is not beside it"))?;
    if secret.manifest(manifest.digest)? != public.record.full {
        return Err(refused(&public.path, "under this secret it does not commit to the set's manifest"));
    }
    let documents = documents(folder, manifest)?;
    let document = match question {
        Question::Document(id) => documents.iter().find(|d| d.doc_id == *id),
        Question::Text(text) => documents.iter().filter(|d| d.text == *text).min_by_key(|d| d.doc_id),
        Question::File(_) => {
            return Err(Error::usage(
                format!("set `{set}` is closed, and nothing of its shards leaves the owner"),
                "ask for a document or a text",
            ));
        }
    };
    match document {
        Some(document) => opening(public, &documents, document, question, secret),
        None => open_set(folder, manifest, question, Some(Carried::new(Envelope::read(&public.path)?)?)),
    }
}

fn opening(
    public: &Signed<PublicManifest>,
    documents: &[DocumentLeaf],
    document: &DocumentLeaf,
    question: &Question,
    secret: &Secret,
) -> Result<Proof> {
    let mut tree = Tree::new(secret.leaves(documents)?)?;
    if tree.root().root != public.record.commitments_root {
        // Version 1 of public manifests committed to the documents alone.
        tree = Tree::new(secret.first_leaves(documents)?)?;
    }
    let root = tree.root();
    if root.root != public.record.commitments_root {
        return Err(refused(&public.path, OTHER_ROOT));
    }
    let commitment = tree.look_up(&secret.document(document)?).at;
    let commitment = commitment.ok_or_else(|| Error::Bug("a document has no commitment".to_owned()))?;
    let key = secret.document_key(document.doc_id)?;
    Ok(Proof {
        schema: Proof::SCHEMA.to_owned(),
        set: public.record.set.clone(),
        question: question.clone(),
        answer: Answer::Included,
        manifest: Carried::new(Envelope::read(&public.path)?)?,
        root,
        evidence: Evidence::Opening(Opening { document: document.clone(), key, commitment }),
        public: None,
    })
}

/// The tree over leaves, which must be the one that the manifest names.
fn tree<R, L: Leaf + Clone>(manifest: &Signed<R>, leaves: Vec<L>, named: &TreeRoot) -> Result<Tree<L>> {
    let tree = Tree::new(leaves)?;
    if tree.root() == *named {
        return Ok(tree);
    }
    Err(refused(&manifest.path, OTHER_ROOT))
}

const OTHER_ROOT: &str = "what the folder holds does not lead to the root that it names";

/// The documents of a set, from the files of the ledger that its manifest names.
fn documents(folder: &Folder, manifest: &Signed<SetManifest>) -> Result<Vec<DocumentLeaf>> {
    let mut found = Vec::new();
    for named in manifest.record.evidence.iter().filter(|f| f.path.as_str().starts_with("ledger/")) {
        let file = named.path.beneath(&folder.root);
        if Sha256::of_file(&file)? != (named.length, named.digest) {
            return Err(refused(&file, "it is not the file that the manifest names"));
        }
        ledger(&file, &manifest.record.set, &mut found)?;
    }
    Ok(found)
}

/// Adds what one file of the ledger kept or held out for a set.
fn ledger(file: &Path, set: &SetName, found: &mut Vec<DocumentLeaf>) -> Result<()> {
    for batch in read(file)? {
        let batch = batch?;
        let (sets, decisions): (&StringArray, &StringArray) = (column(&batch, "set")?, column(&batch, "decision")?);
        let (texts, cells): (&StringArray, &StringArray) = (column(&batch, "digest")?, column(&batch, "cell")?);
        let (ids, tokens): (&FixedSizeBinaryArray, &UInt64Array) =
            (column(&batch, "doc_id")?, column(&batch, "n_tokens")?);
        for row in 0..batch.num_rows() {
            if sets.value(row) != set.as_str() || decisions.value(row) == Decision::Dropped.as_str() {
                continue;
            }
            if texts.is_null(row) || cells.is_null(row) {
                return Err(refused(file, "a document that was kept has no digest or no cell"));
            }
            let n_tokens =
                u32::try_from(tokens.value(row)).map_err(|_| refused(file, "a document has too many tokens"))?;
            let (text, cell) = (texts.value(row).parse()?, cells.value(row).parse()?);
            found.push(DocumentLeaf { doc_id: doc_id(ids, row)?, text, cell, n_tokens });
        }
    }
    Ok(())
}

fn refused(path: &Path, what: &str) -> Error {
    manifests::Error::verification(path, format!("{what} [FM-T-007 digest-mismatch]")).into()
}
