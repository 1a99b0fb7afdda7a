//! What a filter says about a text: numbers, the rule that dropped it, an edited text. The shapes that filters, the
//! chain and the tables of the pipeline share; knows no filter.

use std::ops::Range;

use super::python;

/// What a column of facts holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number: a count, a share, a score.
    Number,
    /// A short text: a language, a label.
    Text,
}

/// One number or label that a filter finds out about every document it sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactColumn {
    /// Snake case, with the filter's own prefix: `gopher_quality_alpha_ratio`.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

impl FactColumn {
    /// A column of numbers.
    #[must_use]
    pub fn number(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Number }
    }

    /// A column of labels.
    #[must_use]
    pub fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Text }
    }
}

/// A fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a [`Kind::Number`] column.
    Number(f64),
    /// Of a [`Kind::Text`] column.
    Text(String),
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// The rule that dropped a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reason {
    /// Kebab-case code, `gopher-too-few-words`.
    pub code: &'static str,
    /// The filter's place in the chain, from 0; the chain fills it in.
    pub filter: usize,
    /// The document's value, where the rule compares one.
    pub value: Option<f64>,
    /// The threshold that it missed.
    pub threshold: Option<f64>,
    /// What met the rule where no number says it: a listed domain, a label.
    pub matched: Option<String>,
    /// The bytes that show why, in the text that the filter saw.
    pub span: Option<Range<usize>>,
}

impl Reason {
    /// A rule that compares nothing.
    #[must_use]
    pub fn new(code: &'static str) -> Self {
        Self { code, ..Self::default() }
    }

    /// A rule whose `threshold` the document's `value` missed.
    #[must_use]
    pub fn missed(code: &'static str, value: f64, threshold: f64) -> Self {
        Self { code, value: Some(value), threshold: Some(threshold), ..Self::default() }
    }

    /// The same with the bytes that show why.
    #[must_use]
    pub fn at(self, span: Range<usize>) -> Self {
        Self { span: Some(span), ..self }
    }

    /// The same with what was met.
    #[must_use]
    pub fn matching(self, matched: impl Into<String>) -> Self {
        Self { matched: Some(matched.into()), ..self }
    }
}

/// Sizes of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes of UTF-8.
    pub bytes: u64,
    /// Code points.
    pub characters: u64,
    /// Runs of anything but white space, as Python's `str.split`.
    pub words: u64,
    /// Lines; a last one without a line end counts.
    pub lines: u64,
}

impl Counts {
    /// The sizes of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let words = python::split(text).count() as u64;
        Self { bytes: text.len() as u64, characters: python::len(text), words, lines: text.lines().count() as u64 }
    }
}

/// An edited text under construction, which counts what it added and removed: a filter walks its text once and calls
/// one of the three for every piece. Pieces that stay untouched until the first change are not copied.
#[derive(Debug)]
pub struct Edit<'a> {
    from: &'a str,
    /// Bytes of `from` that are decided on.
    at: usize,
    /// The text so far, from the first change on.
    text: Option<String>,
    added: u64,
    removed: u64,
}

impl<'a> Edit<'a> {
    /// An edit of `text` that has not begun.
    #[must_use]
    pub const fn of(text: &'a str) -> Self {
        Self { from: text, at: 0, text: None, added: 0, removed: 0 }
    }

    /// Keeps the text up to byte `end`.
    pub fn keep_to(&mut self, end: usize) {
        if let Some(text) = &mut self.text {
            text.push_str(&self.from[self.at..end]);
        }
        self.at = end;
    }

    /// Removes the text up to byte `end`.
    pub fn remove_to(&mut self, end: usize) {
        if end > self.at {
            self.changed();
            self.removed += (end - self.at) as u64;
            self.at = end;
        }
    }

    /// Adds `piece` here.
    pub fn add(&mut self, piece: &str) {
        if !piece.is_empty() {
            self.added += piece.len() as u64;
            self.changed().push_str(piece);
        }
    }

    /// Puts `piece` in the place of the text up to byte `end`; no change when they are equal.
    pub fn replace_to(&mut self, end: usize, piece: &str) {
        if self.from[self.at..end] == *piece {
            self.keep_to(end);
        } else {
            self.add(piece);
            self.remove_to(end);
        }
    }

    fn changed(&mut self) -> &mut String {
        let (from, at) = (self.from, self.at);
        self.text.get_or_insert_with(|| {
            let mut text = String::with_capacity(from.len());
            text.push_str(&from[..at]);
            text
        })
    }

    /// What came of it, with the rest of the text kept; none when nothing changed.
    #[must_use]
    pub fn finish(mut self) -> Option<Edited> {
        self.keep_to(self.from.len());
        let (added, removed) = (self.added, self.removed);
        self.text.map(|text| Edited { text, added, removed })
    }
}

/// An edited text: `bytes before + added = bytes after + removed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// Bytes that were added.
    pub added: u64,
    /// Bytes that were removed.
    pub removed: u64,
}

/// What one filter says about one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Parallel to the filter's columns; none where a text has no such value.
    pub values: Vec<Option<Value>>,
    /// The first rule that the text breaks; none when the filter keeps it.
    pub reason: Option<Reason>,
    /// The text for the next filter; none when it stays as it is. Of no effect beside a reason.
    pub edited: Option<Edited>,
}

impl Outcome {
    /// Nothing to say.
    #[must_use]
    pub fn kept() -> Self {
        Self::default()
    }
}

/// What the chain found out about one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The first rule, in the chain's order, that the document breaks; none when it is kept.
    pub reason: Option<Reason>,
    /// The text as the filters left it (for a dropped one: as the filter that dropped it saw it); none when they
    /// changed nothing.
    pub text: Option<String>,
    /// Bytes that edits added.
    pub bytes_added: u64,
    /// Bytes that edits removed: `bytes in + added = bytes out + removed`.
    pub bytes_removed: u64,
    /// Sizes of the text as it came in.
    pub counts: Counts,
    /// Parallel to the chain's columns; none where no filter came to compute it.
    pub values: Vec<Option<Value>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_edit_accounts_for_every_byte(
            text in "[a-c\u{e9}\n]{0,40}",
            steps in prop::collection::vec((0u8..4, 0usize..8, "[a-c]{0,3}"), 0..12),
        ) {
            let mut edit = Edit::of(&text);
            for (what, far, piece) in steps {
                let mut end = (edit.at + far).min(text.len());
                while !text.is_char_boundary(end) {
                    end += 1;
                }
                match what {
                    0 => edit.keep_to(end),
                    1 => edit.remove_to(end),
                    2 => edit.add(&piece),
                    _ => edit.replace_to(end, &piece),
                }
            }
            let (added, removed, after) = edit.finish().map_or((0, 0, text.len()), |e| (e.added, e.removed, e.text.len()));
            prop_assert_eq!(text.len() as u64 + added, after as u64 + removed);
        }
    }

    #[test]
    fn an_edit_that_changes_nothing_is_none() {
        let mut edit = Edit::of("abc");
        edit.keep_to(1);
        edit.replace_to(3, "bc");
        assert_eq!(edit.finish(), None);
        let mut edit = Edit::of("abc");
        edit.keep_to(1);
        edit.replace_to(2, "xy");
        assert_eq!(edit.finish(), Some(Edited { text: "axyc".to_owned(), added: 2, removed: 1 }));
    }
}
