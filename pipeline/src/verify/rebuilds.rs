//! Verifies the records of a corpus's rebuilds: each is signed by a builder of what it wrote anew and goes on from the
//! one before, the last one speaks of the manifests that are here, and what says that it was rebuilt was.

use std::collections::BTreeSet;

use manifests::digest::Sha256;
use manifests::id::SetName;
use manifests::rebuild::Rebuild;
use manifests::trust::{Role, Trust};

use super::Log;
use crate::error::Result;
use crate::query::{Folder, Seal, Signed};
use crate::withdrawal::records;

pub(super) fn verify(folder: &Folder, trust: Option<(&Trust, manifests::date::Date)>, log: &mut Log<'_>) -> Result<()> {
    let mut last: Option<Rebuild> = None;
    let mut made: BTreeSet<(SetName, Sha256)> = BTreeSet::new();
    for path in records(&folder.root)? {
        let read = |scope: &str| Signed::<Rebuild>::read(&path, trust, Role::Builder, scope);
        let found = match read("*") {
            Ok(found) => found,
            Err(error) => {
                log.failed(&path, "rebuild", error.to_string());
                return Ok(());
            }
        };
        if found.record.rebuilt.is_empty() {
            log.failed(&path, "rebuild", "it names no set that was rebuilt, so that nobody answers for it");
        }
        for set in &found.record.rebuilt {
            let signed = read(set.set.as_str())?;
            if !matches!(signed.seal, Seal::Broken(_)) {
                made.insert((set.set.clone(), set.to));
            }
            log.seal(&signed);
        }
        let goes_on = match &last {
            Some(before) => found.record.follows(before).map_err(|e| e.to_string()),
            None if found.record.number == 1 => Ok(()),
            None => Err(format!("it is rebuild {}, and the first is not here", found.record.number)),
        };
        log.law(&path, "rebuild", goes_on.map(|()| format!("rebuild {}", found.record.number)));
        last = Some(found.record);
    }
    let here: Vec<_> = folder.manifests.iter().map(|m| (&m.record.set, m.digest)).collect();
    if last.is_some_and(|last| last.manifests() != here) {
        log.failed(&folder.root, "rebuild", "the manifests are not those that the last rebuild made");
    }
    for manifest in folder.manifests.iter().filter(|m| m.record.is_rebuilt()) {
        if !made.contains(&(manifest.record.set.clone(), manifest.digest)) {
            let why = "the set was rebuilt, and there is no record of it that a builder of the set signed";
            log.failed(&manifest.path, "rebuild", why);
        }
    }
    Ok(())
}
