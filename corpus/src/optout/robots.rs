//! robots.txt: groups and longest matches as RFC 9309 has them, and the lines that others added to it: `Content-Usage`
//! (AIPREF), `Content-Signal`, and `License` (RSL).
//!
//! It is asked for the product tokens of those who train models. One of them shut out of a path is a reservation of that
//! path: the most restrictive answer stands.

use std::collections::{BTreeMap, BTreeSet};

use manifests::claim::Signal;

use super::pattern::Pattern;
use super::{Said, usage};

/// A robots.txt.
#[derive(Clone, Debug, Default)]
pub(super) struct Robots {
    groups: Vec<Group>,
    licenses: Vec<Line>,
}

#[derive(Clone, Debug, Default)]
struct Group {
    agents: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    line: Line,
    kind: RuleKind,
    pattern: Pattern,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum RuleKind {
    Allow,
    Disallow,
    Usage(String),
    Signal(String),
}

#[derive(Clone, Debug)]
struct Line {
    number: usize,
    text: String,
}

/// What a line's key is, with the misspellings that crawlers take too.
fn key(name: &str) -> &'static str {
    match name.trim().to_ascii_lowercase().as_str() {
        "user-agent" | "useragent" | "user agent" => "user-agent",
        "allow" => "allow",
        "disallow" | "dissallow" | "dissalow" | "disalow" | "diasllow" | "disallaw" => "disallow",
        "content-usage" => "content-usage",
        "content-signal" | "content-signals" => "content-signal",
        "license" => "license",
        _ => "",
    }
}

impl Robots {
    /// Reads a file. Lines that are none of its kinds are skipped, as the RFC asks.
    pub(super) fn parse(text: &str) -> Self {
        let mut out = Self::default();
        let mut after_rule = true;
        // A line ends with CR, LF or both (RFC 9309, section 2.2), and both are one end.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        for (number, whole) in (1..).zip(text.split(['\n', '\r'])) {
            let line = Line { number, text: whole.trim().to_owned() };
            let content = whole.split('#').next().unwrap_or_default();
            let Some((name, value)) = content.split_once(':') else { continue };
            let (name, value) = (key(name), value.trim());
            match name {
                "user-agent" => {
                    if after_rule {
                        out.groups.push(Group::default());
                    }
                    after_rule = false;
                    out.groups.iter_mut().next_back().into_iter().for_each(|group| group.agents.push(token(value)));
                }
                "license" => out.licenses.push(line),
                "" => {}
                _ => {
                    let Some(group) = out.groups.last_mut() else { continue };
                    after_rule = true;
                    group.rules.extend(rule(name, value, line));
                }
            }
        }
        out
    }

    /// The groups for an agent, by their numbers: every group that names it, else every group for all.
    fn groups(&self, agent: &str) -> Vec<usize> {
        let of = |agent: &str| -> Vec<usize> {
            let names = |g: &Group| g.agents.iter().any(|a| a.eq_ignore_ascii_case(agent));
            self.groups.iter().enumerate().filter(|(_, g)| names(g)).map(|(n, _)| n).collect()
        };
        let named = of(agent);
        if named.is_empty() { of("*") } else { named }
    }

    fn rules(&self, groups: &[usize]) -> Vec<&Rule> {
        groups.iter().filter_map(|n| self.groups.get(*n)).flat_map(|g| &g.rules).collect()
    }

    /// The rule by which an agent may or may not read a path: the longest match, and on a tie `allow`.
    fn access(rules: &[&Rule], path: &str) -> Option<(bool, Line)> {
        let access = |r: &&&Rule| matches!(r.kind, RuleKind::Allow | RuleKind::Disallow) && r.pattern.matches(path);
        let weight = |r: &&&Rule| (r.pattern.length(), r.kind == RuleKind::Allow);
        let found = rules.iter().filter(access).max_by_key(weight)?;
        Some((found.kind == RuleKind::Allow, found.line.clone()))
    }

    /// Whether `agent` may read `path`.
    #[cfg(test)]
    pub(super) fn allows(&self, agent: &str, path: &str) -> bool {
        Self::access(&self.rules(&self.groups(agent)), &super::pattern::normalized(path))
            .is_none_or(|(allowed, _)| allowed)
    }

    /// What the file says of a path to any of `agents`.
    pub(super) fn said(&self, agents: &[String], path: &str) -> Vec<Said> {
        let (mut shut, mut open) = (Vec::new(), Vec::new());
        let mut preferences = BTreeSet::new();
        let mut together: BTreeMap<Vec<usize>, Vec<&str>> = BTreeMap::new();
        agents.iter().for_each(|agent| together.entry(self.groups(agent)).or_default().push(agent));
        for (groups, agents) in together {
            let rules = self.rules(&groups);
            match Self::access(&rules, path) {
                Some((true, line)) => open.push((agents.clone(), line)),
                Some((false, line)) => {
                    shut.push((agents, line));
                    // What cannot be read has no preferences of use.
                    continue;
                }
                None => {}
            }
            preferences.extend(of_use(&rules, path));
            shut.extend(signalled(&rules, path).into_iter().map(|line| (agents.clone(), line)));
        }
        let reserved = !shut.is_empty();
        let (line, raw) = quoted(if reserved { &shut } else { &open });
        let mut out = vec![Said::new(Signal::Robots, Some(reserved), raw, line)];
        let usage = |(line, text): (usize, String)| {
            let value = text.split_once(':').map_or("", |(_, v)| v).split('#').next().unwrap_or_default().trim();
            usage::said(statement(value).1, &text, line)
        };
        out.extend(preferences.into_iter().filter_map(usage));
        out
    }

    /// The lines that name an RSL document for the site.
    pub(super) fn licenses(&self) -> impl Iterator<Item = (usize, &str)> {
        self.licenses.iter().map(|line| (line.number, line.text.as_str()))
    }
}

/// The product token that a value begins with; `*` is everybody.
fn token(value: &str) -> String {
    let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(value.len());
    if value.starts_with('*') { "*".to_owned() } else { value[..end].to_owned() }
}

fn rule(name: &str, value: &str, line: Line) -> Option<Rule> {
    let (kind, path) = match name {
        // An empty value matches nothing.
        "allow" | "disallow" if value.is_empty() => return None,
        "allow" => (RuleKind::Allow, value),
        "disallow" => (RuleKind::Disallow, value),
        "content-usage" => (RuleKind::Usage(statement(value).1.to_owned()), statement(value).0),
        _ => (RuleKind::Signal(statement(value).1.to_owned()), statement(value).0),
    };
    Some(Rule { line, kind, pattern: Pattern::new(path) })
}

/// Path and statement of a rule on use: the path begins with `/` and ends at a blank.
fn statement(value: &str) -> (&str, &str) {
    match value.split_once([' ', '\t']) {
        Some((path, rest)) if path.starts_with('/') => (path, rest.trim()),
        None if value.starts_with('/') => (value, ""),
        _ => ("/", value),
    }
}

/// The `Content-Usage` lines with the longest matching path; equal paths all count.
fn of_use(rules: &[&Rule], path: &str) -> Vec<(usize, String)> {
    let of_use: Vec<&&Rule> =
        rules.iter().filter(|r| matches!(r.kind, RuleKind::Usage(_)) && r.pattern.matches(path)).collect();
    let longest = of_use.iter().map(|r| r.pattern.length()).max();
    let best = of_use.iter().filter(|r| Some(r.pattern.length()) == longest);
    best.map(|r| (r.line.number, r.line.text.clone())).collect()
}

/// `Content-Signal: ai-train=no`, an express reservation by its own words.
fn signalled(rules: &[&Rule], path: &str) -> Vec<Line> {
    let refuses = |r: &&&Rule| match &r.kind {
        RuleKind::Signal(text) => text.split(',').any(|part| {
            let part: String = part.chars().filter(|c| !c.is_whitespace()).collect();
            part.eq_ignore_ascii_case("ai-train=no")
        }),
        _ => false,
    };
    rules.iter().filter(|r| r.pattern.matches(path)).filter(refuses).map(|r| r.line.clone()).collect()
}

/// The lines with the agents that they speak to, and the first of their numbers.
fn quoted(lines: &[(Vec<&str>, Line)]) -> (usize, String) {
    let mut numbers: Vec<(usize, &str)> = lines.iter().map(|(_, l)| (l.number, l.text.as_str())).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let Some((first, _)) = numbers.first() else { return (1, "no rule of the file is on this path".to_owned()) };
    let quote = |(number, text): &(usize, &str)| {
        let to: BTreeSet<&str> =
            lines.iter().filter(|(_, l)| l.number == *number).flat_map(|(agents, _)| agents.iter().copied()).collect();
        format!("{text} [{}]", to.into_iter().collect::<Vec<_>>().join(", "))
    };
    (*first, numbers.iter().map(quote).collect::<Vec<_>>().join("\n"))
}
