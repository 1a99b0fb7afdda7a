//! The record of a rebuild: which sets of a corpus were written anew after withdrawals, and which were left as they
//! were, by digest. Signed by the builder; a corpus keeps those of all its rebuilds, and each goes on from the last.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::id::SetName;
use crate::merkle::FileLeaf;
use crate::sign::Record;
use crate::store::RelPath;

/// A file that was written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewrittenFile {
    /// Its path beneath the corpus.
    pub path: RelPath,
    /// The digest before.
    pub from: Sha256,
    /// The digest after; absent when nothing of the file was left.
    pub to: Option<Sha256>,
}

/// A set that was written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RebuiltSet {
    /// The set.
    pub set: SetName,
    /// The digest of its manifest before.
    pub from: Sha256,
    /// The digest of its manifest after.
    pub to: Sha256,
    /// Documents taken out of its shards, held-out ones included.
    pub documents: u64,
    /// Their tokens, as stored.
    pub tokens: u64,
    /// Files written anew or left out.
    pub rewritten: Vec<RewrittenFile>,
    /// Files that are byte for byte what they were.
    pub untouched: Vec<FileLeaf>,
}

/// A set of which nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UntouchedSet {
    /// The set.
    pub set: SetName,
    /// The digest of its manifest, before and after.
    pub manifest: Sha256,
}

/// What one rebuild did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rebuild {
    /// Always `flexmix/rebuild/v1`.
    pub schema: String,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// The recipe's name.
    pub corpus: String,
    /// The rebuilds of this corpus, counted from 1.
    pub number: u64,
    /// The day that withdrawals were judged for.
    pub as_of: Date,
    /// The sequence of the head over the records that asked for it.
    pub head: u64,
    /// The withdrawals that took something, by id.
    pub withdrawals: BTreeSet<String>,
    /// The sets written anew, by name.
    pub rebuilt: Vec<RebuiltSet>,
    /// The others, by name.
    pub untouched: Vec<UntouchedSet>,
}

impl Record for Rebuild {
    const KIND: &'static str = "rebuild";
    const VERSION: u32 = 1;
}

impl Rebuild {
    /// The sets and the digests of their manifests after the rebuild, by name.
    #[must_use]
    pub fn manifests(&self) -> Vec<(&SetName, Sha256)> {
        let rebuilt = self.rebuilt.iter().map(|s| (&s.set, s.to));
        let mut all: Vec<_> = rebuilt.chain(self.untouched.iter().map(|s| (&s.set, s.manifest))).collect();
        all.sort();
        all
    }

    /// Checks that this rebuild began where `before` ended.
    ///
    /// # Errors
    /// [`Error::Contract`] that says where they part.
    pub fn follows(&self, before: &Self) -> Result<()> {
        let law = |what: String| Err(Error::Contract(format!("rebuild {}: {what}", self.number)));
        if self.number != before.number + 1 {
            return law(format!("it comes after rebuild {}", before.number));
        }
        let rebuilt = self.rebuilt.iter().map(|s| (&s.set, s.from));
        let mut began: Vec<_> = rebuilt.chain(self.untouched.iter().map(|s| (&s.set, s.manifest))).collect();
        began.sort();
        if began == before.manifests() { Ok(()) } else { law("it began with other manifests".to_owned()) }
    }
}
