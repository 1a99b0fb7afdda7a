//! What a readme's section on its license says. A sentence that names one license is a statement; prose that we cannot
//! read is only pointed out, since most of it sends the reader to the license's file.

use std::sync::LazyLock;

use regex::Regex;

use super::wording::{self, Terms};

/// A section on terms.
pub(super) struct Section {
    /// Its first paragraph, as found.
    pub raw: String,
    /// The paragraph's line, from 1.
    pub line: usize,
    /// What it says, when it says one thing.
    pub terms: Option<Terms>,
}

/// The most bytes of a paragraph that are quoted.
const MAX_QUOTE: usize = 600;

/// The sections on terms of a readme in Markdown, reStructuredText or plain text.
pub(super) fn sections(text: &str) -> Vec<Section> {
    static HEADING: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)^[#=\s*]*(?:the )?licen[sc](?:e|es|ing)(?: and copyright| information)?[:\s#*=]*$").ok()
    });
    static INLINE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)^[*_\s]*licen[sc]e[*_]*:\s+\S").ok());
    let (Some(heading), Some(inline)) = (HEADING.as_ref(), INLINE.as_ref()) else { return vec![] };
    let lines: Vec<&str> = text.lines().collect();
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let start = match () {
            () if heading.is_match(line) => at + 1,
            () if inline.is_match(line) => at,
            () => continue,
        };
        let blank = |l: &&str| l.chars().all(|c| !c.is_alphanumeric());
        let skip = lines[start..].iter().take_while(|l| blank(l)).count();
        let paragraph: Vec<&str> = lines[start + skip..].iter().copied().take_while(|l| !l.trim().is_empty()).collect();
        let mut raw = paragraph.join("\n");
        raw.truncate(raw.floor_char_boundary(MAX_QUOTE));
        if !raw.is_empty() {
            out.push(Section { line: start + skip + 1, terms: terms(&raw), raw });
        }
    }
    out
}

/// The one license that a paragraph names: `licensed under the X`, `License: X (see …)`, or nothing but X.
fn terms(paragraph: &str) -> Option<Terms> {
    let unlinked = paragraph.replace(['*', '_', '`', '[', ']'], "").replace('\n', " ");
    let named = under(&unlinked).or_else(|| {
        let (label, rest) = unlinked.split_once(':')?;
        let licence = ["license", "licence"].contains(&label.trim().to_lowercase().as_str());
        licence.then(|| rest.split(" (").next().unwrap_or_default().trim().to_owned())
    });
    let exact = |t: Terms| matches!(t, Terms::Expression(_)).then_some(t);
    exact(wording::declared(&named.unwrap_or(unlinked)))
}

/// The name in `licensed under the NAME`, up to the end of the sentence.
pub(super) fn under(text: &str) -> Option<String> {
    static UNDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:licensed|distributed|released|made available|licenses this file to you) under (?:the terms of )?(?:the |a |an )?([^;]{2,160}?)(?:\.(?:\s|$)|;|$| \(see)").ok()
    });
    UNDER.as_ref()?.captures(text).map(|c| c[1].trim().to_owned())
}
