//! A policy as it is meant: parsed strictly, every rule with the line it stands on. Built only by [`Policy::parse`].

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::raw::RawPolicy;
use super::reader::Reader;
use crate::claim::Signal;
use crate::conclusion::State;
use crate::date::Date;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::exposure::Kind;
use crate::license::{Expression, Family, Leaf, Property};

/// What is done with the text or the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Admit documents to a corpus.
    Build,
    /// Train on a corpus.
    Train,
    /// Hand weights to others.
    ReleaseWeights,
    /// Answer with a model.
    Serve,
    /// Hand text to others.
    PublishData,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 5] = [Self::Build, Self::Train, Self::ReleaseWeights, Self::Serve, Self::PublishData];

    /// The act's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Train => "train",
            Self::ReleaseWeights => "release-weights",
            Self::Serve => "serve",
            Self::PublishData => "publish-data",
        }
    }
}

/// How far a stamp was checked by somebody other than the trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// The operator of an import says so.
    Imported,
    /// The trainer says so.
    Claimed,
    /// A launcher under another party's key counted.
    Observed,
    /// An auditor re-ran segments to the same bits.
    Replayed,
}

/// A value and the line of the policy that it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The value.
    pub value: T,
    /// The line, from 1.
    pub line: u32,
}

/// A rule of a policy: its key, its value and its line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRef {
    /// The line, from 1.
    pub line: u32,
    /// The key, `deny.properties`.
    pub key: String,
    /// The value, `non-commercial`.
    pub value: String,
}

/// How a duty of the license is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It can't be, so what asks for it is denied.
    Deny,
    /// In this way.
    Deliver(String),
}

/// Properties that may not act together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Any two of these.
    pub never_together: Vec<Property>,
    /// The one of them that stays when they meet: what has another is left out. Without one the session is refused.
    pub prefer: Option<Property>,
    /// The line, from 1.
    pub line: u32,
}

/// A signed exception: lifts one rule for one artifact, for a time, up to a ceiling of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The artifact.
    pub subject: Sha256,
    /// The key of the rule that it lifts, `state.none-found`.
    pub rule: String,
    /// The most tokens that it covers.
    pub max_tokens: u64,
    /// Its last day.
    pub expires: Date,
    /// Why, and by whom.
    pub reason: String,
    /// The line, from 1.
    pub line: u32,
}

/// A policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Who answers for it.
    pub owner: String,
    /// Its first and last day.
    pub valid: (Date, Date),
    /// The act that it is for.
    pub act: Act,
    /// The purpose.
    pub purpose: String,
    /// Where; a basis must hold in all.
    pub places: Vec<String>,
    /// Lines of the sections that are always there: `valid`, `use`.
    pub(super) lines: BTreeMap<&'static str, u32>,
    /// The lines on which a state's denial is written out.
    pub(super) states: BTreeMap<State, Listed<String>>,
    pub(super) unreviewed_line: u32,
    pub(super) families: Vec<Listed<Family>>,
    pub(super) ids: Vec<Listed<Leaf>>,
    pub(super) bases: Vec<Listed<String>>,
    pub(super) deny_properties: Vec<Listed<Property>>,
    pub(super) deny_branches: Vec<Listed<Leaf>>,
    pub(super) deny_sources: Vec<Listed<String>>,
    pub(super) deny_rightsholders: Vec<Listed<String>>,
    pub(super) duties: BTreeMap<String, Listed<Duty>>,
    pub(super) honour: Vec<Listed<Signal>>,
    pub(super) optout_ends: Vec<Listed<String>>,
    /// Branches that `policy elect` drafts elections for, the first choice first; they never elect by themselves.
    pub elect: Vec<Listed<Expression>>,
    /// The least assurance of a stamp.
    pub assurance: Assurance,
    /// The greatest age of a head, in days.
    pub head_max_age: i64,
    /// Exposure kinds that are tested beside the three that always are.
    pub kinds: Vec<Kind>,
    /// Mixing rules.
    pub mix: Vec<Mix>,
    /// Exceptions.
    pub exceptions: Vec<Exception>,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// The digest of the file's exact bytes.
    pub digest: Sha256,
    /// The name that diagnostics show.
    pub file: String,
}

impl Policy {
    /// Parses a policy file.
    ///
    /// # Errors
    /// [`Error::Malformed`] with line and column.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|e| Error::malformed("policy", path, e))?;
        let raw: RawPolicy = toml::from_str(text).map_err(|e| Error::malformed("policy", path, e))?;
        let policy = Reader { path, text }.policy(raw, bytes)?;
        Ok(policy)
    }

    /// The rule by which a document of this state is denied and queued for the owner, if the policy asks for that.
    #[must_use]
    pub fn review(&self, state: State) -> Option<RuleRef> {
        let listed = self.states.get(&state).filter(|l| l.value == "review")?;
        Some(RuleRef { line: listed.line, key: format!("state.{state}"), value: listed.value.clone() })
    }

    /// The states whose documents are queued for the owner.
    #[must_use]
    pub fn reviewed_states(&self) -> Vec<State> {
        self.states.iter().filter(|(_, l)| l.value == "review").map(|(state, _)| *state).collect()
    }

    /// Every rule that lists something, for the report of rules that never matched.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleRef> {
        let mut rules = Vec::new();
        push(&mut rules, "allow.families", &self.families, |f| f.as_str().to_owned());
        push(&mut rules, "allow.ids", &self.ids, ToString::to_string);
        push(&mut rules, "allow.bases", &self.bases, Clone::clone);
        push(&mut rules, "deny.properties", &self.deny_properties, ToString::to_string);
        push(&mut rules, "deny.any_branch", &self.deny_branches, ToString::to_string);
        push(&mut rules, "deny.sources", &self.deny_sources, Clone::clone);
        push(&mut rules, "deny.rightsholders", &self.deny_rightsholders, Clone::clone);
        rules.sort();
        rules
    }
}

fn push<T>(rules: &mut Vec<RuleRef>, key: &str, list: &[Listed<T>], show: impl Fn(&T) -> String) {
    rules.extend(list.iter().map(|l| RuleRef { line: l.line, key: key.to_owned(), value: show(&l.value) }));
}
