//! Verifies a model: the index names the stamps, each stamp the files of its folder, each file its length and digest.
//! A folder that was deleted is reported as absent, not as a failure: the others stand alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use manifests::digest::Sha256;
use manifests::stamp::{Member, Stamp};

use super::{Log, equal};
use crate::error::{Error, Result};
use crate::query::{ModelFolder, STAMP_FILE, Signed};

/// Signature files of a folder, which no stamp can list.
const UNLISTED: [&str; 2] = [STAMP_FILE, "model.sig"];

pub(super) fn verify(model: &ModelFolder, log: &mut Log<'_>) -> Result<()> {
    let index = &model.index;
    log.seal(index);
    let laws = index.record.check().map(|()| format!("{} experts", index.record.experts.len()));
    log.law(&index.path, "index", laws.map_err(|e| e.to_string()));
    let anchor = model.stamps.iter().find(|s| s.path == stamp_path(model, &index.record.anchor));
    for member in std::iter::once(&index.record.anchor).chain(&index.record.experts) {
        let path = stamp_path(model, member);
        match model.stamps.iter().find(|s| s.path == path) {
            Some(stamp) => self::member(model, member, stamp, anchor.map(|a| a.digest), log)?,
            None if member.id == index.record.anchor.id => log.failed(&path, "stamp", "the anchor has no stamp"),
            None if model.root.join(&member.folder).is_dir() => {
                log.failed(&path, "stamp", "the folder is here and has no stamp [FM-T-008 stamp-missing]");
            }
            None => log.skipped(&path, "stamp", "the folder is not here"),
        }
    }
    Ok(())
}

fn stamp_path(model: &ModelFolder, member: &Member) -> PathBuf {
    model.root.join(&member.folder).join(STAMP_FILE)
}

fn member(
    model: &ModelFolder,
    member: &Member,
    stamp: &Signed<Stamp>,
    anchor: Option<Sha256>,
    log: &mut Log<'_>,
) -> Result<()> {
    log.seal(stamp);
    log.law(&stamp.path, "stamp", equal(&stamp.digest, &member.stamp));
    log.law(&stamp.path, "weights", equal(&stamp.record.files_root.root, &member.files_root));
    let laws = stamp.record.check().map(|()| format!("{} exposures add up", stamp.record.exposures.len()));
    log.law(&stamp.path, "laws", laws.map_err(|e| e.to_string()));
    if let (Some(named), Some(found)) = (stamp.record.anchor, anchor) {
        log.law(&stamp.path, "anchor", equal(&found, &named));
    }
    let folder = model.root.join(&member.folder);
    for leaf in &stamp.record.files {
        log.law(&leaf.path.beneath(&folder), "digest", super::file(&folder, leaf));
    }
    let listed: BTreeSet<&str> = stamp.record.files.iter().map(|f| f.path.as_str()).collect();
    for extra in files_beneath(&folder, &folder)? {
        if !listed.contains(extra.as_str()) && !UNLISTED.contains(&extra.as_str()) {
            log.failed(&folder.join(&extra), "listing", "the stamp does not list this file");
        }
    }
    Ok(())
}

/// Every file beneath a folder, by path.
pub(super) fn files_beneath(root: &Path, folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let entry = entry.map_err(|e| Error::io(folder, e))?;
        let path = entry.path();
        // The entry's own kind: a link is a file that no stamp lists, and is not followed.
        if entry.file_type().map_err(|e| Error::io(&path, e))?.is_dir() {
            found.extend(files_beneath(root, &path)?);
        } else {
            found.push(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}
