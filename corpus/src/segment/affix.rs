//! What is cut off a chunk's ends and where it is cut inside: the rules of spaCy's English prefixes, suffixes and infixes
//! as written in its lang/punctuation.py, over the sets that it was asked for.

use super::tables::{Set, tables};

/// The length in bytes of the prefix that is cut off `text`, 0 for none.
pub(super) fn prefix(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        None => 0,
        Some(b'.') => dots(bytes),
        Some(b'+') => usize::from(!bytes.get(1).is_some_and(u8::is_ascii_digit)),
        Some(b'U') if text.starts_with("US$") => 3,
        Some(b'C' | b'A') if bytes.get(1) == Some(&b'$') => 2,
        Some(first) if first.is_ascii_alphanumeric() => 0,
        Some(_) => text.chars().next().filter(|c| tables().has(Set::Prefix, *c)).map_or(0, char::len_utf8),
    }
}

/// A run of two dots or more at the start.
fn dots(bytes: &[u8]) -> usize {
    let run = bytes.iter().take_while(|b| **b == b'.').count();
    if run >= 2 { run } else { 0 }
}

/// The length in bytes of the suffix that is cut off `text`, 0 for none: of all that end it, the one that starts first.
pub(super) fn suffix(text: &str) -> usize {
    let mut before = text.chars();
    let Some(last) = before.next_back() else { return 0 };
    let rest = before.as_str();
    if last.is_ascii_digit() {
        return 0;
    }
    let plain = if last == '.' { dot(text, rest) } else { other(rest, last) };
    plain.max(after_digit(text))
}

/// The final dot and the dots before it.
fn dot(text: &str, rest: &str) -> usize {
    let run = text.bytes().rev().take_while(|b| *b == b'.').count();
    if run >= 2 {
        return run;
    }
    let tables = tables();
    let mut before = rest.chars();
    let Some(first) = before.next_back() else { return 0 };
    let second = before.next_back();
    let of_degrees = matches!(first, 'F' | 'f' | 'C' | 'c' | 'K' | 'k') && second == Some('°');
    let of_capitals = tables.has(Set::Upper, first) && second.is_some_and(|c| tables.has(Set::Upper, c));
    usize::from(of_degrees || of_capitals || tables.has(Set::BeforeFinalDot, first))
}

/// Any other last character.
fn other(rest: &str, last: char) -> usize {
    if matches!(last, 's' | 'S') {
        let mark = rest.chars().next_back().filter(|c| matches!(c, '\'' | '’'));
        return mark.map_or(0, |c| c.len_utf8() + 1);
    }
    if last == '…' {
        return if rest.ends_with('…') { 2 * last.len_utf8() } else { last.len_utf8() };
    }
    if last == '+' {
        return usize::from(rest.ends_with(|c: char| c.is_ascii_digit()));
    }
    if last.is_ascii_alphanumeric() || !tables().has(Set::Suffix, last) { 0 } else { last.len_utf8() }
}

/// The longest unit or currency after a digit.
fn after_digit(text: &str) -> usize {
    // No unit is longer: without a digit near the end there is nothing to compare.
    let bytes = text.as_bytes();
    let from = bytes.len().saturating_sub(17);
    if !bytes[from..].iter().any(u8::is_ascii_digit) {
        return 0;
    }
    let cut = |unit: &&str| {
        text.strip_suffix(*unit).is_some_and(|rest| rest.as_bytes().last().is_some_and(u8::is_ascii_digit))
    };
    tables().after_digit.iter().map(|unit| &**unit).find(cut).map_or(0, str::len)
}

/// The places where `text` is cut inside, in order.
pub(super) fn infixes(text: &str, mut each: impl FnMut(usize, usize)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = match bytes[at] {
            b if b.is_ascii_alphanumeric() => 0,
            b if b.is_ascii() => ascii_infix(text, at),
            _ => wide_infix(text, at),
        };
        if length > 0 {
            each(at, at + length);
            at += length;
        } else {
            at += 1;
            while !text.is_char_boundary(at) {
                at += 1;
            }
        }
    }
}

fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

fn after(text: &str, at: usize) -> Option<char> {
    text[at..].chars().next()
}

fn ascii_infix(text: &str, at: usize) -> usize {
    let tables = tables();
    let bytes = text.as_bytes();
    let (left, right) = (before(text, at), after(text, at + 1));
    let has = |set: Set, c: Option<char>| c.is_some_and(|c| tables.has(set, c));
    let alpha_or_digit = has(Set::Alpha, left) || left.is_some_and(|c| c.is_ascii_digit());
    match bytes[at] {
        b'.' => match dots(&bytes[at..]) {
            0 => usize::from(has(Set::BeforeInnerDot, left) && has(Set::AfterInnerDot, right)),
            run => run,
        },
        b'+' | b'*' | b'^' => usize::from(between_digits(left, right)),
        b'-' if between_digits(left, right) => 1,
        b'-' | b'~' => hyphen(text, at, alpha_or_digit),
        b',' => usize::from(has(Set::Alpha, left) && has(Set::Alpha, right)),
        b':' | b'<' | b'>' | b'=' | b'/' => usize::from(alpha_or_digit && has(Set::Alpha, right)),
        b => usize::from(tables.has(Set::Infix, char::from(b))),
    }
}

fn between_digits(left: Option<char>, right: Option<char>) -> bool {
    left.is_some_and(|c| c.is_ascii_digit()) && right.is_some_and(|c| c.is_ascii_digit() || c == '-')
}

fn wide_infix(text: &str, at: usize) -> usize {
    let tables = tables();
    let Some(c) = after(text, at) else { return 0 };
    if tables.has(Set::Infix, c) {
        return c.len_utf8();
    }
    if !matches!(c, '–' | '—') {
        return 0;
    }
    let left = before(text, at);
    hyphen(text, at, left.is_some_and(|c| c.is_ascii_digit() || tables.has(Set::Alpha, c)))
}

fn hyphen(text: &str, at: usize, follows: bool) -> usize {
    let fits = |hyphen: &&str| {
        let rest = text[at..].strip_prefix(*hyphen);
        rest.and_then(|rest| rest.chars().next()).is_some_and(|c| tables().has(Set::Alpha, c))
    };
    if follows { tables().hyphens.iter().map(|h| &**h).find(fits).map_or(0, str::len) } else { 0 }
}
