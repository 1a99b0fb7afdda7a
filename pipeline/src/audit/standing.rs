//! What an answer stands on: who signed, how old the head is, which withdrawals are open, which exceptions end soon.
//! Everything here was verified when the gate opened; this names it for people.

use std::collections::BTreeSet;
use std::path::Path;

use manifests::date::Date;
use manifests::gate::Gate;
use manifests::record::{WithdrawalKind, WithdrawalTarget};
use manifests::records::HEAD_FILE;
use manifests::sign::Envelope;
use manifests::trust::{POLICY_TYPE, Role, STATEMENT_TYPE, TRUST_TYPE, envelope_path};
use serde::Serialize;

use super::judge::Judgement;
use crate::query::{Folder, Signed};

/// An exception that ends within so many days is shown as ending.
const SOON: i64 = 60;

/// What an answer stands on.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// Who signed what.
    pub signatures: Vec<SignatureRow>,
    /// The least assurance among the stamps; absent for a corpus.
    pub assurance: Option<String>,
    /// The head over the records.
    pub head: HeadRow,
    /// The policy's last day.
    pub policy_until: Date,
    /// Withdrawals in force or announced.
    pub withdrawals: Vec<WithdrawalRow>,
    /// Withdrawals that two legal keys lifted.
    pub lifted: Vec<String>,
    /// Exceptions for what is here, in force or ended.
    pub exceptions: Vec<ExceptionRow>,
    /// Closed sets whose counts and sources this report names: it stays with their owner.
    pub closed_sets: Vec<String>,
}

/// Who signed something.
#[derive(Clone, Debug, Serialize)]
pub struct SignatureRow {
    /// What.
    pub what: String,
    /// The role that it needs.
    pub role: &'static str,
    /// The names of the keys.
    pub keys: Vec<String>,
}

/// The head over the records.
#[derive(Clone, Debug, Serialize)]
pub struct HeadRow {
    /// Its number.
    pub sequence: u64,
    /// The day of signing.
    pub issued: Date,
    /// Its last day.
    pub expires: Date,
    /// Days since it was signed.
    pub age_days: i64,
    /// The most that the policy allows.
    pub max_age_days: i64,
}

/// A withdrawal.
#[derive(Clone, Debug, Serialize)]
pub struct WithdrawalRow {
    /// Its name.
    pub id: String,
    /// What it takes, in words.
    pub target: String,
    /// Why: `contract-end`, `opt-out` and so on.
    pub kind: WithdrawalKind,
    /// From when.
    pub effective: Date,
    /// Whether that day has come.
    pub in_force: bool,
    /// Whether it forbids the act that is asked about: an opt-out looks forward only.
    pub forbids: bool,
    /// The artifacts here that it denies.
    pub denies: Vec<String>,
}

/// An exception.
#[derive(Clone, Debug, Serialize)]
pub struct ExceptionRow {
    /// The artifact that it is for.
    pub artifact: String,
    /// The rule that it lifts.
    pub rule: String,
    /// The most tokens that it covers.
    pub max_tokens: u64,
    /// Why, and by whom.
    pub reason: String,
    /// Its last day.
    pub expires: Date,
    /// Days from the date of the audit to its last day; below zero when it has ended.
    pub days_left: i64,
    /// Whether it has ended or ends soon.
    pub ending: bool,
}

/// Where what was signed as files lies.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The policy.
    pub policy: &'a Path,
    /// The records folder.
    pub records: &'a Path,
}

pub(super) fn standing(folder: &Folder, judgements: &[Judgement<'_>], gate: &Gate, places: Places<'_>) -> Standing {
    let head = &gate.records.head;
    Standing {
        signatures: signatures(folder, gate, places),
        assurance: judgements.iter().filter_map(|j| j.subject.assurance).min().map(|a| format!("{a:?}").to_lowercase()),
        head: HeadRow {
            sequence: head.sequence,
            issued: head.issued,
            expires: head.expires,
            age_days: gate.as_of.days_since(head.issued),
            max_age_days: gate.policy.head_max_age,
        },
        policy_until: gate.policy.valid.1,
        withdrawals: withdrawals(judgements, gate),
        lifted: gate.records.lifted.iter().map(|w| w.id.clone()).collect(),
        exceptions: exceptions(judgements, gate),
        closed_sets: folder
            .manifests
            .iter()
            .filter(|m| m.record.access == manifests::manifest::Access::Closed)
            .map(|m| m.record.set.to_string())
            .collect(),
    }
}

fn signatures(folder: &Folder, gate: &Gate, places: Places<'_>) -> Vec<SignatureRow> {
    let policy = envelope_path(places.policy);
    let trust = envelope_path(gate.trust.path());
    let mut rows = vec![
        file("trust file", gate, &trust, TRUST_TYPE, Role::Root),
        file("policy", gate, &policy, POLICY_TYPE, Role::Legal),
        file("head over the records", gate, &places.records.join(HEAD_FILE), STATEMENT_TYPE, Role::Head),
    ];
    let mut records = |what: String, role: Role, keys: BTreeSet<&String>| {
        rows.push(SignatureRow { what, role: role.as_str(), keys: keys.into_iter().cloned().collect() });
    };
    if !folder.manifests.is_empty() || !folder.public.is_empty() {
        let full = folder.manifests.iter().flat_map(of);
        records("manifests".to_owned(), Role::Builder, full.chain(folder.public.iter().flat_map(of)).collect());
    }
    for model in &folder.models {
        records(format!("index of {}", model.index.record.name), Role::Merger, of(&model.index).collect());
        let keys = model.stamps.iter().flat_map(of).collect();
        records(format!("stamps of {}", model.index.record.name), Role::Trainer, keys);
    }
    rows
}

fn of<T>(signed: &Signed<T>) -> impl Iterator<Item = &String> {
    signed.seal.signers().iter()
}

/// Who signed a file that the gate has verified already.
fn file(what: &str, gate: &Gate, envelope: &Path, payload_type: &str, role: Role) -> SignatureRow {
    let verified = Envelope::read(envelope)
        .and_then(|read| gate.trust.verify(&read, envelope, payload_type, role, "*", gate.as_of))
        .ok();
    let name = |id| gate.trust.name_of(id).map_or_else(|| format!("{id}"), str::to_owned);
    let keys: BTreeSet<String> = verified.iter().flat_map(|v| v.key_ids.iter().map(name)).collect();
    SignatureRow { what: what.to_owned(), role: role.as_str(), keys: keys.into_iter().collect() }
}

fn withdrawals(judgements: &[Judgement<'_>], gate: &Gate) -> Vec<WithdrawalRow> {
    let denied_by = |id: &str| -> Vec<String> {
        let names = |d: &manifests::policy::Denial| d.reason.name().contains("withdraw") && d.detail == id;
        let hit = |j: &&Judgement<'_>| {
            j.whole.iter().any(|f| names(&f.denial)) || j.cells.iter().any(|c| c.tested && c.denials.iter().any(names))
        };
        judgements.iter().filter(hit).map(|j| j.subject.id.clone()).collect()
    };
    let mut rows: Vec<WithdrawalRow> = gate
        .records
        .withdrawals
        .iter()
        .map(|w| WithdrawalRow {
            id: w.id.clone(),
            target: target(&w.target),
            kind: w.kind,
            effective: w.effective,
            in_force: w.is_in_force(gate.as_of),
            forbids: w.forbids(gate.policy.act),
            denies: denied_by(&w.id),
        })
        .collect();
    rows.sort_by(|a, b| (a.effective, &a.id).cmp(&(b.effective, &b.id)));
    rows
}

fn target(target: &WithdrawalTarget) -> String {
    match target {
        WithdrawalTarget::Source(source) => format!("source {source}"),
        WithdrawalTarget::Work { text, .. } => format!("work {}", crate::words::short(&text.to_string())),
        WithdrawalTarget::Rightsholder(holder) => format!("rightsholder {holder}"),
        WithdrawalTarget::License(license) => format!("license {license}"),
    }
}

fn exceptions(judgements: &[Judgement<'_>], gate: &Gate) -> Vec<ExceptionRow> {
    let written =
        gate.policy.exceptions.iter().map(|e| (e.subject, &e.rule, e.max_tokens, e.reason.clone(), e.expires));
    let signed = gate.records.exceptions.iter();
    let signed = signed.map(|e| (e.subject, &e.rule, e.max_tokens, format!("{} ({})", e.reason, e.owner), e.expires));
    let mut rows = Vec::new();
    for (subject, rule, max_tokens, reason, expires) in written.chain(signed) {
        let days_left = expires.days_since(gate.as_of);
        for judgement in judgements.iter().filter(|j| j.subject.digest == subject) {
            rows.push(ExceptionRow {
                artifact: judgement.subject.id.clone(),
                rule: rule.clone(),
                max_tokens,
                reason: reason.clone(),
                expires,
                days_left,
                ending: days_left <= SOON,
            });
        }
    }
    rows.sort_by(|a, b| (a.expires, &a.artifact, &a.rule).cmp(&(b.expires, &b.artifact, &b.rule)));
    rows
}
