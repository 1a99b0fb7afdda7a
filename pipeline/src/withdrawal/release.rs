//! Releases of the sets that a rebuild wrote anew: with them no gate takes the manifest from before any more.

use std::path::{Path, PathBuf};

use manifests::digest::Sha256;
use manifests::record::Release;
use manifests::records::Records;
use manifests::sign::{Envelope, PrivateKey, Record};
use manifests::store::write_new;

use super::rebuild::{RebuildReport, SetReport};
use crate::error::{Error, Result};
use crate::query::PUBLIC_FILE;
use crate::signing::sign_release;

/// Writes a release for each set of `corpus` that was written anew, as `SET-N.toml`, signed beside; gives the files.
///
/// # Errors
/// [`Error::Record`] when such a file is there, or the key's owner is no builder of the set.
pub(super) fn write(
    report: &RebuildReport,
    corpus: &Path,
    folder: &Path,
    records: &Records,
    demo: bool,
    key: &PrivateKey,
) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let mut files = Vec::new();
    for set in report.sets.iter().filter(|s| !s.is_untouched()) {
        let release = release(set, &report.corpus, corpus, records, demo)?;
        let text =
            toml::to_string_pretty(&release).map_err(|e| Error::Bug(format!("a release has no TOML form: {e}")))?;
        let file = folder.join(format!("{}-{}.toml", set.set, release.sequence));
        write_new(&file, text.as_bytes(), 0o644)?;
        files.push(sign_release(&file, key)?.envelope);
    }
    Ok(files)
}

fn release(set: &SetReport, name: &str, corpus: &Path, records: &Records, demo: bool) -> Result<Release> {
    let mine = records.releases.iter().filter(|r| r.corpus == name && r.set == set.set);
    let sequence = mine.map(|r| r.sequence).max().unwrap_or(0) + 1;
    let public = corpus.join("sets").join(set.set.as_str()).join(PUBLIC_FILE);
    let mut manifests: std::collections::BTreeSet<Sha256> = [set.after].into();
    if public.is_file() {
        manifests.insert(Sha256::of(Envelope::read(&public)?.peek_unverified()?));
    }
    Ok(Release {
        schema: Release::schema(),
        id: format!("{name}-{}-{sequence}", set.set),
        demo,
        corpus: name.to_owned(),
        set: set.set.clone(),
        sequence,
        manifests,
    })
}
