//! Two policies side by side over one folder: which documents, tokens, tiers and experts change sides, and by which line.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{Field, Schema};
use manifests::exposure::CellCount;
use manifests::gate::Gate;
use manifests::policy::Denial;
use serde::{Deserialize, Serialize};

use super::because::Because;
use super::{Asked, Rehearsal, sound};
use crate::audit::judge;
use crate::error::Result;
use crate::query::{Engine, Folder, ModelFolder};

/// Documents and tokens that change sides together: of one set, tier and license, for the same reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The set.
    pub set: String,
    /// The cell's number in the set's manifest: `documents.cell` in `flexmix query`.
    pub cell: u64,
    /// The tier.
    pub tier: String,
    /// The terms.
    pub license: String,
    /// Documents.
    pub documents: u64,
    /// Tokens.
    pub tokens: u64,
    /// Whether the second policy permits what the first denies; else it is the other way round.
    pub gained: bool,
    /// The reasons of the policy that denies.
    pub because: Vec<Because>,
}

/// An expert, or an anchor, that changes sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedExpert {
    /// The model.
    pub model: String,
    /// Its id.
    pub id: String,
    /// Whether the second policy admits what the first excludes.
    pub gained: bool,
    /// The reasons of the policy that excludes.
    pub because: Vec<Because>,
}

/// Documents and tokens by what the two policies say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// The set; absent for the total.
    pub set: Option<String>,
    /// All training documents.
    pub documents: u64,
    /// All training tokens.
    pub tokens: u64,
    /// Tokens that the first permits.
    pub first: u64,
    /// Tokens that the second permits.
    pub second: u64,
    /// Documents that the second permits and the first denies.
    pub gained_documents: u64,
    /// Their tokens.
    pub gained: u64,
    /// Documents that the first permits and the second denies.
    pub lost_documents: u64,
    /// Their tokens.
    pub lost: u64,
}

/// What `flexmix policy diff` reports.
#[derive(Clone, Debug, Serialize)]
pub struct DiffReport {
    /// Always `flexmix/policy-diff-report/v1`.
    pub schema: &'static str,
    /// The first policy.
    pub first: Asked,
    /// The second.
    pub second: Asked,
    /// What changes sides, the most tokens first.
    pub moved: Vec<Moved>,
    /// Experts and anchors that change sides.
    pub experts: Vec<MovedExpert>,
    /// Experts and anchors that were compared.
    pub compared: u64,
    /// By set.
    pub sets: Vec<Sums>,
    /// In all.
    pub total: Sums,
}

struct Side<'a> {
    set: &'a str,
    number: u64,
    tier: &'a str,
    count: &'a CellCount,
    first: Vec<Denial>,
    second: Vec<Denial>,
}

/// Compares two policies over a folder.
///
/// # Errors
/// [`crate::Error::Record`] when the folder's records do not hold; [`crate::Error::Engine`].
pub fn diff(first: &Rehearsal, second: &Rehearsal, folder: &Folder) -> Result<DiffReport> {
    sound(folder)?;
    let mut sides = Vec::new();
    for manifest in folder.manifests.iter().map(|m| &m.record) {
        for (number, (count, tier)) in (0..).zip(manifest.cells.iter().zip(&manifest.tiers)) {
            if count.documents == Some(0) {
                continue;
            }
            let denials = |gate: &Gate| gate.cell(&count.cell).denials;
            let (first, second) = (denials(&first.gate), denials(&second.gate));
            sides.push(Side { set: manifest.set.as_str(), number, tier, count, first, second });
        }
    }
    let engine = Engine::open(folder)?;
    engine.add("sides", table(&sides)?)?;
    let mut moved: Vec<Moved> = sides.iter().filter_map(moved).collect();
    moved.sort_by(|a, b| (b.tokens, &a.set, a.cell).cmp(&(a.tokens, &b.set, b.cell)));
    let experts = folder.models.iter().flat_map(|m| moved_experts(m, &first.gate, &second.gate)).collect();
    let compared = folder.models.iter().map(|m| 1 + m.index.record.experts.len() as u64).sum();
    Ok(DiffReport {
        schema: "flexmix/policy-diff-report/v1",
        first: Asked::of(first),
        second: Asked::of(second),
        moved,
        experts,
        compared,
        sets: engine.sql(&sums("\"set\"", "GROUP BY \"set\" ORDER BY \"set\""))?.read()?,
        total: engine
            .sql(&sums("CAST(NULL AS VARCHAR) AS \"set\"", ""))?
            .read()?
            .into_iter()
            .next()
            .unwrap_or_default(),
    })
}

fn sums(what: &str, group: &str) -> String {
    let when = |test: &str, column: &str| format!("coalesce(sum(CASE WHEN {test} THEN {column} END), 0)");
    format!(
        "SELECT {what}, coalesce(sum(documents), 0) AS documents, coalesce(sum(tokens), 0) AS tokens,
                {} AS first, {} AS second, {} AS gained_documents, {} AS gained, {} AS lost_documents, {} AS lost
         FROM sides {group}",
        when("first", "tokens"),
        when("second", "tokens"),
        when("second AND NOT first", "documents"),
        when("second AND NOT first", "tokens"),
        when("first AND NOT second", "documents"),
        when("first AND NOT second", "tokens"),
    )
}

fn table(sides: &[Side<'_>]) -> Result<RecordBatch> {
    let count = |of: fn(&CellCount) -> Option<u64>| -> ArrayRef {
        Arc::new(sides.iter().map(|s| of(s.count)).collect::<UInt64Array>())
    };
    let flag = |of: fn(&Side<'_>) -> bool| -> ArrayRef {
        Arc::new(sides.iter().map(|s| Some(of(s))).collect::<BooleanArray>())
    };
    let columns: [(&str, ArrayRef); 5] = [
        ("set", Arc::new(sides.iter().map(|s| Some(s.set)).collect::<StringArray>())),
        ("documents", count(|c| c.documents)),
        ("tokens", count(|c| c.tokens)),
        ("first", flag(|s| s.first.is_empty())),
        ("second", flag(|s| s.second.is_empty())),
    ];
    let fields: Vec<Field> = columns.iter().map(|(n, a)| Field::new(*n, a.data_type().clone(), true)).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, a)| a).collect())?)
}

fn moved(side: &Side<'_>) -> Option<Moved> {
    let because = match (side.first.is_empty(), side.second.is_empty()) {
        (true, false) => &side.second,
        (false, true) => &side.first,
        _ => return None,
    };
    Some(Moved {
        set: side.set.to_owned(),
        cell: side.number,
        tier: side.tier.to_owned(),
        license: side.count.cell.label(),
        documents: side.count.documents.unwrap_or(0),
        tokens: side.count.tokens.unwrap_or(0),
        gained: side.second.is_empty(),
        because: Because::all(because),
    })
}

/// Experts whose admission differs. A mixing rule that refuses the whole model excludes all of it.
fn moved_experts(model: &ModelFolder, first: &Gate, second: &Gate) -> Vec<MovedExpert> {
    let subjects = judge::of_model(model);
    let shared = judge::shared(&subjects);
    let under = |gate: &Gate| -> Vec<(bool, Vec<Because>)> {
        let mut judgements: Vec<_> = subjects.iter().map(|s| judge::judge(s, gate, &shared)).collect();
        let refused = judge::mix(&mut judgements, gate).is_some();
        let told = |j: &judge::Judgement<'_>| {
            let cells = j.cells.iter().filter(|c| c.tested).flat_map(|c| &c.denials);
            let mut because: Vec<Because> = cells.chain(j.whole.iter().map(|f| &f.denial)).map(Because::of).collect();
            because.sort_by(|a, b| (a.rule.is_none(), a).cmp(&(b.rule.is_none(), b)));
            because.dedup();
            (j.admitted && !refused, because)
        };
        judgements.iter().map(told).collect()
    };
    let pairs = under(first).into_iter().zip(under(second));
    let moved = subjects.iter().zip(pairs).filter(|(_, (a, b))| a.0 != b.0);
    moved
        .map(|(subject, (a, b))| MovedExpert {
            model: model.index.record.name.clone(),
            id: subject.id.clone(),
            gained: b.0,
            because: if b.0 { a.1 } else { b.1 },
        })
        .collect()
}
