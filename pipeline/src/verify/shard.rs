//! Verifies one shard: the contract's reader checks length, digest, layout and counts over the very bytes that it then
//! decodes, and every row must say what the manifest's cell table says of it.

use std::path::Path;

use manifests::id::DocId;
use manifests::manifest::{ManifestShard, SetManifest};
use manifests::shard::{CellTallies, Row, ShardReader};

/// A document of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Document {
    /// Its id.
    pub id: DocId,
    /// The index of its cell.
    pub cell: u32,
    /// Its tokens as stored.
    pub n_tokens: u32,
    /// How often training reads it.
    pub copies: u32,
}

/// What a shard was found to hold.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Its documents.
    pub documents: Vec<Document>,
}

/// Checks the file beneath the set's folder against its entry, then its rows. Gives what it holds, or the first thing
/// that is wrong.
pub(super) fn verify(folder: &Path, shard: &ManifestShard, manifest: &SetManifest) -> Result<Counted, String> {
    let reader = ShardReader::open(folder, &shard.file).map_err(|e| e.to_string())?;
    let mut counted = Counted::default();
    let mut cells = CellTallies::default();
    for group in 0..reader.row_groups() {
        for row in reader.rows(group).map_err(|e| e.to_string())? {
            agrees(&row, manifest).map_err(|what| format!("document {}: {what}", row.doc_id))?;
            let stored = u32::try_from(row.tokens.len()).map_err(|e| e.to_string())?;
            cells.add(row.cell, stored, row.copies).map_err(|e| e.to_string())?;
            counted.documents.push(Document { id: row.doc_id, cell: row.cell, n_tokens: stored, copies: row.copies });
        }
    }
    let found = cells.0.iter().map(|(cell, tally)| (*cell, tally.documents, tally.tokens));
    if !found.eq(shard.cells.iter().map(|c| (c.cell, c.documents, c.tokens))) {
        return Err("its documents and tokens by cell are not those that the manifest names".to_owned());
    }
    Ok(counted)
}

/// Whether a row says of its terms and origin what its cell says: readers prune by these columns.
fn agrees(row: &Row, manifest: &SetManifest) -> Result<(), String> {
    let place = row.cell as usize;
    let (Some(cell), Some(tier)) = (manifest.cells.get(place).map(|c| &c.cell), manifest.tiers.get(place)) else {
        return Err(format!("the manifest has no cell {place}"));
    };
    if row.set != manifest.set {
        return Err(format!("it says that it is of set `{}`", row.set));
    }
    if row.tier != *tier {
        return Err(format!("it says tier `{}`, its cell {place} says `{tier}`", row.tier));
    }
    if row.license != cell.label() {
        return Err(format!("it says license `{}`, its cell {place} says `{}`", row.license, cell.label()));
    }
    if !row.source.iter().eq(&cell.sources) || !row.rightsholder.iter().eq(&cell.rightsholders) {
        return Err(format!("its sources or rightsholders are not those of its cell {place}"));
    }
    Ok(())
}
