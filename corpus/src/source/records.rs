//! Cuts the stream of one object into records: the whole, lines, or pieces between delimiters. Memory is bounded by
//! the cap on a record, whatever the stream says.

use std::io::{self, BufRead, BufReader, Read};

/// The most bytes of one record.
pub(super) const MAX_RECORD: usize = 64 << 20;

/// Where records end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The object is one record.
    Whole,
    /// After each of these byte strings, which belong to the record that they end.
    After(Vec<u8>),
}

/// A record, or what is there instead.
pub(super) enum Piece {
    /// The bytes between two cuts.
    Record(Vec<u8>),
    /// A record over the cap; its bytes were counted and dropped.
    TooLarge(u64),
    /// The stream broke; nothing follows. The bytes of the record so far are counted.
    Broken(u64, io::Error),
}

/// The records of one object.
pub(super) struct Records {
    stream: BufReader<Box<dyn Read + Send>>,
    cut: Cut,
    cap: usize,
    offset: u64,
    started: bool,
    ended: bool,
}

impl Records {
    pub(super) fn new(stream: Box<dyn Read + Send>, cut: Cut, cap: usize) -> Self {
        let stream = BufReader::with_capacity(1 << 16, stream);
        Self { stream, cut, cap, offset: 0, started: false, ended: false }
    }

    /// The next record and where it starts. An object of no bytes has one empty record.
    ///
    /// # Errors
    /// Errors of the system; a broken stream is a [`Piece`].
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Piece)>> {
        if self.ended {
            return Ok(None);
        }
        let start = self.offset;
        let mut record = Vec::new();
        let mut length = 0u64;
        let complete = loop {
            let chunk = match self.stream.fill_buf() {
                Ok(chunk) => chunk,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if super::decode::is_broken(&e) => {
                    self.ended = true;
                    return Ok(Some((start, Piece::Broken(length, e))));
                }
                Err(e) => return Err(e),
            };
            if chunk.is_empty() {
                self.ended = true;
                break !self.started || length > 0;
            }
            let (take, at_end) = match &self.cut {
                Cut::Whole => (chunk.len(), false),
                Cut::After(delimiter) => end_of(chunk, &record, delimiter),
            };
            if record.len() + take <= self.cap {
                record.extend_from_slice(&chunk[..take]);
            } else {
                // Over the cap only the tail that can still complete a delimiter is kept.
                let keep = take.min(64);
                record.clear();
                record.extend_from_slice(&chunk[take - keep..take]);
            }
            length += take as u64;
            self.stream.consume(take);
            if at_end {
                break true;
            }
        };
        self.started = true;
        self.offset += length;
        if !complete {
            return Ok(None);
        }
        let piece = if length > self.cap as u64 { Piece::TooLarge(length) } else { Piece::Record(record) };
        Ok(Some((start, piece)))
    }
}

/// How many bytes of `chunk` belong to the record that `before` begins, and whether it ends with them.
fn end_of(chunk: &[u8], before: &[u8], delimiter: &[u8]) -> (usize, bool) {
    let Some((last, head)) = delimiter.split_last() else { return (chunk.len(), false) };
    for at in 0..chunk.len() {
        if chunk[at] != *last {
            continue;
        }
        let from_chunk = at.min(head.len());
        let from_before = head.len() - from_chunk;
        let tail_matches = chunk[at - from_chunk..at] == head[from_before..];
        if tail_matches && before.ends_with(&head[..from_before]) {
            return (at + 1, true);
        }
    }
    (chunk.len(), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(bytes: &[u8], cut: Cut, cap: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut records = Records::new(Box::new(io::Cursor::new(bytes.to_vec())), cut, cap);
        let mut all = Vec::new();
        while let Some((offset, piece)) = records.next().unwrap() {
            all.push((
                offset,
                match piece {
                    Piece::Record(bytes) => Some(bytes),
                    _ => None,
                },
            ));
        }
        all
    }

    #[test]
    fn nothing_is_one_empty_record_and_a_last_newline_starts_none() {
        let lines = Cut::After(b"\n".to_vec());
        assert_eq!(cut(b"", lines.clone(), 9), [(0, Some(vec![]))]);
        assert_eq!(
            cut(b"a\n\nb\n", lines.clone(), 9),
            [(0, Some(b"a\n".to_vec())), (2, Some(b"\n".to_vec())), (3, Some(b"b\n".to_vec()))]
        );
        assert_eq!(cut(b"a\nb", lines, 9), [(0, Some(b"a\n".to_vec())), (2, Some(b"b".to_vec()))]);
    }

    #[test]
    fn a_record_over_the_cap_is_counted_and_the_next_one_is_read() {
        let pieces = cut(b"aaaaaaaa\nb\n", Cut::After(b"\n".to_vec()), 4);
        assert_eq!(pieces, [(0, None), (9, Some(b"b\n".to_vec()))]);
    }

    proptest! {
        #[test]
        fn records_tile_the_stream(bytes in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'<'), Just(b'>'), any::<u8>()], 0..300)) {
            let pieces = cut(&bytes, Cut::After(b"<>".to_vec()), 1 << 20);
            let joined: Vec<u8> = pieces.iter().flat_map(|(_, p)| p.clone().unwrap()).collect();
            prop_assert_eq!(&joined, &bytes);
            for (_, piece) in &pieces {
                let inside = piece.as_ref().unwrap();
                let first = inside.windows(2).position(|w| w == b"<>");
                prop_assert!(first.is_none_or(|at| at + 2 == inside.len()));
            }
        }
    }
}
