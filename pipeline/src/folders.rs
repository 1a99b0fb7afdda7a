//! The folders of a build: which one it may begin in, when that one is finished, and the state of a folder that inputs
//! come from. Knows nothing of stages.

use std::path::Path;

use manifests::gate::{Gate, read_record};
use manifests::manifest::SetManifest;
use manifests::trust::Role;

use crate::build::{BUILD, BuildOptions, BuildReport, RunRecord};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::stages::excluded;

/// Refuses a folder that holds anything but records, unless this is a resume or one of several processes, which all
/// are started with the same words: what [`crate::ranks::join`] finds says whether it is their folder.
pub(crate) fn claim_folder(options: &BuildOptions) -> Result<()> {
    let out = &options.out;
    std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    let mut entries = std::fs::read_dir(out).map_err(|e| Error::io(out, e))?;
    let (several, has) = (!options.ranks.is_alone(), |name: &str| is_there(&out.join(name)));
    let joins = several && (has("work/build.json")? || has("run.json")?);
    let ours = |name: &std::ffi::OsStr| name == "records" || several && name == "work";
    let used = !joins && entries.any(|e| e.is_ok_and(|e| !ours(&e.file_name())));
    if used && !options.resume {
        return Err(Error::usage(
            format!("`{}` is not empty", out.display()),
            "add `--resume` to go on with an unfinished build, or name another folder",
        ));
    }
    Ok(())
}

/// Whether there is such a file.
pub(crate) fn is_there(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|e| Error::io(path, e))
}

/// A former run that was finished, when the folder holds one of this recipe and build: nothing is left to do but to
/// clear what it was made in. A finished corpus of anything else is never built over.
pub(crate) fn finished(options: &BuildOptions, recipe: &Recipe, gate: &Gate) -> Result<Option<BuildReport>> {
    let path = options.out.join("run.json");
    let bytes = match std::fs::read(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|e| Error::io(&path, e))?,
    };
    let record: RunRecord = manifests::canonical::from_slice("run record", &path, &bytes)?;
    if record.recipe_digest != recipe.digest || record.build != BUILD {
        return Err(Error::usage(
            format!("`{}` holds a finished corpus of another recipe or build", options.out.display()),
            "name another folder; a finished corpus is never rebuilt in place",
        ));
    }
    for (set, digest) in &record.manifests {
        let path = options.out.join("sets").join(set.as_str()).join("manifest.dsse.json");
        let (manifest, found) =
            read_record::<SetManifest>(&gate.trust, &path, Role::Builder, set.as_str(), gate.as_of)?;
        let trained = manifest.cells.iter().filter(|c| c.documents != Some(0));
        let denied = trained.map(|c| gate.cell(&c.cell)).any(|verdict| !verdict.is_permitted());
        if found != *digest || manifest.policy != gate.policy.digest || denied {
            return Err(Error::Refused {
                what: format!("`{}` was finished under another policy or other records", options.out.display()),
                hint: Some("build into another folder".to_owned()),
            });
        }
    }
    if options.keep_excluded && !options.out.join(excluded::FOLDER).is_dir() {
        return Err(Error::usage(
            format!("`{}` was finished without `--keep-excluded`: what it dropped is gone", options.out.display()),
            "build into another folder",
        ));
    }
    clear(&options.out.join("work"))?;
    Ok(Some(BuildReport {
        schema: "flexmix/build-report/v1",
        sets: record.funnels,
        manifests: record.manifests,
        warnings: vec![],
    }))
}

/// Removes the work folder.
pub(crate) fn clear(work: &Path) -> Result<()> {
    match std::fs::remove_dir_all(work) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(work, e)),
        _ => Ok(()),
    }
}
