//! What is planted in a closed set and must not be found outside: words, ids, digests, tokens, counts, secrets, each in
//! every form in which a program of ours or of others could write it.

use std::path::Path;

use super::scan::views;
use crate::support::contents;

/// Something that must stay.
pub(super) struct Canary {
    /// What it is, for messages.
    pub name: String,
    /// How it may be written.
    forms: Vec<Vec<u8>>,
    /// Whether letters' case does not matter.
    folds: bool,
}

impl Canary {
    /// Words, in UTF-8 and both forms of UTF-16, in any case.
    pub(super) fn words(name: &str, words: &str) -> Self {
        let words = words.to_ascii_lowercase();
        assert!(words.len() >= 8, "`{words}` is too short to be nobody else's");
        let wide = |bytes: fn(u16) -> [u8; 2]| words.encode_utf16().flat_map(bytes).collect();
        let forms = vec![words.clone().into_bytes(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
        Self { name: name.to_owned(), forms, folds: true }
    }

    /// Bytes; hex and base64 of them are seen by taking apart what holds them.
    pub(super) fn bytes(name: &str, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 8);
        Self { name: name.to_owned(), forms: vec![bytes.to_vec()], folds: false }
    }

    /// A digest as records write it.
    pub(super) fn digest(name: &str, digest: manifests::digest::Sha256) -> Self {
        Self::bytes(name, digest.as_bytes())
    }

    /// Token ids: in binary of 2, 4 and 8 bytes, as varints, and in decimal with the usual separators.
    pub(super) fn tokens(ids: &[u32]) -> Self {
        assert!(ids.len() >= 8);
        let each = |bytes: fn(u32) -> Vec<u8>| ids.iter().copied().flat_map(bytes).collect::<Vec<u8>>();
        let decimal = |by: &str| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(by).into_bytes();
        let mut forms = vec![
            each(|n| n.to_le_bytes().into()),
            each(|n| n.to_be_bytes().into()),
            each(|n| u64::from(n).to_le_bytes().into()),
            each(|n| u16::try_from(n).unwrap().to_le_bytes().into()),
            each(|n| u16::try_from(n).unwrap().to_be_bytes().into()),
            each(varint),
        ];
        forms.extend([",", ", ", " ", "\n"].map(decimal));
        Self { name: "token ids".to_owned(), forms, folds: false }
    }

    /// A number of documents or tokens, wherever JSON has a number.
    pub(super) fn count(name: &str, count: u64) -> Self {
        Self { name: name.to_owned(), forms: vec![format!("\n{count}\n").into_bytes()], folds: false }
    }

    /// The number that it is, if it is one.
    pub(super) fn number(&self) -> Option<u64> {
        std::str::from_utf8(&self.forms[0]).ok()?.strip_prefix('\n')?.trim_end().parse().ok()
    }

    /// Every form, for planting.
    pub(super) fn forms(&self) -> &[Vec<u8>] {
        &self.forms
    }

    fn is_in(&self, view: &[u8], folded: &[u8]) -> bool {
        let text = if self.folds { folded } else { view };
        self.forms.iter().any(|form| holds(text, form))
    }
}

fn varint(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn holds(text: &[u8], form: &[u8]) -> bool {
    let last = form[form.len() - 1];
    let mut at = form.len() - 1;
    // Skips from one place of the last byte to the next: most views hold nothing.
    while let Some(next) = text.get(at..).and_then(|rest| rest.iter().position(|b| *b == last)) {
        at += next;
        if text[..=at].ends_with(form) {
            return true;
        }
        at += 1;
    }
    false
}

/// The names of the canaries that are in these bytes.
pub(super) fn in_bytes<'a>(bytes: &[u8], canaries: &'a [Canary]) -> Vec<&'a str> {
    let mut found: Vec<bool> = vec![false; canaries.len()];
    for view in views(bytes) {
        let folded = view.to_ascii_lowercase();
        for (canary, found) in canaries.iter().zip(&mut found) {
            *found = *found || canary.is_in(&view, &folded);
        }
    }
    canaries.iter().zip(found).filter(|(_, found)| *found).map(|(c, _)| c.name.as_str()).collect()
}

/// `FILE: CANARY` for each canary in each file beneath a folder, names of files included.
pub(super) fn in_tree(folder: &Path, canaries: &[Canary]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, bytes) in contents(folder) {
        let named = in_bytes(name.as_bytes(), canaries);
        let held = in_bytes(&bytes, canaries);
        found.extend(named.into_iter().chain(held).map(|canary| format!("{name}: {canary}")));
    }
    found
}
