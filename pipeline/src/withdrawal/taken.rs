//! Which documents of a corpus the records in force take, asked of the gate cell by cell and text by text, from the
//! ledger alone. A rebuild takes out what is withdrawn and nothing else: whatever else a gate denies is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow::array::{Array, FixedSizeBinaryArray, StringArray, UInt64Array};
use manifests::digest::Sha256;
use manifests::exposure::Cell;
use manifests::gate::Gate;
use manifests::id::{DocId, SetName, SourceId};
use manifests::ledger::Decision;
use manifests::policy::{Act, Denial};
use manifests::reason::Reason;
use manifests::record::{Withdrawal, WithdrawalKind, WithdrawalTarget};
use manifests::records::Filed;

use crate::columns::{column, doc_id};
use crate::error::{Error, Result};
use crate::query::Folder;
use crate::recipe::Recipe;
use crate::table::read;

/// A row of the ledger, without what a rebuild has no use for.
#[derive(Clone, Debug)]
pub(super) struct LedgerRow {
    pub doc_id: DocId,
    pub source: SourceId,
    pub set: SetName,
    pub decision: Decision,
    pub text: Option<Sha256>,
    /// Whether the id that the document gives itself stands here.
    pub is_declared: bool,
    pub cell: Option<Sha256>,
    pub n_tokens: u32,
    pub shard: Option<String>,
}

/// What the records take of a corpus.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Documents of shards, and what takes each.
    pub documents: BTreeMap<DocId, Denial>,
    /// Documents, in shards or not, of which erasures leave no digest, no id of their own and no claim, and that still
    /// have one of them; with the ids of those erasures.
    pub erased: BTreeMap<DocId, BTreeSet<String>>,
}

/// Reads the ledger files that the manifests name.
pub(super) fn ledger(folder: &Folder) -> Result<Vec<LedgerRow>> {
    let mut rows = Vec::new();
    for manifest in &folder.manifests {
        for leaf in manifest.record.evidence.iter().filter(|f| f.path.as_str().starts_with("ledger/")) {
            file(&leaf.path.beneath(&folder.root), &mut rows)?;
        }
    }
    Ok(rows)
}

fn file(path: &Path, rows: &mut Vec<LedgerRow>) -> Result<()> {
    let wrong = |what: &dyn std::fmt::Display| manifests::Error::malformed("ledger", path, what);
    for batch in read(path)? {
        let batch = batch?;
        let ids: &FixedSizeBinaryArray = column(&batch, "doc_id")?;
        let text = |name| column::<StringArray>(&batch, name);
        let (digests, sets, decisions, cells) = (text("digest")?, text("set")?, text("decision")?, text("cell")?);
        let (shards, sources, declared) = (text("shard")?, text("source")?, text("declared_id")?);
        let tokens: &UInt64Array = column(&batch, "n_tokens")?;
        let digest = |of: &StringArray, i: usize| {
            of.is_valid(i).then(|| of.value(i).parse::<Sha256>().map_err(|e| wrong(&e))).transpose()
        };
        for i in 0..batch.num_rows() {
            let known = [Decision::Kept, Decision::HeldOut, Decision::Dropped];
            let decision = known.into_iter().find(|d| d.as_str() == decisions.value(i));
            rows.push(LedgerRow {
                doc_id: doc_id(ids, i)?,
                source: sources.value(i).parse().map_err(|e| wrong(&e))?,
                set: sets.value(i).parse().map_err(|e| wrong(&e))?,
                decision: decision.ok_or_else(|| wrong(&format!("`{}` is no decision", decisions.value(i))))?,
                text: digest(digests, i)?,
                is_declared: declared.is_valid(i),
                cell: digest(cells, i)?,
                n_tokens: u32::try_from(tokens.value(i)).map_err(|e| wrong(&e))?,
                shard: shards.is_valid(i).then(|| shards.value(i).to_owned()),
            });
        }
    }
    Ok(())
}

/// Whether a reason is that something was withdrawn.
const fn is_withdrawal(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::SourceWithdrawn | Reason::WorkWithdrawn | Reason::RightsholderWithdrawn | Reason::LicenseWithdrawn
    )
}

/// Asks the gate about every cell and text of the shards.
///
/// # Errors
/// [`Error::Refused`] when the gate denies something for another reason than a withdrawal.
pub(super) fn taken(folder: &Folder, gate: &Gate, rows: &[LedgerRow], recipe: &Recipe) -> Result<Taken> {
    let mut cells: BTreeMap<Sha256, &Cell> = BTreeMap::new();
    for count in folder.manifests.iter().flat_map(|m| &m.record.cells) {
        cells.insert(count.cell.digest()?, &count.cell);
    }
    let mut withdrawn: BTreeMap<Sha256, Denial> = BTreeMap::new();
    let held: BTreeSet<Sha256> =
        rows.iter().filter(|r| r.decision != Decision::Dropped).filter_map(|r| r.cell).collect();
    for (digest, cell) in cells.iter().filter(|(digest, _)| held.contains(digest)) {
        let denials = gate.cell(cell).denials;
        if let Some(other) = denials.iter().find(|d| !is_withdrawal(d.reason)) {
            return Err(Error::Refused {
                what: format!(
                    "the policy denies `{}` for another reason than a withdrawal: {} [{} {}]",
                    cell.label(),
                    other.detail,
                    other.reason.code(),
                    other.reason.name()
                ),
                hint: Some(
                    "a rebuild takes out what is withdrawn and nothing else; build anew from the inputs, or sign a \
                     withdrawal of what the policy no longer permits"
                        .to_owned(),
                ),
            });
        }
        if let Some(first) = denials.into_iter().next() {
            withdrawn.insert(*digest, first);
        }
    }
    let mut taken = Taken { erased: erased(folder, gate, rows, &cells, recipe)?, ..Taken::default() };
    for row in rows.iter().filter(|r| r.decision != Decision::Dropped) {
        let by_cell = row.cell.and_then(|c| withdrawn.get(&c)).cloned();
        if let Some(denial) = by_cell.or_else(|| row.text.and_then(|text| gate.work(text))) {
            taken.documents.insert(row.doc_id, denial);
        }
    }
    Ok(taken)
}

/// What erasures reach, whatever else was withdrawn beside them and whatever was dropped before: every row of the
/// ledger, by its cell, its text or, where no manifest has the cell of a dropped document, its source and whose that is.
fn erased(
    folder: &Folder,
    gate: &Gate,
    rows: &[LedgerRow],
    cells: &BTreeMap<Sha256, &Cell>,
    recipe: &Recipe,
) -> Result<BTreeMap<DocId, BTreeSet<String>>> {
    let in_force = || gate.records.in_force(Act::Build, gate.as_of);
    let erasures: Vec<&Filed<Withdrawal>> = in_force().filter(|w| w.kind == WithdrawalKind::Erasure).collect();
    if erasures.is_empty() {
        return Ok(BTreeMap::new());
    }
    let withdrawn: BTreeSet<SourceId> = in_force()
        .filter_map(|w| match &w.target {
            WithdrawalTarget::Source(source) => Some(source.clone()),
            _ => None,
        })
        .collect();
    let belongs = |source: &SourceId, holder: &str| {
        recipe.sources.iter().any(|s| s.id == *source && s.rightsholder.as_deref() == Some(holder))
    };
    let traces = traces(folder, rows)?;
    let mut found: BTreeMap<DocId, BTreeSet<String>> = BTreeMap::new();
    for row in rows.iter().filter(|r| traces.contains(&r.doc_id)) {
        let cell = row.cell.and_then(|c| cells.get(&c));
        let reaches = |w: &&&Filed<Withdrawal>| match (&w.target, cell) {
            (WithdrawalTarget::Work { text, .. }, _) => row.text == Some(*text),
            (_, Some(cell)) => w.takes(cell, &withdrawn),
            (WithdrawalTarget::Source(source), None) => row.source == *source,
            (WithdrawalTarget::Rightsholder(name), None) => belongs(&row.source, name),
            _ => false,
        };
        let by: BTreeSet<String> = erasures.iter().filter(reaches).map(|w| w.id.clone()).collect();
        if !by.is_empty() {
            found.insert(row.doc_id, by);
        }
    }
    Ok(found)
}

/// Documents of which a digest, an id of their own, a fact or a claim is left.
pub(super) fn traces(folder: &Folder, rows: &[LedgerRow]) -> Result<BTreeSet<DocId>> {
    let named = |r: &&LedgerRow| r.text.is_some() || r.is_declared;
    let mut found: BTreeSet<DocId> = rows.iter().filter(named).map(|r| r.doc_id).collect();
    for leaf in folder.manifests.iter().flat_map(|m| &m.record.evidence) {
        if leaf.path.as_str().starts_with("ledger/") {
            continue;
        }
        for batch in read(&leaf.path.beneath(&folder.root))? {
            let batch = batch?;
            let ids: &FixedSizeBinaryArray = column(&batch, "doc_id")?;
            for i in (0..batch.num_rows()).filter(|i| ids.is_valid(*i)) {
                found.insert(doc_id(ids, i)?);
            }
        }
    }
    Ok(found)
}
