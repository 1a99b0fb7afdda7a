//! A policy held against a corpus: rules that nothing there matches, words that no grant uses, and the documents that it
//! queues for its owner (`[state] … = "review"`).

use std::collections::BTreeSet;

use manifests::policy::{Policy, RuleRef};
use serde::{Deserialize, Serialize};

use super::because::rule;
use super::{Asked, Rehearsal, cells, sound};
use crate::error::Result;
use crate::query::{Engine, Folder};
use crate::words::{plain, thousands};

/// Rows that a policy decided: copies wait with the document that stands for them, and what a filter dropped needs no
/// decision.
pub(super) const DECIDED: &str = "stage NOT IN ('read', 'facts', 'filter', 'cluster')";

/// A document that waits for the policy's owner. It is denied meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Its state: why it waits.
    pub state: String,
    /// Its set.
    pub set: String,
    /// Its source.
    pub source: String,
    /// Its place in the source.
    pub path: String,
    /// Its id, for `flexmix policy explain --document`.
    pub doc_id: String,
    /// What was found: both sides of a contradiction, or the unreadable words.
    pub detail: Option<String>,
}

/// What a corpus says of a policy.
#[derive(Clone, Debug, Serialize)]
pub struct OnReport {
    /// Always `flexmix/policy-on-report/v1`.
    pub schema: &'static str,
    /// The policy.
    pub policy: Asked,
    /// Cells that the corpus met, kept or not.
    pub cells: u64,
    /// Rules that none of them matched: misspelt, or not needed here.
    pub unmatched: Vec<RuleRef>,
    /// Exceptions that name no set, anchor or expert here.
    pub strays: Vec<RuleRef>,
    /// Things that are legal and look like a slip.
    pub warnings: Vec<String>,
    /// The rules by which documents are queued.
    pub review: Vec<RuleRef>,
    /// The documents that wait for the owner.
    pub queued: Vec<Queued>,
}

/// Holds a policy against a folder.
///
/// # Errors
/// [`crate::Error::Record`] when the folder's records do not hold; [`crate::Error::Engine`].
pub fn on(rehearsal: &Rehearsal, folder: &Folder) -> Result<OnReport> {
    sound(folder)?;
    let gate = &rehearsal.gate;
    let engine = Engine::open(folder)?;
    let seen = cells::seen(folder, &engine, gate, None)?;
    let stamps = folder.models.iter().flat_map(|m| &m.stamps);
    let trained = stamps.clone().flat_map(|s| &s.record.exposures).flat_map(|e| &e.cells).map(|c| &c.cell);
    let all: BTreeSet<_> = seen.iter().map(|s| &s.cell).chain(trained).collect();
    let matched = all.iter().flat_map(|cell| gate.cell(cell).matched).collect();
    let subjects: BTreeSet<_> =
        folder.manifests.iter().map(|m| m.digest).chain(stamps.map(|s| s.record.files_root.root)).collect();
    let strays = gate.policy.exceptions.iter().filter(|e| !subjects.contains(&e.subject)).map(|e| RuleRef {
        line: e.line,
        key: "exception".to_owned(),
        value: e.subject.to_string(),
    });
    Ok(OnReport {
        schema: "flexmix/policy-on-report/v1",
        policy: Asked::of(rehearsal),
        cells: all.len() as u64,
        unmatched: gate.unmatched(&matched),
        strays: strays.collect(),
        warnings: warnings(rehearsal),
        review: gate.policy.reviewed_states().into_iter().filter_map(|s| gate.policy.review(s)).collect(),
        queued: queued(rehearsal, &engine)?,
    })
}

fn queued(rehearsal: &Rehearsal, engine: &Engine) -> Result<Vec<Queued>> {
    let states = rehearsal.gate.policy.reviewed_states();
    if states.is_empty() {
        return Ok(vec![]);
    }
    let listed = states.iter().map(|s| format!("'{s}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT state, \"set\", source, path, doc_id, detail FROM ledger
         WHERE state IN ({listed}) AND {DECIDED}
         ORDER BY state, \"set\", source, path, doc_id"
    );
    engine.sql(&sql)?.read()
}

/// How many documents of a corpus wait for the policy's owner, by the rule that queues them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The rule.
    pub rule: RuleRef,
    /// Documents.
    pub documents: u64,
}

/// The documents that wait, counted by rule; rules by which none waits are left out.
///
/// # Errors
/// [`crate::Error::Engine`].
pub(crate) fn waiting(policy: &Policy, engine: &Engine) -> Result<Vec<Waiting>> {
    #[derive(Deserialize)]
    struct Count {
        n: u64,
    }
    let mut waiting = Vec::new();
    for state in policy.reviewed_states() {
        let sql = format!("SELECT count(*) AS n FROM ledger WHERE state = '{state}' AND {DECIDED}");
        let documents = engine.sql(&sql)?.read::<Count>()?.first().map_or(0, |c| c.n);
        waiting.extend(policy.review(state).filter(|_| documents > 0).map(|rule| Waiting { rule, documents }));
    }
    Ok(waiting)
}

fn warnings(rehearsal: &Rehearsal) -> Vec<String> {
    let gate = &rehearsal.gate;
    let (policy, grants) = (&gate.policy, &gate.records.grants);
    let mut warnings = Vec::new();
    let names = |purposes: &BTreeSet<String>| purposes.contains("*") || purposes.contains(&policy.purpose);
    if !grants.is_empty() && !grants.iter().any(|g| names(&g.purposes)) {
        warnings.push(format!("no grant in the records is for the purpose `{}`", policy.purpose));
    }
    if gate.as_of < policy.valid.0 || gate.as_of > policy.valid.1 {
        warnings.push(format!("the policy is not in force on {}: it denies everything", gate.as_of));
    }
    warnings
}

impl OnReport {
    /// The report for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        const SHOWN: usize = 20;
        const LONGEST: usize = 400;
        let file = &self.policy.file;
        let mut text = format!("{}\n", self.policy.in_words());
        for warning in &self.warnings {
            text += &format!("warning: {warning}\n");
        }
        if self.unmatched.is_empty() {
            text += &format!("every rule matches something in the {} cells here\n", thousands(self.cells));
        } else {
            text += &format!("rules that match nothing in the {} cells here:\n", thousands(self.cells));
            for unmatched in &self.unmatched {
                text += &format!("  {}\n", rule(unmatched, file));
            }
        }
        for stray in &self.strays {
            text += &format!("  {}: names no set, anchor or expert here\n", rule(stray, file));
        }
        for asked in &self.review {
            let state = asked.key.trim_start_matches("state.");
            let mine: Vec<&Queued> = self.queued.iter().filter(|q| q.state == state).collect();
            let count = thousands(mine.len() as u64);
            let what = if mine.len() == 1 { "document waits" } else { "documents wait" };
            text += &format!("{}: {count} {what} for the owner, denied meanwhile\n", rule(asked, file));
            for one in mine.iter().take(SHOWN) {
                let words = |d: &str| plain(d).chars().take(LONGEST).collect::<String>();
                let detail = one.detail.as_deref().map_or_else(String::new, |d| format!("\n    {}", words(d)));
                text += &format!("  {} {}/{} {}{detail}\n", one.doc_id, one.set, one.source, plain(&one.path));
            }
            if mine.len() > SHOWN {
                text += &format!("  and {} more; `--format json` lists all\n", thousands((mine.len() - SHOWN) as u64));
            }
        }
        text
    }
}
