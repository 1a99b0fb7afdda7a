//! spaCy's English tokenizer (spaCy 3.8, tokenizer.pyx): chunks between white space, affixes cut off them, exceptions,
//! addresses, infixes, and the second pass that looks for exceptions among tokens. Tokens are places in the text.

use super::affix::{infixes, prefix, suffix};
use super::tables::tables;
use super::url::is_url;
use crate::filter::python::is_space;

/// The place of a token: its first byte and the byte after its last.
pub type Span = std::ops::Range<usize>;

/// The words of a text as datatrove's English `word_tokenize` gives them: tokens without those of white space. `out`
/// is cleared first.
pub fn words(text: &str, out: &mut Vec<Span>) {
    tokens(text, out);
    out.retain(|span| !text[span.clone()].starts_with(is_space));
}

/// The tokens of a text, white space among them where spaCy keeps it: all but one space after a token. `out` is cleared
/// first.
pub fn tokens(text: &str, out: &mut Vec<Span>) {
    out.clear();
    let mut chunk = Chunk { text, out, suffixes: Vec::new() };
    let mut start = 0;
    let mut in_space = text.starts_with(is_space);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let (space, next) = if bytes[at].is_ascii() {
            (matches!(bytes[at], b'\t'..=b'\r' | 0x1c..=b' '), at + 1)
        } else {
            let c = text[at..].chars().next().unwrap_or(' ');
            (is_space(c), at + c.len_utf8())
        };
        if space != in_space {
            if start < at {
                chunk.cut(start..at, in_space);
            }
            start = if bytes[at] == b' ' { next } else { at };
            in_space = space;
        }
        at = next;
    }
    if start < bytes.len() {
        chunk.cut(start..bytes.len(), in_space);
    }
    merge(text, out);
}

/// The tokens under way.
struct Chunk<'a> {
    text: &'a str,
    out: &'a mut Vec<Span>,
    suffixes: Vec<Span>,
}

impl Chunk<'_> {
    fn cut(&mut self, span: Span, is_space: bool) {
        let chunk = &self.text[span.clone()];
        if is_space || chunk.bytes().all(|b| b.is_ascii_alphabetic()) && tables().rule(chunk).is_none() {
            self.out.push(span);
            return;
        }
        let middle = self.cut_affixes(span);
        self.attach(middle);
        self.out.extend(self.suffixes.drain(..).rev());
    }

    /// Cuts prefixes and suffixes off; what is left between them, which may be empty.
    fn cut_affixes(&mut self, mut span: Span) -> Span {
        let tables = tables();
        let text = self.text;
        let is_rule = |span: &Span| !span.is_empty() && tables.rule(&text[span.clone()]).is_some();
        while !span.is_empty() && !is_rule(&span) {
            let before = prefix(&text[span.clone()]);
            let (first, without_first) = (span.start..span.start + before, span.start + before..span.end);
            if before > 0 && is_rule(&without_first) {
                self.out.push(first);
                return without_first;
            }
            let after = suffix(&text[without_first.clone()]);
            let (last, without_last) = (span.end - after..span.end, span.start..span.end - after);
            if after > 0 && is_rule(&without_last) {
                self.suffixes.push(last);
                return without_last;
            }
            if before == 0 && after == 0 {
                break;
            }
            if before > 0 {
                self.out.push(first);
                span.start += before;
            }
            if after > 0 {
                self.suffixes.push(last);
                span.end -= after;
            }
        }
        span
    }

    fn attach(&mut self, span: Span) {
        if span.is_empty() {
            return;
        }
        let chunk = &self.text[span.clone()];
        if let Some(lengths) = tables().rule(chunk) {
            push_pieces(self.out, span.start, lengths);
            return;
        }
        if is_url(chunk) {
            self.out.push(span);
            return;
        }
        let (out, base) = (&mut *self.out, span.start);
        let mut start = 0;
        infixes(chunk, |from, to| {
            // spaCy's own quirk: one at the very start is passed over.
            if from == 0 {
                return;
            }
            if from != start {
                out.push(base + start..base + from);
            }
            out.push(base + from..base + to);
            start = to;
        });
        if start < chunk.len() {
            out.push(base + start..span.end);
        }
    }
}

fn push_pieces(out: &mut Vec<Span>, mut at: usize, lengths: &[usize]) {
    for length in lengths {
        out.push(at..at + length);
        at += length;
    }
}

/// `_apply_special_cases`: exceptions that the affix rules tear apart are found as sequences of tokens, the longest
/// first, and cut as the exception says.
fn merge(text: &str, out: &mut Vec<Span>) {
    let mut found = matches(text, out);
    if found.is_empty() {
        return;
    }
    // Longest first, then the earliest; what was met keeps others away, whether it was taken or not.
    found.sort_by_key(|m| (std::cmp::Reverse(m.len()), m.start));
    let mut met = vec![false; out.len()];
    let mut taken: Vec<Span> = Vec::new();
    for span in found {
        if !met[span.start] && !met[span.end - 1] {
            taken.push(span.clone());
        }
        met[span].fill(true);
    }
    taken.sort_by_key(|span| span.start);
    let mut merged = Vec::with_capacity(out.len());
    let mut next = 0;
    for span in taken {
        merged.extend_from_slice(&out[next..span.start]);
        let (first, last) = (out[span.start].start, out[span.end - 1].end);
        match tables().rule(&text[first..last]) {
            Some(lengths) => push_pieces(&mut merged, first, lengths),
            None => merged.extend_from_slice(&out[span.clone()]),
        }
        next = span.end;
    }
    merged.extend_from_slice(&out[next..]);
    *out = merged;
}

/// Where exceptions stand among tokens, as ranges of them.
fn matches(text: &str, tokens: &[Span]) -> Vec<Span> {
    let tables = tables();
    let mut found = Vec::new();
    for (start, token) in tokens.iter().enumerate() {
        if !tables.merged_begins[usize::from(text.as_bytes()[token.start])] {
            continue;
        }
        let Some(sequences) = tables.merged.get(&text[token.clone()]) else { continue };
        for sequence in sequences {
            let here = tokens[start..].iter().map(|t| &text[t.clone()]);
            if tokens.len() - start >= sequence.len() && sequence.iter().map(|s| &**s).eq(here.take(sequence.len())) {
                found.push(start..start + sequence.len());
            }
        }
    }
    found
}
