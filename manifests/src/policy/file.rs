//! A policy as it is meant: parsed strictly, every rule with the line it stands on. Built only by [`Policy::parse`].

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::raw::{RawDuty, RawPolicy};
use crate::claim::Signal;
use crate::conclusion::State;
use crate::date::Date;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::exposure::Kind;
use crate::license::{Family, Leaf, Property};

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
    /// Branches that `policy elect` would draft elections for; they never elect by themselves.
    pub elect: Vec<String>,
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

/// Turns the typed file into the policy, with one way to say where something is wrong.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> u32 {
        u32::try_from(self.text[..at.min(self.text.len())].matches('\n').count() + 1).unwrap_or(u32::MAX)
    }

    fn wrong<T>(&self, at: usize, what: &str) -> Result<T> {
        let start = self.text[..at.min(self.text.len())].rfind('\n').map_or(0, |n| n + 1);
        let column = self.text[start..at.min(self.text.len())].chars().count() + 1;
        Err(Error::malformed("policy", self.path, format!("line {}, column {column}: {what}", self.line(at))))
    }

    fn only(&self, value: &Spanned<String>, legal: &[&str], key: &str) -> Result<()> {
        if legal.contains(&value.get_ref().as_str()) {
            return Ok(());
        }
        self.wrong(value.span().start, &format!("`{key}` may only be {}", legal.join(" or ")))
    }

    fn listed<T, U>(&self, list: Vec<Spanned<T>>, convert: impl Fn(T) -> U) -> Vec<Listed<U>> {
        let one = |item: Spanned<T>| {
            let line = self.line(item.span().start);
            Listed { value: convert(item.into_inner()), line }
        };
        list.into_iter().map(one).collect()
    }

    /// Each entry must be one license, not an expression of several.
    fn leaves(&self, list: Vec<Spanned<crate::license::Expression>>, key: &str) -> Result<Vec<Listed<Leaf>>> {
        let one = |item: Spanned<crate::license::Expression>| {
            let (start, line) = (item.span().start, self.line(item.span().start));
            let leaves: Vec<Leaf> = item.get_ref().leaves().into_iter().cloned().collect();
            match <[Leaf; 1]>::try_from(leaves) {
                Ok([value]) => Ok(Listed { value, line }),
                Err(_) => self.wrong(start, &format!("`{key}` takes single license ids")),
            }
        };
        list.into_iter().map(one).collect()
    }

    fn policy(&self, raw: RawPolicy, bytes: &[u8]) -> Result<Policy> {
        self.only(&raw.schema, &["flexmix/policy/v1"], "schema")?;
        self.only(&raw.default, &["deny"], "default")?;
        let valid_line = self.line(raw.valid.span().start);
        let valid = raw.valid.get_ref();
        if valid.from > valid.until {
            return self.wrong(raw.valid.span().start, "`valid.from` is after `valid.until`");
        }
        let use_line = self.line(raw.usage.span().start);
        if raw.usage.get_ref().places.is_empty() {
            return self.wrong(raw.usage.span().start, "`use.places` must name at least one place");
        }
        let Some(trust) = raw.trust else {
            return self.wrong(self.text.len(), "the section `[trust]` is missing");
        };
        self.only(&trust.undecided_withdrawal, &["exclude"], "trust.undecided_withdrawal")?;
        if let Some(unchecked) = &raw.optout.unchecked {
            self.only(unchecked, &["deny"], "optout.unchecked")?;
        }
        let states = self.states(&raw.state)?;
        let unreviewed_line = raw.state.unreviewed_terms.as_ref().map_or(0, |s| self.line(s.span().start));
        let file = self.path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Policy {
            lines: BTreeMap::from([("valid", valid_line), ("use", use_line)]),
            valid: (valid.from, valid.until),
            act: raw.usage.get_ref().act,
            purpose: raw.usage.get_ref().purpose.clone(),
            places: raw.usage.get_ref().places.clone(),
            states,
            unreviewed_line,
            families: self.listed(raw.allow.families, |f| f),
            ids: self.leaves(raw.allow.ids, "allow.ids")?,
            bases: self.bases(raw.allow.bases, "allow.bases")?,
            deny_properties: self.listed(raw.deny.properties, |p| p),
            deny_branches: self.leaves(raw.deny.any_branch, "deny.any_branch")?,
            deny_sources: self.listed(raw.deny.sources, |s| s),
            deny_rightsholders: self.listed(raw.deny.rightsholders, |s| s),
            duties: self.duties(raw.duties)?,
            honour: self.listed(raw.optout.honour, |s| s),
            optout_ends: self.bases(raw.optout.ends, "optout.ends")?,
            elect: raw.or.elect.iter().map(ToString::to_string).collect(),
            assurance: trust.assurance,
            head_max_age: self.days(&trust.head_max_age)?,
            kinds: raw.exposure.kinds.into_iter().map(Spanned::into_inner).collect(),
            mix: self.mixes(raw.mix)?,
            exceptions: raw.exception.into_iter().map(|e| exception(e.into_inner())).collect(),
            demo: raw.demo,
            digest: Sha256::of(bytes),
            id: raw.id.into_inner(),
            version: raw.version,
            owner: raw.owner,
            file,
        })
    }

    fn states(&self, raw: &super::raw::RawState) -> Result<BTreeMap<State, Listed<String>>> {
        let named = [
            (State::NoneFound, &raw.none_found),
            (State::Contradicted, &raw.contradicted),
            (State::Unparseable, &raw.unparseable),
            (State::Pending, &raw.pending),
        ];
        let mut states = BTreeMap::new();
        for (state, value) in named {
            let Some(value) = value else { continue };
            self.only(value, &["deny", "review"], &format!("state.{state}"))?;
            states.insert(state, Listed { value: value.get_ref().clone(), line: self.line(value.span().start) });
        }
        if let Some(value) = &raw.unreviewed_terms {
            self.only(value, &["deny"], "state.unreviewed-terms")?;
        }
        Ok(states)
    }

    fn bases(&self, list: Vec<Spanned<String>>, key: &str) -> Result<Vec<Listed<String>>> {
        const KINDS: [&str; 7] =
            ["license", "contract", "public-domain", "tdm-art4", "tdm-art3", "other-exception", "own"];
        for value in &list {
            self.only(value, &KINDS, key)?;
        }
        Ok(self.listed(list, |b| b))
    }

    fn duties(&self, raw: BTreeMap<Spanned<String>, RawDuty>) -> Result<BTreeMap<String, Listed<Duty>>> {
        const WAYS: [&str; 4] = ["notice-file", "notice-url", "answer-flag", "source-url"];
        let mut duties = BTreeMap::new();
        for (key, duty) in raw {
            self.only(&key, &["attribution", "share-alike", "source-disclosure"], "duties")?;
            let line = self.line(key.span().start);
            let value = match duty {
                RawDuty::Deny => Duty::Deny,
                RawDuty::Deliver { deliver, cover } => {
                    if !WAYS.contains(&deliver.as_str()) {
                        return self.wrong(key.span().start, &format!("`deliver` may only be {}", WAYS.join(" or ")));
                    }
                    if cover.is_some_and(|c| c != "every-document") {
                        return self.wrong(key.span().start, "`cover` may only be every-document");
                    }
                    Duty::Deliver(deliver)
                }
            };
            duties.insert(key.into_inner(), Listed { value, line });
        }
        Ok(duties)
    }

    fn days(&self, age: &Spanned<String>) -> Result<i64> {
        match age.get_ref().strip_suffix('d').and_then(|n| n.parse().ok()).filter(|n| (0..=3660).contains(n)) {
            Some(days) => Ok(days),
            None => self.wrong(age.span().start, "`trust.head_max_age` is a number of days such as \"7d\""),
        }
    }

    fn mixes(&self, raw: Vec<Spanned<super::raw::RawMix>>) -> Result<Vec<Mix>> {
        let one = |item: Spanned<super::raw::RawMix>| {
            if item.get_ref().scope != "session" {
                return self.wrong(item.span().start, "`mix.scope` may only be session");
            }
            let line = self.line(item.span().start);
            Ok(Mix { never_together: item.into_inner().never_together, line })
        };
        raw.into_iter().map(one).collect()
    }
}

fn exception(raw: super::raw::RawException) -> Exception {
    let reason = format!("{} ({})", raw.reason, raw.owner);
    Exception { subject: raw.subject, rule: raw.rule, max_tokens: raw.max_tokens, expires: raw.expires, reason }
}
