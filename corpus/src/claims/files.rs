//! What evidence says of single files: Debian's machine-readable copyright file (DEP-5), `REUSE.toml`, and the `.license`
//! file beside a file. Of several statements in one such file the last that matches speaks, as both formats say.

use manifests::claim::{Claim, Scope, Speaker, Statement};
use manifests::date::Date;
use regex::Regex;

use super::wording::{self, Terms};
use super::{dep5, statement};
use crate::source::EvidenceFile;

/// What some files of a source are said to be under.
#[derive(Clone, Debug)]
pub(super) struct FileRule {
    /// The paths, from the folder of the file that says so.
    pub paths: Vec<Regex>,
    /// Its terms, when it says some.
    pub terms: Option<Terms>,
    /// Its copyright statements, as found.
    pub copyrights: Vec<String>,
    /// The words, as found.
    pub raw: String,
    /// Its line, from 1.
    pub line: usize,
    /// Whether what the file says itself comes first.
    pub yields: bool,
}

/// The statements of one file, for what lies beneath a folder.
#[derive(Clone, Debug)]
struct Rules {
    folder: String,
    rules: Vec<(FileRule, Vec<Claim>)>,
}

/// The statements of all files.
#[derive(Clone, Debug, Default)]
pub(super) struct FileRules(Vec<Rules>);

impl FileRules {
    /// The claims on one file; `tagged` is whether it names its own license.
    pub(super) fn on<'a>(&'a self, path: &'a str, tagged: bool) -> impl Iterator<Item = &'a Claim> {
        self.0.iter().flat_map(move |rules| {
            let beneath = if rules.folder.is_empty() { Some(path) } else { path.strip_prefix(&rules.folder) };
            let beneath = beneath.map(|p| p.trim_start_matches('/'));
            let matches =
                |(rule, _): &&(FileRule, Vec<Claim>)| beneath.is_some_and(|p| rule.paths.iter().any(|r| r.is_match(p)));
            let found = rules.rules.iter().rev().find(matches);
            let license = move |c: &&Claim| !matches!(c.statement, Statement::Copyright);
            found
                .into_iter()
                .flat_map(move |(rule, claims)| claims.iter().filter(move |c| !(license(c) && rule.yields && tagged)))
        })
    }
}

/// The statements of every such file among the evidence.
pub(super) fn file_rules(evidence: &[EvidenceFile], speaker: Speaker, date: Option<Date>) -> FileRules {
    let mut out = Vec::new();
    for file in evidence {
        let text = String::from_utf8_lossy(&file.bytes);
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let (folder, rules) = match name {
            "copyright" | "dep5" => {
                let folder = folder.rsplit_once('/').map_or("", |(up, _)| up);
                (folder, dep5::stanzas(&text).into_iter().filter(|s| !s.is_whole).map(|s| s.rule).collect())
            }
            "REUSE.toml" => (folder, reuse(&text)),
            _ => (folder, beside(name, &text).into_iter().collect::<Vec<_>>()),
        };
        if !rules.is_empty() {
            let claimed = rules.into_iter().map(|rule| {
                let claims = claims(&rule, file, speaker, date);
                (rule, claims)
            });
            out.push(Rules { folder: folder.to_owned(), rules: claimed.collect() });
        }
    }
    FileRules(out)
}

fn claims(rule: &FileRule, file: &EvidenceFile, speaker: Speaker, date: Option<Date>) -> Vec<Claim> {
    let claim = |statement, raw: &str| Claim {
        speaker,
        scope: Scope::Work,
        statement,
        raw: raw.to_owned(),
        locator: format!("{}:{}", file.path, rule.line),
        digest: file.digest,
        date,
    };
    let terms = rule.terms.iter().map(|terms| claim(statement(terms), &rule.raw));
    terms.chain(rule.copyrights.iter().map(|raw| claim(Statement::Copyright, raw))).collect()
}

/// The tables of `REUSE.toml`, REUSE 3.3.
fn reuse(text: &str) -> Vec<FileRule> {
    let Ok(root) = text.parse::<toml::Table>() else { return vec![] };
    let tables = root.get("annotations").and_then(toml::Value::as_array).into_iter().flatten();
    let lines: Vec<usize> =
        (1..).zip(text.lines()).filter(|(_, l)| l.trim() == "[[annotations]]").map(|(n, _)| n).collect();
    let rule = |(n, table): (usize, &toml::Value)| {
        let list = |key: &str| -> Vec<String> {
            match table.get(key) {
                Some(toml::Value::String(text)) => vec![text.clone()],
                Some(toml::Value::Array(all)) => all.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
                _ => vec![],
            }
        };
        let ids = list("SPDX-License-Identifier");
        let paths = list("path").iter().filter_map(|p| Regex::new(&glob(p)).ok()).collect();
        // Without a word on precedence the file's own statement comes first.
        let yields = !matches!(table.get("precedence").and_then(toml::Value::as_str), Some("aggregate" | "override"));
        FileRule {
            paths,
            terms: (!ids.is_empty())
                .then(|| wording::all_of(ids.iter().map(|id| Terms::id(id).unwrap_or(Terms::Unreadable)))),
            copyrights: list("SPDX-FileCopyrightText"),
            raw: ids.iter().map(|id| format!("SPDX-License-Identifier = \"{id}\"")).collect::<Vec<_>>().join("\n"),
            line: lines.get(n).copied().unwrap_or(1),
            yields,
        }
    };
    tables.enumerate().map(rule).collect()
}

/// `*` within a folder, `**` across folders, `\` before a character that stands for itself.
fn glob(pattern: &str) -> String {
    let mut out = String::from("^(?s:");
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.next_if_eq(&'*').is_some() => out += ".*",
            '*' => out += "[^/]*",
            '\\' => rest.next().into_iter().for_each(|c| out += &regex::escape(&c.to_string())),
            c => out += &regex::escape(&c.to_string()),
        }
    }
    out + ")$"
}

/// `NAME.license`, which tags the file NAME.
fn beside(name: &str, text: &str) -> Option<FileRule> {
    let path = name.strip_suffix(".license")?;
    let all = |tag: &str| -> Vec<(usize, String)> {
        let value = |(n, line): (usize, &str)| Some((n, line.split_once(tag)?.1.trim().to_owned()));
        (1..).zip(text.lines()).filter_map(value).collect()
    };
    let ids = all("SPDX-License-Identifier:");
    let terms = || wording::all_of(ids.iter().map(|(_, id)| Terms::id(id).unwrap_or(Terms::Unreadable)));
    Some(FileRule {
        paths: vec![Regex::new(&format!("^{}$", regex::escape(path))).ok()?],
        terms: (!ids.is_empty()).then(terms),
        copyrights: all("SPDX-FileCopyrightText:").into_iter().map(|(_, text)| text).collect(),
        raw: ids.iter().map(|(_, id)| format!("SPDX-License-Identifier: {id}")).collect::<Vec<_>>().join("\n"),
        line: ids.first().map_or(1, |(n, _)| *n),
        yields: true,
    })
}
