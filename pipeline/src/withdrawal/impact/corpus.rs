//! One corpus: which of its documents are hit, and what they are of every shard, tier and set. The condition is written
//! into the queries, so that `flexmix query` gives the same numbers.

use std::collections::{BTreeMap, BTreeSet};

use manifests::digest::Sha256;
use manifests::exposure::Cell;
use manifests::manifest::SetManifest;
use manifests::policy::Act;
use manifests::record::WithdrawalTarget;
use serde::Deserialize;

use super::Asked;
use super::report::{Closed, CorpusImpact, Dropped, Part, SetPart, Twin};
use crate::engine::literal;
use crate::error::Result;
use crate::query::{Engine, Folder, Signed};

/// What a set that is known whole holds of it, by cell: training documents and tokens hit, and the cell's tokens.
#[derive(Debug, Default)]
pub(super) struct HeldSet {
    /// Whether any document is hit, held-out ones included.
    pub any: bool,
    /// Training tokens that are hit, and all training tokens of the cell.
    pub cells: BTreeMap<Cell, (u64, u64)>,
}

/// A corpus that was looked into.
#[derive(Debug)]
pub(super) struct Looked {
    /// What is reported of it.
    pub impact: CorpusImpact,
    /// Closed sets that cannot be decided here.
    pub undecided: Vec<Closed>,
    /// What each set holds, by the digests that its manifests have.
    pub held: BTreeMap<Sha256, HeldSet>,
}

#[derive(Deserialize)]
struct CellHit {
    set: String,
    cell: u32,
    documents: u64,
    tokens: u64,
}

/// Tokens as training reads them.
const TOKENS: &str = "CAST(sum(CAST(n_tokens AS BIGINT) * copies) AS BIGINT)";

impl Looked {
    /// Asks one corpus.
    pub(super) fn at(folder: &Folder, asked: &Asked) -> Result<Self> {
        let engine = Engine::open(folder)?;
        let hit = condition(folder, asked);
        let held = format!("(SELECT * FROM documents WHERE {hit})");
        let mut sets: Vec<SetPart> = engine.sql(&sets(&held))?.read()?;
        for set in &mut sets {
            let public = folder.public.iter().find(|p| p.record.set.as_str() == set.set);
            set.public = public.map(|p| p.digest);
        }
        let by_cell = format!(
            "SELECT \"set\", cell, count(*) AS documents, coalesce({TOKENS}, 0) AS tokens
             FROM {held} WHERE role = 'train' GROUP BY \"set\", cell ORDER BY \"set\", cell"
        );
        let by_cell: Vec<CellHit> = engine.sql(&by_cell)?.read()?;
        let shards: Vec<Part> = engine.sql(&parts(&held, "shard", true))?.read()?;
        let all: u64 = folder.manifests.iter().map(|m| m.record.shards.len() as u64).sum();
        let hit_sets: BTreeSet<&str> =
            sets.iter().filter(|s| s.documents + s.held_out > 0).map(|s| s.set.as_str()).collect();
        let trained_on = folder.manifests.iter().find_map(|m| m.record.tokenizer.name.strip_prefix("trained:"));
        let impact = CorpusImpact {
            folder: folder.root.display().to_string(),
            corpus: folder.manifests.first().map_or_else(String::new, |m| m.record.corpus.clone()),
            tiers: engine.sql(&parts(&held, "tier", false))?.read()?,
            untouched_shards: all - shards.len() as u64,
            shards,
            documents: engine.sql(&documents(&held))?.read()?,
            dropped: dropped(&engine, asked)?,
            twins: twins(&engine, folder, asked)?,
            tokenizer: trained_on.filter(|set| hit_sets.contains(set)).map(str::to_owned),
            sets,
        };
        let held = held_sets(folder, &impact, &by_cell);
        Ok(Self { undecided: undecided(folder, asked), held, impact })
    }

    /// The digests of the manifests that hold it: of closed sets both.
    pub(super) fn held_by(&self) -> BTreeSet<Sha256> {
        self.held.iter().filter(|(_, set)| set.any).map(|(digest, _)| *digest).collect()
    }

    /// The digests of the manifests that were looked into and hold nothing of it.
    pub(super) fn free_of(&self) -> BTreeSet<Sha256> {
        self.held.iter().filter(|(_, set)| !set.any).map(|(digest, _)| *digest).collect()
    }
}

/// What a query must ask of `documents` to find what is hit.
fn condition(folder: &Folder, asked: &Asked) -> String {
    if let Some(text) = asked.text() {
        return format!("doc_id IN (SELECT doc_id FROM ledger WHERE digest = {})", literal(&text.to_string()));
    }
    let of_set = |m: &Signed<SetManifest>| {
        let cells: Vec<String> = (0u32..)
            .zip(&m.record.cells)
            .filter(|(_, count)| asked.takes(&count.cell, Act::Build))
            .map(|(index, _)| index.to_string())
            .collect();
        let set = literal(m.record.set.as_str());
        (!cells.is_empty()).then(|| format!("(\"set\" = {set} AND cell IN ({}))", cells.join(", ")))
    };
    let sets: Vec<String> = folder.manifests.iter().filter_map(of_set).collect();
    if sets.is_empty() { "false".to_owned() } else { sets.join(" OR ") }
}

fn sets(held: &str) -> String {
    format!(
        "SELECT m.\"set\" AS \"set\", m.access AS access, m.digest AS manifest,
                coalesce(h.documents, 0) AS documents, coalesce(h.tokens, 0) AS tokens,
                coalesce(h.held_out, 0) AS held_out, m.documents AS of_documents, m.tokens AS of_tokens
         FROM manifests m LEFT JOIN (
            SELECT \"set\", CAST(sum(CASE WHEN role = 'train' THEN 1 ELSE 0 END) AS BIGINT) AS documents,
                   CAST(sum(CASE WHEN role = 'train' THEN CAST(n_tokens AS BIGINT) * copies ELSE 0 END) AS BIGINT) AS tokens,
                   CAST(sum(CASE WHEN role = 'train' THEN 0 ELSE 1 END) AS BIGINT) AS held_out
            FROM {held} GROUP BY \"set\") h ON m.\"set\" = h.\"set\"
         ORDER BY m.\"set\""
    )
}

/// Parts of sets that are hit, with what they hold in all.
fn parts(held: &str, column: &str, by_role: bool) -> String {
    let role = if by_role { ", role" } else { "" };
    let count = format!("count(*) AS documents, {TOKENS} AS tokens");
    let same = if by_role { "AND h.role = a.role" } else { "" };
    let shown = if by_role { "h.role" } else { "CAST(NULL AS VARCHAR)" };
    format!(
        "SELECT h.\"set\" AS \"set\", h.{column} AS name, {shown} AS role, h.documents AS documents, h.tokens AS tokens,
                a.documents AS of_documents, a.tokens AS of_tokens
         FROM (SELECT \"set\", {column}{role}, {count} FROM {held} GROUP BY \"set\", {column}{role}) h
         JOIN (SELECT \"set\", {column}{role}, {count} FROM documents GROUP BY \"set\", {column}{role}) a
           ON h.\"set\" = a.\"set\" AND h.{column} = a.{column} {same}
         ORDER BY h.\"set\", h.{column}"
    )
}

fn documents(held: &str) -> String {
    format!(
        "SELECT l.doc_id AS doc_id, l.\"set\" AS \"set\", l.source AS source, l.path AS path,
                l.declared_id AS declared_id, l.license AS license, l.shard AS shard, l.\"row\" AS \"row\",
                l.n_tokens AS tokens
         FROM ledger l WHERE l.doc_id IN (SELECT doc_id FROM {held} h)
         ORDER BY l.\"set\", l.shard, l.\"row\""
    )
}

/// Copies of a work that lie in no shard.
fn dropped(engine: &Engine, asked: &Asked) -> Result<Vec<Dropped>> {
    let Some(text) = asked.text() else { return Ok(vec![]) };
    engine
        .sql(&format!(
            "SELECT \"set\", source, reason, count(*) AS documents FROM ledger
             WHERE digest = {} AND decision = 'dropped' GROUP BY \"set\", source, reason ORDER BY \"set\", source, reason",
            literal(&text.to_string())
        ))?
        .read()
}

/// Cells that have the withdrawn source and stay, since another of their sources is free.
fn twins(engine: &Engine, folder: &Folder, asked: &Asked) -> Result<Vec<Twin>> {
    let WithdrawalTarget::Source(source) = &asked.withdrawal.target else { return Ok(vec![]) };
    let mut all = Vec::new();
    for manifest in &folder.manifests {
        for (index, count) in manifest.record.cells.iter().enumerate() {
            if !count.cell.sources.contains(source) || asked.takes(&count.cell, Act::Build) {
                continue;
            }
            let twin: Vec<Twin> = engine
                .sql(&format!(
                    "SELECT \"set\", license, sources, documents, tokens FROM cells
                     WHERE \"set\" = {} AND cell = {index}",
                    literal(manifest.record.set.as_str())
                ))?
                .read()?;
            all.extend(twin);
        }
    }
    Ok(all)
}

/// What each set holds, under the digest of its manifest and, where it has one, of its public manifest.
fn held_sets(folder: &Folder, impact: &CorpusImpact, hits: &[CellHit]) -> BTreeMap<Sha256, HeldSet> {
    let mut held = BTreeMap::new();
    for signed in &folder.manifests {
        let name = signed.record.set.as_str();
        let any = impact.sets.iter().any(|s| s.set == name && s.documents + s.held_out > 0);
        let digests = folder.public.iter().filter(|p| p.record.set == signed.record.set).map(|p| p.digest);
        for digest in digests.chain([signed.digest]) {
            let mut set = HeldSet { any, cells: BTreeMap::new() };
            for hit in hits.iter().filter(|h| h.set == name && h.documents > 0) {
                if let Some(count) = signed.record.cells.get(hit.cell as usize) {
                    set.cells.insert(count.cell.clone(), (hit.tokens, count.tokens.unwrap_or(0)));
                }
            }
            held.insert(digest, set);
        }
    }
    held
}

/// Closed sets of which only the public manifest is here.
pub(super) fn undecided(folder: &Folder, asked: &Asked) -> Vec<Closed> {
    if matches!(asked.withdrawal.target, WithdrawalTarget::License(_)) {
        return vec![];
    }
    let has_full = |set| folder.manifests.iter().any(|m| m.record.set == set);
    let open = folder.public.iter().filter(|p| !has_full(p.record.set.clone()));
    open.filter(|p| asked.answer(p.digest).is_none())
        .map(|p| Closed { set: p.record.set.to_string(), manifest: p.digest, place: p.path.display().to_string() })
        .collect()
}
