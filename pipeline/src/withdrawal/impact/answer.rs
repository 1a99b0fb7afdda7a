//! The answer that only the owner of a closed set can give, drafted where the owner looks into it: touched or not.

use std::path::{Path, PathBuf};

use manifests::record::Impact;
use manifests::sign::Record;
use manifests::store::write_new;

use super::{Asked, ImpactReport};
use crate::error::{Error, Result};

/// Writes one answer for each closed set that was looked into whole, as `ID-SET.toml`, for `flexmix sign impact` with
/// the owner's key; gives the files.
///
/// # Errors
/// [`Error::Usage`] when there is no record to answer or no such set, [`Error::Record`] when a file is there.
pub fn answers(asked: &Asked, report: &ImpactReport, owner: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let Some(withdrawal) = asked.digest else {
        return Err(Error::usage("an answer is to a withdrawal's record", "name it with `--withdrawal FILE`"));
    };
    let closed: Vec<_> = report.corpora.iter().flat_map(|c| &c.sets).filter(|s| s.access == "closed").collect();
    if closed.is_empty() {
        let what = "none of these folders has a closed set with its full manifest";
        return Err(Error::usage(what, "only the owner's own corpus can answer"));
    }
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let mut files = Vec::new();
    for set in closed {
        let answer = Impact {
            schema: Impact::schema(),
            id: format!("{}-{}", asked.withdrawal.id, set.set),
            demo: report.demo,
            withdrawal,
            set: set.set.parse()?,
            manifests: std::iter::once(set.manifest.parse()?).chain(set.public).collect(),
            touched: set.documents + set.held_out > 0,
            owner: owner.to_owned(),
            on: asked.as_of,
        };
        let text =
            toml::to_string_pretty(&answer).map_err(|e| Error::Bug(format!("an answer has no TOML form: {e}")))?;
        let file = folder.join(format!("{}.toml", answer.id));
        write_new(&file, text.as_bytes(), 0o644)?;
        files.push(file);
    }
    Ok(files)
}
