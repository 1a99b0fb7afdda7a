//! Every cell that a corpus met, kept or not. Manifests hold the cells of what was kept; those of what was dropped are
//! put together again from the ledger, and the ledger's digest says whether nothing of them is missing.

use std::collections::{BTreeMap, BTreeSet};

use manifests::conclusion::{Basis, State};
use manifests::exposure::Cell;
use manifests::gate::Gate;
use manifests::id::SourceId;
use manifests::license::Expression;
use serde::Deserialize;

use crate::error::Result;
use crate::query::{Engine, Folder};

/// A cell as the ledger knows it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Its digest, as in the ledger.
    pub digest: String,
    /// Its tier.
    pub tier: String,
    /// The cell.
    pub cell: Cell,
    /// Whether it is the very cell of the digest; else rightsholders or opt-outs may be missing.
    pub is_exact: bool,
}

#[derive(Deserialize)]
struct Row {
    cell: String,
    state: String,
    license: String,
    tier: String,
}

#[derive(Deserialize)]
struct SourceRow {
    cell: String,
    source: String,
}

/// Every distinct cell of the ledger, in the order of digests; of one document, when `only` names it.
pub(super) fn seen(folder: &Folder, engine: &Engine, gate: &Gate, only: Option<&str>) -> Result<Vec<Seen>> {
    let one = only.map_or_else(String::new, |digest| format!(" AND cell = '{}'", digest.replace('\'', "''")));
    let rows: Vec<Row> = engine
        .sql(&format!(
            "SELECT cell, min(state) AS state, min(license) AS license, min(tier) AS tier FROM ledger
             WHERE cell IS NOT NULL{one} GROUP BY cell ORDER BY cell"
        ))?
        .read()?;
    let pairs: Vec<SourceRow> = engine
        .sql(&format!("SELECT DISTINCT cell, source FROM ledger WHERE cell IS NOT NULL{one} ORDER BY cell, source"))?
        .read()?;
    let mut sources: BTreeMap<String, BTreeSet<SourceId>> = BTreeMap::new();
    for pair in pairs {
        sources.entry(pair.cell).or_default().insert(pair.source.parse().map_err(crate::Error::Record)?);
    }
    let mut signed: BTreeMap<String, &Cell> = BTreeMap::new();
    for count in folder.manifests.iter().flat_map(|m| &m.record.cells) {
        signed.insert(count.cell.digest()?.to_string(), &count.cell);
    }
    let one = |row: Row| -> Result<Seen> {
        if let Some(cell) = signed.get(&row.cell) {
            return Ok(Seen { digest: row.cell, tier: row.tier, cell: (*cell).clone(), is_exact: true });
        }
        let cell = rebuilt(&row, sources.get(&row.cell).cloned().unwrap_or_default(), gate);
        let is_exact = cell.digest()?.to_string() == row.cell;
        Ok(Seen { digest: row.cell, tier: row.tier, cell, is_exact })
    };
    rows.into_iter().map(one).collect()
}

/// A cell out of its label, tier and sources; what the ledger does not say stays empty.
fn rebuilt(row: &Row, sources: BTreeSet<SourceId>, gate: &Gate) -> Cell {
    let state: Option<State> = serde_json::from_value(row.state.clone().into()).ok();
    let mut parts = row.tier.splitn(2, '/').skip(1);
    let rest = parts.next().unwrap_or("");
    let (basis, properties) = rest.rsplit_once('/').unwrap_or((rest, ""));
    let basis: Option<Basis> = basis.parse().ok();
    // A label is the terms where there are any, else the basis or the state.
    let expression: Option<Expression> = row.license.parse().ok().filter(|_| properties != "-");
    let election = expression
        .as_ref()
        .filter(|_| properties != "election-missing")
        .and_then(|e| gate.records.election(e, &sources));
    Cell {
        expression,
        state: state.unwrap_or(State::Unknown),
        basis,
        election,
        sources,
        rightsholders: BTreeSet::new(),
        optouts: BTreeMap::new(),
    }
}
