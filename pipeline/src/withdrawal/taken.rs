//! Which documents of a corpus the records in force take, asked of the gate cell by cell and text by text, from the
//! ledger alone. A rebuild takes out what is withdrawn and nothing else: whatever else a gate denies is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow::array::{Array, FixedSizeBinaryArray, StringArray, UInt64Array};
use manifests::digest::Sha256;
use manifests::exposure::Cell;
use manifests::gate::Gate;
use manifests::id::{DocId, SetName};
use manifests::ledger::Decision;
use manifests::policy::Denial;
use manifests::reason::Reason;
use manifests::record::WithdrawalKind;

use crate::columns::{column, doc_id};
use crate::error::{Error, Result};
use crate::query::Folder;
use crate::table::read;

/// A row of the ledger, without what a rebuild has no use for.
#[derive(Clone, Debug)]
pub(super) struct LedgerRow {
    pub doc_id: DocId,
    pub set: SetName,
    pub decision: Decision,
    pub text: Option<Sha256>,
    pub cell: Option<Sha256>,
    pub n_tokens: u32,
    pub shard: Option<String>,
}

/// What the records take of a corpus.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Documents of shards, and what takes each.
    pub documents: BTreeMap<DocId, Denial>,
    /// Documents, in shards or not, of which an erasure leaves no digest and no claim, and that still have them.
    pub erased: BTreeSet<DocId>,
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
        let shards = text("shard")?;
        let tokens: &UInt64Array = column(&batch, "n_tokens")?;
        let digest = |of: &StringArray, i: usize| {
            of.is_valid(i).then(|| of.value(i).parse::<Sha256>().map_err(|e| wrong(&e))).transpose()
        };
        for i in 0..batch.num_rows() {
            let known = [Decision::Kept, Decision::HeldOut, Decision::Dropped];
            let decision = known.into_iter().find(|d| d.as_str() == decisions.value(i));
            rows.push(LedgerRow {
                doc_id: doc_id(ids, i)?,
                set: sets.value(i).parse().map_err(|e| wrong(&e))?,
                decision: decision.ok_or_else(|| wrong(&format!("`{}` is no decision", decisions.value(i))))?,
                text: digest(digests, i)?,
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
pub(super) fn taken(folder: &Folder, gate: &Gate, rows: &[LedgerRow]) -> Result<Taken> {
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
    let mut taken = Taken::default();
    let is_erasure = |denial: &Denial| {
        gate.records.withdrawals.iter().any(|w| w.id == denial.detail && w.kind == WithdrawalKind::Erasure)
    };
    for row in rows {
        let by_cell = row.cell.and_then(|c| withdrawn.get(&c)).cloned();
        let by_text = row.text.and_then(|text| gate.work(text));
        if row.text.is_some() && by_cell.iter().chain(&by_text).any(is_erasure) {
            taken.erased.insert(row.doc_id);
        }
        if let (true, Some(denial)) = (row.decision != Decision::Dropped, by_cell.or(by_text)) {
            taken.documents.insert(row.doc_id, denial);
        }
    }
    Ok(taken)
}
