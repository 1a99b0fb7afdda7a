//! The verdict on one cell: pure and total. Every denial names its reason code and, where a line of the policy says
//! so, that line. All denials are listed, since an exception lifts one rule and never the rest.

use std::collections::BTreeSet;

use super::file::{Act, Duty, Listed, Policy, RuleRef};
use crate::conclusion::{Basis, State};
use crate::date::Date;
use crate::exposure::Cell;
use crate::license::{Expression, Leaf, Property, reviewed};
use crate::reason::Reason;

/// Where the reviewed properties of a license id come from.
pub trait TermsSource {
    /// The properties, or nothing when nobody reviewed the id.
    fn properties(&self, leaf: &Leaf) -> Option<BTreeSet<Property>>;
}

/// The built-in table alone.
pub struct ReviewedTerms;

impl TermsSource for ReviewedTerms {
    fn properties(&self, leaf: &Leaf) -> Option<BTreeSet<Property>> {
        reviewed(leaf).map(crate::license::Terms::property_set)
    }
}

/// What a verdict depends on beside policy and cell.
pub struct Context<'a> {
    /// The act that the gate is for.
    pub act: Act,
    /// The date.
    pub as_of: Date,
    /// The reviewed terms.
    pub terms: &'a dyn TermsSource,
}

/// One reason why a cell is denied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// The line of the policy that says so; absent where the law of flexmix itself does.
    pub rule: Option<RuleRef>,
    /// The words that hit: a license, a source, a duty.
    pub detail: String,
}

/// The verdict on one cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why it is denied; permitted when empty.
    pub denials: Vec<Denial>,
    /// The rules that matched, allowing or denying.
    pub matched: BTreeSet<RuleRef>,
}

impl Verdict {
    /// Whether nothing denies.
    #[must_use]
    pub fn is_permitted(&self) -> bool {
        self.denials.is_empty()
    }

    fn deny(&mut self, reason: Reason, rule: Option<RuleRef>, detail: impl Into<String>) {
        self.matched.extend(rule.clone());
        self.denials.push(Denial { reason, rule, detail: detail.into() });
    }
}

fn rule(key: &str, value: impl ToString, line: u32) -> RuleRef {
    RuleRef { line, key: key.to_owned(), value: value.to_string() }
}

/// Judges one cell.
#[must_use]
pub fn evaluate(policy: &Policy, cell: &Cell, context: &Context<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    in_force(policy, context, &mut verdict);
    if cell.state != State::Concluded {
        state(policy, cell.state, &mut verdict);
        // An exception may lift the state, and never a denied source with it. A gap has no origin to be asked for.
        if cell.state != State::Unknown {
            origin(policy, cell, &mut verdict);
        }
        return verdict;
    }
    basis(policy, cell, &mut verdict);
    // An election chooses among what is there: one of anything else would launder the terms.
    if let Some(branch) =
        cell.election.as_ref().filter(|b| cell.expression.as_ref().is_none_or(|e| e.elect(b).is_none()))
    {
        verdict.deny(Reason::ElectionMissing, None, format!("`{branch}` is no branch of {}", cell.label()));
    }
    match (&cell.expression, cell.elected()) {
        (Some(open), None) => {
            verdict.deny(Reason::ElectionMissing, None, open.to_string());
            for leaf in open.leaves() {
                judge_leaf(policy, leaf, context, &mut verdict);
            }
            branches(policy, open, &mut verdict);
        }
        (Some(all), Some(elected)) => {
            for leaf in elected.leaves() {
                judge_leaf(policy, leaf, context, &mut verdict);
            }
            branches(policy, all, &mut verdict);
        }
        (None, _) if matches!(cell.basis, Some(Basis::PublicDomain(_) | Basis::Own)) => {}
        (None, _) => verdict.deny(Reason::LicenseNotAllowed, None, "no license is recorded"),
    }
    origin(policy, cell, &mut verdict);
    optouts(policy, cell, &mut verdict);
    verdict
}

fn in_force(policy: &Policy, context: &Context<'_>, verdict: &mut Verdict) {
    let (from, until) = policy.valid;
    let line = |key| policy.lines.get(key).copied().unwrap_or(0);
    if context.as_of < from || context.as_of > until {
        let detail = format!("{} is outside {from} to {until}", context.as_of);
        verdict.deny(Reason::PolicyNotInForce, Some(rule("valid", "", line("valid"))), detail);
    }
    if context.act != policy.act {
        let detail = format!("the gate is for `{}`", context.act.as_str());
        verdict.deny(Reason::ActNotCovered, Some(rule("use.act", policy.act.as_str(), line("use"))), detail);
    }
}

fn state(policy: &Policy, state: State, verdict: &mut Verdict) {
    let reason = match state {
        State::Contradicted => Reason::Contradicted,
        State::Unparseable => Reason::Unparseable,
        State::Pending => Reason::Pending,
        State::Unknown => Reason::ExposureUnknown,
        State::NoneFound | State::Concluded => Reason::NoneFound,
    };
    let written = policy.states.get(&state).map(|l| rule(&format!("state.{state}"), &l.value, l.line));
    verdict.deny(reason, written, state.to_string());
}

fn basis(policy: &Policy, cell: &Cell, verdict: &mut Verdict) {
    let Some(basis) = &cell.basis else {
        return verdict.deny(Reason::BasisNotAllowed, None, "no basis is recorded");
    };
    match policy.bases.iter().find(|b| b.value == basis.kind()) {
        Some(found) => _ = verdict.matched.insert(rule("allow.bases", &found.value, found.line)),
        None => verdict.deny(Reason::BasisNotAllowed, None, basis.to_string()),
    }
    for place in policy.places.iter().filter(|p| !basis.holds_in(p)) {
        verdict.deny(Reason::BasisNotInPlace, None, format!("{basis} does not hold in {place}"));
    }
    // Mining under Article 3 is for scientific research, and no later policy makes it anything else.
    if *basis == Basis::TdmArt3 && policy.purpose != "research" {
        verdict.deny(Reason::CeilingExceeded, None, basis.to_string());
    }
}

fn judge_leaf(policy: &Policy, leaf: &Leaf, context: &Context<'_>, verdict: &mut Verdict) {
    let Some(properties) = context.terms.properties(leaf) else {
        let line = policy.unreviewed_line;
        let written = (line > 0).then(|| rule("state.unreviewed-terms", "deny", line));
        return verdict.deny(Reason::UnreviewedTerms, written, leaf.as_str());
    };
    let by_id = policy.ids.iter().find(|l| l.value == *leaf).map(|l| rule("allow.ids", &l.value, l.line));
    let in_family = |f: &&Listed<crate::license::Family>| properties.iter().all(|p| f.value.may_have().contains(p));
    let by_family = || policy.families.iter().find(in_family).map(|f| rule("allow.families", f.value.as_str(), f.line));
    match by_id.or_else(by_family) {
        Some(allowed) => _ = verdict.matched.insert(allowed),
        None => verdict.deny(Reason::LicenseNotAllowed, None, leaf.as_str()),
    }
    for denied in policy.deny_properties.iter().filter(|d| properties.contains(&d.value)) {
        let rule = rule("deny.properties", denied.value, denied.line);
        verdict.deny(Reason::LicenseDenied, Some(rule), leaf.as_str());
    }
    let mut judged = BTreeSet::new();
    for key in properties.iter().filter_map(|p| duty_of(*p)).filter(|key| judged.insert(*key)) {
        match policy.duties.get(key).map(|d| (&d.value, d.line)) {
            Some((Duty::Deliver(_), _)) => {}
            Some((Duty::Deny, line)) => {
                let rule = rule(&format!("duties.{key}"), "deny", line);
                verdict.deny(Reason::DutyUndeliverable, Some(rule), format!("{leaf} asks for {key}"));
            }
            None => verdict.deny(Reason::DutyUndeliverable, None, format!("{leaf} asks for {key}")),
        }
    }
}

impl Policy {
    /// The duty that a property asks for, by the key of `[duties]`, and what the policy says of it. Nothing for a
    /// property that asks for no act; a duty that the policy leaves out denies.
    #[must_use]
    pub fn duty(&self, property: Property) -> Option<(&'static str, Option<&Listed<Duty>>)> {
        duty_of(property).map(|key| (key, self.duties.get(key)))
    }
}

/// The duty of a policy that a property asks for: a notice travels with the attribution.
const fn duty_of(property: Property) -> Option<&'static str> {
    match property {
        Property::Attribution | Property::Notice => Some("attribution"),
        Property::ShareAlike => Some("share-alike"),
        Property::SourceDisclosure | Property::NetworkCopyleft => Some("source-disclosure"),
        _ => None,
    }
}

fn branches(policy: &Policy, all: &Expression, verdict: &mut Verdict) {
    for denied in policy.deny_branches.iter().filter(|d| all.leaves().iter().any(|l| l.is_same_as(&d.value))) {
        let rule = rule("deny.any_branch", &denied.value, denied.line);
        verdict.deny(Reason::BranchDenied, Some(rule), all.to_string());
    }
}

fn origin(policy: &Policy, cell: &Cell, verdict: &mut Verdict) {
    let hidden = cell.sources.is_empty();
    if hidden && !(policy.deny_sources.is_empty() && policy.deny_rightsholders.is_empty()) {
        verdict.deny(Reason::UndecidedWithdrawal, None, "a closed set does not say its sources; its owner must");
    }
    let denied = |source: &crate::id::SourceId| policy.deny_sources.iter().find(|d| d.value == source.as_str());
    if !hidden && cell.sources.iter().all(|s| denied(s).is_some()) {
        for hit in cell.sources.iter().filter_map(denied) {
            let rule = rule("deny.sources", &hit.value, hit.line);
            verdict.deny(Reason::SourceDenied, Some(rule), hit.value.clone());
        }
    }
    for hit in policy.deny_rightsholders.iter().filter(|d| cell.rightsholders.contains(&d.value)) {
        let rule = rule("deny.rightsholders", &hit.value, hit.line);
        verdict.deny(Reason::RightsholderDenied, Some(rule), hit.value.clone());
    }
}

fn optouts(policy: &Policy, cell: &Cell, verdict: &mut Verdict) {
    let Some(basis) = &cell.basis else { return };
    if *basis == Basis::TdmArt4 {
        // The law itself: a reservation ends this basis, whatever the policy lists.
        for (signal, _) in cell.optouts.iter().filter(|(_, reserved)| **reserved) {
            verdict.deny(Reason::OptedOut, None, format!("{signal:?}").to_lowercase());
        }
    }
    if *basis == Basis::TdmArt4 && cell.optouts.is_empty() {
        // Whatever the policy honours: where nobody looked, nobody can say that this basis holds.
        verdict.deny(Reason::OptOutUnchecked, None, "no signal was looked at");
    }
    let Some(ends) = policy.optout_ends.iter().find(|b| b.value == basis.kind()) else { return };
    for signal in &policy.honour {
        let name = format!("{:?}", signal.value).to_lowercase();
        match cell.optouts.get(&signal.value) {
            Some(false) => {}
            Some(true) => {
                let rule = rule("optout.ends", &ends.value, ends.line);
                verdict.deny(Reason::OptedOut, Some(rule), name);
            }
            None => {
                let rule = rule("optout.honour", &name, signal.line);
                verdict.deny(Reason::OptOutUnchecked, Some(rule), name);
            }
        }
    }
}
