//! The claims on a single document: what it says itself (SPDX headers, license sentences, copyright lines, marks of a
//! page, fields of its record), and what its source says of this file. Only a page is read beyond its head.

use std::sync::LazyLock;

use manifests::claim::{Claim, Scope, Speaker, Statement};
use manifests::date::Date;
use regex::Regex;

use super::wording::Terms;
use super::{SourceClaims, compare, markup, readme, statement, urls, wording};
use crate::document::{Declared, Document};

/// What header lines begin with in the languages that we meet.
const COMMENT: [&str; 14] = ["#", "//", "/*", "*", ";", "--", "%", "<!--", "..", ":", "\"\"\"", "'''", "dnl ", "REM "];

/// The claims of one document on itself. `source` is what its source says, whose own license texts a header may name.
#[must_use]
pub fn document_claims(document: &Document, source: &SourceClaims, date: Option<Date>) -> Vec<Claim> {
    let context = &document.context;
    let head = Head { document, source, date, lines: (1..).zip(context.head.lines()).collect() };
    let mut claims = Vec::new();
    let spdx = head.spdx();
    let tagged = spdx.is_some();
    claims.extend(spdx);
    claims.extend(head.sentences());
    claims.extend(head.marks());
    claims.extend(head.copyrights());
    let field = |field: &Declared, speaker, statement| Claim {
        speaker,
        scope: Scope::Work,
        statement,
        raw: field.raw.clone(),
        locator: field.locator.clone(),
        digest: context.record_digest,
        date,
    };
    claims.extend(context.license.iter().map(|f| {
        let terms = wording::declared(&f.raw);
        field(f, f.speaker, statement(&terms))
    }));
    claims.extend(context.copyright.iter().map(|f| field(f, f.speaker, Statement::Copyright)));
    claims.extend(context.attributions.iter().map(|f| field(f, f.speaker, Statement::Attribution)));
    claims.extend(source.files.on(&document.path, tagged).cloned());
    claims
}

struct Head<'a> {
    document: &'a Document,
    source: &'a SourceClaims,
    date: Option<Date>,
    lines: Vec<(usize, &'a str)>,
}

impl Head<'_> {
    fn claim(&self, speaker: Speaker, statement: Statement, raw: &str, line: usize) -> Claim {
        Claim {
            speaker,
            scope: Scope::Work,
            statement,
            raw: raw.trim().to_owned(),
            locator: format!("{}:{line}", self.document.path),
            digest: self.document.context.record_digest,
            date: self.date,
        }
    }

    /// `SPDX-License-Identifier:` lines; several mean AND.
    fn spdx(&self) -> Option<Claim> {
        let tag = "SPDX-License-Identifier:";
        let tagged = self.lines.iter().filter_map(|(n, l)| Some((*n, *l, l.split_once(tag)?.1)));
        let tagged: Vec<(usize, &str, &str)> = tagged.filter(|(_, line, _)| is_comment(line, tag)).collect();
        let (line, _, _) = *tagged.first()?;
        let value = |text: &str| text.trim().trim_end_matches("*/").trim_end_matches("-->").trim().to_owned();
        let terms = wording::all_of(tagged.iter().map(|(.., v)| Terms::id(&value(v)).unwrap_or(Terms::Unreadable)));
        let raw = tagged.iter().map(|(_, line, _)| line.trim()).collect::<Vec<_>>().join("\n");
        Some(self.claim(Speaker::Rightsholder, statement(&terms), &raw, line))
    }

    /// `Licensed under …` and `placed in the public domain` in header lines.
    fn sentences(&self) -> Vec<Claim> {
        let mut out = Vec::new();
        for (at, (line, text)) in self.lines.iter().enumerate().take(60) {
            if !is_comment(text, "") {
                continue;
            }
            let lower = text.to_lowercase();
            if lower.contains("placed in the public domain") {
                // A dedication names no place. It rests on the law of the United States; elsewhere it may not hold.
                let places = vec!["US".to_owned()];
                out.push(self.claim(Speaker::Rightsholder, Statement::PublicDomain { places }, text, *line));
            } else if lower.contains("licensed under") || lower.contains("licenses this file") {
                out.extend(self.sentence(at));
            } else if lower.contains("general public license as published") {
                out.push(self.gnu(at));
            }
        }
        out
    }

    fn sentence(&self, at: usize) -> Option<Claim> {
        let following = self.lines[at..].iter().take(4).take_while(|(_, l)| is_comment(l, ""));
        let raw: Vec<&str> = following.map(|(_, l)| l.trim()).collect();
        let joined = raw.iter().map(|l| uncommented(l)).collect::<Vec<_>>().join(" ");
        let name = readme::under(&joined)?;
        let name = name.split(" (").next().unwrap_or(&name);
        let own = self.source.titles.get(&compare::words(name)).and_then(|id| Terms::id(id));
        let terms = own.unwrap_or_else(|| wording::declared(name));
        // A sentence that only sends the reader to a file of the source adds nothing to what the source says.
        let pointer = ["license file", "licence file", "see license", "see the license", "same license", "same terms"];
        let points = pointer.iter().any(|p| joined.to_lowercase().contains(p));
        let speaker = match terms {
            Terms::Unreadable | Terms::Silent | Terms::Family(_) if points => Speaker::Detector,
            _ => Speaker::Rightsholder,
        };
        Some(self.claim(speaker, statement(&terms), &raw.join("\n"), self.lines[at].0))
    }

    /// The notice that the GPL asks for: which of its kinds, which version, and whether any later one.
    fn gnu(&self, at: usize) -> Claim {
        static NOTICE: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(concat!(
                r"(?i)(?:version (\d(?:\.\d)?) of )?the gnu (lesser |library |affero )?general public license as published by ",
                r"the free software foundation[;,:]? ?(?:either )?(?:version (\d(?:\.\d)?)(?: of the license)?)?",
                r"(,? or \(?at your option\)? any later version)?"
            ))
            .ok()
        });
        let near = &self.lines[at.saturating_sub(1)..];
        let raw: Vec<&str> =
            near.iter().take(6).take_while(|(_, l)| is_comment(l, "")).map(|(_, l)| l.trim()).collect();
        let joined = raw.iter().map(|l| uncommented(l)).collect::<Vec<_>>().join(" ");
        let captures = NOTICE.as_ref().and_then(|n| n.captures(&joined));
        let terms = captures.and_then(|c| {
            let kind = match c.get(2).map(|k| k.as_str().trim().to_lowercase()).as_deref() {
                None => "GPL",
                Some("affero") => "AGPL",
                Some(_) => "LGPL",
            };
            let version = c.get(1).or_else(|| c.get(3))?.as_str();
            let version = if version.contains('.') { version.to_owned() } else { format!("{version}.0") };
            Terms::id(&format!("{kind}-{version}-{}", if c.get(4).is_some() { "or-later" } else { "only" }))
        });
        let terms = terms.unwrap_or(Terms::Unreadable);
        self.claim(Speaker::Rightsholder, statement(&terms), &raw.join("\n"), self.lines[at].0)
    }

    /// Marks in the page, wherever they stand. Any other address of a license in its head is a hint.
    fn marks(&self) -> Vec<Claim> {
        let context = &self.document.context;
        let head = &context.head;
        let marks = markup::marks(context.page.as_deref().unwrap_or(head));
        let mut out: Vec<Claim> =
            marks.iter().map(|m| self.claim(m.speaker, m.statement.clone(), &m.raw, m.line)).collect();
        let marked = |url: &str| marks.iter().any(|m| m.raw.contains(url));
        for url in urls::find(head).filter(|u| u.contains("creativecommons.org/") && !marked(u)) {
            if let Some(terms) = urls::terms(url) {
                let at = head.find(url).unwrap_or(0);
                out.push(self.claim(Speaker::Detector, statement(&terms), url, line_at(head, at)));
            }
        }
        out.dedup();
        out
    }

    fn copyrights(&self) -> Vec<Claim> {
        let tag = |line: &str| line.contains("SPDX-FileCopyrightText:") && is_comment(line, "SPDX");
        let found =
            self.lines.iter().filter(|(_, l)| tag(l) || is_comment(l, "") && compare::states_copyright(uncommented(l)));
        found.map(|(n, line)| self.claim(Speaker::Rightsholder, Statement::Copyright, uncommented(line), *n)).collect()
    }
}

/// Whether a line is part of a header: it begins as a comment or field does, or with `start` itself.
fn is_comment(line: &str, start: &str) -> bool {
    let line = line.trim_start();
    COMMENT.iter().any(|c| line.starts_with(c))
        || !start.is_empty() && line.starts_with(start)
        || ["Copyright", "©", "Licensed under", "This work is licensed under"].iter().any(|c| line.starts_with(c))
}

fn uncommented(line: &str) -> &str {
    let line = line.trim().trim_end_matches("*/").trim_end_matches("-->").trim_end();
    let line = line.strip_prefix("<!--").or_else(|| line.strip_prefix("dnl ")).unwrap_or(line);
    line.trim_start_matches(['#', '/', '*', ';', '-', '%', '"', '\'', ' ', '\t'])
}

fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
