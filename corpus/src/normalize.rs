//! The normalised text of a document, by which exact duplicates are found and digests compared (semantics.md §6):
//! NFC, runs of Unicode white space to one space, trimmed. Knows nothing of documents, licenses or files.

use manifests::digest::{Hasher, Sha256};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Bytes handed to the hasher at once.
const CHUNK: usize = 8 << 10;

/// The normalised form of `text`.
///
/// Idempotent, and equal for texts that differ only in canonical composition or in white space.
#[must_use]
pub fn normalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    pieces(text, |piece| out.push_str(piece));
    out
}

/// The SHA-256 of [`normalize`], without building the normalised text.
#[must_use]
pub fn digest(text: &str) -> Sha256 {
    let mut hasher = Hasher::new();
    let mut buffer: Vec<u8> = Vec::with_capacity(CHUNK + 64);
    pieces(text, |piece| {
        buffer.extend_from_slice(piece.as_bytes());
        if buffer.len() >= CHUNK {
            hasher.update(&buffer);
            buffer.clear();
        }
    });
    hasher.update(&buffer);
    hasher.finish()
}

/// Calls `emit` with the pieces of the normalised text, in order.
fn pieces(text: &str, emit: impl FnMut(&str)) {
    // White space never takes part in composition, so splitting words first and composing after would be the same;
    // composing only where the quick check doubts keeps ASCII and most Latin text free of it.
    if text.is_ascii() {
        // U+0009 to U+000D and the blank: `split_ascii_whitespace` leaves out U+000B.
        let words = text.as_bytes().split(|b| matches!(b, b'\t'..=b'\r' | b' ')).filter(|w| !w.is_empty());
        joined(words.filter_map(|w| std::str::from_utf8(w).ok()), emit);
    } else if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        joined(text.split_whitespace(), emit);
    } else {
        joined(text.nfc().collect::<String>().split_whitespace(), emit);
    }
}

fn joined<'a>(words: impl Iterator<Item = &'a str>, mut emit: impl FnMut(&str)) {
    let mut first = true;
    for word in words {
        if !first {
            emit(" ");
        }
        first = false;
        emit(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn composes_and_collapses() {
        assert_eq!(normalize("  e\u{301}te\u{301}\u{a0}\u{2003}a\r\n\tb \u{85}"), "\u{e9}t\u{e9} a b");
        assert_eq!(normalize(" \n\u{3000} "), "");
        // U+212B has a singleton decomposition: NFC maps it to the letter.
        assert_eq!(normalize("\u{212b}"), "\u{c5}");
        // Zero-width space is not white space, and stays.
        assert_eq!(normalize("a\u{200b}b"), "a\u{200b}b");
    }

    #[test]
    fn compatibility_forms_stay_apart() {
        assert_ne!(digest("\u{fb01}n"), digest("fin"));
    }

    #[test]
    fn nfc_may_make_white_space_only_before_the_split() {
        // U+2000 and U+2001 decompose canonically to U+2002 and U+2003: white space stays white space.
        assert_eq!(normalize("a\u{2000}\u{2001}b"), "a b");
    }

    proptest! {
        #[test]
        fn idempotent(text in "\\PC{0,60}|[ \\t\\n\\u{301}\\u{323}a-e\\u{ac00}\\u{1100}\\u{1161}\\u{2000}]{0,60}") {
            let once = normalize(&text);
            prop_assert_eq!(normalize(&once), once.clone());
            prop_assert!(!once.starts_with(' ') && !once.ends_with(' ') && !once.contains("  "));
            prop_assert!(unicode_normalization::is_nfc(&once));
        }

        #[test]
        fn the_ascii_path_is_the_same_function(text in "[\\x00-\\x7f]{0,80}") {
            let with_mark = normalize(&format!("{text} \u{e9}"));
            let words: Vec<&str> = text.split_whitespace().chain(["\u{e9}"]).collect();
            prop_assert_eq!(with_mark, words.join(" "));
            prop_assert_eq!(normalize(&text), text.split_whitespace().collect::<Vec<_>>().join(" "));
        }

        #[test]
        fn digest_is_of_the_normalised_text(text in "(\\PC|\\s){0,400}") {
            prop_assert_eq!(digest(&text), Sha256::of(normalize(&text).as_bytes()));
        }

        #[test]
        fn white_space_and_composition_do_not_matter(words in proptest::collection::vec("[a-z\\u{e9}\\u{1e69}]{1,8}", 1..20),
                                                     gap in "[ \\t\\r\\n\\u{a0}]{1,4}") {
            let plain = words.join(" ");
            let spaced = format!("{gap}{}{gap}", words.join(&gap));
            let decomposed: String = spaced.nfd().collect();
            prop_assert_eq!(digest(&plain), digest(&decomposed));
        }
    }
}
