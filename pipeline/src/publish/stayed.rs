//! What stays in the house: every file of the corpus that is not handed out, and why. Files of no known kind stay too.

use std::collections::BTreeSet;
use std::path::Path;

use manifests::manifest::Access;
use manifests::publication::{Content, PUBLICATION_FILE};

use super::{From, Item, StayedFile};
use crate::error::{Error, Result};
use crate::query::{Folder, INDEX_FILE};

/// Every file beneath `root` that is not published; `out` is not looked into where it lies there.
pub(super) fn list(root: &Path, out: Option<&Path>, items: &[Item], folder: &Folder) -> Result<Vec<StayedFile>> {
    let published: BTreeSet<&str> = items
        .iter()
        .filter_map(|item| match &item.from {
            From::Corpus(path) => Some(path.as_str()),
            From::Made(_) if item.file.content == Content::PublicManifest => Some(item.file.file.path.as_str()),
            From::Made(_) => None,
        })
        .collect();
    let mut stayed = Vec::new();
    let out = out.and_then(|o| o.canonicalize().ok());
    for path in files(root, out.as_deref())? {
        if !published.contains(path.as_str()) {
            let reason = reason(&path, folder, items);
            stayed.push(StayedFile { path, reason });
        }
    }
    Ok(stayed)
}

fn reason(path: &str, folder: &Folder, items: &[Item]) -> &'static str {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["run.json"] => "it holds the whole recipe, and counts of every set",
        ["timings.json"] => "it tells how many documents of every set there are, and of the owner's machine",
        ["excluded", ..] => "it holds the text of documents that were dropped",
        ["facts", ..] => "it tells of single documents",
        ["tokenizer.json"] => "no public set is handed out",
        ["ledger" | "claims", ..] => "it names documents, their paths and the words of claims",
        ["records", ..] => "signed records are handed out by those who keep them",
        ["report", ..] => "an audit in the house says more than may leave",
        ["sets", set, ..] => of_set(set, parts.last().copied().unwrap_or_default(), folder),
        ["train", "plan.toml"] => "it pins full manifests and counts their tokens",
        ["train", _, "model", ..] | ["models", _, "anchor" | "experts", ..] => of_weights(&parts, items),
        ["train", ..] => "states, metrics and logs of a job tell what it read",
        ["models", _, INDEX_FILE] => "a model's list is handed out by its merger",
        _ if path.ends_with(PUBLICATION_FILE) => "it is of an outward tree",
        _ => "it is of no kind that may leave",
    }
}

fn of_set(set: &str, file: &str, folder: &Folder) -> &'static str {
    let access = folder.manifests.iter().find(|m| m.record.set.as_str() == set).map(|m| m.record.access);
    match (access, file) {
        (Some(Access::Public), _) => "the set may not be handed out, or was not asked for",
        (_, f) if f.ends_with(".parquet") => "it holds tokens of a closed set",
        (_, "manifest.dsse.json") => "a closed set's full manifest names sources, counts and digests of shards",
        _ => "the set was not asked for",
    }
}

fn of_weights(parts: &[&str], items: &[Item]) -> &'static str {
    // `train/ID/model/FILE`, `models/NAME/anchor/FILE`, `models/NAME/experts/ID/FILE`
    let id = match parts {
        ["train", id, ..] => id,
        ["models", _, "experts", id, ..] => id,
        _ => &"anchor",
    };
    let out = if *id == "anchor" { "anchor/".to_owned() } else { format!("experts/{id}/") };
    let is_out = items.iter().any(|i| i.file.file.path.as_str().starts_with(&out));
    if is_out { "the same weights are handed out from another folder" } else { "these weights may not be handed out" }
}

/// Every file, by path with `/`, sorted; links are named and not followed.
fn files(root: &Path, out: Option<&Path>) -> Result<Vec<String>> {
    let mut folders = vec![root.to_path_buf()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io(&folder, e))? {
            let entry = entry.map_err(|e| Error::io(&folder, e))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(|e| Error::io(entry.path(), e))?);
            if kind.is_dir() && out.is_some_and(|out| path.canonicalize().is_ok_and(|p| p == *out)) {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
