//! What dropped documents: each reason of each stage with its filter, and how the values that it took are spread about
//! its threshold.

use manifests::reason::Reason;
use serde::{Deserialize, Serialize};

use crate::build::RunRecord;
use crate::error::Result;
use crate::query::{Engine, Folder};

/// What one reason took in one set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReasonRow {
    /// The set.
    pub set: String,
    /// The stage.
    pub stage: String,
    /// The reason's name.
    pub reason: String,
    /// Its number, `FM-F-005`.
    pub code: Option<&'static str>,
    /// What it means.
    pub meaning: Option<&'static str>,
    /// The filter of the recipe that it belongs to.
    pub filter: Option<String>,
    /// Documents.
    pub documents: u64,
    /// Their bytes, as read.
    pub bytes: u64,
    /// The threshold, where all documents of the row met the same one.
    pub threshold: Option<f64>,
    /// The smallest value that was dropped.
    pub lowest: Option<f64>,
    /// The median of the values that were dropped.
    pub median: Option<f64>,
    /// The largest value that was dropped.
    pub highest: Option<f64>,
}

#[derive(Deserialize)]
struct Row {
    set: String,
    stage: String,
    reason: String,
    filter: Option<u64>,
    documents: u64,
    bytes: u64,
    low_threshold: Option<f64>,
    high_threshold: Option<f64>,
    lowest: Option<f64>,
    median: Option<f64>,
    highest: Option<f64>,
}

/// The names of a recipe's filters, in their order. Empty where `run.json` is not there, or not the manifests'.
pub(super) fn filters(folder: &Folder) -> Vec<String> {
    RunRecord::read(folder).and_then(|(_, recipe)| recipe.filter_names()).unwrap_or_default()
}

/// A filter's name by its place in the chain.
pub(super) fn named(filters: &[String], place: Option<u64>) -> Option<String> {
    let place = usize::try_from(place?).ok()?;
    Some(filters.get(place).cloned().unwrap_or_else(|| format!("filter {}", place + 1)))
}

/// Asks for reasons, with values where there is a facts table.
pub(super) fn ask(engine: &Engine, filters: &[String]) -> Result<Vec<ReasonRow>> {
    let values = if engine.has_rows("facts")? {
        "f.filter AS filter, CAST(f.value AS DOUBLE) AS value, CAST(f.threshold AS DOUBLE) AS threshold
         FROM ledger l LEFT JOIN facts f ON f.doc_id = l.doc_id"
    } else {
        "CAST(NULL AS BIGINT) AS filter, CAST(NULL AS DOUBLE) AS value, CAST(NULL AS DOUBLE) AS threshold FROM ledger l"
    };
    let sql = format!(
        r#"
WITH d AS (SELECT l."set", l.stage, coalesce(l.reason, 'no reason') AS reason, l.bytes_in, {values} WHERE l.decision = 'dropped')
SELECT "set", stage, reason, CASE WHEN stage = 'filter' THEN filter END AS filter, count(*) AS documents, sum(bytes_in) AS bytes,
       min(CASE WHEN stage = 'filter' THEN threshold END) AS low_threshold,
       max(CASE WHEN stage = 'filter' THEN threshold END) AS high_threshold,
       min(CASE WHEN stage = 'filter' THEN value END) AS lowest,
       median(CASE WHEN stage = 'filter' THEN value END) AS median,
       max(CASE WHEN stage = 'filter' THEN value END) AS highest
FROM d GROUP BY "set", stage, reason, CASE WHEN stage = 'filter' THEN filter END
ORDER BY "set", documents DESC, stage, reason, filter"#
    );
    let row = |row: Row| {
        let known = row.reason.parse::<Reason>().ok();
        ReasonRow {
            filter: named(filters, row.filter),
            code: known.map(Reason::code),
            meaning: known.map(Reason::meaning),
            threshold: row.low_threshold.filter(|low| row.high_threshold == Some(*low)),
            set: row.set,
            stage: row.stage,
            reason: row.reason,
            documents: row.documents,
            bytes: row.bytes,
            lowest: row.lowest,
            median: row.median,
            highest: row.highest,
        }
    };
    Ok(engine.sql(&sql)?.read::<Row>()?.into_iter().map(row).collect())
}
