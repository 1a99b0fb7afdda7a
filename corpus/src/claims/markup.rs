//! Marks of terms and credit in pages: `rel="license"`, Creative Commons' RDFa (`cc:license`, `cc:attributionName`),
//! Dublin Core, schema.org (microdata and JSON-LD), and the `license` elements of JATS. What a page only mentions is no
//! mark.

use manifests::claim::{Speaker, Statement};
use serde_json::Value;

use super::wording::{self, Terms};
use super::{statement, urls};
use crate::extract::tags::{Tag, tags};

/// One mark.
pub(super) struct Mark {
    /// Who speaks.
    pub speaker: Speaker,
    /// What it says.
    pub statement: Statement,
    /// The words or the tag, as found.
    pub raw: String,
    /// Its line, from 1.
    pub line: usize,
}

/// Properties that name the terms of the page.
const LICENSE: [&str; 7] =
    ["license", "cc:license", "dct:license", "dcterms:license", "dc:license", "xhv:license", "schema:license"];
/// Properties that say who is to be credited.
const CREDIT: [&str; 4] = ["cc:attributionname", "cc:attributionurl", "credittext", "schema:credittext"];
/// Properties that state a copyright.
const COPYRIGHT: [&str; 5] = ["copyrightnotice", "schema:copyrightnotice", "dct:rights", "dcterms:rights", "dc:rights"];

/// Every mark of `text`.
pub(super) fn marks(text: &str) -> Vec<Mark> {
    tags(text).iter().flat_map(of_tag).collect()
}

fn of_tag(tag: &Tag<'_>) -> Vec<Mark> {
    match tag.name.as_str() {
        "license" | "ali:license" | "license_ref" | "ali:license_ref" => element(tag).into_iter().collect(),
        "meta" => meta(tag).into_iter().chain(properties(tag)).collect(),
        "script" if tag.attribute("type").is_some_and(|t| t.trim() == "application/ld+json") => linked_data(tag),
        _ => properties(tag),
    }
}

fn mark(tag: &Tag<'_>, statement: Statement, raw: impl Into<String>) -> Mark {
    Mark { speaker: Speaker::Source, statement, raw: raw.into(), line: tag.line }
}

/// The address that a JATS element has in an attribute or as its text.
fn element(tag: &Tag<'_>) -> Option<Mark> {
    let own = |url: &&str| !url.contains("w3.org/") && !url.contains("niso.org/");
    let url = urls::find(tag.raw).find(own).or_else(|| urls::find(tag.content.trim_start()).find(own))?;
    let said = statement(&urls::terms(url).unwrap_or(Terms::Unreadable));
    let raw = if tag.raw.contains(url) { tag.raw.to_owned() } else { format!("{}{url}", tag.raw) };
    Some(mark(tag, said, raw))
}

/// Dublin Core and others in `meta` names.
fn meta(tag: &Tag<'_>) -> Option<Mark> {
    let content = tag.attribute("content").filter(|c| !c.trim().is_empty())?;
    match tag.attribute("name")?.trim().to_lowercase().as_str() {
        "license" | "dc.rights.license" | "dcterms.license" | "dc.license" => {
            Some(mark(tag, statement(&wording::declared(content)), tag.raw))
        }
        "dc.rights" | "dcterms.rights" | "rights" | "copyright" => Some(rights(tag, content)),
        _ => None,
    }
}

/// A statement of rights: a license where it names one, else kept as a copyright statement.
fn rights(tag: &Tag<'_>, words: &str) -> Mark {
    match wording::declared(words) {
        terms @ Terms::Expression(_) => mark(tag, statement(&terms), tag.raw),
        _ => mark(tag, Statement::Copyright, words),
    }
}

/// RDFa (`rel`, `property`) and microdata (`itemprop`).
fn properties(tag: &Tag<'_>) -> Vec<Mark> {
    let names = ["rel", "property", "itemprop"].into_iter().filter_map(|a| tag.attribute(a));
    let names: Vec<String> = names.flat_map(str::split_whitespace).map(str::to_lowercase).collect();
    let has = |known: &[&str]| names.iter().any(|n| known.contains(&n.as_str()));
    let target = || ["href", "resource", "content"].into_iter().find_map(|a| tag.attribute(a)).map(str::trim);
    let words = || target().map_or_else(|| tag.words(), str::to_owned);
    let mut out = Vec::new();
    if has(&LICENSE) && !crate::optout::is_rsl(tag) {
        let words = words();
        let terms = if words.contains("://") {
            urls::terms(&words).unwrap_or(Terms::Unreadable)
        } else {
            wording::declared(&words)
        };
        // A link inside the site sends the reader to a page; what that says nobody has read.
        let points = target().is_some_and(|t| !t.contains("://")) && !matches!(terms, Terms::Expression(_));
        let speaker = if points { Speaker::Detector } else { Speaker::Source };
        out.push(Mark { speaker, ..mark(tag, statement(&terms), tag.raw) });
    }
    let text = if tag.content.trim().is_empty() { words() } else { tag.words() };
    if has(&CREDIT) {
        let link = target().filter(|t| t.contains("://") && *t != text);
        let credit = if names.iter().any(|n| n == "cc:attributionname") { text.clone() } else { words() };
        out.extend((!credit.is_empty()).then(|| mark(tag, Statement::Attribution, credit)));
        out.extend(link.map(|link| mark(tag, Statement::Attribution, link)));
        out.dedup_by(|a, b| a.raw == b.raw && a.statement == b.statement);
    }
    if has(&COPYRIGHT) && tag.name != "meta" && !text.is_empty() {
        out.push(rights(tag, &text));
    }
    out
}

/// JSON-LD about the page or its text; pictures and programs in it have terms of their own.
fn linked_data(tag: &Tag<'_>) -> Vec<Mark> {
    let Ok(value) = serde_json::from_str::<Value>(tag.content) else { return vec![] };
    let graph = value.get("@graph").unwrap_or(&value);
    let nodes = graph.as_array().map_or(std::slice::from_ref(graph), Vec::as_slice);
    let mut out = Vec::new();
    for node in nodes.iter().filter(|n| is_text(&n["@type"])) {
        let license = &node["license"];
        if let Some(words) = license.as_str().or_else(|| license["@id"].as_str()).or_else(|| license["url"].as_str()) {
            out.push(mark(tag, statement(&wording::declared(words)), format!("\"license\": {license}")));
        }
        for (key, said) in [("copyrightNotice", Statement::Copyright), ("creditText", Statement::Attribution)] {
            out.extend(node[key].as_str().map(|words| mark(tag, said, words)));
        }
    }
    out
}

fn is_text(kind: &Value) -> bool {
    let text =
        ["Article", "Posting", "Page", "CreativeWork", "Dataset", "Book", "Report", "Chapter", "LearningResource"];
    let one = |kind: &Value| kind.as_str().is_some_and(|k| text.iter().any(|t| k.ends_with(t)));
    kind.as_array().map_or_else(|| one(kind), |all| all.iter().any(one))
}
