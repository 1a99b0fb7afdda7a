//! Conclusions: the one answer on a document's terms, drawn from its claims by stated rules (semantics.md §1, §6).
//! Pure: claims in, conclusion out. What the answer permits is [`crate::policy`]'s business.
//!
//! The rules, in order:
//! 1. Only a rightsholder's or a source's statement concludes; an aggregator's is listed, a detector's is a hint.
//! 2. A statement on the work itself stands before one on the collection it came in.
//! 3. Statements of the scope that speaks must agree, words of not knowing aside; these alone find nothing. One expression (or one dedication, one contract) concludes;
//!    two different ones are `contradicted`; one that is no expression is `unparseable`.
//! 4. A contract between owner and builder stands before public statements: it is why the text is here at all.
//! 5. Over a cluster of equal texts, silence never narrows, and a differing conclusion contradicts every member.
//! 6. A reservation by any signal, wherever it stands, is one (of TDMRep's places the nearest to the work decides); a
//!    place that could not be read leaves its signal as if nobody had looked.

mod decided;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

pub use decided::{conclude_cluster_with, conclude_with};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::claim::{Claim, NO_ASSERTION, Scope, Signal, Speaker, Statement};
use crate::error::{Error, Result};
use crate::license::Expression;

/// Whether and how a document's terms are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The terms are known; the only state that permits without an exception.
    Concluded,
    /// Nobody who may conclude said anything.
    NoneFound,
    /// Two who may conclude disagree.
    Contradicted,
    /// Something was said that is no expression.
    Unparseable,
    /// A human decision is awaited.
    Pending,
    /// A gap in an exposure; no document has it.
    Unknown,
}

impl State {
    /// The state's name as in records and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Concluded => "concluded",
            Self::NoneFound => "none-found",
            Self::Contradicted => "contradicted",
            Self::Unparseable => "unparseable",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a conclusion rests on. Printed and stored as `license`, `contract:ID`, `public-domain:US+FR`, `tdm-art4`…
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// A license to the public.
    License,
    /// A contract with this reference.
    Contract(String),
    /// No copyright in these places; `*` is everywhere.
    PublicDomain(BTreeSet<String>),
    /// Text and data mining under Article 4 of Directive (EU) 2019/790.
    TdmArt4,
    /// Text and data mining for research under Article 3.
    TdmArt3,
    /// Another exception, named in the claim.
    OtherException,
    /// The builder's own text.
    Own,
}

impl Basis {
    /// The kind as a policy's `bases` names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::License => "license",
            Self::Contract(_) => "contract",
            Self::PublicDomain(_) => "public-domain",
            Self::TdmArt4 => "tdm-art4",
            Self::TdmArt3 => "tdm-art3",
            Self::OtherException => "other-exception",
            Self::Own => "own",
        }
    }

    /// Whether the basis holds in `place`: a dedication in the places that it names, mining under the directive in the
    /// Union and each of its states, the others everywhere.
    #[must_use]
    pub fn holds_in(&self, place: &str) -> bool {
        match self {
            Self::PublicDomain(places) => crate::place::covers(places, place),
            Self::TdmArt4 | Self::TdmArt3 => crate::place::is_in_union(place),
            _ => true,
        }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract(id) => write!(f, "contract:{id}"),
            Self::PublicDomain(places) => {
                write!(f, "public-domain:{}", places.iter().map(String::as_str).collect::<Vec<_>>().join("+"))
            }
            other => f.write_str(other.kind()),
        }
    }
}

impl FromStr for Basis {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match (kind, rest) {
            ("license", "") => Ok(Self::License),
            ("contract", id) if !id.is_empty() => Ok(Self::Contract(id.to_owned())),
            ("public-domain", places) if !places.is_empty() => {
                Ok(Self::PublicDomain(places.split('+').map(str::to_owned).collect()))
            }
            ("tdm-art4", "") => Ok(Self::TdmArt4),
            ("tdm-art3", "") => Ok(Self::TdmArt3),
            ("other-exception", "") => Ok(Self::OtherException),
            ("own", "") => Ok(Self::Own),
            _ => Err(Error::invalid("basis", text, "`license`, `contract:ID`, `public-domain:PLACES`, `tdm-art4`, …")),
        }
    }
}

impl Serialize for Basis {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Basis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The answer on one document's terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conclusion {
    /// Whether the terms are known.
    pub state: State,
    /// The terms, when concluded under a license or contract.
    pub expression: Option<Expression>,
    /// What the conclusion rests on, when concluded.
    pub basis: Option<Basis>,
    /// The place of the claim that decided, or of the first of those that disagree.
    pub evidence: Option<String>,
    /// Both sides of a contradiction, the unreadable words, or claims that were listed and not followed.
    pub notes: Vec<String>,
    /// What each opt-out signal said; a signal that was not looked at is absent.
    pub optouts: BTreeMap<Signal, bool>,
}

impl Conclusion {
    fn new(state: State, evidence: Option<String>, notes: Vec<String>) -> Self {
        Self { state, expression: None, basis: None, evidence, notes, optouts: Default::default() }
    }

    /// The terms that this conclusion stands for, without the evidence: equal terms never contradict each other.
    #[must_use]
    pub fn terms(&self) -> (State, Option<&Expression>, Option<&Basis>) {
        (self.state, self.expression.as_ref(), self.basis.as_ref())
    }
}

/// What one statement that may conclude amounts to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    Known(Option<Expression>, Basis),
    Unreadable(String),
    Silent,
}

fn term(claim: &Claim) -> Option<Term> {
    let known = |text: &str, basis| match text.parse() {
        Ok(expression) => Term::Known(Some(expression), basis),
        Err(_) => Term::Unreadable(claim.raw.clone()),
    };
    match &claim.statement {
        Statement::License { expression: Some(text) } if text == NO_ASSERTION => Some(Term::Silent),
        Statement::License { expression: Some(text) } => Some(known(text, Basis::License)),
        Statement::License { expression: None } => Some(Term::Unreadable(claim.raw.clone())),
        Statement::Contract { id, expression } => Some(known(expression, Basis::Contract(id.clone()))),
        Statement::PublicDomain { places } => {
            Some(Term::Known(None, Basis::PublicDomain(places.iter().cloned().collect())))
        }
        Statement::OptOut { .. } | Statement::Copyright | Statement::Attribution => None,
    }
}

/// Draws the conclusion on one document from all claims on it, in any order.
#[must_use]
pub fn conclude(claims: &[Claim]) -> Conclusion {
    let may_conclude = |c: &&Claim| matches!(c.speaker, Speaker::Rightsholder | Speaker::Source);
    let contract = |c: &&Claim| matches!(c.statement, Statement::Contract { .. });
    let speaking: Vec<&Claim> = claims.iter().filter(may_conclude).filter(|c| term(c).is_some()).collect();
    let contracts: Vec<&Claim> = speaking.iter().copied().filter(contract).collect();
    let on_work: Vec<&Claim> = speaking.iter().copied().filter(|c| c.scope == Scope::Work).collect();
    let on_collection: Vec<&Claim> = speaking.iter().copied().filter(|c| c.scope == Scope::Collection).collect();
    let heard = [contracts, on_work, on_collection].into_iter().find(|group| !group.is_empty()).unwrap_or_default();
    let mut conclusion = agree(&heard);
    let listed = claims.iter().filter(|c| !may_conclude(c) && term(c).is_some());
    conclusion.notes.extend(listed.map(|c| format!("listed: {} says `{}` ({})", speaker(c), c.raw, c.locator)));
    conclusion.notes.sort();
    conclusion.optouts = optouts(claims);
    conclusion
}

/// Rule 6. TDMRep says itself which of its places overrides which: the page, then the header, then the site's file.
fn optouts(claims: &[Claim]) -> BTreeMap<Signal, bool> {
    let mut said: BTreeMap<Signal, Vec<(Scope, Option<bool>)>> = BTreeMap::new();
    for claim in claims {
        if let Statement::OptOut { signal, reserved } = claim.statement {
            said.entry(signal).or_default().push((claim.scope, reserved));
        }
    }
    let answer = |(signal, said): (Signal, Vec<(Scope, Option<bool>)>)| {
        let read: Vec<(Scope, bool)> =
            said.iter().filter_map(|(scope, reserved)| Some((*scope, (*reserved)?))).collect();
        let order = [Scope::Work, Scope::Access, Scope::Collection];
        let nearest = order.into_iter().find(|scope| read.iter().any(|(s, _)| s == scope));
        let counts = |(scope, _): &&(Scope, bool)| signal != Signal::Tdmrep || Some(*scope) == nearest;
        let reserved = read.iter().filter(counts).any(|(_, reserved)| *reserved);
        (reserved || read.len() == said.len()).then_some((signal, reserved))
    };
    said.into_iter().filter_map(answer).collect()
}

/// Notes of a cluster, bounded: thousands of copies of one text would each bring theirs. The claims keep all of them.
fn shortened(all: BTreeSet<String>) -> Vec<String> {
    const NOTES: usize = 32;
    const CHARACTERS: usize = 400;
    let more = all.len().saturating_sub(NOTES);
    let kept = all.into_iter().take(NOTES).map(|note| note.chars().take(CHARACTERS).collect());
    kept.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

const fn speaker(claim: &Claim) -> &'static str {
    match claim.speaker {
        Speaker::Rightsholder => "rightsholder",
        Speaker::Source => "source",
        Speaker::Aggregator => "aggregator",
        Speaker::Detector => "detector",
    }
}

/// Rule 3 over the statements of one scope.
fn agree(heard: &[&Claim]) -> Conclusion {
    let mut terms: Vec<(Term, &Claim)> = heard.iter().filter_map(|c| Some((term(c)?, *c))).collect();
    // Who knows nothing contradicts nobody who does; alone they leave the question open.
    if terms.iter().any(|(t, _)| *t != Term::Silent) {
        terms.retain(|(t, _)| *t != Term::Silent);
    }
    terms.sort();
    let distinct: BTreeSet<&Term> = terms.iter().map(|(t, _)| t).collect();
    let first = terms.first().map(|(_, c)| c.locator.clone());
    let sides = || terms.iter().map(|(_, c)| format!("{} says `{}` ({})", speaker(c), c.raw, c.locator)).collect();
    match distinct.iter().next() {
        None => Conclusion::new(State::NoneFound, None, vec![]),
        Some(Term::Silent) => Conclusion::new(State::NoneFound, first, sides()),
        Some(Term::Known(expression, basis)) if distinct.len() == 1 => Conclusion {
            expression: expression.clone(),
            basis: Some(basis.clone()),
            ..Conclusion::new(State::Concluded, first, vec![])
        },
        Some(Term::Unreadable(_)) => Conclusion::new(State::Unparseable, first, sides()),
        Some(_) if distinct.iter().any(|t| matches!(t, Term::Unreadable(_))) => {
            Conclusion::new(State::Unparseable, first, sides())
        }
        Some(_) => Conclusion::new(State::Contradicted, first, sides()),
    }
}

/// Draws one conclusion for documents of the same text, each already concluded by itself (semantics.md §6).
///
/// Members with nothing found neither narrow nor widen; any other disagreement contradicts all of them.
#[must_use]
pub fn conclude_cluster(members: &[Conclusion]) -> Conclusion {
    let speaking: Vec<&Conclusion> = members.iter().filter(|c| c.state != State::NoneFound).collect();
    let Some(first) = speaking.iter().min() else {
        return members.first().cloned().unwrap_or_else(|| Conclusion::new(State::NoneFound, None, vec![]));
    };
    let mut conclusion = if speaking.iter().all(|c| c.terms() == first.terms()) {
        (*first).clone()
    } else {
        let side = |c: &&Conclusion| {
            let terms = c.expression.as_ref().map_or_else(|| c.state.to_string(), ToString::to_string);
            format!("a copy of the same text says `{terms}` ({})", c.evidence.as_deref().unwrap_or("no locator"))
        };
        Conclusion::new(State::Contradicted, first.evidence.clone(), speaking.iter().map(side).collect())
    };
    let notes = members.iter().flat_map(|c| c.notes.iter().cloned());
    let all: BTreeSet<String> = conclusion.notes.iter().cloned().chain(notes).collect();
    conclusion.notes = shortened(all);
    for member in members {
        for (signal, reserved) in &member.optouts {
            *conclusion.optouts.entry(*signal).or_insert(false) |= reserved;
        }
    }
    conclusion
}

#[cfg(test)]
mod tests;
