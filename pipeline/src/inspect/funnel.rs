//! The funnel of each set: documents and bytes that go into a stage, what each reason takes there, and what comes out,
//! in the dataflow's order. Bytes are those that were read; what extraction and edits added to and removed from the
//! documents that stay is told at the end, so that the law of bytes closes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::query::Engine;
use crate::stages;

/// Documents and the bytes that were read for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Documents and failed records.
    pub documents: u64,
    /// Bytes, as read.
    pub bytes: u64,
}

impl Amount {
    fn less(self, other: Self) -> Self {
        Self {
            documents: self.documents.saturating_sub(other.documents),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self { documents: self.documents + other.documents, bytes: self.bytes + other.bytes }
    }
}

/// A set's funnel: `read = Σ dropped + kept + held_out`, and of what stays `bytes + added = bytes_out + removed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Funnel {
    /// The set.
    pub set: String,
    /// Everything that was read.
    pub read: Amount,
    /// The stages that dropped something anywhere in the corpus, in the dataflow's order.
    pub stages: Vec<Step>,
    /// What is in training shards.
    pub kept: Amount,
    /// What is in held-out shards.
    pub held_out: Amount,
    /// Bytes that extraction and edits added to what stays.
    pub bytes_added: u64,
    /// Bytes that extraction and edits removed from inside what stays.
    pub bytes_removed: u64,
    /// Bytes of the text that stays.
    pub bytes_out: u64,
    /// Tokens of training documents, once.
    pub tokens: u64,
    /// Tokens of training documents × copies.
    pub tokens_with_copies: u64,
}

/// A stage of a funnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The stage, as the ledger names it.
    pub stage: String,
    /// What goes in.
    pub into: Amount,
    /// What it drops, most documents first.
    pub dropped: Vec<Dropped>,
    /// What comes out.
    pub out: Amount,
}

impl Step {
    /// All that it drops.
    #[must_use]
    pub fn all_dropped(&self) -> Amount {
        self.into.less(self.out)
    }
}

/// What one reason takes in a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The reason's name.
    pub reason: String,
    /// What it takes.
    pub amount: Amount,
}

#[derive(Deserialize)]
struct DroppedRow {
    set: String,
    stage: String,
    reason: String,
    documents: u64,
    bytes: u64,
}

#[derive(Deserialize)]
struct TotalRow {
    set: String,
    decision: String,
    documents: u64,
    bytes_in: u64,
    bytes_added: u64,
    bytes_removed: u64,
    bytes_out: u64,
    tokens: u64,
    tokens_with_copies: u64,
}

const DROPPED: &str = r#"
SELECT "set", stage, coalesce(reason, 'no reason') AS reason, count(*) AS documents, sum(bytes_in) AS bytes
FROM ledger WHERE decision = 'dropped' GROUP BY "set", stage, reason ORDER BY "set", documents DESC, reason"#;

const TOTALS: &str = r#"
SELECT "set", decision, count(*) AS documents, sum(bytes_in) AS bytes_in, sum(bytes_added) AS bytes_added,
       sum(bytes_removed) AS bytes_removed, sum(bytes_out) AS bytes_out, sum(n_tokens) AS tokens,
       sum(n_tokens * copies) AS tokens_with_copies
FROM ledger GROUP BY "set", decision ORDER BY "set", decision"#;

/// Asks for the funnel of each set.
pub(super) fn ask(engine: &Engine) -> Result<Vec<Funnel>> {
    let dropped = engine.sql(DROPPED)?.read::<DroppedRow>()?;
    let mut sets: BTreeMap<String, Vec<TotalRow>> = BTreeMap::new();
    for total in engine.sql(TOTALS)?.read::<TotalRow>()? {
        sets.entry(total.set.clone()).or_default().push(total);
    }
    let mut names: Vec<&str> = dropped.iter().map(|d| d.stage.as_str()).collect();
    names.sort_unstable_by_key(|name| (stages::place(name), *name));
    names.dedup();
    Ok(sets.iter().map(|(set, totals)| funnel(set, totals, &names, &dropped)).collect())
}

fn funnel(set: &str, totals: &[TotalRow], names: &[&str], dropped: &[DroppedRow]) -> Funnel {
    let of = |decision: &str| {
        let found = totals.iter().find(|t| t.decision == decision);
        found.map_or_else(Amount::default, |t| Amount { documents: t.documents, bytes: t.bytes_in })
    };
    let (kept, held_out) = (of("kept"), of("held-out"));
    let read = kept.plus(held_out).plus(of("dropped"));
    let mut into = read;
    let mut steps = Vec::new();
    for name in names {
        let own = dropped.iter().filter(|d| d.set == set && d.stage == *name);
        let own: Vec<Dropped> = own
            .map(|d| Dropped { reason: d.reason.clone(), amount: Amount { documents: d.documents, bytes: d.bytes } })
            .collect();
        let out = own.iter().fold(into, |left, d| left.less(d.amount));
        steps.push(Step { stage: (*name).to_owned(), into, dropped: own, out });
        into = out;
    }
    let stays = || totals.iter().filter(|t| t.decision != "dropped");
    let trained = || totals.iter().filter(|t| t.decision == "kept");
    Funnel {
        set: set.to_owned(),
        read,
        stages: steps,
        kept,
        held_out,
        bytes_added: stays().map(|t| t.bytes_added).sum(),
        bytes_removed: stays().map(|t| t.bytes_removed).sum(),
        bytes_out: stays().map(|t| t.bytes_out).sum(),
        tokens: trained().map(|t| t.tokens).sum(),
        tokens_with_copies: trained().map(|t| t.tokens_with_copies).sum(),
    }
}
