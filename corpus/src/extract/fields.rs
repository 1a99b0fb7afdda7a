//! Text in the fields of structured records: JSON, JSON lines, TOML.

use manifests::claim::Speaker;
use serde_json::Value;

use super::{Extracted, Failure, Field, RecordFields, utf8};
use crate::document::FailReason;

/// The named fields of a JSON record, joined by blank lines.
pub(super) fn json(record: &[u8], fields: &[String], named: &RecordFields) -> Result<Extracted, Failure> {
    let value = parse(record)?;
    let parts = fields.iter().map(|f| at(&value, f).and_then(Value::as_str).ok_or_else(|| missing(f)));
    let text = parts.collect::<Result<Vec<_>, _>>()?.join("\n\n");
    let declared_id = named.id.as_ref().and_then(|f| at(&value, f)).and_then(scalar);
    let speaker = named.license.as_ref().map_or(Speaker::Source, |(_, speaker)| *speaker);
    let field = |name: &String, raw: String| Field { name: name.clone(), raw, speaker };
    let said = |name: &String| Some(field(name, words(at(&value, name)?).filter(|raw| !raw.trim().is_empty())?));
    Ok(Extracted {
        license: named.license.as_ref().and_then(|(name, _)| said(name)),
        attributions: named.attributions.iter().filter_map(said).collect(),
        url: named.url.as_ref().and_then(|f| at(&value, f)).and_then(scalar),
        headers: named.headers.as_ref().and_then(|name| Some(field(name, header(at(&value, name)?)?))),
        copyright: None,
        declared_id,
        text,
    })
}

/// What a field says: a scalar as it is, a list or an object as JSON.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Array(_) | Value::Object(_) => Some(value.to_string()),
        other => scalar(other),
    }
}

/// A response's header, one field a line: text as it came, or an object of values or lists of values.
fn header(value: &Value) -> Option<String> {
    let Value::Object(map) = value else { return value.as_str().map(str::to_owned) };
    let mut text = String::new();
    for (name, value) in map {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values.iter().filter_map(scalar) {
            text += &format!("{name}: {}\n", value.replace(['\r', '\n'], " "));
        }
    }
    Some(text)
}

/// A JSON list of strings, one a line.
pub(super) fn sentences(record: &[u8]) -> Result<String, Failure> {
    let value = parse(record)?;
    let list = value.as_array().ok_or_else(|| (FailReason::MissingField, "the record is not a list".to_owned()))?;
    let mut text = String::new();
    for (n, sentence) in list.iter().enumerate() {
        let sentence = sentence.as_str();
        text.push_str(sentence.ok_or_else(|| (FailReason::MissingField, format!("item {n} is not a string")))?);
        text.push('\n');
    }
    Ok(text)
}

/// Every string of a JSON tree on a line of its own, after the innermost name above it; `text` is no name. Names are in
/// sorted order, whatever order the parser keeps.
pub(super) fn outline(record: &[u8]) -> Result<String, Failure> {
    let mut text = String::new();
    descend(&parse(record)?, &mut Vec::new(), &mut text);
    Ok(text)
}

fn descend<'a>(value: &'a Value, names: &mut Vec<&'a str>, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            for (name, value) in entries {
                let is_name = name != "text";
                names.extend(is_name.then_some(name.as_str()));
                descend(value, names, text);
                names.truncate(names.len() - usize::from(is_name));
            }
        }
        Value::Array(list) => list.iter().for_each(|value| descend(value, names, text)),
        Value::String(words) => {
            let label = names.last().copied().unwrap_or_default();
            text.push_str(label);
            text.push_str(if label.is_empty() { "" } else { ": " });
            text.push_str(words);
            text.push('\n');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The named fields of a TOML record, joined by blank lines.
pub(super) fn toml(record: &str, fields: &[String]) -> Result<String, Failure> {
    let value: toml::Table = record.parse().map_err(|e| (FailReason::UnsupportedFormat, format!("not TOML: {e}")))?;
    let part = |field: &String| {
        let mut names = field.split('.');
        let first = names.next().and_then(|name| value.get(name));
        let found = names.try_fold(first?, |value, name| value.get(name));
        found.and_then(toml::Value::as_str).map(|text| text.trim().to_owned())
    };
    let parts = fields.iter().map(|f| part(f).ok_or_else(|| missing(f)));
    Ok(parts.collect::<Result<Vec<_>, _>>()?.join("\n\n"))
}

fn parse(record: &[u8]) -> Result<Value, Failure> {
    serde_json::from_str(utf8(record)?.trim_end()).map_err(|e| (FailReason::MalformedJson, e.to_string()))
}

fn at<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    field.split('.').try_fold(value, |value, name| value.get(name))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn missing(field: &str) -> Failure {
    (FailReason::MissingField, format!("the field `{field}` is absent or not a string"))
}
