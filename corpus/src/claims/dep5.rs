//! Debian's machine-readable `debian/copyright`, format 1.0 (DEP-5): paragraphs for patterns of files, with copyright
//! and short names of licenses.

use regex::Regex;

use super::files::FileRule;
use super::wording::{self, Terms};

/// A `Files` paragraph.
pub(super) struct Stanza {
    /// Whether it is for every file: it speaks for the collection.
    pub is_whole: bool,
    /// What it says.
    pub rule: FileRule,
}

/// The `Files` paragraphs; none when the file does not say that it is of this format.
pub(super) fn stanzas(text: &str) -> Vec<Stanza> {
    let paragraphs = paragraphs(text);
    let is_format = |(name, value, _): &Field| name == "format" && value.contains("copyright-format");
    if !paragraphs.first().is_some_and(|fields| fields.iter().any(is_format)) {
        return vec![];
    }
    paragraphs.iter().filter_map(|fields| stanza(fields)).collect()
}

/// Name in lower case, value, line.
type Field = (String, String, usize);

fn paragraphs(text: &str) -> Vec<Vec<Field>> {
    let mut out: Vec<Vec<Field>> = vec![vec![]];
    for (number, line) in (1..).zip(text.lines()) {
        let current = out.last_mut().filter(|_| !line.trim().is_empty());
        match (current, line.starts_with([' ', '\t']), line.split_once(':')) {
            (None, ..) => out.push(vec![]),
            (Some(fields), true, _) => {
                if let Some(field) = fields.last_mut() {
                    field.1 = format!("{}\n{}", field.1, line.trim());
                }
            }
            (Some(fields), false, Some((name, value))) if !line.starts_with('#') => {
                fields.push((name.trim().to_lowercase(), value.trim().to_owned(), number));
            }
            _ => {}
        }
    }
    out.retain(|fields| !fields.is_empty());
    out
}

fn stanza(fields: &[Field]) -> Option<Stanza> {
    let field = |name: &str| fields.iter().find(|(n, ..)| n == name);
    let (_, files, line) = field("files")?;
    let license = field("license").map(|(_, value, _)| value.lines().next().unwrap_or_default().trim());
    let copyright = field("copyright").map(|(_, value, _)| value.lines().map(str::trim).filter(|l| !l.is_empty()));
    let patterns: Vec<&str> = files.split_whitespace().collect();
    Some(Stanza {
        is_whole: patterns.contains(&"*"),
        rule: FileRule {
            paths: patterns.iter().filter_map(|p| Regex::new(&glob(p)).ok()).collect(),
            terms: license.map(terms),
            copyrights: copyright.into_iter().flatten().map(|line| format!("Copyright: {line}")).collect(),
            raw: format!("Files: {}\nLicense: {}", patterns.join(" "), license.unwrap_or_default()),
            line: *line,
            yields: false,
        },
    })
}

/// `*` is any text, folders and all; `?` one character; `\` before a character that stands for itself.
fn glob(pattern: &str) -> String {
    let mut out = String::from("^(?s:");
    let mut rest = pattern.strip_prefix("./").unwrap_or(pattern).chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => out += ".*",
            '?' => out += ".",
            '\\' => rest.next().into_iter().for_each(|c| out += &regex::escape(&c.to_string())),
            c => out += &regex::escape(&c.to_string()),
        }
    }
    out + ")$"
}

/// Short names with `or`, `and` and commas (`A or B, and C` is `(A or B) and C`); exceptions stay unreadable.
fn terms(names: &str) -> Terms {
    let all = names.split(", and ").map(|part| {
        let choices =
            part.split(" or ").map(|choice| wording::all_of(choice.split(" and ").map(|name| short(name.trim()))));
        wording::any_of(choices)
    });
    wording::all_of(all)
}

/// A short name of the format's list, which is SPDX's with its own versions: `GPL-2+`, `Expat`, `BSD-3-clause`.
fn short(name: &str) -> Terms {
    if name.eq_ignore_ascii_case("expat") {
        return wording::declared("MIT");
    }
    let (plain, later) = name.strip_suffix('+').map_or((name, false), |plain| (plain, true));
    let gnu = plain.split_once('-').filter(|(kind, _)| ["GPL", "LGPL", "AGPL", "GFDL"].contains(kind));
    let version = |v: &str| if v.contains('.') { v.to_owned() } else { format!("{v}.0") };
    match gnu.filter(|(_, v)| v.chars().all(|c| c.is_ascii_digit() || c == '.')) {
        Some((kind, v)) => {
            let ending = if later { "or-later" } else { "only" };
            Terms::id(&format!("{kind}-{}-{ending}", version(v))).unwrap_or(Terms::Unreadable)
        }
        None => wording::declared(name),
    }
}
