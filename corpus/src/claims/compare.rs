//! The form in which texts are compared: words in lower case, without punctuation, numbering, copyright lines. What is
//! left out is listed here and nowhere else; nothing that could grant or take away may be among it.

use std::sync::LazyLock;

use regex::Regex;

/// Words with which somebody grants or takes away; a name has none of them.
const NORMATIVE: [&str; 32] = [
    "may",
    "not",
    "must",
    "shall",
    "should",
    "only",
    "no",
    "without",
    "except",
    "unless",
    "provided",
    "prohibited",
    "forbidden",
    "restricted",
    "permitted",
    "permission",
    "allowed",
    "train",
    "training",
    "trained",
    "ai",
    "use",
    "used",
    "using",
    "commercial",
    "noncommercial",
    "license",
    "licensed",
    "terms",
    "never",
    "cannot",
    "additional",
];

/// The words of a text in the form that is compared.
pub(super) fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_copyright = false;
    for line in text.lines() {
        after_copyright = is_copyright(line) || after_copyright && continues_copyright(line);
        if after_copyright || is_reserved(line) {
            continue;
        }
        let lower = line.to_lowercase().replace("https:", "http:").replace("licence", "license");
        let mut rest = lower.strip_prefix("o ").unwrap_or(&lower);
        let mut before = ' ';
        while let Some(start) = rest.find(char::is_alphanumeric) {
            let end = rest[start..].find(|c: char| !c.is_alphanumeric()).map_or(rest.len(), |e| start + e);
            before = rest[..start].chars().next_back().unwrap_or(before);
            let word = &rest[start..end];
            if !is_marker(before, word, &rest[end..]) {
                out.push_str(if out.is_empty() { "" } else { " " });
                out.push_str(word);
            }
            before = word.chars().next_back().unwrap_or(' ');
            rest = &rest[end..];
        }
    }
    out
}

/// `All rights reserved.`
pub(super) fn is_reserved(line: &str) -> bool {
    line.trim().trim_end_matches('.').eq_ignore_ascii_case("all rights reserved")
}

/// Whether a word numbers an item, at a line's start or in a reference, wherever lines break: `a.`, `(iv)`, `12)`. Larger
/// numbers are sums, shares and days, and count.
fn is_marker(before: char, word: &str, after: &str) -> bool {
    let numbers = || word.parse::<u32>().is_ok_and(|n| n < 20);
    let letters = || word.len() == 1 && word.as_bytes()[0].is_ascii_lowercase();
    let romans = || word.len() <= 4 && word.bytes().all(|b| matches!(b, b'i' | b'v' | b'x'));
    let mut next = after.chars();
    let closed = match next.next() {
        Some(')') => true,
        Some('.') => next.next().is_none_or(char::is_whitespace),
        _ => false,
    };
    closed && (before.is_whitespace() || before == '(') && (numbers() || letters() || romans())
}

/// Whether a line is a copyright statement and nothing more.
pub(super) fn is_copyright(line: &str) -> bool {
    let plain = line.to_lowercase();
    let plain = plain.split(|c: char| !c.is_alphanumeric());
    states_copyright(line) && plain.clone().all(|w| !NORMATIVE.contains(&w)) && plain.count() < 60
}

/// Whether a line states a copyright, whatever else it says: it is kept for notices, and never left out of a text.
pub(super) fn states_copyright(line: &str) -> bool {
    static STATEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)^\W*(?:portions )?(?:copyright\s*(?:\(c\)|©|notice)?[,:]?\s*(?:[\[<{]|\d{4}|\(c\)|©)|copyright\s+\(c\)|copyright\s*©|©|\(c\)\s*\d{4})").ok()
    });
    STATEMENT.as_ref().is_some_and(|s| s.is_match(line))
}

/// Whether a line after a copyright statement goes on with years and a name.
pub(super) fn continues_copyright(line: &str) -> bool {
    let trimmed = line.trim_start();
    let year = trimmed.as_bytes().iter().take_while(|b| b.is_ascii_digit()).count() == 4;
    year && trimmed.len() < line.len() && is_copyright(&format!("Copyright (c) {trimmed}"))
}

/// Whether the words of a slot can be a name.
pub(super) fn is_name(slot: &str) -> bool {
    slot.split(' ').all(|w| !NORMATIVE.contains(&w))
}
