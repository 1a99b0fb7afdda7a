//! From the typed file to the policy: every closed list is held to `words.rs`, and every mistake has its place.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;

use super::file::{Duty, Exception, Listed, Mix, Policy};
use super::raw::{RawDuty, RawException, RawMix, RawPolicy, RawState, RawTrust, RawUse};
use super::words;
use crate::conclusion::State;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::license::{Expression, Leaf};
use crate::place;
use crate::suggest::question;

/// Turns the typed file into the policy, with one way to say where something is wrong.
pub(super) struct Reader<'a> {
    pub path: &'a Path,
    pub text: &'a str,
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
        let word = value.get_ref().as_str();
        if legal.contains(&word) {
            return Ok(());
        }
        let meant = question(word, legal.iter().copied());
        self.wrong(value.span().start, &format!("`{key}` may only be {}{meant}", legal.join(" or ")))
    }

    fn said(&self, value: &Spanned<String>, key: &str) -> Result<String> {
        if value.get_ref().trim().is_empty() {
            return self.wrong(value.span().start, &format!("`{key}` says nothing"));
        }
        Ok(value.get_ref().clone())
    }

    fn listed<T, U>(&self, list: Vec<Spanned<T>>, convert: impl Fn(T) -> U) -> Vec<Listed<U>> {
        let one = |item: Spanned<T>| {
            let line = self.line(item.span().start);
            Listed { value: convert(item.into_inner()), line }
        };
        list.into_iter().map(one).collect()
    }

    /// Each entry must be one license, not an expression of several.
    fn leaves(&self, list: Vec<Spanned<Expression>>, key: &str) -> Result<Vec<Listed<Leaf>>> {
        let one = |item: Spanned<Expression>| {
            let (start, line) = (item.span().start, self.line(item.span().start));
            let leaves: Vec<Leaf> = item.get_ref().leaves().into_iter().cloned().collect();
            match <[Leaf; 1]>::try_from(leaves) {
                Ok([value]) => Ok(Listed { value, line }),
                Err(_) => self.wrong(start, &format!("`{key}` takes single license ids")),
            }
        };
        list.into_iter().map(one).collect()
    }

    /// The policy that the typed file means.
    pub(super) fn policy(&self, raw: RawPolicy, bytes: &[u8]) -> Result<Policy> {
        self.only(&raw.schema, words::SCHEMAS, "schema")?;
        self.only(&raw.default, words::DENY, "default")?;
        let valid = raw.valid.get_ref();
        if valid.from > valid.until {
            return self.wrong(raw.valid.span().start, "`valid.from` is after `valid.until`");
        }
        self.usage(raw.usage.get_ref(), raw.usage.span().start)?;
        let Some(trust) = raw.trust else {
            return self.wrong(self.text.len(), "the section `[trust]` is missing");
        };
        if let Some(unchecked) = &raw.optout.unchecked {
            self.only(unchecked, words::DENY, "optout.unchecked")?;
        }
        let lines =
            BTreeMap::from([("valid", self.line(raw.valid.span().start)), ("use", self.line(raw.usage.span().start))]);
        Ok(Policy {
            lines,
            valid: (valid.from, valid.until),
            act: raw.usage.get_ref().act,
            purpose: raw.usage.get_ref().purpose.get_ref().clone(),
            places: raw.usage.get_ref().places.iter().map(|p| p.get_ref().clone()).collect(),
            states: self.states(&raw.state)?,
            unreviewed_line: raw.state.unreviewed_terms.as_ref().map_or(0, |s| self.line(s.span().start)),
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
            elect: self.branches(raw.or.elect)?,
            assurance: trust.assurance,
            head_max_age: self.trust(&trust)?,
            kinds: raw.exposure.kinds.into_iter().map(Spanned::into_inner).collect(),
            mix: raw.mix.into_iter().map(|m| self.mix(m)).collect::<Result<_>>()?,
            exceptions: raw.exception.into_iter().map(|e| self.exception(e)).collect::<Result<_>>()?,
            demo: raw.demo,
            digest: Sha256::of(bytes),
            id: self.said(&raw.id, "id")?,
            version: raw.version,
            owner: self.said(&raw.owner, "owner")?,
            file: self.path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
        })
    }

    fn usage(&self, usage: &RawUse, start: usize) -> Result<()> {
        if let Err(what) = words::check_purpose(usage.purpose.get_ref()) {
            return self.wrong(usage.purpose.span().start, &what);
        }
        for place in &usage.places {
            if let Err(what) = place::check(place.get_ref()) {
                return self.wrong(place.span().start, &what);
            }
        }
        if usage.places.is_empty() {
            return self.wrong(start, "`use.places` must name at least one place");
        }
        Ok(())
    }

    fn states(&self, raw: &RawState) -> Result<BTreeMap<State, Listed<String>>> {
        let named = [
            (State::NoneFound, &raw.none_found),
            (State::Contradicted, &raw.contradicted),
            (State::Unparseable, &raw.unparseable),
            (State::Pending, &raw.pending),
        ];
        let mut states = BTreeMap::new();
        for (state, value) in named {
            let Some(value) = value else { continue };
            self.only(value, words::STATES, &format!("state.{state}"))?;
            states.insert(state, Listed { value: value.get_ref().clone(), line: self.line(value.span().start) });
        }
        if let Some(value) = &raw.unreviewed_terms {
            self.only(value, words::DENY, "state.unreviewed-terms")?;
        }
        Ok(states)
    }

    fn bases(&self, list: Vec<Spanned<String>>, key: &str) -> Result<Vec<Listed<String>>> {
        for value in &list {
            self.only(value, words::BASES, key)?;
        }
        Ok(self.listed(list, |b| b))
    }

    /// Each entry must be one branch: an expression that leaves no choice.
    fn branches(&self, list: Vec<Spanned<Expression>>) -> Result<Vec<Listed<Expression>>> {
        if let Some(open) = list.iter().find(|e| e.get_ref().has_choice()) {
            return self.wrong(open.span().start, "`or.elect` takes branches, and this one leaves a choice itself");
        }
        Ok(self.listed(list, |e| e))
    }

    fn duties(&self, raw: BTreeMap<Spanned<String>, RawDuty>) -> Result<BTreeMap<String, Listed<Duty>>> {
        let mut duties = BTreeMap::new();
        for (key, duty) in raw {
            self.only(&key, words::DUTIES, "duties")?;
            let line = self.line(key.span().start);
            let value = match duty {
                RawDuty::Deny => Duty::Deny,
                RawDuty::Deliver { deliver, cover } => {
                    if !words::WAYS.contains(&deliver.as_str()) {
                        let meant = question(&deliver, words::WAYS.iter().copied());
                        let what = format!("`deliver` may only be {}{meant}", words::WAYS.join(" or "));
                        return self.wrong(key.span().start, &what);
                    }
                    if cover.is_some_and(|c| !words::COVERS.contains(&c.as_str())) {
                        let what = format!("`cover` may only be {}", words::COVERS.join(" or "));
                        return self.wrong(key.span().start, &what);
                    }
                    Duty::Deliver(deliver)
                }
            };
            duties.insert(key.into_inner(), Listed { value, line });
        }
        Ok(duties)
    }

    /// Checks `[trust]`; gives the greatest age of a head in days.
    fn trust(&self, trust: &RawTrust) -> Result<i64> {
        self.only(&trust.undecided_withdrawal, words::UNDECIDED, "trust.undecided_withdrawal")?;
        let age = &trust.head_max_age;
        match age.get_ref().strip_suffix('d').and_then(|n| n.parse().ok()).filter(|n| (0..=3660).contains(n)) {
            Some(days) => Ok(days),
            None => self.wrong(age.span().start, "`trust.head_max_age` is a number of days such as \"7d\""),
        }
    }

    fn mix(&self, item: Spanned<RawMix>) -> Result<Mix> {
        let (start, raw) = (item.span().start, item.into_inner());
        self.only(&raw.scope, words::SCOPES, "mix.scope")?;
        let distinct: std::collections::BTreeSet<_> = raw.never_together.iter().collect();
        if distinct.len() < 2 || distinct.len() < raw.never_together.len() {
            return self.wrong(start, "`mix.never_together` names two or more different properties");
        }
        if let Some(side) = raw.prefer.as_ref().filter(|p| !raw.never_together.contains(p.get_ref())) {
            let sides = raw.never_together.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(" or ");
            return self.wrong(side.span().start, &format!("`mix.prefer` may only be {sides}"));
        }
        let prefer = raw.prefer.map(Spanned::into_inner);
        Ok(Mix { never_together: raw.never_together, prefer, line: self.line(start) })
    }

    fn exception(&self, item: Spanned<RawException>) -> Result<Exception> {
        let (line, raw) = (self.line(item.span().start), item.into_inner());
        let rule = raw.rule.get_ref().as_str();
        if !words::liftable().any(|name| name == rule) {
            let meant = question(rule, words::liftable());
            let what = format!("`exception.rule` is no rule that may be lifted, nor such a reason's name{meant}");
            return self.wrong(raw.rule.span().start, &what);
        }
        let reason =
            format!("{} ({})", self.said(&raw.reason, "exception.reason")?, self.said(&raw.owner, "exception.owner")?);
        let rule = raw.rule.into_inner();
        Ok(Exception { subject: raw.subject, rule, max_tokens: raw.max_tokens, expires: raw.expires, reason, line })
    }
}
