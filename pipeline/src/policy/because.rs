//! Denials for a legal reader: the rule with its line, what it means, and what would change it. Decides nothing.

use manifests::policy::{Denial, RuleRef};
use manifests::reason::Reason;
use serde::Serialize;

/// One reason against something, told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Because {
    /// The stable number, `FM-P-014`.
    pub code: &'static str,
    /// The stable name.
    pub reason: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// The rule of the policy; absent where no line permits, or the law of flexmix itself says so.
    pub rule: Option<RuleRef>,
    /// The words that hit.
    pub detail: String,
    /// What would change it.
    pub way_out: &'static str,
}

impl Because {
    /// A denial, told.
    #[must_use]
    pub fn of(denial: &Denial) -> Self {
        Self {
            code: denial.reason.code(),
            reason: denial.reason.name(),
            meaning: denial.reason.meaning(),
            rule: denial.rule.clone(),
            detail: denial.detail.clone(),
            way_out: way_out(denial.reason),
        }
    }

    /// All denials, told: first what a line of the policy forbids, which says more than that no line permits it.
    #[must_use]
    pub fn all(denials: &[Denial]) -> Vec<Self> {
        let mut told: Vec<Self> = denials.iter().map(Self::of).collect();
        told.sort_by_key(|b| b.rule.is_none());
        told
    }

    /// `policy.toml:20 deny.properties "non-commercial" [FM-P-014 license-denied]`.
    #[must_use]
    pub fn place(&self, file: &str) -> String {
        match &self.rule {
            Some(found) => format!("{} [{} {}]", rule(found, file), self.code, self.reason),
            None => format!("{file}: no line permits it [{} {}]", self.code, self.reason),
        }
    }
}

/// `policy.toml:20 deny.properties "non-commercial"`.
pub(super) fn rule(rule: &RuleRef, file: &str) -> String {
    let value = if rule.value.is_empty() { String::new() } else { format!(" \"{}\"", rule.value) };
    format!("{file}:{} {}{value}", rule.line, rule.key)
}

/// What would have to happen for a denial to end. An exception is named only where one can lift it.
const fn way_out(reason: Reason) -> &'static str {
    match reason {
        Reason::PolicyNotInForce => "ask on a day within `valid`, or let legal sign a version for this day",
        Reason::ActNotCovered => "ask a policy that is for this act",
        Reason::NoneFound => {
            "find out the terms and state them in the recipe with their evidence, or an exception for the artifact"
        }
        Reason::Contradicted => {
            "ask the rightsholder which statement holds and correct the other in the recipe, or an exception for the artifact"
        }
        Reason::Unparseable => {
            "let legal read the words and state what they mean in the recipe, or an exception for the artifact"
        }
        Reason::Pending => "wait for the decision, or an exception for the artifact",
        Reason::ExposureUnknown => "train again with records, or an exception for the artifact",
        Reason::BasisNotAllowed => "let legal add the basis to `allow.bases`, if it is good for this use",
        Reason::BasisNotInPlace => "use it only where the basis holds, or get a license that holds in every place",
        Reason::ElectionMissing => {
            "`flexmix policy elect` drafts an election; two legal keys sign it, the recipe names it, and a new build fixes it"
        }
        Reason::UnreviewedTerms => {
            "let legal review the license; for terms of an owner's own, a grant that defines them"
        }
        Reason::LicenseNotAllowed => {
            "let legal add the license's family or id to `[allow]`, if its terms suit this use"
        }
        Reason::CeilingExceeded => {
            "none: what was taken for research stays research; a license or contract would be another basis"
        }
        Reason::LicenseDenied => {
            "leave it out, get other terms from the rightsholder, or an exception for the artifact"
        }
        Reason::BranchDenied => "leave it out, get terms without that branch, or an exception for the artifact",
        Reason::SourceDenied | Reason::RightsholderDenied => {
            "leave it out, or let legal strike the name from the list; an exception can lift it for one artifact"
        }
        Reason::DutyUndeliverable => "let legal say in `[duties]` how the duty is delivered, and deliver it",
        Reason::OptedOut => "get a license from whoever reserved: a reservation does not end one",
        Reason::OptOutUnchecked => "look at the signal and state in the recipe what it says",
        Reason::MixingForbidden => "merge without one of the two sides, or let the rule prefer one",
        Reason::SourceWithdrawn | Reason::WorkWithdrawn | Reason::RightsholderWithdrawn | Reason::LicenseWithdrawn => {
            "rebuild without it; no exception lifts a withdrawal"
        }
        Reason::UndecidedWithdrawal => "ask the owner of the closed set to say whether the set holds any of it",
        Reason::GrantMissing => "ask the owner for a grant that covers the act, purpose, places and day",
        Reason::AssuranceTooLow => "let another party observe or replay the training",
        Reason::StampMissing => "put the stamp back, or merge without it",
        _ => "see docs/reason-codes.md",
    }
}
