//! What was seen before: the newest trust file and head of each root, so that older ones, however genuine, are refused.
//! A fresh memory knows nothing and cannot detect a rollback. One small file for each line of roots.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::record::Head;
use crate::sign::KeyId;
use crate::store::{read_capped, write_atomic};
use crate::trust::Trust;

const SCHEMA: &str = "flexmix/memory/v1";
const CAP: u64 = 1 << 20;

/// Where what was seen is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Nowhere: nothing is remembered and no rollback is detected. For looking at the past on purpose.
    Off,
    /// In this folder; it is made when there is something to remember.
    At(PathBuf),
}

/// What is remembered of one line of root keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    schema: String,
    /// Every root key that the line ever had, so that an old file is known for what it is.
    line: BTreeSet<KeyId>,
    /// The root keys of the newest file: one of them signs the next.
    roots: BTreeSet<KeyId>,
    trust_version: u64,
    trust_digest: Sha256,
    head_sequence: u64,
    head_digest: Option<Sha256>,
    /// Every withdrawal that a head named: withdrawals are lifted, and never taken back.
    withdrawals: BTreeSet<Sha256>,
}

impl Memory {
    /// The user's: the folder that `FLEXMIX_MEMORY` names (`off` for none), else `flexmix` in the user's state folder.
    #[must_use]
    pub fn of_user() -> Self {
        let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        match folder("FLEXMIX_MEMORY") {
            Some(word) if word.as_os_str() == "off" => Self::Off,
            Some(path) => Self::At(path),
            None => {
                let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")));
                state.map_or(Self::Off, |state| Self::At(state.join("flexmix")))
            }
        }
    }

    /// Refuses a trust file that is older than one seen before, or that no root seen before signed; remembers it.
    ///
    /// # Errors
    /// [`Error::Verification`] for a rollback; [`Error::Io`] when the memory cannot be kept.
    pub fn trust(&self, trust: &Trust) -> Result<()> {
        self.check(trust, None)
    }

    /// As [`Self::trust`], and refuses a head that is older than one seen before under these roots, or another head of
    /// the same number.
    ///
    /// # Errors
    /// As [`Self::trust`].
    pub fn head(&self, trust: &Trust, head: &Head) -> Result<()> {
        self.check(trust, Some(head))
    }

    fn check(&self, trust: &Trust, head: Option<&Head>) -> Result<()> {
        let Self::At(folder) = self else { return Ok(()) };
        if trust.roots().is_empty() {
            // A bare key has no versions.
            return Ok(());
        }
        let known = known(folder)?;
        // A later version names other roots; the line goes on through those that signed it.
        let of_line = |seen: &Seen| !seen.line.is_disjoint(&trust.line());
        let (path, before) = match known.into_iter().find(|(_, seen)| of_line(seen)) {
            Some((path, seen)) => (path, Some(seen)),
            None => (folder.join(name_of(trust)), None),
        };
        if let Some(seen) = &before {
            follows(trust, seen)?;
        }
        let (mut head_sequence, mut head_digest) =
            before.as_ref().map_or((0, None), |seen| (seen.head_sequence, seen.head_digest));
        let mut withdrawals = before.as_ref().map_or_else(BTreeSet::new, |seen| seen.withdrawals.clone());
        if let Some(head) = head {
            let digest = Sha256::of(&canonical::to_vec(head)?);
            let fork = head.sequence == head_sequence && head_digest.is_some_and(|d| d != digest);
            if head.sequence < head_sequence || fork {
                let what = format!(
                    "head {} was brought up, and head {head_sequence} was seen before{} [FM-T-010 head-rolled-back]; \
                     to look at the past on purpose, set FLEXMIX_MEMORY=off",
                    head.sequence,
                    if fork { " with other records" } else { "" },
                );
                return Err(Error::verification(trust.path(), what));
            }
            if let Some(gone) = withdrawals.difference(&head.withdrawals).next() {
                let what = format!(
                    "head {} leaves out withdrawal {gone}, which was seen before [FM-T-010 head-rolled-back]: a \
                     withdrawal is lifted by two legal keys, and its record stays",
                    head.sequence
                );
                return Err(Error::verification(trust.path(), what));
            }
            (head_sequence, head_digest) = (head.sequence, Some(digest));
            withdrawals.clone_from(&head.withdrawals);
        }
        let line = before.iter().flat_map(|seen| &seen.line).copied().chain(trust.line()).collect();
        let now = Seen {
            schema: SCHEMA.to_owned(),
            line,
            roots: trust.roots(),
            trust_version: trust.version(),
            trust_digest: trust.digest(),
            head_sequence,
            head_digest,
            withdrawals,
        };
        if before.as_ref() == Some(&now) {
            return Ok(());
        }
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        write_atomic(&path, &canonical::to_vec(&now)?)
    }
}

/// Whether a trust file is the one seen before, or a later one that a root seen before signed.
fn follows(trust: &Trust, seen: &Seen) -> Result<()> {
    let refused = |what: String| {
        let way = "to look at the past on purpose, set FLEXMIX_MEMORY=off";
        Err(Error::verification(trust.path(), format!("{what} [FM-T-009 trust-rolled-back]; {way}")))
    };
    match trust.version() {
        version if version < seen.trust_version => {
            refused(format!("it is version {version}, and version {} was seen before", seen.trust_version))
        }
        version if version == seen.trust_version && trust.digest() != seen.trust_digest => {
            refused(format!("it is another version {version} than the one seen before"))
        }
        version if version > seen.trust_version && seen.roots.is_disjoint(trust.signers()) => {
            let (last, next) = (seen.trust_version, seen.trust_version + 1);
            refused(format!(
                "no root of version {last}, the newest seen here, signed version {version}; bring up version {next} \
                 first, and each one after it"
            ))
        }
        _ => Ok(()),
    }
}

fn name_of(trust: &Trust) -> String {
    let first = trust.roots().first().map(ToString::to_string).unwrap_or_default();
    format!("{}.json", first.trim_start_matches("sha256:"))
}

fn known(folder: &Path) -> Result<Vec<(PathBuf, Seen)>> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(|e| Error::io(folder, e))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        if path.extension().is_some_and(|e| e == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let seen: Seen = canonical::from_slice("memory", &path, &read_capped(&path, CAP)?)?;
        if seen.schema != SCHEMA {
            return Err(Error::malformed("memory", &path, format!("schema is `{}`", seen.schema)));
        }
        Ok((path, seen))
    };
    paths.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests;
