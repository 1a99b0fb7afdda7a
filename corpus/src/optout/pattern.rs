//! Path patterns of RFC 9309 §2.2.2, which TDMRep and RSL use too: a prefix in which `*` is any run of bytes and a final
//! `$` the end. Paths are compared percent-encoded, as the RFC says.

use std::fmt::Write;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<String>,
    to_end: bool,
    length: usize,
}

impl Pattern {
    /// Every text is a pattern; one that does not begin with `/` or `*` is meant from the root.
    pub(super) fn new(text: &str) -> Self {
        let rooted = if text.starts_with(['/', '*']) { text.to_owned() } else { format!("/{text}") };
        let (body, to_end) = rooted.strip_suffix('$').map_or((rooted.as_str(), false), |body| (body, true));
        let body = normalized(body);
        Self { pieces: body.split('*').map(str::to_owned).collect(), to_end, length: body.len() + usize::from(to_end) }
    }

    /// How specific it is: the longest match wins.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Whether it matches a normalised path.
    pub(super) fn matches(&self, path: &str) -> bool {
        let Some((first, others)) = self.pieces.split_first() else { return false };
        let Some(mut rest) = path.strip_prefix(first.as_str()) else { return false };
        let Some((last, inner)) = others.split_last() else { return !self.to_end || rest.is_empty() };
        for piece in inner {
            match rest.split_once(piece.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        if self.to_end { rest.ends_with(last.as_str()) } else { rest.contains(last.as_str()) }
    }
}

/// Percent-encodes what is no URI character, and decodes what needs no encoding; encodings are in upper case.
pub(super) fn normalized(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let decoded = (bytes[at] == b'%').then(|| path.get(at + 1..at + 3)).flatten();
        let decoded = decoded.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let decoded = decoded.and_then(|d| u8::from_str_radix(d, 16).ok());
        let byte = decoded.unwrap_or(bytes[at]);
        let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let plain = unreserved || decoded.is_none() && byte.is_ascii_graphic() && !b"\"<>^`{|}\\".contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
        at += if decoded.is_some() { 3 } else { 1 };
    }
    out
}
