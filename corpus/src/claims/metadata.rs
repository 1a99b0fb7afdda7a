//! What package metadata says about terms and credit: core metadata of Python, pyproject.toml, Cargo.toml, package.json,
//! composer.json, Debian's copyright file. Fields are read as they stand; nothing is looked up.

use serde_json::Value;

use super::wording::{self, Terms};
use super::{cards, dep5};

/// One statement of a metadata file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The field with its words, as found.
    pub raw: String,
    /// Its line, from 1.
    pub line: usize,
    /// What it amounts to.
    pub terms: Terms,
}

/// A metadata file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    /// The package's name.
    pub name: Option<String>,
    /// Its statements on terms.
    pub said: Vec<Said>,
    /// Files that it names as the license's text.
    pub files: Vec<String>,
    /// Who made it, as it says: line and words.
    pub credits: Vec<(usize, String)>,
}

/// Reads a file of metadata by its name, or nothing when it is none.
pub(super) fn read(file_name: &str, text: &str) -> Option<Metadata> {
    match file_name {
        "METADATA" | "PKG-INFO" => Some(python(text)),
        "Cargo.toml" => Some(cargo(text)),
        "package.json" => Some(npm(text)),
        "pyproject.toml" => Some(pyproject(text)),
        "composer.json" => Some(composer(text)),
        "CITATION.cff" => Some(cards::citation(text)),
        "copyright" | "dep5" => debian(text),
        _ => None,
    }
}

/// Core metadata 2.5: headers up to the first blank line.
fn python(text: &str) -> Metadata {
    let mut out = Metadata::default();
    let mut headers: Vec<(usize, String, String)> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim().is_empty() {
            break;
        }
        match (content.starts_with([' ', '\t', '|']), headers.last_mut(), content.split_once(':')) {
            (true, Some(last), _) => last.2 = format!("{}\n{}", last.2, content.trim()),
            (false, _, Some((key, value))) => headers.push((line, key.to_owned(), value.trim().to_owned())),
            _ => {}
        }
    }
    for (line, key, value) in headers {
        let said = |terms| Said { raw: format!("{key}: {value}"), line, terms };
        if ["Author", "Author-email"].contains(&key.as_str()) && !matches!(value.as_str(), "" | "UNKNOWN") {
            out.credits.push((line, format!("{key}: {value}")));
        }
        match key.as_str() {
            "Name" => out.name = Some(value),
            "License-File" => out.files.push(value),
            // An expression that does not parse is still what they declared, and stays unreadable.
            "License-Expression" => out.said.push(said(Terms::id(&value).unwrap_or(Terms::Unreadable))),
            "License" if !matches!(value.as_str(), "" | "UNKNOWN") => out.said.push(said(wording::declared(&value))),
            "Classifier" => {
                if let Some(name) = value.strip_prefix("License ::") {
                    let name = name.rsplit("::").next().unwrap_or_default().trim();
                    out.said.push(said(wording::declared(name)));
                }
            }
            _ => {}
        }
    }
    out
}

fn line_of(text: &str, key: &str) -> usize {
    let found = text.lines().position(|line| line.trim_start().trim_start_matches('"').starts_with(key));
    found.map_or(1, |at| at + 1)
}

/// `[package] license` (where `/` is an old OR, as Cargo's book says) and `license-file`.
fn cargo(text: &str) -> Metadata {
    let Ok(root) = text.parse::<toml::Table>() else { return Metadata::default() };
    let field = |key: &str| root.get("package").and_then(|p| p.get(key)).and_then(toml::Value::as_str);
    let mut out = Metadata { name: field("name").map(str::to_owned), ..Metadata::default() };
    out.files.extend(field("license-file").map(str::to_owned));
    if let Some(raw) = field("license") {
        let terms = Terms::id(&raw.replace('/', " OR ")).unwrap_or(Terms::Unreadable);
        out.said.push(Said { raw: format!("license = \"{raw}\""), line: line_of(text, "license"), terms });
    }
    let authors = root.get("package").and_then(|p| p.get("authors")).and_then(toml::Value::as_array);
    let names = authors.into_iter().flatten().filter_map(toml::Value::as_str);
    out.credits.extend(names.map(|name| (line_of(text, "authors"), format!("Author: {name}"))));
    out
}

/// `[project] license`: an expression (PEP 639), or a table with `text` or `file` (PEP 621); and `license-files`.
fn pyproject(text: &str) -> Metadata {
    let Ok(root) = text.parse::<toml::Table>() else { return Metadata::default() };
    let field = |key: &str| root.get("project").and_then(|p| p.get(key));
    let mut out =
        Metadata { name: field("name").and_then(toml::Value::as_str).map(str::to_owned), ..Metadata::default() };
    let files = field("license-files").and_then(toml::Value::as_array).into_iter().flatten();
    out.files.extend(files.filter_map(|f| f.as_str().map(str::to_owned)));
    if let Some(license) = field("license") {
        let said = |raw: String, terms| Said { raw, line: line_of(text, "license"), terms };
        if let Some(raw) = license.as_str() {
            let terms = Terms::id(raw).unwrap_or(Terms::Unreadable);
            out.said.push(said(format!("license = \"{raw}\""), terms));
        } else if let Some(raw) = license.get("text").and_then(toml::Value::as_str) {
            out.said.push(said(format!("license.text = \"{raw}\""), wording::declared(raw)));
        } else if let Some(file) = license.get("file").and_then(toml::Value::as_str) {
            out.files.push(file.to_owned());
        }
    }
    let authors = field("authors").and_then(toml::Value::as_array).into_iter().flatten();
    let names = authors.filter_map(|a| a.get("name").or_else(|| a.get("email")).and_then(toml::Value::as_str));
    out.credits.extend(names.map(|name| (line_of(text, "authors"), format!("Author: {name}"))));
    out
}

/// `license` of composer.json, whose list means a choice.
fn composer(text: &str) -> Metadata {
    let Ok(root) = serde_json::from_str::<Value>(text) else { return Metadata::default() };
    let mut out = Metadata { name: root["name"].as_str().map(str::to_owned), ..Metadata::default() };
    let license = &root["license"];
    let terms = match license {
        Value::String(one) => wording::declared(one),
        Value::Array(all) => {
            wording::any_of(all.iter().map(|l| l.as_str().map_or(Terms::Unreadable, wording::declared)))
        }
        _ => return out,
    };
    out.said.push(Said { raw: format!("\"license\": {license}"), line: line_of(text, "license\""), terms });
    out
}

/// What a Debian copyright file says of all files.
fn debian(text: &str) -> Option<Metadata> {
    let stanzas = dep5::stanzas(text);
    let mut out = Metadata::default();
    for rule in stanzas.into_iter().filter(|s| s.is_whole).map(|s| s.rule) {
        out.credits.extend(rule.copyrights.into_iter().map(|raw| (rule.line, raw)));
        out.said.extend(rule.terms.map(|terms| Said { raw: rule.raw, line: rule.line, terms }));
    }
    (!out.said.is_empty()).then_some(out)
}

/// `license` (text, or an object with `type`) and the old list `licenses`; `SEE LICENSE IN file` names a file.
fn npm(text: &str) -> Metadata {
    let Ok(root) = serde_json::from_str::<Value>(text) else { return Metadata::default() };
    let mut out = Metadata { name: root["name"].as_str().map(str::to_owned), ..Metadata::default() };
    let name = |value: &Value| value.as_str().or_else(|| value["type"].as_str()).map(str::to_owned);
    let license = &root["license"];
    if let Some(raw) = name(license) {
        match raw.strip_prefix("SEE LICENSE IN ") {
            Some(file) => out.files.push(file.trim().to_owned()),
            None => {
                let raw_line = format!("\"license\": {license}");
                out.said.push(Said { raw: raw_line, line: line_of(text, "license\""), terms: wording::declared(&raw) });
            }
        }
    }
    if let Some(list) = root["licenses"].as_array() {
        let terms = wording::all_of(list.iter().map(|l| name(l).map_or(Terms::Unreadable, |n| wording::declared(&n))));
        let raw = format!("\"licenses\": {}", root["licenses"]);
        out.said.push(Said { raw, line: line_of(text, "licenses\""), terms });
    }
    let author = root["author"].as_str().or_else(|| root["author"]["name"].as_str());
    out.credits.extend(author.map(|name| (line_of(text, "author\""), format!("Author: {name}"))));
    out
}
