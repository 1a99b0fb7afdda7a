//! Shard: tokens of every slice → shards. Rows are sorted by (tier, license, source, seeded hash of the id), so that a
//! reader can prune by license and still meets documents in a shuffled order within; shards are cut by prefix sums
//! over that order. Each shard task gathers its rows and sorts them in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arrow::array::{Array, FixedSizeBinaryArray, ListArray, StringArray, UInt32Array, UInt64Array};
use manifests::digest::Sha256;
use manifests::exposure::{Cell, CellCount, add_up};
use manifests::id::{DocId, SetName};
use manifests::ledger::Decision;
use manifests::manifest::{ManifestShard, ShardCell};
use manifests::shard::writer::{Limits, ShardWriter};
use manifests::shard::{Role, Row};
use manifests::store::write_atomic;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};

use super::decided::DecidedSlice;
use crate::columns::{column, doc_id, from_json};
use crate::error::{Error, Result};
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "shard", version: 1 };

/// One kept or held-out document, without its tokens.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The slice, and the row in the slice's tokens file.
    pub place: (usize, usize),
    /// The row in the slice.
    pub slice_row: u32,
    /// Its id.
    pub doc_id: DocId,
    /// The digest of its normalised text.
    pub text: Sha256,
    /// Train or held out.
    pub role: Role,
    /// Its tier.
    pub tier: String,
    /// Its license label.
    pub license: String,
    /// Its cell.
    pub cell: Cell,
    /// The place of a claim.
    pub evidence: Option<String>,
    /// The seeded hash of its id.
    pub order: u64,
    /// Its tokens.
    pub n_tokens: u32,
    /// How often training reads it.
    pub copies: u32,
}

/// How often each kept row of a slice is read, where the recipe mixes; what is not in it is mixed out.
pub type Copies = BTreeMap<u32, u32>;

/// Everything that stays in one set, in shard order, and the cell table that rows point into.
#[derive(Clone, Debug)]
pub struct SetPlan {
    /// The set.
    pub set: SetName,
    /// Documents in order: training first, then held out.
    pub kept: Vec<Kept>,
    /// The cell table, with training counts.
    pub cells: Vec<CellCount>,
    /// The tier of each cell.
    pub tiers: Vec<String>,
    /// Where each shard ends in `kept`, with its role and name.
    pub shards: Vec<ShardPlan>,
}

/// One shard to write.
#[derive(Clone, Debug)]
pub struct ShardPlan {
    /// Its file's name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Its documents: a range of the set's `kept`.
    pub range: std::ops::Range<usize>,
}

/// Plans every set's shards from the light columns of the tokens files.
///
/// # Errors
/// A file that can't be read.
pub fn plan(
    slices: &[DecidedSlice],
    tokens: &[PathBuf],
    mixed: Option<&[Copies]>,
    shard_tokens: u64,
) -> Result<Vec<SetPlan>> {
    let mut by_set: BTreeMap<SetName, Vec<Kept>> = BTreeMap::new();
    for (n, (slice, file)) in slices.iter().zip(tokens).enumerate() {
        let kept = by_set.entry(slice.slice.source.set.clone()).or_default();
        let before = kept.len();
        light(file, n, kept)?;
        if let Some(copies) = mixed.and_then(|m| m.get(n)) {
            for document in kept.iter_mut().skip(before).filter(|k| k.role == Role::Train) {
                document.copies = copies.get(&document.slice_row).copied().unwrap_or(0);
            }
            kept.retain(|k| k.copies > 0);
        }
    }
    Ok(by_set.into_iter().map(|(set, kept)| plan_set(set, kept, shard_tokens)).collect())
}

fn plan_set(set: SetName, mut kept: Vec<Kept>, shard_tokens: u64) -> SetPlan {
    let first_source = |k: &Kept| k.cell.sources.first().cloned();
    kept.sort_by(|a, b| {
        let key = |k: &Kept| (k.role, k.tier.clone(), k.license.clone(), first_source(k), k.order, k.doc_id);
        key(a).cmp(&key(b))
    });
    let count = |k: &Kept| {
        let trained = k.role == Role::Train;
        CellCount {
            cell: k.cell.clone(),
            evidence: k.evidence.clone(),
            documents: Some(u64::from(trained)),
            tokens: Some(if trained { u64::from(k.n_tokens) * u64::from(k.copies) } else { 0 }),
        }
    };
    let cells = add_up(kept.iter().map(count));
    let tier_of: BTreeMap<&Cell, &str> = kept.iter().map(|k| (&k.cell, k.tier.as_str())).collect();
    let tiers = cells.iter().map(|c| tier_of.get(&c.cell).map_or_else(String::new, ToString::to_string)).collect();
    let shards = cut(&kept, shard_tokens);
    SetPlan { set, cells, tiers, shards, kept }
}

/// Shard ends by prefix sums: a shard ends after the document that reaches the limit.
fn cut(kept: &[Kept], shard_tokens: u64) -> Vec<ShardPlan> {
    let mut shards: Vec<ShardPlan> = Vec::new();
    let mut numbers: BTreeMap<Role, usize> = BTreeMap::new();
    let (mut start, mut tokens) = (0, 0);
    for (i, document) in kept.iter().enumerate() {
        tokens += u64::from(document.n_tokens);
        let ends = kept.get(i + 1).is_none_or(|next| next.role != document.role);
        if ends || tokens >= shard_tokens {
            let number = numbers.entry(document.role).or_default();
            let kind = if document.role == Role::Train { "shard" } else { "heldout" };
            shards.push(ShardPlan {
                name: format!("{kind}-{number:05}.parquet"),
                role: document.role,
                range: start..i + 1,
            });
            *number += 1;
            (start, tokens) = (i + 1, 0);
        }
    }
    shards
}

/// The light columns of one tokens file.
fn light(file: &Path, slice: usize, kept: &mut Vec<Kept>) -> Result<()> {
    let open = std::fs::File::open(file).map_err(|e| Error::io(file, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(open).map_err(|e| Error::parquet(file, e))?;
    let names = ["row", "doc_id", "text", "decision", "tier", "license", "cell", "evidence", "order", "n_tokens"];
    let mask = ProjectionMask::columns(builder.parquet_schema(), names);
    let reader = builder.with_projection(mask).build().map_err(|e| Error::parquet(file, e))?;
    let mut at = 0;
    for batch in reader {
        let batch = batch?;
        let (rows, counts): (&UInt32Array, &UInt32Array) = (column(&batch, "row")?, column(&batch, "n_tokens")?);
        let (ids, texts): (&FixedSizeBinaryArray, &FixedSizeBinaryArray) =
            (column(&batch, "doc_id")?, column(&batch, "text")?);
        let decisions: &StringArray = column(&batch, "decision")?;
        let (tiers, licenses): (&StringArray, &StringArray) = (column(&batch, "tier")?, column(&batch, "license")?);
        let (cells, evidence): (&StringArray, &StringArray) = (column(&batch, "cell")?, column(&batch, "evidence")?);
        let orders: &UInt64Array = column(&batch, "order")?;
        for i in 0..batch.num_rows() {
            let text = texts.value(i).try_into().map_err(|_| Error::Bug("a digest is not 32 bytes".to_owned()))?;
            let kept_as = decisions.value(i) == Decision::Kept.as_str();
            kept.push(Kept {
                place: (slice, at),
                slice_row: rows.value(i),
                doc_id: doc_id(ids, i)?,
                text: Sha256::from_bytes(text),
                role: if kept_as { Role::Train } else { Role::Heldout },
                tier: tiers.value(i).to_owned(),
                license: licenses.value(i).to_owned(),
                cell: from_json(cells.value(i))?,
                evidence: evidence.is_valid(i).then(|| evidence.value(i).to_owned()),
                order: orders.value(i),
                n_tokens: counts.value(i),
                copies: 1,
            });
            at += 1;
        }
    }
    Ok(())
}

/// Writes one shard as `SET-NAME`, and what the manifest says of it beside it as JSON.
///
/// # Errors
/// A file that can't be read or written.
pub fn run(
    set: &SetPlan,
    shard: &ShardPlan,
    tokens: &[PathBuf],
    row_group_tokens: u64,
    folder: &Path,
) -> Result<Vec<String>> {
    let documents = &set.kept[shard.range.clone()];
    let mut gathered = gather(documents, tokens)?;
    let root = folder.join(set.set.as_str());
    std::fs::create_dir_all(&root).map_err(|e| Error::io(&root, e))?;
    let limits = Limits { tokens: row_group_tokens, ..Limits::default() };
    let mut writer = ShardWriter::create(&root, shard.name.parse()?, shard.role, limits)?;
    let index: BTreeMap<&Cell, u32> = set.cells.iter().zip(0..).map(|(c, i)| (&c.cell, i)).collect();
    for document in documents {
        let found = gathered.remove(&document.place).zip(index.get(&document.cell));
        let (tokens, cell) =
            found.ok_or_else(|| Error::Bug("a shard's document has no tokens or no cell".to_owned()))?;
        writer.push(&Row {
            doc_id: document.doc_id,
            source: document.cell.sources.iter().cloned().collect(),
            set: set.set.clone(),
            tier: document.tier.clone(),
            license: document.license.clone(),
            rightsholder: document.cell.rightsholders.iter().cloned().collect(),
            cell: *cell,
            copies: document.copies,
            tokens,
        })?;
    }
    let (file, tallies) = writer.finish()?;
    let part = |(cell, tally): (&u32, &manifests::shard::CellTally)| ShardCell {
        cell: *cell,
        documents: tally.documents,
        tokens: tally.tokens,
    };
    let entry = ManifestShard { file, cells: tallies.0.iter().map(part).collect() };
    let names = vec![format!("{}/{}", set.set, shard.name), format!("{}/{}.json", set.set, shard.name)];
    write_atomic(&folder.join(&names[1]), &manifests::canonical::to_vec(&entry)?)?;
    Ok(names)
}

/// The tokens of these documents, by place, read slice by slice with only their rows selected.
fn gather(documents: &[Kept], tokens: &[PathBuf]) -> Result<BTreeMap<(usize, usize), Vec<u32>>> {
    let mut wanted: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for document in documents {
        wanted.entry(document.place.0).or_default().insert(document.place.1);
    }
    let mut found = BTreeMap::new();
    for (slice, rows) in wanted {
        let file = &tokens[slice];
        let open = std::fs::File::open(file).map_err(|e| Error::io(file, e))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(open).map_err(|e| Error::parquet(file, e))?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), ["tokens"]);
        let reader = builder.with_projection(mask).with_row_selection(selection(&rows));
        let mut places = rows.iter();
        for batch in reader.build().map_err(|e| Error::parquet(file, e))? {
            let batch = batch?;
            let lists: &ListArray = column(&batch, "tokens")?;
            for (i, row) in (0..lists.len()).zip(places.by_ref()) {
                let list = lists.value(i);
                let ids = list.as_any().downcast_ref::<UInt32Array>();
                let ids = ids.ok_or_else(|| Error::Bug("tokens are not 32-bit numbers".to_owned()))?;
                found.insert((slice, *row), ids.values().to_vec());
            }
        }
    }
    Ok(found)
}

fn selection(rows: &BTreeSet<usize>) -> RowSelection {
    let mut selectors = Vec::new();
    let mut at = 0;
    for row in rows {
        if *row > at {
            selectors.push(RowSelector::skip(row - at));
        }
        selectors.push(RowSelector::select(1));
        at = row + 1;
    }
    selectors.into()
}
