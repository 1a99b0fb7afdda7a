//! What Python's `str` methods do where Rust's differ, for filters that must equal a Python reference.

use std::sync::LazyLock;

use regex::Regex;

/// `str.isspace` of one character: Unicode white space and the separators U+001C to U+001F.
pub(crate) const fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// `str.split()`.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// `str.splitlines()`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| {
        matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(at) = rest.find(ends) else { return Some(std::mem::take(&mut rest)) };
        let (line, tail) = rest.split_at(at);
        let end = tail.chars().next().map_or(0, char::len_utf8);
        rest = &tail[if tail.starts_with("\r\n") { 2 } else { end }..];
        Some(line)
    })
}

/// Whether any character is a letter, as `str.isalpha` sees it: general category L, so neither letter-like numbers
/// (U+2167) nor marks, which Rust's `is_alphabetic` takes in.
pub(super) fn has_letter(word: &str) -> bool {
    static LETTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{L}").ok());
    word.bytes().any(|b| b.is_ascii_alphabetic())
        || !word.is_ascii() && LETTER.as_ref().is_some_and(|letter| letter.is_match(word))
}

/// `len`: code points.
pub(super) fn len(text: &str) -> u64 {
    text.chars().count() as u64
}

/// `round(value, 5)`: half to even on the exact binary value, which is what formatting does.
pub(super) fn round5(value: f64) -> f64 {
    format!("{value:.5}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differs_from_rust_where_python_does() {
        assert_eq!(split("a\u{1c}b\u{85}c\u{200b}d").collect::<Vec<_>>(), ["a", "b", "c\u{200b}d"]);
        assert_eq!(lines("a\r\nb\n\nc\u{b}d\u{2028}").collect::<Vec<_>>(), ["a", "b", "", "c", "d"]);
        assert!(!has_letter("\u{2167}\u{301}12") && has_letter("1é") && has_letter("ª") && has_letter("x"));
        assert_eq!((round5(0.000_005), round5(0.100_005), round5(2.5)), (0.00001, 0.1, 2.5));
    }
}
