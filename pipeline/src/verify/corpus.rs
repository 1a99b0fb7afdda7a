//! Verifies a corpus: each set's manifest against its shards, and against the ledger from which all of it follows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use manifests::digest::Sha256;
use manifests::manifest::{ManifestShard, SetManifest};
use manifests::merkle::{DocumentLeaf, FileLeaf, TextLeaf, TreeRoot, root_of};

use super::ledger::SetLedger;
use super::shard::{Counted, Document};
use super::{Log, equal};
use crate::build::RunRecord;
use crate::error::Result;
use crate::query::{Folder, MANIFEST_FILE, PUBLIC_FILE, Signed, shard_path};

pub(super) fn verify(folder: &Folder, log: &mut Log<'_>) -> Result<()> {
    let ledger_folder = folder.root.join("ledger");
    let mut ledger: BTreeMap<String, SetLedger> = BTreeMap::new();
    let mut whole = true;
    for file in super::ledger::files(&ledger_folder)? {
        let read = super::ledger::read(&file, &mut ledger);
        whole &= read.is_ok();
        log.law(&file, "ledger", read.map(|()| "every row has its set and decision".to_owned()));
    }
    for signed in &folder.manifests {
        set(folder, signed, whole.then_some(&mut ledger), log);
    }
    let known: BTreeSet<&str> = folder.manifests.iter().map(|m| m.record.set.as_str()).collect();
    for (name, found) in ledger.iter().filter(|(name, _)| !known.contains(name.as_str())) {
        // A set that lost everything has no manifest; one that kept something must have one.
        if found.funnel.kept + found.funnel.held_out > 0 {
            log.failed(&ledger_folder, "ledger", format!("set `{name}` kept documents and has no manifest"));
        }
    }
    run_record(folder, log);
    for signed in &folder.public {
        log.seal(signed);
        let full = folder.manifests.iter().find(|m| m.record.set == signed.record.set);
        match full {
            Some(full) => {
                let cells = signed.record.cells.len();
                let checked = signed.record.check_against(&full.record).map_err(|e| e.to_string());
                let words = |()| format!("{cells} cells without counts or origin");
                log.law(&signed.path, "public manifest", checked.map(words));
            }
            None => log.skipped(&signed.path, "public manifest", "the full manifest is not here"),
        }
    }
    Ok(())
}

/// `run.json` is not signed: it must say of each set what the signed manifest says.
fn run_record(folder: &Folder, log: &mut Log<'_>) {
    let path = folder.root.join("run.json");
    let read = std::fs::read(&path).map_err(|e| format!("cannot be read: {e}"));
    let parsed = read.and_then(|bytes| serde_json::from_slice::<RunRecord>(&bytes).map_err(|e| e.to_string()));
    let checked = parsed.and_then(|run| {
        if Sha256::of(run.recipe.as_bytes()) != run.recipe_digest {
            return Err("its recipe is not the text that its digest is of".to_owned());
        }
        let named = run.manifests.iter().map(|(set, digest)| (set, *digest));
        let found: BTreeMap<_, _> = folder.manifests.iter().map(|m| (&m.record.set, m.digest)).collect();
        if !named.eq(found) {
            return Err("the manifests are not those that it names".to_owned());
        }
        let differs = |m: &&Signed<SetManifest>| {
            run.funnels.get(&m.record.set) != Some(&m.record.funnel) || run.recipe_digest != m.record.recipe
        };
        match folder.manifests.iter().find(differs) {
            Some(m) => Err(format!("set `{}` has another funnel or recipe in its manifest", m.record.set)),
            None => Ok(format!("{} manifests, {} stages", run.manifests.len(), run.stages.len())),
        }
    });
    log.law(&path, "run record", checked);
}

fn set(
    folder: &Folder,
    signed: &Signed<SetManifest>,
    ledger: Option<&mut BTreeMap<String, SetLedger>>,
    log: &mut Log<'_>,
) {
    let (manifest, path) = (&signed.record, &signed.path);
    log.seal(signed);
    let laws =
        manifest.check().map(|()| format!("{} cells add up to {} tokens", manifest.cells.len(), manifest.tokens));
    log.law(path, "laws", laws.map_err(|e| e.to_string()));
    let place = path.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    log.law(path, "place", equal(&manifest.set.as_str(), &place.as_str()));
    log.law(&folder.root.join("tokenizer.json"), "tokenizer", tokenizer(folder, manifest));
    for leaf in &manifest.evidence {
        log.law(&leaf.path.beneath(&folder.root), "evidence", super::file(&folder.root, leaf));
    }
    strays(manifest, path, log);
    let mut documents = Some(Vec::new());
    for (shard, found) in manifest.shards.iter().zip(shards(&folder.root, manifest)) {
        let file = shard_path(&folder.root, manifest, shard);
        match found {
            Ok(counted) => {
                log.passed(
                    &file,
                    "shard",
                    format!("{}, {} documents recounted", shard.file.digest, counted.documents.len()),
                );
                documents.iter_mut().for_each(|all| all.extend(counted.documents.iter().copied()));
            }
            Err(why) => {
                log.failed(&file, "shard", why);
                documents = None;
            }
        }
    }
    log.law(path, "files root", files_root(manifest).and_then(|root| same(&root, &manifest.files_root)));
    let empty = SetLedger::default();
    let Some(ledger) = ledger else {
        return log.skipped(path, "ledger balance", "the ledger cannot be read");
    };
    let rows = ledger.get(manifest.set.as_str()).unwrap_or(&empty);
    log.law(path, "ledger balance", balance(manifest, rows));
    match documents {
        Some(documents) => {
            log.law(path, "documents root", documents_root(manifest, documents, rows));
            log.law(path, "texts root", texts_root(rows).and_then(|root| same(&root, &manifest.texts_root)));
        }
        None => log.skipped(path, "documents root", "a shard of the set cannot be believed"),
    }
}

/// Files beside the shards that the manifest does not name: a reader that takes `shard-*` would take them too.
fn strays(manifest: &SetManifest, path: &Path, log: &mut Log<'_>) {
    let Some(folder) = path.parent() else { return };
    let own = [MANIFEST_FILE, PUBLIC_FILE];
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !own.contains(&name.as_str()) && !manifest.shards.iter().any(|s| s.file.path.as_str() == name) {
            log.failed(&folder.join(&name), "listing", "the manifest does not name this file");
        }
    }
}

pub(super) fn tokenizer(folder: &Folder, manifest: &SetManifest) -> std::result::Result<String, String> {
    let name = "tokenizer.json".parse().map_err(|e: manifests::Error| e.to_string())?;
    let (_, digest) = super::digest_beneath(&folder.root, &name)?;
    equal(&digest, &manifest.tokenizer.digest)
}

/// Verifies the shards of a set, as many at once as there are cores; results in the order of the manifest.
pub(super) fn shards(root: &Path, manifest: &SetManifest) -> Vec<std::result::Result<Counted, String>> {
    let (folder, tasks) = (root.join("sets").join(manifest.set.as_str()), &manifest.shards);
    let results: Vec<Mutex<std::result::Result<Counted, String>>> =
        tasks.iter().map(|_| Mutex::new(Err("was not verified".to_owned()))).collect();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(tasks.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(shard), Some(result)) = (tasks.get(index), results.get(index)) else { return };
                    let found = super::shard::verify(&folder, shard, manifest);
                    if let Ok(mut slot) = result.lock() {
                        *slot = found;
                    }
                }
            });
        }
    });
    results.into_iter().map(|r| r.into_inner().unwrap_or_else(|_| Err("its verification failed".to_owned()))).collect()
}

fn balance(manifest: &SetManifest, rows: &SetLedger) -> std::result::Result<String, String> {
    if let Some(id) = rows.unbalanced.first() {
        return Err(format!("bytes in and added are not bytes out and removed, first at document {id}"));
    }
    if let Some(id) = rows.repeated.first() {
        return Err(format!("document {id} stands twice"));
    }
    if rows.funnel != manifest.funnel {
        return Err(format!("the ledger counts {}, the manifest {}", words(&rows.funnel), words(&manifest.funnel)));
    }
    Ok(words(&rows.funnel))
}

fn words(funnel: &manifests::manifest::Funnel) -> String {
    let dropped: u64 = funnel.dropped.values().sum();
    format!("{} read = {} kept + {} held out + {dropped} dropped", funnel.read, funnel.kept, funnel.held_out)
}

pub(super) fn files_root(manifest: &SetManifest) -> std::result::Result<TreeRoot, String> {
    let leaf = |s: &ManifestShard| FileLeaf { path: s.file.path.clone(), length: s.file.length, digest: s.file.digest };
    let mut leaves: Vec<FileLeaf> = manifest.shards.iter().map(leaf).collect();
    leaves.sort_by(|a, b| a.path.cmp(&b.path));
    root_of(&leaves).map_err(|e| e.to_string())
}

fn documents_root(
    manifest: &SetManifest,
    mut documents: Vec<Document>,
    rows: &SetLedger,
) -> std::result::Result<String, String> {
    documents.sort_unstable();
    if documents.len() != rows.kept.len() {
        return Err(format!("the shards hold {} documents, the ledger kept {}", documents.len(), rows.kept.len()));
    }
    let cells: Vec<Sha256> =
        manifest.cells.iter().map(|c| c.cell.digest()).collect::<manifests::Result<_>>().map_err(|e| e.to_string())?;
    let leaf = |document: Document| {
        let Document { id: doc_id, n_tokens, copies, .. } = document;
        let row = rows.kept.get(&doc_id).ok_or_else(|| format!("document {doc_id} is not in the ledger"))?;
        let cell = *cells.get(document.cell as usize).ok_or_else(|| format!("document {doc_id} has no such cell"))?;
        if cell != row.cell {
            return Err(format!("document {doc_id} lies in another cell than the ledger says"));
        }
        if (u64::from(n_tokens), copies) != row.tokens {
            let (said, times) = row.tokens;
            return Err(format!(
                "document {doc_id} has {n_tokens} tokens and {copies} copies, the ledger says {said} and {times}"
            ));
        }
        Ok(DocumentLeaf { doc_id, text: row.text, cell, n_tokens })
    };
    let leaves = documents.into_iter().map(leaf).collect::<std::result::Result<Vec<_>, String>>()?;
    same(&root_of(&leaves).map_err(|e| e.to_string())?, &manifest.documents_root)
}

fn texts_root(rows: &SetLedger) -> std::result::Result<TreeRoot, String> {
    let texts: BTreeSet<Sha256> = rows.kept.values().map(|stays| stays.text).collect();
    let leaves: Vec<TextLeaf> = texts.into_iter().map(|text| TextLeaf { text }).collect();
    root_of(&leaves).map_err(|e| e.to_string())
}

pub(super) fn same(found: &TreeRoot, named: &TreeRoot) -> std::result::Result<String, String> {
    if found.leaves != named.leaves {
        return Err(format!("{} leaves, the manifest names {}", found.leaves, named.leaves));
    }
    equal(&found.root, &named.root)
}
