//! GPT-2's byte alphabet: each byte as one printable character, so that a vocabulary of byte strings fits in JSON.

/// The character that stands for `byte`.
pub(super) fn character(byte: u8) -> char {
    match byte {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => char::from(byte),
        // The 68 others, in order, take the code points from U+0100 on.
        0..=b' ' => shifted(u32::from(byte)),
        0x7f..=0xa0 => shifted(u32::from(byte) - 0x7f + 33),
        0xad => shifted(67),
    }
}

fn shifted(n: u32) -> char {
    char::from_u32(0x100 + n).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that `character` stands for, if it is of the alphabet.
pub(super) fn byte(character: char) -> Option<u8> {
    match u32::from(character) {
        n @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => u8::try_from(n).ok(),
        n @ 0x100..=0x120 => u8::try_from(n - 0x100).ok(),
        n @ 0x121..=0x142 => u8::try_from(n - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// The printable form of a byte string.
pub(super) fn printable(bytes: &[u8]) -> String {
    bytes.iter().map(|b| character(*b)).collect()
}

/// The bytes of a printable form, or nothing when a character is not of the alphabet.
pub(super) fn raw(text: &str) -> Option<Vec<u8>> {
    text.chars().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bijection_with_the_known_landmarks() {
        let all: std::collections::BTreeSet<char> = (0..=255).map(character).collect();
        assert_eq!(all.len(), 256);
        assert!((0..=255).all(|b| byte(character(b)) == Some(b)));
        assert_eq!((character(b' '), character(b'\n'), character(0xad)), ('Ġ', 'Ċ', 'Ń'));
        assert_eq!(byte('\u{144}'), None);
    }
}
