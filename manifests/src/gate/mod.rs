//! The gate: one policy, signed; one trust file; one records folder with its head; one date. The three places that
//! decide (admission to a corpus, start of a job, session at inference) ask it and nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::conclusion::{Basis, State};
use crate::date::Date;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::exposure::{Cell, Exposure, Kind, TokenTotal};
use crate::id::{SetName, SourceId};
use crate::memory::Memory;
use crate::policy::{Act, Assurance, Context, Denial, Mixing, Policy, RuleRef, Verdict, evaluate, mixing};
use crate::reason::Reason;
use crate::record::{Grant, GrantSubject, Withdrawal, WithdrawalTarget};
use crate::records::{Filed, Records};
use crate::store::read_capped;
use crate::trust::{POLICY_TYPE, Role, Trust, envelope_of, envelope_path};

/// What a gate is opened with.
#[derive(Clone, Debug)]
pub struct GateOptions {
    /// The policy file; its signature lies beside it.
    pub policy: PathBuf,
    /// The trust file.
    pub trust: Option<PathBuf>,
    /// The records folder.
    pub records: PathBuf,
    /// The date.
    pub as_of: Date,
    /// What the gate is for.
    pub act: Act,
    /// Where what was seen before is kept, against rollbacks.
    pub memory: Memory,
}

/// An open gate.
#[derive(Debug)]
pub struct Gate {
    /// The policy.
    pub policy: Policy,
    /// The trust.
    pub trust: Trust,
    /// The records.
    pub records: Records,
    /// The date.
    pub as_of: Date,
    act: Act,
}

/// One reason against an artifact, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Why, by which rule.
    pub denial: Denial,
    /// Tokens that it concerns; absent for a closed set or a rule about the whole artifact.
    pub tokens: Option<u64>,
    /// Documents that it concerns.
    pub documents: Option<u64>,
    /// The set that it concerns.
    pub set: Option<String>,
    /// How the set was consumed.
    pub kind: Option<Kind>,
    /// The place of a claim that it rests on.
    pub evidence: Option<String>,
}

/// The decision on an artifact.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// Why it is excluded; admitted when empty.
    pub findings: Vec<Finding>,
    /// Findings that an exception lifted.
    pub lifted: Vec<Finding>,
    /// Rules of the policy that matched.
    #[serde(skip)]
    pub matched: BTreeSet<RuleRef>,
}

impl Decision {
    /// Whether the artifact is admitted.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Gate {
    /// Opens a gate: everything that it rests on is verified first.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a policy with a mistake (line and column); [`Error::Verification`] when trust, policy
    /// signatures (two legal keys), records or head do not hold.
    pub fn open(options: &GateOptions) -> Result<Self> {
        let (policy, trust, signed) = Self::read(options)?;
        signed?;
        Self::with(options, policy, trust)
    }

    /// A gate whose policy may still be a draft, and whether the policy's own signatures hold. For reports on what a
    /// policy would do; nothing may be opened, built or trained by it.
    ///
    /// # Errors
    /// As [`Gate::open`], but for the policy's signatures.
    pub fn rehearse(options: &GateOptions) -> Result<(Self, bool)> {
        let (policy, trust, signed) = Self::read(options)?;
        Ok((Self::with(options, policy, trust)?, signed.is_ok()))
    }

    /// Policy and trust, and whether two legal keys signed the policy.
    fn read(options: &GateOptions) -> Result<(Policy, Trust, Result<()>)> {
        let bytes = read_capped(&options.policy, 1 << 20)?;
        let policy = Policy::parse(&options.policy, &bytes)?;
        let Some(trust_path) = &options.trust else {
            return Err(Error::verification(
                &options.policy,
                "there is no trust file; name one with `--trust` [FM-T-001 trust-missing]",
            ));
        };
        let trust = Trust::open(trust_path, options.as_of)?;
        let signed = envelope_of(&options.policy, &bytes, POLICY_TYPE).and_then(|envelope| {
            let beside = envelope_path(&options.policy);
            trust.verify(&envelope, &beside, POLICY_TYPE, Role::Legal, "*", options.as_of).map(|_| ())
        });
        Ok((policy, trust, signed))
    }

    fn with(options: &GateOptions, policy: Policy, trust: Trust) -> Result<Self> {
        let records = Records::open(&options.records, &trust, options.as_of)?;
        options.memory.head(&trust, &records.head)?;
        let age = options.as_of.days_since(records.head.issued);
        if age > policy.head_max_age {
            let what = format!(
                "head {} is {age} days old; the policy allows {} [FM-T-005 head-expired]",
                records.head.sequence, policy.head_max_age
            );
            return Err(Error::verification(&options.records, what));
        }
        Ok(Self { policy, trust, records, as_of: options.as_of, act: options.act })
    }

    /// Judges one cell: the policy, the withdrawals in force and, for a contract, the grant behind it.
    #[must_use]
    pub fn cell(&self, cell: &Cell) -> Verdict {
        let terms = self.records.terms_of(cell);
        let context = Context { act: self.act, as_of: self.as_of, terms: &terms };
        let mut verdict = evaluate(&self.policy, cell, &context);
        let in_force = || self.records.in_force(self.act, self.as_of);
        let source = |w: &Filed<Withdrawal>| match &w.target {
            WithdrawalTarget::Source(source) => Some(source.clone()),
            _ => None,
        };
        let sources: BTreeSet<SourceId> = in_force().filter_map(source).collect();
        for withdrawal in in_force().filter(|w| w.takes(cell, &sources)) {
            let reason = reason_of(&withdrawal.target);
            verdict.denials.push(Denial { reason, rule: None, detail: withdrawal.id.clone() });
        }
        if let Some(Basis::Contract(id)) = &cell.basis
            && let Some(reason) = self.contract(id, cell)
        {
            verdict.denials.push(Denial { reason, rule: None, detail: format!("contract {id}") });
        }
        verdict
    }

    /// A withdrawal in force of the work with this normalised text.
    #[must_use]
    pub fn work(&self, text: Sha256) -> Option<Denial> {
        let takes = |w: &&Filed<Withdrawal>| matches!(&w.target, WithdrawalTarget::Work { text: t, .. } if *t == text);
        let found = self.records.in_force(self.act, self.as_of).find(takes)?;
        Some(Denial { reason: Reason::WorkWithdrawn, rule: None, detail: found.id.clone() })
    }

    /// What is missing from the contract behind a cell: to build, train or publish a grant in force for every source;
    /// later acts may not go beyond the purposes that the contract ever had for any of them (semantics.md §1, the
    /// ceiling). A closed cell does not say its sources: then every source of which the contract has a grant must do.
    fn contract(&self, id: &str, cell: &Cell) -> Option<Reason> {
        let (purpose, places) = (&self.policy.purpose, &self.policy.places);
        let of_contract = || self.records.grants.iter().filter(|g| g.contract.as_deref() == Some(id));
        let named = |g: &Grant| match &g.subject {
            GrantSubject::Source(source) => Some(source.clone()),
            GrantSubject::Weights(_) => None,
        };
        let mut sources = cell.sources.clone();
        if sources.is_empty() {
            sources = of_contract().filter_map(named).collect();
        }
        let forward = matches!(self.act, Act::Build | Act::Train | Act::PublishData);
        let does = |g: &Grant| match forward {
            true => g.covers(self.act, purpose, places, self.as_of),
            false => g.purposes.contains("*") || g.purposes.contains(purpose),
        };
        let granted = |source: &SourceId| of_contract().any(|g| named(g).as_ref() == Some(source) && does(g));
        let all = !sources.is_empty() && sources.iter().all(granted);
        (!all).then_some(if forward { Reason::GrantMissing } else { Reason::CeilingExceeded })
    }

    /// Whether verdicts test an exposure: always three kinds, and those that the policy names.
    #[must_use]
    pub fn tests(&self, exposure: &Exposure) -> bool {
        exposure.kind.is_tested() || self.policy.kinds.contains(&exposure.kind)
    }

    /// Judges an artifact by everything that it was exposed to. `subject` is the Merkle root of its files or the
    /// digest of its manifest: what exceptions name.
    #[must_use]
    pub fn exposures(&self, subject: Sha256, exposures: &[Exposure]) -> Decision {
        let mut findings = Vec::new();
        let mut matched = BTreeSet::new();
        for exposure in exposures {
            if !self.tests(exposure) {
                continue;
            }
            let set = Some(exposure.set.to_string());
            for count in &exposure.cells {
                let verdict = self.cell(&count.cell);
                matched.extend(verdict.matched);
                findings.extend(verdict.denials.into_iter().map(|denial| Finding {
                    denial,
                    tokens: count.tokens,
                    documents: count.documents,
                    set: set.clone(),
                    kind: Some(exposure.kind),
                    evidence: count.evidence.clone(),
                }));
            }
            findings.extend(self.works(exposure).into_iter().map(|denial| Finding {
                denial,
                tokens: None,
                documents: None,
                set: set.clone(),
                kind: Some(exposure.kind),
                evidence: None,
            }));
        }
        // First what a line of the policy forbids: it says more than that nothing allows it.
        findings.sort_by(|a, b| (a.denial.rule.is_none(), a).cmp(&(b.denial.rule.is_none(), b)));
        // Equal findings about whole artifacts say the same; those with tokens are of different cells and all count.
        findings.dedup_by(|a, b| a.tokens.is_none() && a == b);
        let (lifted, findings) = self.lift(subject, findings, exposures);
        Decision { findings, lifted, matched }
    }

    /// Withdrawals that cells cannot decide: of works, and any that may touch a closed set.
    fn works(&self, exposure: &Exposure) -> Vec<Denial> {
        // A cell that names no source hides it, whatever the total says.
        let hides = |c: &crate::exposure::CellCount| c.cell.sources.is_empty() && c.cell.state != State::Unknown;
        let closed = matches!(exposure.tokens, TokenTotal::AtMost(_)) || exposure.cells.iter().any(hides);
        let judge = |w: &Filed<Withdrawal>| {
            let answer = self.records.answer(w, &exposure.set, exposure.manifest);
            let reason = match &w.target {
                WithdrawalTarget::Work { held_by, .. } if held_by.contains(&exposure.manifest) => Reason::WorkWithdrawn,
                _ if closed && answer == Some(true) => reason_of(&w.target),
                // Terms stand in a closed set's cells, so that its owner need not be asked.
                WithdrawalTarget::License(_) => return None,
                // Nobody but the owner can say that a closed set is untouched.
                _ if closed && answer != Some(false) => Reason::UndecidedWithdrawal,
                WithdrawalTarget::Work { .. } if !closed && w.nobody_looked() => Reason::UndecidedWithdrawal,
                _ => return None,
            };
            Some(Denial { reason, rule: None, detail: w.id.clone() })
        };
        self.records.in_force(self.act, self.as_of).filter_map(judge).collect()
    }

    /// Refuses a manifest of a set of which another one was released, for acts that read the set anew.
    #[must_use]
    pub fn current(&self, corpus: &str, set: &SetName, manifest: Sha256) -> Option<Denial> {
        let detail = format!("set `{set}` of `{corpus}` was released with another manifest");
        let superseded = self.records.is_superseded(corpus, set, manifest);
        superseded.then_some(Denial { reason: Reason::ManifestSuperseded, rule: None, detail })
    }

    /// Judges weights: grant, assurance and exposure.
    #[must_use]
    pub fn weights(&self, files_root: Sha256, assurance: Assurance, exposures: &[Exposure]) -> Decision {
        let mut decision = self.exposures(files_root, exposures);
        let whole = |reason, detail: String| Finding {
            denial: Denial { reason, rule: None, detail },
            tokens: None,
            documents: None,
            set: None,
            kind: None,
            evidence: None,
        };
        if assurance < self.policy.assurance {
            let detail = format!("{assurance:?} is below {:?}", self.policy.assurance).to_lowercase();
            decision.findings.push(whole(Reason::AssuranceTooLow, detail));
        }
        let (purpose, places) = (&self.policy.purpose, &self.policy.places);
        let mine = self.records.grants.iter().filter(|g| g.subject == GrantSubject::Weights(files_root));
        if !mine.clone().any(|g| g.covers(self.act, purpose, places, self.as_of)) {
            let detail = format!("no grant of these weights for `{}`, purpose `{purpose}`", self.act.as_str());
            decision.findings.push(whole(Reason::GrantMissing, detail));
        }
        decision
    }

    /// Mixing rules over the anchor's and the admitted experts' exposures: what is refused, and who is left out.
    #[must_use]
    pub fn mixing(&self, anchor: &[Exposure], experts: &[&[Exposure]]) -> Mixing {
        let experts: Vec<Vec<&Cell>> = experts.iter().map(|e| self.tested_cells(e)).collect();
        mixing(&self.policy, &self.tested_cells(anchor), &experts, &self.records)
    }

    fn tested_cells<'a>(&self, exposures: &'a [Exposure]) -> Vec<&'a Cell> {
        exposures.iter().filter(|e| self.tests(e)).flat_map(|e| &e.cells).map(|c| &c.cell).collect()
    }

    /// Splits findings into those that an exception lifts and the rest. An exception lifts one rule of one artifact,
    /// up to its ceiling, until its last day, and only what may be lifted at all (semantics.md §3).
    fn lift(&self, subject: Sha256, findings: Vec<Finding>, exposures: &[Exposure]) -> (Vec<Finding>, Vec<Finding>) {
        let signed = self.records.exceptions.iter().map(|e| (e.subject, &e.rule, e.max_tokens, e.expires));
        let written = self.policy.exceptions.iter().map(|e| (e.subject, &e.rule, e.max_tokens, e.expires));
        let in_force: Vec<_> = signed.chain(written).filter(|e| e.0 == subject && e.3 >= self.as_of).collect();
        let all = |sum: u64, tokens: u64| sum.saturating_add(tokens);
        let closed_total: u64 = exposures.iter().map(|e| e.tokens.upper()).fold(0, all);
        let names = |rule: &str, f: &Finding| {
            f.denial.reason.name() == rule || f.denial.rule.as_ref().is_some_and(|r| r.key == rule)
        };
        let covered = |rule: &str| -> u64 {
            findings.iter().filter(|f| names(rule, f)).map(|f| f.tokens.unwrap_or(closed_total)).fold(0, all)
        };
        let lifts = |f: &Finding| {
            f.denial.reason.may_be_lifted() && in_force.iter().any(|e| names(e.1, f) && covered(e.1) <= e.2)
        };
        findings.iter().cloned().partition(lifts)
    }

    /// Rules of the policy that nothing matched, given all that did.
    #[must_use]
    pub fn unmatched(&self, matched: &BTreeSet<RuleRef>) -> Vec<RuleRef> {
        self.policy.rules().into_iter().filter(|r| !matched.contains(r)).collect()
    }
}

/// The reason that a withdrawal of this gives.
#[must_use]
pub const fn reason_of(target: &WithdrawalTarget) -> Reason {
    match target {
        WithdrawalTarget::Source(_) => Reason::SourceWithdrawn,
        WithdrawalTarget::Rightsholder(_) => Reason::RightsholderWithdrawn,
        WithdrawalTarget::License(_) => Reason::LicenseWithdrawn,
        WithdrawalTarget::Work { .. } => Reason::WorkWithdrawn,
    }
}

/// Reads a signed record of a corpus or model under a trust file.
///
/// # Errors
/// As [`Trust::verify`] and the record's parser.
pub fn read_record<T: crate::sign::Record>(
    trust: &Trust,
    path: &Path,
    role: Role,
    scope: &str,
    as_of: Date,
) -> Result<(T, Sha256)> {
    let envelope = crate::sign::Envelope::read(path)?;
    let verified = trust.verify(&envelope, path, crate::trust::STATEMENT_TYPE, role, scope, as_of)?;
    let digest = Sha256::of(&verified.payload);
    Ok((crate::sign::Statement::<T>::from_verified(&verified, path)?.predicate, digest))
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
