//! What package metadata says about terms: core metadata of Python, Cargo.toml, package.json. Fields are read as they
//! stand; nothing is looked up.

use serde_json::Value;

use super::wording::{self, Terms};

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
}

/// Reads a file of metadata by its name, or nothing when it is none.
pub(super) fn read(file_name: &str, text: &str) -> Option<Metadata> {
    match file_name {
        "METADATA" | "PKG-INFO" => Some(python(text)),
        "Cargo.toml" => Some(cargo(text)),
        "package.json" => Some(npm(text)),
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
    out
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
    out
}
