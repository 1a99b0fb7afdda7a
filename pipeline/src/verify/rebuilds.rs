//! Verifies the records of a corpus's rebuilds: each is signed by a builder of what it wrote anew and goes on from the
//! one before, and the last one speaks of the manifests that are here.

use manifests::manifest::REBUILD_STAGE;
use manifests::rebuild::Rebuild;
use manifests::trust::{Role, Trust};

use super::Log;
use crate::error::Result;
use crate::query::{Folder, Signed};
use crate::withdrawal::records;

pub(super) fn verify(folder: &Folder, trust: Option<(&Trust, manifests::date::Date)>, log: &mut Log<'_>) -> Result<()> {
    let mut last: Option<Rebuild> = None;
    for path in records(&folder.root)? {
        let read = |scope: &str| Signed::<Rebuild>::read(&path, trust, Role::Builder, scope);
        let found = match read("*") {
            Ok(found) => found,
            Err(error) => {
                log.failed(&path, "rebuild", error.to_string());
                return Ok(());
            }
        };
        for set in &found.record.rebuilt {
            log.seal(&read(set.set.as_str())?);
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
    match &last {
        Some(last) if last.manifests() != here => {
            log.failed(&folder.root, "rebuild", "the manifests are not those that the last rebuild made");
        }
        None => {
            let rebuilt = folder.manifests.iter().filter(|m| m.record.stages.contains_key(REBUILD_STAGE));
            for manifest in rebuilt {
                log.failed(&manifest.path, "rebuild", "the set was rebuilt, and there is no record of it");
            }
        }
        Some(_) => {}
    }
    Ok(())
}
