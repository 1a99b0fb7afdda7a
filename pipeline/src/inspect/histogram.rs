//! How sizes and facts are spread over documents, split by what became of them. Bins are powers of two for what runs
//! over many orders of magnitude and round steps for the rest; their edges stand in the query, so that a document at
//! an edge is where anybody's SQL puts it.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::query::Engine;

/// Columns that are brought together from ledger and facts at a time: bounds what is held in memory.
const AT_ONCE: usize = 16;
/// The most bins of round steps.
const STEPS: f64 = 24.0;
/// Words that are listed of a column of words.
const WORDS: usize = 12;
/// A largest value so many times the median is shown by powers of two.
const SKEWED: f64 = 32.0;

/// Columns of the facts table that say what was decided, or stand for a text, and do not say what it is like.
pub(super) const DECIDING: [&str; 13] = [
    "doc_id",
    "digest",
    "text",
    "reason",
    "detail",
    "value",
    "threshold",
    "span_start",
    "span_end",
    "filter",
    "bytes_added",
    "bytes_removed",
    "bands",
];

/// How one column is spread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// The column, as its table names it.
    pub column: String,
    /// The table: `ledger` or `facts`.
    pub table: &'static str,
    /// What it is, in words.
    pub title: String,
    /// Documents that have a value.
    pub documents: u64,
    /// The smallest value.
    pub lowest: Option<f64>,
    /// The median.
    pub median: Option<f64>,
    /// The largest.
    pub highest: Option<f64>,
    /// Numbers by bin; neighbours touch, and empty ones inside are listed.
    pub bins: Vec<Bin>,
    /// The most frequent words of a column of words.
    pub values: Vec<ValueRow>,
}

impl Histogram {
    /// Whether its bins are powers of two.
    #[must_use]
    pub fn doubles(&self) -> bool {
        let (first, last) = (self.bins.first(), self.bins.last());
        let doubles = |bin: &Bin| (bin.to - 2.0 * bin.from).abs() < f64::EPSILON;
        self.bins.len() > 2 && first.is_some_and(|bin| bin.from >= 0.0) && last.is_some_and(doubles)
    }
}

/// Documents whose value is at least `from` and below `to`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// The lower edge, which is inside.
    pub from: f64,
    /// The upper edge, which is outside.
    pub to: f64,
    /// In training shards.
    pub kept: u64,
    /// In held-out shards.
    pub held_out: u64,
    /// Dropped.
    pub dropped: u64,
}

impl Bin {
    /// All its documents.
    #[must_use]
    pub const fn documents(&self) -> u64 {
        self.kept + self.held_out + self.dropped
    }
}

/// Documents that have one word in a column of words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueRow {
    /// The word.
    pub value: String,
    /// In training shards.
    pub kept: u64,
    /// In held-out shards.
    pub held_out: u64,
    /// Dropped.
    pub dropped: u64,
}

/// A column to look at.
struct Wanted {
    table: &'static str,
    name: String,
    title: String,
    /// Its value in SQL over `ledger l` and `facts f`.
    sql: String,
    is_number: bool,
}

/// Asks for the histogram of each size and fact.
pub(super) fn ask(engine: &Engine) -> Result<Vec<Histogram>> {
    let wanted = wanted(engine)?;
    let mut found = Vec::new();
    for (n, group) in wanted.chunks(AT_ONCE).enumerate() {
        let table = format!("spread_{n}");
        let facts = group.iter().any(|w| w.table == "facts");
        let join = if facts { " LEFT JOIN facts f ON f.doc_id = l.doc_id" } else { "" };
        let columns: String = group.iter().enumerate().map(|(n, w)| format!(", {} AS c{n}", w.sql)).collect();
        engine.keep(&table, &format!("SELECT l.decision{columns} FROM ledger l{join}"))?;
        for (n, wanted) in group.iter().enumerate() {
            let column = format!("c{n}");
            found.push(if wanted.is_number {
                numbers(engine, wanted, &table, &column)?
            } else {
                words(engine, wanted, &table, &column)?
            });
        }
        engine.forget(&table)?;
    }
    found.retain(|h| h.documents > 0);
    Ok(found)
}

fn wanted(engine: &Engine) -> Result<Vec<Wanted>> {
    let finite = |sql: &str| {
        let number = format!("CAST({sql} AS DOUBLE)");
        format!("CASE WHEN abs({number}) <= 1.7976931348623157e308 THEN {number} END")
    };
    let ledger = |name: &str, title: &str, sql: &str| Wanted {
        table: "ledger",
        name: name.to_owned(),
        title: title.to_owned(),
        sql: finite(sql),
        is_number: true,
    };
    let mut all = vec![
        ledger("bytes_in", "bytes, as read", "l.bytes_in"),
        ledger("bytes_out", "bytes of the text that stays", "CASE WHEN l.decision <> 'dropped' THEN l.bytes_out END"),
        ledger("n_tokens", "tokens of what stays", "CASE WHEN l.decision <> 'dropped' THEN l.n_tokens END"),
    ];
    if !engine.has_rows("facts")? {
        return Ok(all);
    }
    for column in engine.columns("facts")?.into_iter().filter(|c| !DECIDING.contains(&c.name.as_str())) {
        let sql = format!("f.\"{}\"", column.name.replace('"', "\"\""));
        let is_number =
            ["Int", "Float"].iter().any(|kind| column.data_type.contains(kind)) && !column.data_type.contains("List");
        let is_word = ["Utf8", "Boolean"].iter().any(|kind| column.data_type.contains(kind));
        if is_number || is_word && !column.data_type.contains("List") {
            let sql = if is_number { finite(&sql) } else { format!("CAST({sql} AS VARCHAR)") };
            let title = column.name.replace('_', " ");
            all.push(Wanted { table: "facts", title, name: column.name, sql, is_number });
        }
    }
    Ok(all)
}

#[derive(Deserialize)]
struct Range {
    documents: u64,
    lowest: Option<f64>,
    median: Option<f64>,
    highest: Option<f64>,
}

#[derive(Deserialize)]
struct BinRow {
    bin: u64,
    kept: u64,
    held_out: u64,
    dropped: u64,
}

/// Documents by what became of them, as columns of a grouped query.
const BY_DECISION: &str = "sum(CASE WHEN decision = 'kept' THEN 1 ELSE 0 END) AS kept,
       sum(CASE WHEN decision = 'held-out' THEN 1 ELSE 0 END) AS held_out,
       sum(CASE WHEN decision = 'dropped' THEN 1 ELSE 0 END) AS dropped";

fn numbers(engine: &Engine, wanted: &Wanted, table: &str, column: &str) -> Result<Histogram> {
    let sql = format!(
        "SELECT count({column}) AS documents, min({column}) AS lowest, median({column}) AS median, max({column}) AS highest
         FROM {table}"
    );
    let range = engine.sql(&sql)?.read::<Range>()?.into_iter().next();
    let range = range.unwrap_or(Range { documents: 0, lowest: None, median: None, highest: None });
    let mut bins = Vec::new();
    if let (Some(lowest), Some(highest)) = (range.lowest, range.highest) {
        let edges = edges(lowest, range.median.unwrap_or(lowest), highest);
        let cases: String =
            edges[1..].iter().enumerate().map(|(n, edge)| format!(" WHEN {column} < ({edge:?}) THEN {n}")).collect();
        // Values that no double separates from the last edge are in the last bin.
        let last = edges.len().saturating_sub(2);
        let sql = format!(
            "SELECT CASE{cases} ELSE {last} END AS bin, {BY_DECISION} FROM {table} WHERE {column} IS NOT NULL GROUP BY bin ORDER BY bin"
        );
        let empty = |pair: &[f64]| Bin { from: pair[0], to: pair[1], kept: 0, held_out: 0, dropped: 0 };
        bins = edges.windows(2).map(empty).collect();
        for row in engine.sql(&sql)?.read::<BinRow>()? {
            if let Some(bin) = usize::try_from(row.bin).ok().and_then(|at| bins.get_mut(at)) {
                (bin.kept, bin.held_out, bin.dropped) = (row.kept, row.held_out, row.dropped);
            }
        }
    }
    let Range { documents, lowest, median, highest } = range;
    let (column, title) = (wanted.name.clone(), wanted.title.clone());
    Ok(Histogram { column, table: wanted.table, title, documents, lowest, median, highest, bins, values: vec![] })
}

fn words(engine: &Engine, wanted: &Wanted, table: &str, column: &str) -> Result<Histogram> {
    let count = format!("SELECT count({column}) AS documents FROM {table}");
    let sql = format!(
        "SELECT {column} AS value, {BY_DECISION} FROM {table} WHERE {column} IS NOT NULL
         GROUP BY {column} ORDER BY count(*) DESC, value LIMIT {WORDS}"
    );
    #[derive(Deserialize)]
    struct Count {
        documents: u64,
    }
    Ok(Histogram {
        column: wanted.name.clone(),
        table: wanted.table,
        title: wanted.title.clone(),
        documents: engine.sql(&count)?.read::<Count>()?.first().map_or(0, |c| c.documents),
        lowest: None,
        median: None,
        highest: None,
        bins: vec![],
        values: engine.sql(&sql)?.read()?,
    })
}

/// The edges of bins that hold every value from `lowest` to `highest`: the first is at most `lowest`, the last above
/// `highest`, and each is a number that its decimals spell exactly.
fn edges(lowest: f64, median: f64, highest: f64) -> Vec<f64> {
    let size = lowest.abs().max(highest.abs());
    if size > 1e6 && highest - lowest < size * 1e-9 || !(highest - lowest).is_finite() {
        return vec![lowest, highest.next_up()];
    }
    if lowest >= 0.0 && highest >= 64.0 && highest >= SKEWED * median.max(1.0) {
        return powers(lowest, highest);
    }
    let (unit, tenths) = step((highest - lowest) / STEPS);
    // A step of 5·10⁻³ is 5 / 10³ and one of 5·10³ is 5 × 10³: the nearest double to the decimals in both.
    let at = |n: f64| if tenths < 0 { n * unit / 10f64.powi(-tenths) } else { n * unit * 10f64.powi(tenths) };
    let mut n = (lowest / at(1.0)).floor();
    while at(n) > lowest {
        n -= 1.0;
    }
    let mut edges = vec![at(n)];
    while edges.last().is_some_and(|last| *last <= highest) && edges.len() < 64 {
        n += 1.0;
        edges.push(at(n));
    }
    edges
}

/// 0, 1, 2, 4, … about the values.
fn powers(lowest: f64, highest: f64) -> Vec<f64> {
    let mut edges = vec![0.0, 1.0];
    while edges.last().is_some_and(|last| *last <= highest) && edges.len() < 64 {
        edges.push(edges[edges.len() - 1] * 2.0);
    }
    let below = edges.iter().filter(|edge| **edge <= lowest).count();
    edges.split_off(below.saturating_sub(1))
}

/// The next of 1, 2 and 5 times a power of ten, as both.
fn step(least: f64) -> (f64, i32) {
    if !least.is_finite() || least <= 0.0 {
        return (1.0, 0);
    }
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double is within ±324")]
    let power = least.log10().floor() as i32;
    let found = [1.0, 2.0, 5.0, 10.0].into_iter().find(|unit| unit * 10f64.powi(power) >= least);
    match found {
        Some(unit) if unit < 10.0 => (unit, power),
        _ => (1.0, power + 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn edges_are_round() {
        assert_eq!(edges(0.0, 0.5, 1.0)[..4], [0.0, 0.05, 0.1, 0.15]);
        assert_eq!(edges(0.0, 0.5, 1.0).last(), Some(&1.05));
        assert_eq!(edges(3.0, 3.0, 3.0), [3.0, 4.0]);
        assert_eq!(edges(0.0, 100.0, 100_000.0)[..4], [0.0, 1.0, 2.0, 4.0]);
        assert_eq!(edges(70.0, 100.0, 100_000.0)[..2], [64.0, 128.0]);
        assert_eq!(edges(-1.0, 0.0, 1.0)[0], -1.0);
    }

    proptest! {
        /// Every value has exactly one bin.
        #[test]
        fn edges_hold_every_value(a in -1e9f64..1e9, b in -1e9f64..1e9, share in 0.0f64..=1.0) {
            let (lowest, highest) = (a.min(b), a.max(b));
            let edges = edges(lowest, lowest + share * (highest - lowest), highest);
            prop_assert!(edges[0] <= lowest && edges[edges.len() - 1] > highest, "{:?}", edges);
            prop_assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(edges.len() <= 64);
        }
    }
}
