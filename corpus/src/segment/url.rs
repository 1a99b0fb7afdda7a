//! Whether a chunk is an address, as spaCy's `URL_MATCH` (lang/tokenizer_exceptions.py) decides: a host under a
//! top-level name or an IPv4 address that is not private, with scheme, user, port and path around it.

use super::tables::{Set, tables};

/// Whether all of `text`, which has no white space, is an address.
pub(super) fn is_url(text: &str) -> bool {
    if !text.contains('.') {
        return false;
    }
    // What stands before the host: nothing, a scheme, or anything up to an `@`.
    let after_user = text.match_indices('@').filter(|(at, _)| *at > 0).map(|(at, _)| at + 1);
    std::iter::once(0).chain(after_scheme(text)).chain(after_user).any(|at| is_host(&text[at..]))
}

fn after_scheme(text: &str) -> Option<usize> {
    let at = text.find("://")?;
    let fits = |c: char| matches!(c, '+' | '-' | '.') || tables().has(Set::Word, c);
    (text[..at].chars().count() >= 2 && text[..at].chars().all(fits)).then_some(at + 3)
}

/// A host with what may follow it.
fn is_host(text: &str) -> bool {
    let end = text.find([':', '/', '?', '#']).unwrap_or(text.len());
    let (host, rest) = text.split_at(end);
    is_rest(rest) && (is_name(host) || is_ip(host))
}

/// A port, then a path, each of which may be absent.
fn is_rest(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else { return true };
    let digits = port.chars().take_while(|c| tables().has(Set::Digit, *c)).count();
    let after = port.chars().nth(digits);
    (2..=5).contains(&digits) && after.is_none_or(|c| matches!(c, '/' | '?' | '#'))
}

fn is_name(host: &str) -> bool {
    let Some((labels, top)) = host.rsplit_once('.') else { return false };
    let letters = top.chars().count();
    (2..=63).contains(&letters)
        && top.chars().all(|c| tables().has(Set::TopLevel, c))
        && labels.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric() || ('\u{a1}'..='\u{ffff}').contains(&c);
    let inner = |c: char| edge(c) || matches!(c, '_' | '-');
    let letters = label.chars().count();
    (1..=64).contains(&letters) && label.starts_with(edge) && label.ends_with(edge) && label.chars().all(inner)
}

fn is_ip(host: &str) -> bool {
    let parts: Vec<Vec<char>> = host.split('.').map(|part| part.chars().collect()).collect();
    let [a, b, c, d] = &parts[..] else { return false };
    let is = |part: &[char], text: &str| part.iter().copied().eq(text.chars());
    let of_172 = |b: &[char]| match b {
        ['1', n] => ('6'..='9').contains(n),
        ['2', n] => is_digit(*n),
        ['3', n] => matches!(n, '0' | '1'),
        _ => false,
    };
    let private = is(a, "10")
        || is(a, "127")
        || is(a, "169") && is(b, "254")
        || is(a, "192") && is(b, "168")
        || is(a, "172") && of_172(b);
    !private && is_first(a) && is_middle(b) && is_middle(c) && is_last(d)
}

fn is_digit(c: char) -> bool {
    tables().has(Set::Digit, c)
}

/// 1 to 223.
fn is_first(part: &[char]) -> bool {
    match part {
        [a] => ('1'..='9').contains(a),
        [a, b] => ('1'..='9').contains(a) && is_digit(*b),
        ['1', b, c] => is_digit(*b) && is_digit(*c),
        ['2', '0' | '1', c] => is_digit(*c),
        ['2', '2', c] => ('0'..='3').contains(c),
        _ => false,
    }
}

/// 0 to 255, with zeros before.
fn is_middle(part: &[char]) -> bool {
    match part {
        [a] => is_digit(*a),
        [a, b] => is_digit(*a) && is_digit(*b),
        ['1', b, c] => is_digit(*b) && is_digit(*c),
        ['2', b, c] => ('0'..='4').contains(b) && is_digit(*c) || *b == '5' && ('0'..='5').contains(c),
        _ => false,
    }
}

/// 1 to 254.
fn is_last(part: &[char]) -> bool {
    match part {
        [a] => ('1'..='9').contains(a),
        [a, b] => ('1'..='9').contains(a) && is_digit(*b),
        ['1', b, c] => is_digit(*b) && is_digit(*c),
        ['2', b, c] => ('0'..='4').contains(b) && is_digit(*c) || *b == '5' && ('0'..='4').contains(c),
        _ => false,
    }
}
