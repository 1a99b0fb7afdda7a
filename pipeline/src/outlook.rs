//! What each policy would leave of a corpus: if every set had one expert, and if every tier of every set had one
//! (semantics.md §2). One denied document denies an expert, so the two differ, and that is what tiers are for. Sums are
//! queries; verdicts are the gate's.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{Field, Schema};
use manifests::digest::Sha256;
use manifests::exposure::{CellCount, Exposure, Kind};
use manifests::gate::Gate;
use manifests::manifest::SetManifest;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::query::Engine;
use crate::words::{percent, thousands};

/// Experts and tokens that a policy leaves usable, under one way to cut a corpus into experts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usable {
    /// Experts that stay.
    pub experts: u64,
    /// Experts in all.
    pub of_experts: u64,
    /// Their tokens.
    pub tokens: u64,
    /// Tokens of all.
    pub of_tokens: u64,
}

/// A set under a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetOutlook {
    /// The set.
    pub set: String,
    /// Its training tokens.
    pub of_tokens: u64,
    /// Those that stay with one expert for the set: all or none.
    pub by_set: u64,
    /// Those that stay with one expert for each tier.
    pub by_tier: u64,
    /// The tiers that stay.
    pub tiers: u64,
    /// The tiers.
    pub of_tiers: u64,
    /// The first reason against the whole set.
    pub reason: Option<String>,
}

/// What one policy leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// The policy's id and version.
    pub policy: String,
    /// With one expert for each set.
    pub by_set: Usable,
    /// With one expert for each tier of each set.
    pub by_set_and_tier: Usable,
    /// Set by set.
    pub sets: Vec<SetOutlook>,
}

/// A set's manifest and its digest.
pub type Pinned<'a> = (&'a SetManifest, Sha256);

/// The first reason why a gate denies something of these cells, if it does.
#[must_use]
pub fn denied(gate: &Gate, (manifest, digest): Pinned<'_>, is_in: impl Fn(&str) -> bool) -> Option<String> {
    let cells = manifest.cells.iter().zip(&manifest.tiers);
    let mine = cells.filter(|(c, tier)| c.tokens != Some(0) && is_in(tier)).map(|(c, _)| c.clone());
    let exposure = Exposure::open(Kind::Gradient, manifest.set.clone(), digest, mine.collect());
    gate.exposures(digest, &[exposure]).findings.first().map(|f| f.denial.reason.name().to_owned())
}

/// The outlook of a corpus under a policy. Sets without a training token take no part.
///
/// # Errors
/// [`crate::Error::Engine`].
pub fn outlook(gate: &Gate, sets: &[Pinned<'_>]) -> Result<Outlook> {
    let engine = Engine::of_tables(vec![("tiers", table(gate, sets)?)])?;
    let first = |sql: &str| -> Result<Usable> { Ok(engine.sql(sql)?.read()?.into_iter().next().unwrap_or_default()) };
    Ok(Outlook {
        policy: format!("{} v{}", gate.policy.id, gate.policy.version),
        by_set: first(&usable("set_permitted", "(SELECT \"set\", set_permitted, sum(tokens) AS tokens FROM tiers GROUP BY \"set\", set_permitted)"))?,
        by_set_and_tier: first(&usable("permitted", "tiers"))?,
        sets: engine
            .sql(
                "SELECT \"set\", sum(tokens) AS of_tokens, coalesce(sum(CASE WHEN set_permitted THEN tokens END), 0) AS by_set,
                        coalesce(sum(CASE WHEN permitted THEN tokens END), 0) AS by_tier,
                        count(CASE WHEN permitted THEN 1 END) AS tiers, count(*) AS of_tiers, min(reason) AS reason
                 FROM tiers GROUP BY \"set\" ORDER BY \"set\"",
            )?
            .read()?,
    })
}

fn usable(flag: &str, from: &str) -> String {
    format!(
        "SELECT count(CASE WHEN {flag} THEN 1 END) AS experts, count(*) AS of_experts,
                coalesce(sum(CASE WHEN {flag} THEN tokens END), 0) AS tokens, coalesce(sum(tokens), 0) AS of_tokens
         FROM {from}"
    )
}

/// One row for each tier of each set that has a token.
fn table(gate: &Gate, sets: &[Pinned<'_>]) -> Result<RecordBatch> {
    let (mut set, mut reason) = (Vec::new(), Vec::new());
    let (mut permitted, mut set_permitted, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    for pinned in sets {
        let whole = denied(gate, *pinned, |_| true);
        let mut tiers: Vec<&str> = pinned.0.tiers.iter().map(String::as_str).collect();
        tiers.sort_unstable();
        tiers.dedup();
        for tier in tiers {
            let of_tier = pinned.0.cells.iter().zip(&pinned.0.tiers).filter(|(_, t)| *t == tier);
            let sum: u64 = of_tier.filter_map(|(c, _): (&CellCount, _)| c.tokens).sum();
            if sum == 0 {
                continue;
            }
            set.push(Some(pinned.0.set.to_string()));
            tokens.push(Some(sum));
            permitted.push(Some(denied(gate, *pinned, |t| t == tier).is_none()));
            set_permitted.push(Some(whole.is_none()));
            reason.push(whole.clone());
        }
    }
    let columns: [(&str, ArrayRef); 5] = [
        ("set", Arc::new(StringArray::from(set))),
        ("tokens", Arc::new(UInt64Array::from(tokens))),
        ("permitted", Arc::new(BooleanArray::from(permitted))),
        ("set_permitted", Arc::new(BooleanArray::from(set_permitted))),
        ("reason", Arc::new(StringArray::from(reason))),
    ];
    let fields: Vec<Field> = columns.iter().map(|(n, a)| Field::new(*n, a.data_type().clone(), true)).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, a)| a).collect())?)
}

impl Usable {
    /// `3 of 8 experts, 120 of 1,000 tokens (12.0%)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!(
            "{} of {} experts, {} of {} tokens ({})",
            thousands(self.experts),
            thousands(self.of_experts),
            thousands(self.tokens),
            thousands(self.of_tokens),
            percent(self.tokens, self.of_tokens)
        )
    }
}
