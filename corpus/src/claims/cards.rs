//! What cards say: the front matter of a data set's or model's readme (`license: cc-by-4.0`), and `CITATION.cff`. Both
//! are YAML of a simple kind; only plain keys at the left margin are read.

use super::metadata::{Metadata, Said};
use super::wording::{self, Terms};

/// `CITATION.cff`: the license, or licenses of which one may be chosen (CFF 1.2), and who is to be credited.
pub(super) fn citation(text: &str) -> Metadata {
    let mut out = fields(text, |values| wording::any_of(values.iter().map(|v| wording::declared(v))));
    let credit: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')).collect();
    out.credits.extend((!credit.is_empty()).then(|| (1, credit.join("\n"))));
    out
}

/// The front matter of a readme, where it has one.
pub(super) fn card(text: &str) -> Option<Metadata> {
    let body = text.trim_start_matches('\u{feff}').strip_prefix("---\n")?;
    let front = &body[..body.find("\n---")?];
    let mut out = fields(front, |values| wording::all_of(values.iter().map(|v| wording::declared(v))));
    // Lines count from the first dashes.
    out.said.iter_mut().for_each(|said| said.line += 1);
    Some(out)
}

/// `license:` with a value, or with a list beneath it. An `other` with a name and a link is what these say.
fn fields(text: &str, combine: impl Fn(&[String]) -> Terms) -> Metadata {
    let lines: Vec<&str> = text.lines().collect();
    let value = |line: &str| line.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned();
    let of = |key: &str| -> Option<(usize, Vec<String>)> {
        let at = lines.iter().position(|l| l.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))?;
        let inline = value(&lines[at][key.len() + 1..]);
        let list = inline.strip_prefix('[').and_then(|l| l.strip_suffix(']'));
        let values = match (inline.as_str(), list) {
            ("", _) => {
                let items = lines[at + 1..].iter().map_while(|l| l.trim_start().strip_prefix("- "));
                items.map(value).collect()
            }
            (_, Some(list)) => list.split(',').map(value).collect(),
            _ => vec![inline],
        };
        Some((at, values))
    };
    let mut out = Metadata::default();
    let named = ["license_name", "license_link"].map(of);
    if let Some((at, values)) = of("license").filter(|(_, values)| !values.is_empty()) {
        let more: Vec<String> = named.into_iter().flatten().flat_map(|(_, v)| v).collect();
        let terms = match (combine(&values), values.as_slice()) {
            (_, [only]) if only.eq_ignore_ascii_case("other") && !more.is_empty() => {
                let readable = more.iter().map(|m| wording::declared(m)).find(|t| matches!(t, Terms::Expression(_)));
                readable.unwrap_or(Terms::Unreadable)
            }
            (terms, _) => terms,
        };
        let raw = std::iter::once(format!("license: {}", values.join(", "))).chain(more).collect::<Vec<_>>().join("; ");
        out.said.push(Said { raw, line: at + 1, terms });
    }
    out
}
