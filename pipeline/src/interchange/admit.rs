//! Which cells of a set may be exported: as a training job judges them, each cell by the gate, and an exception's
//! ceiling over the whole set.

use std::collections::BTreeSet;

use manifests::exposure::{CellCount, Exposure, Kind};
use manifests::gate::{Finding, Gate};
use manifests::manifest::{ManifestShard, SetManifest};
use manifests::shard::Role;

use super::LeftOut;
use crate::error::{Error, Result};
use crate::query::Signed;

/// Documents and tokens of each cell in the shards of a role.
fn counted(manifest: &SetManifest, role: Role) -> Result<Vec<CellCount>> {
    let mut sums = vec![(0u64, 0u64); manifest.cells.len()];
    for part in manifest.shards.iter().filter(|s| s.file.role == role).flat_map(|s: &ManifestShard| &s.cells) {
        let sum = sums.get_mut(part.cell as usize);
        let sum = sum.ok_or_else(|| Error::Bug("a shard names no cell of its manifest".to_owned()))?;
        *sum = (sum.0 + part.documents, sum.1 + part.tokens);
    }
    let count = |(cell, sum): (&CellCount, (u64, u64))| CellCount {
        documents: Some(sum.0),
        tokens: Some(sum.1),
        ..cell.clone()
    };
    Ok(manifest.cells.iter().zip(sums).map(count).collect())
}

/// The cells that the gate permits, and those that it leaves out.
///
/// # Errors
/// [`Error::Refused`] for a manifest that a release superseded.
pub(super) fn cells(gate: &Gate, signed: &Signed<SetManifest>, role: Role) -> Result<(BTreeSet<u32>, Vec<LeftOut>)> {
    let (manifest, digest) = (&signed.record, signed.digest);
    if let Some(denial) = gate.current(&manifest.corpus, &manifest.set, digest) {
        return Err(Error::Refused {
            what: format!("{} [{} {}]", denial.detail, denial.reason.code(), denial.reason),
            hint: Some("export the corpus that was released".to_owned()),
        });
    }
    let all = counted(manifest, role)?;
    let judge = |cells: Vec<CellCount>| {
        gate.exposures(digest, &[Exposure::open(Kind::Gradient, manifest.set.clone(), digest, cells)])
    };
    let whole = judge(all.clone());
    let (mut admitted, mut left_out) = (BTreeSet::new(), Vec::new());
    for (index, count) in (0u32..).zip(all).filter(|(_, c)| c.documents != Some(0)) {
        let decision = judge(vec![count.clone()]);
        if decision.is_admitted() && decision.lifted.iter().all(|f| whole.lifted.contains(f)) {
            admitted.insert(index);
            continue;
        }
        let name = |f: &Finding| f.denial.reason.name().to_owned();
        let reasons: BTreeSet<String> = decision.findings.iter().chain(&decision.lifted).map(name).collect();
        left_out.push(LeftOut {
            set: manifest.set.clone(),
            license: count.cell.label(),
            documents: count.documents.unwrap_or(0),
            tokens: count.tokens.unwrap_or(0),
            reasons: reasons.into_iter().collect(),
        });
    }
    Ok((admitted, left_out))
}
