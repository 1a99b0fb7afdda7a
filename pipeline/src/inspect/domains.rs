//! Documents by where they come from: the registered domain of the address, where a document has one, else the folder
//! in its source. Most documents first, and what the list leaves out is one row.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::query::Engine;

/// Domains that are listed.
const MOST: usize = 50;

/// What came from one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainRow {
    /// The set.
    pub set: String,
    /// The registered domain, or source and folder; absent for the row of all that are not listed.
    pub place: Option<String>,
    /// `domain`, `folder` or `others`.
    pub kind: String,
    /// Places: one, but for the row of all others.
    pub places: u64,
    /// Documents and failed records.
    pub documents: u64,
    /// In training shards.
    pub kept: u64,
    /// In held-out shards.
    pub held_out: u64,
    /// Dropped.
    pub dropped: u64,
    /// Bytes, as read.
    pub bytes: u64,
    /// Tokens of what stays, once.
    pub tokens: u64,
}

/// Asks for places.
pub(super) fn ask(engine: &Engine) -> Result<Vec<DomainRow>> {
    let sql = format!(
        r#"
WITH placed AS (
  SELECT *, registered_domain(url) AS domain FROM ledger),
places AS (
  SELECT "set", coalesce(domain, CASE WHEN folder_of(path) = '' THEN source ELSE concat(source, ': ', folder_of(path)) END) AS place,
         CASE WHEN domain IS NULL THEN 'folder' ELSE 'domain' END AS kind, count(*) AS documents,
         sum(CASE WHEN decision = 'kept' THEN 1 ELSE 0 END) AS kept,
         sum(CASE WHEN decision = 'held-out' THEN 1 ELSE 0 END) AS held_out,
         sum(CASE WHEN decision = 'dropped' THEN 1 ELSE 0 END) AS dropped,
         sum(bytes_in) AS bytes, sum(n_tokens) AS tokens
  FROM placed GROUP BY "set", place, kind),
ranked AS (
  SELECT *, row_number() OVER (ORDER BY documents DESC, bytes DESC, "set", kind, place) AS n FROM places)
SELECT "set", place, kind, 1 AS places, documents, kept, held_out, dropped, bytes, tokens, n FROM ranked WHERE n <= {MOST}
UNION ALL
SELECT "set", NULL AS place, 'others' AS kind, count(*) AS places, sum(documents) AS documents, sum(kept) AS kept,
       sum(held_out) AS held_out, sum(dropped) AS dropped, sum(bytes) AS bytes, sum(tokens) AS tokens, {MOST} + 1 AS n
FROM ranked WHERE n > {MOST} GROUP BY "set"
ORDER BY n, "set""#
    );
    engine.sql(&sql)?.read()
}
