//! Duplicates: how many clusters of which size, and the biggest of them with the document that stands for each.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::query::Engine;

/// Clusters that are listed one by one.
const BIGGEST: usize = 20;

/// Clusters of equal and near-equal texts, by what was dropped for being one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// Clusters by reason and size.
    pub sizes: Vec<SizeRow>,
    /// The biggest, most documents first.
    pub biggest: Vec<ClusterRow>,
}

/// Clusters of one size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeRow {
    /// The reason that the others were dropped for, or that they are only marked.
    pub reason: String,
    /// Documents of each: the one that stands for it, and those that it stands for.
    pub size: u64,
    /// Clusters of that size.
    pub clusters: u64,
    /// Documents that they lost.
    pub dropped: u64,
}

/// One cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRow {
    /// The document that stands for it.
    pub doc_id: String,
    /// Its set.
    pub set: Option<String>,
    /// Its source.
    pub source: Option<String>,
    /// Its place in the source.
    pub path: Option<String>,
    /// What became of it.
    pub decision: Option<String>,
    /// The reason that the others were dropped for, or that they are only marked.
    pub reason: String,
    /// Documents: it, and those that it stands for.
    pub size: u64,
    /// Sources that the others came from.
    pub sources: u64,
}

const CLUSTERS: &str = r#"
SELECT duplicate_of AS doc_id, coalesce(reason, 'only marked') AS reason, count(*) + 1 AS size,
       sum(CASE WHEN decision = 'dropped' THEN 1 ELSE 0 END) AS dropped, count(DISTINCT source) AS sources
FROM ledger WHERE duplicate_of IS NOT NULL GROUP BY duplicate_of, reason"#;

/// Asks for clusters. `duplicate_of` is set on every document that another one stands for; where the recipe only marks
/// duplicates, they stay.
pub(super) fn ask(engine: &Engine) -> Result<Duplicates> {
    let sizes = format!(
        "SELECT reason, size, count(*) AS clusters, sum(dropped) AS dropped FROM ({CLUSTERS}) c
         GROUP BY reason, size ORDER BY reason, size"
    );
    let biggest = format!(
        r#"SELECT c.doc_id, l."set", l.source, l.path, l.decision, c.reason, c.size, c.sources
           FROM ({CLUSTERS} ORDER BY size DESC, doc_id, reason LIMIT {BIGGEST}) c LEFT JOIN ledger l ON l.doc_id = c.doc_id
           ORDER BY c.size DESC, c.doc_id, c.reason"#
    );
    Ok(Duplicates { sizes: engine.sql(&sizes)?.read()?, biggest: engine.sql(&biggest)?.read()? })
}
