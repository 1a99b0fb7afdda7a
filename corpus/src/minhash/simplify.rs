//! datatrove's `simplify_text`: lower case, every number 0, punctuation and white space one space, marks taken off
//! letters. Characters that the Unicode tables of the Python that was asked do not know stay as they are.

use unicode_normalization::UnicodeNormalization as _;

use crate::characters::SETS;
use crate::filter::python::is_space;

/// The text that n-grams are made of.
#[must_use]
pub fn simplify(text: &str) -> String {
    let text = spaced(&without_numbers(&lower(text)));
    if text.is_ascii() {
        return text;
    }
    let known = |c: char| c.is_ascii() || SETS.assigned.has(c);
    let mut out = String::with_capacity(text.len());
    let (mut run, mut from) = (true, 0);
    // Decomposed piece by piece, so that unknown characters are not.
    for (at, c) in text.char_indices().chain([(text.len(), '\0')]) {
        if at == text.len() || known(c) != run {
            match run {
                true => out.extend(text[from..at].nfd().filter(|c| c.is_ascii() || !SETS.mark.has(*c))),
                false => out.push_str(&text[from..at]),
            }
            (run, from) = (!run, at);
        }
    }
    out.trim_matches(is_space).to_owned()
}

fn lower(text: &str) -> String {
    if text.chars().all(|c| c.is_ascii() || SETS.assigned.has(c)) {
        return text.to_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if SETS.assigned.has(c) { out.extend(c.to_lowercase()) } else { out.push(c) }
    }
    out
}

fn is_number(c: char) -> bool {
    c.is_ascii_digit() || !c.is_ascii() && SETS.number.has(c)
}

/// A run of digits, with one decimal mark and more digits behind it where they are there, is `0`.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if !is_number(c) {
            out.push(c);
            continue;
        }
        out.push('0');
        rest = after_digits(rest);
        let mut tail = rest.clone();
        if tail.next().is_some_and(|c| matches!(c, '.' | ',' | '،' | '٫' | '⎖' | '⎗' | '⎘'))
            && tail.next().is_some_and(is_number)
        {
            rest = after_digits(tail);
        }
    }
    out
}

fn after_digits(mut text: std::str::Chars<'_>) -> std::str::Chars<'_> {
    while text.clone().next().is_some_and(is_number) {
        text.next();
    }
    text
}

/// Punctuation and runs of white space are one space; none at the ends.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !(is_space(c) || SETS.punctuation.has(c)) {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end_matches(' ').len());
    out
}
