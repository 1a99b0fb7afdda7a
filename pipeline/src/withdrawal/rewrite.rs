//! One set's shards without the documents that were taken: a shard that holds one is written anew by the shard writer,
//! with the rows that stay in their order; every other shard stays the very file that it was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow::array::{AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use manifests::exposure::CellCount;
use manifests::id::DocId;
use manifests::manifest::{ManifestShard, SetManifest, ShardCell};
use manifests::merkle::FileLeaf;
use manifests::rebuild::RewrittenFile;
use manifests::shard::{Limits, Role, ShardReader, ShardWriter};
use manifests::store::RelPath;

use super::taken::Taken;
use crate::error::{Error, Result};
use crate::stages::publish::place;

/// What became of a set's files.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    /// The shards that stay, in the manifest's order.
    pub shards: Vec<ManifestShard>,
    /// Files written anew or left out.
    pub files: Vec<RewrittenFile>,
    /// Files that stay as they are.
    pub untouched: Vec<FileLeaf>,
    /// Where each document of a shard that was written anew is now.
    pub rows: BTreeMap<DocId, u32>,
    /// Documents and stored tokens taken out.
    pub taken: (u64, u64),
}

/// Puts a set's shards into `to`, written anew where they hold a taken document; `touched` are the names of those.
///
/// # Errors
/// [`Error::Record`] when a shard is not the one that the manifest names, [`Error::Io`] when one cannot be written.
pub(super) fn shards(
    manifest: &SetManifest,
    [from, to]: [&Path; 2],
    touched: &BTreeSet<&str>,
    taken: &Taken,
    limit: u64,
) -> Result<Rewritten> {
    let mut done = Rewritten::default();
    std::fs::create_dir_all(to).map_err(|e| Error::io(to, e))?;
    for shard in &manifest.shards {
        let path: RelPath = shard.file.path.inside(&format!("sets/{}", manifest.set))?;
        if !touched.contains(shard.file.path.as_str()) {
            place(&shard.file.path.beneath(from), &shard.file.path.beneath(to))?;
            done.untouched.push(FileLeaf { path, length: shard.file.length, digest: shard.file.digest });
            done.shards.push(shard.clone());
            continue;
        }
        let (written, kept) = rewrite(shard, from, to, taken, limit)?;
        let (rows, tokens) = written.as_ref().map_or((0, 0), |s| (s.file.rows, s.file.tokens));
        done.taken = (done.taken.0 + shard.file.rows - rows, done.taken.1 + shard.file.tokens - tokens);
        done.rows.extend(kept.into_iter().zip(0..));
        let to = written.as_ref().map(|s| s.file.digest);
        done.files.push(RewrittenFile { path, from: shard.file.digest, to });
        done.shards.extend(written);
    }
    Ok(done)
}

/// Writes the rows of a shard that stay, and gives their documents in order; writes nothing when none stays.
fn rewrite(
    shard: &ManifestShard,
    from: &Path,
    to: &Path,
    taken: &Taken,
    limit: u64,
) -> Result<(Option<ManifestShard>, Vec<DocId>)> {
    let reader = ShardReader::open(from, &shard.file)?;
    let limits = Limits { tokens: limit, ..Limits::default() };
    let mut writer = None;
    let mut kept = Vec::new();
    for group in 0..reader.row_groups() {
        let batch = reader.record_batch(group)?;
        let mut stays = Vec::with_capacity(batch.num_rows());
        for bytes in batch.column(0).as_fixed_size_binary().iter().flatten() {
            let id = bytes.try_into().map(DocId::from_bytes);
            let id = id.map_err(|_| Error::Bug("a document id is not 16 bytes".to_owned()))?;
            stays.push(!taken.documents.contains_key(&id));
            kept.extend(Some(id).filter(|id| !taken.documents.contains_key(id)));
        }
        let batch = filter_record_batch(&batch, &BooleanArray::from(stays))?;
        if batch.num_rows() > 0 {
            let open = match writer.take() {
                Some(open) => open,
                None => ShardWriter::create(to, shard.file.path.clone(), shard.file.role, limits)?,
            };
            writer.insert(open).write(&batch)?;
        }
    }
    let Some(writer) = writer else { return Ok((None, kept)) };
    let (file, tallies) = writer.finish()?;
    let part = |(cell, tally): (&u32, &manifests::shard::CellTally)| ShardCell {
        cell: *cell,
        documents: tally.documents,
        tokens: tally.tokens,
    };
    Ok((Some(ManifestShard { file, cells: tallies.0.iter().map(part).collect() }), kept))
}

/// The cell table of a set with these shards: numbers stay what rows of untouched shards say, so a cell that lost
/// everything stands with zeros and without evidence.
pub(super) fn cells(before: &[CellCount], shards: &[ManifestShard]) -> Vec<CellCount> {
    let mut counts: BTreeMap<u32, (u64, u64, bool)> = BTreeMap::new();
    for shard in shards {
        for part in &shard.cells {
            let count = counts.entry(part.cell).or_default();
            count.2 = true;
            if shard.file.role == Role::Train {
                (count.0, count.1) = (count.0 + part.documents, count.1 + part.tokens);
            }
        }
    }
    let now = |(index, old): (u32, &CellCount)| {
        let (documents, tokens, held) = counts.get(&index).copied().unwrap_or_default();
        CellCount {
            cell: old.cell.clone(),
            evidence: old.evidence.clone().filter(|_| held),
            documents: Some(documents),
            tokens: Some(tokens),
        }
    };
    (0..).zip(before).map(now).collect()
}
