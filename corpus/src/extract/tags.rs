//! Tags of a page with their attributes, place and content, for those who look for marks and not for text. Lenient: what
//! cannot be read is no tag.

use super::entities::decode_into;
use super::markup::{Token, tokens};

/// An opening tag.
pub(crate) struct Tag<'a> {
    /// Its name, in lower case.
    pub name: String,
    /// The tag as it stands, `<…>`.
    pub raw: &'a str,
    /// Its line, from 1.
    pub line: usize,
    /// The text right after it, up to the next tag.
    pub content: &'a str,
    attributes: Vec<(String, String)>,
}

impl Tag<'_> {
    /// An attribute's value, references resolved; the first one of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether an attribute's list of words has `word`, in any case.
    pub(crate) fn has_word(&self, name: &str, word: &str) -> bool {
        self.attribute(name).is_some_and(|value| value.split_whitespace().any(|w| w.eq_ignore_ascii_case(word)))
    }

    /// The text right after it, references resolved and blanks collapsed.
    pub(crate) fn words(&self) -> String {
        let mut decoded = String::new();
        decode_into(&mut decoded, self.content);
        decoded.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The opening tags of `text`, in order.
pub(crate) fn tags(text: &str) -> Vec<Tag<'_>> {
    let start_of = |piece: &str| piece.as_ptr() as usize - text.as_ptr() as usize;
    let mut out: Vec<Tag<'_>> = Vec::new();
    let (mut line, mut counted, mut follows) = (1, 0, false);
    for token in tokens(text) {
        match token {
            Token::Open(name, attributes) => {
                let at = start_of(name).saturating_sub(1);
                line += text[counted..at].matches('\n').count();
                counted = at;
                let end = text.len().min(start_of(attributes) + attributes.len() + 1);
                let (name, raw) = (name.to_ascii_lowercase(), &text[at..end]);
                out.push(Tag { name, raw, line, content: "", attributes: pairs(attributes) });
                follows = true;
            }
            Token::Text(piece) | Token::Data(piece) => {
                if let Some(tag) = out.last_mut().filter(|_| follows) {
                    tag.content = piece;
                }
                follows = false;
            }
            Token::Close(_) => follows = false,
        }
    }
    out
}

/// `name="value"`, `name='value'`, `name=value` and `name`, names in lower case.
fn pairs(attributes: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '/')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            // A stray `=` has no name.
            match rest.strip_prefix('=') {
                Some(after) => rest = after,
                None => return out,
            }
            continue;
        }
        let Some(value) = after.trim_start().strip_prefix('=') else {
            out.push((name.to_ascii_lowercase(), String::new()));
            rest = after;
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (raw, after) = match quote {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        let mut decoded = String::new();
        decode_into(&mut decoded, raw);
        out.push((name.to_ascii_lowercase(), decoded));
        rest = after;
    }
}
