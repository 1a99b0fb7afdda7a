//! Mixing rules: properties that may not act together in one session (semantics.md §3). Pure; the anchor cannot be left
//! out, experts can, where the policy says which side it prefers.

use std::collections::BTreeSet;

use super::evaluate::{Denial, TermsSource};
use super::file::{Mix, Policy, RuleRef};
use crate::exposure::Cell;
use crate::license::Property;
use crate::reason::Reason;

/// What mixing rules leave of artifacts that would act together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mixing {
    /// Why nothing runs at all, if a rule refuses the whole.
    pub refused: Option<Denial>,
    /// Experts that a rule leaves out, by their place in the list.
    pub excluded: Vec<(usize, Denial)>,
}

/// Applies the policy's rules in the order of the file to an anchor and experts, each with its tested cells.
///
/// A rule whose properties meet refuses the whole, unless it prefers one of them that is there: then experts with
/// another are left out, and the anchor's having another still refuses the whole.
#[must_use]
pub fn mixing(policy: &Policy, anchor: &[&Cell], experts: &[Vec<&Cell>], terms: &dyn TermsSource) -> Mixing {
    let anchor = properties(anchor, terms);
    let mut staying: Vec<(usize, BTreeSet<Property>)> =
        experts.iter().map(|cells| properties(cells, terms)).enumerate().collect();
    let mut mixing = Mixing::default();
    for mix in &policy.mix {
        let present: BTreeSet<Property> =
            staying.iter().map(|(_, own)| own).chain([&anchor]).flatten().copied().collect();
        let met: Vec<Property> = mix.never_together.iter().copied().filter(|p| present.contains(p)).collect();
        if met.len() < 2 {
            continue;
        }
        let Some(preferred) = mix.prefer.filter(|p| met.contains(p)) else {
            mixing.refused = Some(denial(mix, &met));
            return mixing;
        };
        let against = |own: &BTreeSet<Property>| -> Vec<Property> {
            met.iter().copied().filter(|p| *p != preferred && own.contains(p)).collect()
        };
        if !against(&anchor).is_empty() {
            mixing.refused = Some(denial(mix, &met));
            return mixing;
        }
        staying.retain(|(place, own)| {
            let others = against(own);
            if !others.is_empty() {
                let pair: Vec<Property> = others.iter().copied().chain([preferred]).collect();
                mixing.excluded.push((*place, denial(mix, &pair)));
            }
            others.is_empty()
        });
    }
    mixing.excluded.sort_by_key(|(place, _)| *place);
    mixing
}

/// Every property that an elected branch has; where none is elected, that any branch has.
fn properties(cells: &[&Cell], terms: &dyn TermsSource) -> BTreeSet<Property> {
    let expressions = cells.iter().filter_map(|c| c.elected().or(c.expression.as_ref()));
    let leaves: BTreeSet<_> = expressions.flat_map(|e| e.leaves()).collect();
    leaves.into_iter().filter_map(|leaf| terms.properties(leaf)).flatten().collect()
}

fn denial(mix: &Mix, met: &[Property]) -> Denial {
    let detail = met.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(" beside ");
    let listed = mix.never_together.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(" beside ");
    let rule = RuleRef { line: mix.line, key: "mix.never_together".to_owned(), value: listed };
    Denial { reason: Reason::MixingForbidden, rule: Some(rule), detail }
}
