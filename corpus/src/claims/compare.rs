//! The form in which texts are compared: words in lower case, without punctuation, numbering, copyright lines. What is
//! left out is listed here and nowhere else; nothing that could grant or take away may be among it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::word_lists::{COMMON, EQUAL, EQUAL_PAIRS, HOLDERS, NORMATIVE, SHORTENED};

/// A text in the form that is compared.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Its words.
    pub words: Vec<String>,
    /// The line that each word stands on, from 1.
    pub lines: Vec<usize>,
    /// Whether a sentence ends after each word.
    pub ends: Vec<bool>,
    /// The words of the copyright lines that were left out: who the holder may be.
    pub holders: BTreeSet<String>,
}

impl Compared {
    fn push(&mut self, word: &str, line: usize, ends: bool) {
        let word = EQUAL.iter().find(|(other, _)| *other == word).map_or(word, |(_, one)| one);
        if let Some(last) = self.words.last_mut() {
            if let Some((.., one)) = EQUAL_PAIRS.iter().find(|(a, b, _)| a == last && *b == word) {
                *last = (*one).to_owned();
                return;
            }
            if last == "copyright" && (word == "owner" || word == "owners") {
                return self.put(if word == "owner" { "holder" } else { "holders" }, line, ends);
            }
        }
        self.put(word, line, ends);
    }

    fn put(&mut self, word: &str, line: usize, ends: bool) {
        self.words.push(word.to_owned());
        self.lines.push(line);
        self.ends.push(ends);
    }
}

/// A text in the form that is compared.
pub(super) fn compared(text: &str) -> Compared {
    let mut out = Compared::default();
    let mut after_copyright = false;
    let (mut goes_on, mut opens) = (false, true);
    for (line, number) in text.lines().zip(1..) {
        let begins = is_nothing_but_copyright(line) || opens && is_undated(line);
        let continues = after_copyright && continues_copyright(line) || goes_on && is_holders(line);
        after_copyright = begins || continues;
        goes_on = after_copyright && [",", " and", "&"].iter().any(|end| line.trim_end().ends_with(end));
        opens = after_copyright || is_reserved(line) || !line.contains(char::is_alphanumeric);
        if after_copyright {
            out.holders.extend(plain_words(line));
        } else if !is_reserved(line) {
            let lower = line.to_lowercase();
            each_word(lower.strip_prefix("o ").unwrap_or(&lower), |word, ends| out.push(word, number, ends));
        }
    }
    out
}

/// The words of a text in the form that is compared, one blank between them.
pub(super) fn words(text: &str) -> String {
    compared(text).words.join(" ")
}

/// The words of a line, in lower case, and nothing left out.
pub(super) fn plain_words(line: &str) -> Vec<String> {
    line.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Every word of a line, without what numbers an item. A sign that is neither letter nor punctuation is a word.
/// With each goes whether a sentence ends after it.
fn each_word(line: &str, mut said: impl FnMut(&str, bool)) {
    let (mut rest, mut before) = (line, ' ');
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric() || !is_blank(c)) {
        before = rest[..start].chars().next_back().unwrap_or(before);
        let first = rest[start..].chars().next().map_or(0, char::len_utf8);
        let sign = !rest[start..].starts_with(char::is_alphanumeric);
        let end = rest[start..].find(|c: char| !c.is_alphanumeric()).map_or(rest.len(), |e| start + e);
        let end = if sign { start + first } else { end };
        let word = &rest[start..end];
        if sign || !is_marker(before, word, &rest[end..]) {
            let after = rest[end..].trim_start_matches([')', '"', '\'', '>', '\u{201d}']);
            let full =
                after.starts_with(['.', '!', '?', ';']) && after[1..].chars().next().is_none_or(char::is_whitespace);
            said(word, full && !is_shortened(word));
        }
        before = word.chars().next_back().unwrap_or(' ');
        rest = &rest[end..];
    }
}

/// White space and punctuation, in the blocks of Unicode that typesetting uses. Emoji and the like say something.
fn is_blank(c: char) -> bool {
    c.is_ascii() && !c.is_alphanumeric()
        || c.is_whitespace()
        || matches!(c,
            '\u{80}'..='\u{bf}' | '\u{d7}' | '\u{2000}'..='\u{206f}' | '\u{2122}' | '\u{2500}'..='\u{259f}'
            | '\u{25a0}'..='\u{25ff}' | '\u{3000}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{feff}')
}

/// `All rights reserved.`
pub(super) fn is_reserved(line: &str) -> bool {
    line.trim().trim_matches(['.', '*', '#', '/', ' ']).eq_ignore_ascii_case("all rights reserved")
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

/// Whether a line begins as a copyright statement and says nothing else in so many words.
pub(super) fn is_copyright(line: &str) -> bool {
    let plain = plain_words(line);
    states_copyright(line) && plain.iter().all(|w| !NORMATIVE.contains(w.as_str())) && plain.len() < 60
}

/// Whether a line states a copyright, whatever else it says: it is kept for notices, and never left out of a text.
pub(super) fn states_copyright(line: &str) -> bool {
    static STATEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)^\W*(?:portions )?(?:copyright\s*(?:\(c\)|©|notice)?[,:]?\s*(?:[\[<{]|\d{4}|\(c\)|©)|copyright\s+\(c\)|copyright\s*©|©|\(c\)\s*\d{4})").ok()
    });
    STATEMENT.as_ref().is_some_and(|s| s.is_match(line))
}

/// Whether a line is a copyright statement to its end: years and names, and no second sentence but `All rights
/// reserved` or another statement.
fn is_nothing_but_copyright(line: &str) -> bool {
    is_copyright(line) && says_no_more(line)
}

/// Whether a copyright statement has one sentence, in letters and punctuation.
fn says_no_more(line: &str) -> bool {
    if line.contains(['!', '?', ';']) || line.chars().any(|c| !c.is_alphanumeric() && !is_blank(c)) {
        return false;
    }
    let tokens: Vec<&str> = line.split_whitespace().collect();
    tokens.iter().enumerate().all(|(at, token)| {
        let (word, next) = (token.trim_matches(|c: char| !c.is_alphanumeric()), &tokens[at + 1..]);
        let named = next.first().is_some_and(|next| next.starts_with(char::is_uppercase));
        let ends = token.trim_end_matches([')', '"', '>']).ends_with(['.', ':']) && !is_shortened(word);
        (named || !COMMON.contains(word)) && (!ends || next.is_empty() || states_again(next))
    })
}

/// Whether the rest of a line is `All rights reserved` or begins as another statement does.
fn states_again(rest: &[&str]) -> bool {
    let plain = plain_words(&rest.join(" "));
    let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
    let dated = |word: &str| word == "c" || word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    match plain[..] {
        ["all", "rights", "reserved"] => true,
        ["portions", "copyright", word, ..] | ["copyright", word, ..] | ["c", word, ..] => dated(word),
        _ => rest.first().is_some_and(|first| first.starts_with('\u{a9}')),
    }
}

/// `Copyright The Example Authors`, at the start of a paragraph: the word, and then nothing but holders.
fn is_undated(line: &str) -> bool {
    let rest = line.trim().trim_matches('*').strip_prefix("Copyright ");
    rest.is_some_and(|rest| (rest.starts_with(char::is_uppercase) || rest.starts_with("the ")) && is_holders(rest))
        && says_no_more(line)
}

/// Whether a line is holders: at most a dozen words, in capitals but for one, or words for holders in general.
fn is_holders(line: &str) -> bool {
    let tokens: Vec<&str> = line.split_whitespace().collect();
    let plain = |token: &&&str| {
        let word = token.trim_matches(|c: char| !c.is_alphanumeric());
        let address = token.contains('@') || token.contains("://");
        !(address || word.starts_with(char::is_uppercase) || word.is_empty() || HOLDERS.contains(word))
    };
    let said = plain_words(line);
    !tokens.is_empty()
        && tokens.len() <= 12
        && tokens.iter().filter(plain).count() <= 1
        && said.iter().all(|w| !NORMATIVE.contains(w.as_str()))
        && (tokens.iter().any(|t| t.starts_with(char::is_uppercase))
            || said.iter().any(|w| w.ends_with("contributors")))
}

/// Whether a full stop after this word ends no sentence: an initial, a year, a company's form, the head itself.
fn is_shortened(word: &str) -> bool {
    let lower = word.to_lowercase();
    word.chars().count() <= 1
        || word.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ',' | '–'))
        || SHORTENED.contains(lower.as_str())
        || matches!(lower.as_str(), "copyright" | "c" | "notice")
        || lower.ends_with("copyright")
}

/// Whether a line after a copyright statement goes on with years and a name.
pub(super) fn continues_copyright(line: &str) -> bool {
    let trimmed = line.trim_start();
    let year = trimmed.as_bytes().iter().take_while(|b| b.is_ascii_digit()).count() == 4;
    year && trimmed.len() < line.len() && is_nothing_but_copyright(&format!("Copyright (c) {trimmed}"))
}

/// Whether the words of a line can be a name.
pub(super) fn is_name(slot: &str) -> bool {
    slot.split(' ').all(|word| !NORMATIVE.contains(word))
}

/// How a word may stand where a listed text has a place for a name. Known are words for holders in general, numbers, the
/// Free Software Foundation's addresses, and `holders`, whom the file's copyright lines or its package name.
pub(super) fn naming(word: &str, holders: &BTreeSet<String>) -> Naming {
    if HOLDERS.contains(word) || word.bytes().all(|b| b.is_ascii_digit()) {
        Naming::Known
    } else if NORMATIVE.contains(word) || COMMON.contains(word) || !word.starts_with(char::is_alphanumeric) {
        Naming::Never
    } else if holders.contains(word) {
        Naming::Known
    } else {
        Naming::Unknown
    }
}

/// Whether a word may stand in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// It names a holder.
    Known,
    /// It may be part of a name that is not said elsewhere: only a few of these in one place.
    Unknown,
    /// It says something.
    Never,
}
