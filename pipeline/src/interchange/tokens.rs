//! Token ids as raw little-endian numbers, two or four bytes wide, which all token formats share.

use manifests::id::DocId;

/// A document as it is written: rows of one document that has copies are alike.
pub(super) struct Document<'a> {
    /// Its id.
    pub id: DocId,
    /// The first source that its text came from.
    pub source: &'a str,
    /// The row in its shard, from 1.
    pub row: u64,
    /// Its ids and the end of document.
    pub tokens: &'a [u32],
}

/// The width of an id in a vocabulary: two bytes where every id fits.
pub(super) const fn width(vocabulary: u32) -> u8 {
    if vocabulary <= 1 << 16 { 2 } else { 4 }
}

/// Appends ids; the vocabulary's width holds each of them.
pub(super) fn push(ids: &[u32], width: u8, out: &mut Vec<u8>) {
    match width {
        2 => out.extend(ids.iter().flat_map(|id| (*id as u16).to_le_bytes())),
        _ => out.extend(ids.iter().flat_map(|id| id.to_le_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_little_endian_and_as_wide_as_the_vocabulary_asks() {
        let mut out = Vec::new();
        push(&[1, 0x1234], width(1 << 16), &mut out);
        push(&[0x0001_2345], width((1 << 16) + 1), &mut out);
        assert_eq!(out, [1, 0, 0x34, 0x12, 0x45, 0x23, 1, 0]);
    }
}
