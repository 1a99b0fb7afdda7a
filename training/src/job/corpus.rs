//! A set as a job may read it: manifest verified, pinned by the plan, every cell judged by the gate, and shards
//! opened only through `manifests`. The trainer never opens a held-out shard.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::exposure::{CellCount, Exposure, Kind, TokenTotal};
use manifests::gate::{Gate, read_record};
use manifests::id::SetName;
use manifests::manifest::{Access, PublicManifest, SetManifest};
use manifests::shard::{Role as ShardRole, ShardEntry, ShardReader};
use manifests::trust::{Role, Trust};

use super::feed::{Count, Document, Groups};
use crate::error::{Error, Result};

/// Shards kept open at a time: as many as one block of a feed may touch.
const OPEN_SHARDS: usize = 8;

/// A verified set.
#[derive(Debug)]
pub struct OpenSet {
    /// Its manifest.
    pub manifest: SetManifest,
    /// The digest of the manifest's payload.
    pub digest: Sha256,
    /// For a closed set, the digest of its public manifest: what a stamp that leaves the house names.
    pub outward: Sha256,
    folder: PathBuf,
}

/// What the gate keeps from a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The cell's terms, for people.
    pub label: String,
    /// Tokens in it.
    pub tokens: u64,
    /// Reason names.
    pub reasons: Vec<String>,
}

impl OpenSet {
    /// Opens `corpus/sets/SET` under a trust file.
    ///
    /// # Errors
    /// When the manifest's signature, role, digest or inner laws do not hold.
    pub fn open(corpus: &Path, set: &SetName, trust: &Trust, as_of: Date, pinned: Option<Sha256>) -> Result<Self> {
        let folder = corpus.join("sets").join(set.as_str());
        let path = folder.join("manifest.dsse.json");
        let (manifest, digest): (SetManifest, _) = read_record(trust, &path, Role::Builder, set.as_str(), as_of)?;
        manifest.check()?;
        if manifest.set != *set {
            return Err(Error::unverified(&path, format!("it is the manifest of set `{}`", manifest.set)));
        }
        if let Some(pinned) = pinned.filter(|pinned| *pinned != digest) {
            return Err(Error::unverified(&path, format!("it is {digest}, the plan pins {pinned}")));
        }
        let outward = match manifest.access {
            Access::Public => digest,
            Access::Closed => {
                let public = folder.join("public-manifest.dsse.json");
                let (said, outward) =
                    read_record::<PublicManifest>(trust, &public, Role::Builder, set.as_str(), as_of)?;
                let fits = said.set == *set && said.cells.iter().eq(&manifest.outward_cells());
                if !fits || said.tokens != TokenTotal::bucket(manifest.tokens) {
                    return Err(Error::unverified(&public, "it is not the public manifest of this set"));
                }
                outward
            }
        };
        Ok(Self { manifest, digest, outward, folder })
    }

    /// The cells of these tiers that the gate permits; and those that it refuses, which are never read.
    ///
    /// # Errors
    /// When the manifest has no such tier.
    pub fn admit(&self, gate: &Gate, tiers: &[String]) -> Result<(BTreeSet<u32>, Vec<Refused>)> {
        if let Some(tier) = tiers.iter().find(|tier| !self.manifest.tiers.contains(tier)) {
            return Err(Error::Usage(format!("set `{}` has no tier `{tier}`", self.manifest.set)));
        }
        let (mut admitted, mut refused) = (BTreeSet::new(), Vec::new());
        // An exception's ceiling is over the whole set: a cell alone could always stay below it.
        let whole = gate.exposures(self.digest, &[self.exposure_of(Kind::Gradient, self.manifest.cells.clone())]);
        for (index, (count, tier)) in (0_u32..).zip(self.manifest.cells.iter().zip(&self.manifest.tiers)) {
            if !tiers.contains(tier) {
                continue;
            }
            let decision = gate.exposures(self.digest, &[self.exposure_of(Kind::Gradient, vec![count.clone()])]);
            if decision.is_admitted() && decision.lifted.iter().all(|f| whole.lifted.contains(f)) {
                admitted.insert(index);
            } else {
                let name = |f: &manifests::gate::Finding| f.denial.reason.name().to_owned();
                let reasons: BTreeSet<String> = decision.findings.iter().chain(&decision.lifted).map(name).collect();
                let tokens = count.tokens.unwrap_or(0);
                refused.push(Refused { label: count.cell.label(), tokens, reasons: reasons.into_iter().collect() });
            }
        }
        Ok((admitted, refused))
    }

    /// What was consumed, as a stamp says it: for a closed set without counts and origin.
    #[must_use]
    pub fn consumed(&self, kind: Kind, counts: &BTreeMap<u32, Count>) -> Exposure {
        let cells = counts.iter().filter_map(|(&cell, count)| {
            let known = self.manifest.cells.get(usize::try_from(cell).ok()?)?;
            Some(CellCount {
                cell: known.cell.clone(),
                evidence: known.evidence.clone(),
                documents: Some(count.documents),
                tokens: Some(count.tokens),
            })
        });
        let cells: Vec<CellCount> = cells.collect();
        match self.manifest.access {
            Access::Public => self.exposure_of(kind, cells),
            Access::Closed => Exposure::closed(kind, self.manifest.set.clone(), self.outward, &cells),
        }
    }

    fn exposure_of(&self, kind: Kind, cells: Vec<CellCount>) -> Exposure {
        Exposure::open(kind, self.manifest.set.clone(), self.digest, cells)
    }

    /// The training documents of the given cells.
    ///
    /// # Errors
    /// When a shard entry's counts exceed this machine's.
    #[must_use]
    pub fn training(&self, cells: BTreeSet<u32>) -> ShardGroups {
        ShardGroups::new(self, ShardRole::Train, cells)
    }

    /// The held-out documents, every cell: for evaluation only.
    #[must_use]
    pub fn held_out(&self) -> ShardGroups {
        let all = 0..u32::try_from(self.manifest.cells.len()).unwrap_or(u32::MAX);
        ShardGroups::new(self, ShardRole::Heldout, all.collect())
    }
}

/// Row groups of a set's shards, narrowed to cells.
#[derive(Debug)]
pub struct ShardGroups {
    folder: PathBuf,
    shards: Vec<ShardEntry>,
    groups: Vec<(usize, usize)>,
    cells: BTreeSet<u32>,
    open: RefCell<Vec<(usize, ShardReader)>>,
}

impl ShardGroups {
    fn new(set: &OpenSet, role: ShardRole, cells: BTreeSet<u32>) -> Self {
        let holds = |shard: &manifests::manifest::ManifestShard| shard.cells.iter().any(|c| cells.contains(&c.cell));
        let mine = set.manifest.shards.iter().filter(|s| s.file.role == role && holds(s));
        let shards: Vec<ShardEntry> = mine.map(|s| s.file.clone()).collect();
        let groups =
            shards.iter().enumerate().flat_map(|(s, entry)| (0..entry.row_groups as usize).map(move |g| (s, g)));
        let groups = groups.collect();
        Self { folder: set.folder.clone(), shards, groups, cells, open: RefCell::default() }
    }

    fn with_shard<T>(&self, shard: usize, read: impl FnOnce(&ShardReader) -> Result<T>) -> Result<T> {
        let mut open = self.open.borrow_mut();
        let at = match open.iter().position(|(s, _)| *s == shard) {
            Some(at) => at,
            None => {
                let reader = ShardReader::open(&self.folder, &self.shards[shard])?;
                if open.len() == OPEN_SHARDS {
                    open.remove(0);
                }
                open.push((shard, reader));
                open.len() - 1
            }
        };
        read(&open[at].1)
    }
}

impl Groups for ShardGroups {
    fn count(&self) -> usize {
        self.groups.len()
    }

    fn read(&self, index: usize) -> Result<Vec<Document>> {
        let (shard, group) = self.groups[index];
        self.with_shard(shard, |reader| {
            let columns = reader.tokens(group)?;
            let rows = (0..columns.len()).filter_map(|row| {
                let (cell, copies) = (columns.cell.value(row), columns.copies.value(row));
                self.cells.contains(&cell).then(|| Document {
                    cell,
                    copies,
                    tokens: columns.row(row).unwrap_or_default().to_vec(),
                })
            });
            Ok(rows.collect())
        })
    }
}
