//! Words, labels and hashed n-grams of a model: what of the input matrix a text is made of.

use std::collections::HashMap;

/// The token of a line's end.
pub(super) const EOS: &[u8] = b"</s>";
/// What labels start with.
pub(super) const LABEL: &[u8] = b"__label__";

/// Which hashed n-grams have rows of their own.
#[derive(Debug)]
pub(super) enum Buckets {
    /// Every one.
    All,
    /// None: cut away with quantisation.
    None,
    /// These, by their number.
    Some(HashMap<u32, u32>),
}

/// The model's words and how texts are cut.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// Rows of words in the input matrix; their text and their row.
    pub(super) words: HashMap<Box<[u8]>, u32>,
    /// Labels without their prefix.
    pub(super) labels: Vec<String>,
    pub(super) bucket: u32,
    pub(super) buckets: Buckets,
    /// Shortest and longest n-gram of characters.
    pub(super) characters: (i32, i32),
    /// Longest n-gram of words.
    pub(super) word_ngrams: usize,
}

/// FNV-1a as fastText has it: bytes are signed when they are widened.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(2_166_136_261, |h, byte| step(h, *byte))
}

const fn step(h: u32, byte: u8) -> u32 {
    (h ^ byte.cast_signed() as i32 as u32).wrapping_mul(16_777_619)
}

impl Dictionary {
    pub(super) fn memory(&self) -> u64 {
        let words: usize = self.words.keys().map(|word| word.len() + 48).sum();
        let buckets = if let Buckets::Some(kept) = &self.buckets { kept.len() * 16 } else { 0 };
        (words + buckets) as u64
    }

    /// The rows of the input matrix that the first line of a text is made of; the line's end counts as a token.
    pub(super) fn line(&self, text: &[u8]) -> Vec<u32> {
        let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
        let is_blank = |b: &u8| matches!(b, b' ' | b'\r' | b'\t' | 0x0b | 0x0c | 0);
        let tokens = line.split(is_blank).filter(|token| !token.is_empty());
        let (mut rows, mut hashes) = (Vec::new(), Vec::new());
        let mut marked = Vec::new();
        for token in tokens.chain([EOS]) {
            let known = self.words.get(token);
            if known.is_none() && token.starts_with(LABEL) {
                continue;
            }
            if let Some(row) = known {
                rows.push(*row);
            }
            if token != EOS {
                marked.clear();
                marked.push(b'<');
                marked.extend_from_slice(token);
                marked.push(b'>');
                self.characters(&marked, &mut rows);
            }
            hashes.push(hash(token));
            if token == EOS {
                break;
            }
        }
        self.word_ngrams(&hashes, &mut rows);
        rows
    }

    fn push(&self, bucket: u32, rows: &mut Vec<u32>) {
        match &self.buckets {
            Buckets::All => rows.push(self.words.len() as u32 + bucket),
            Buckets::None => {}
            Buckets::Some(kept) => rows.extend(kept.get(&bucket).map(|row| self.words.len() as u32 + row)),
        }
    }

    /// N-grams of characters of a word between `<` and `>`; a mark alone is none.
    fn characters(&self, word: &[u8], rows: &mut Vec<u32>) {
        let (shortest, longest) = self.characters;
        if longest <= 0 || self.bucket == 0 || matches!(self.buckets, Buckets::None) {
            return;
        }
        let inside = |at: usize| word.get(at).is_some_and(|b| b & 0xc0 == 0x80);
        for start in (0..word.len()).filter(|at| !inside(*at)) {
            let (mut end, mut h) = (start, 2_166_136_261);
            for n in 1..=longest {
                if end == word.len() {
                    break;
                }
                h = step(h, word[end]);
                end += 1;
                while inside(end) {
                    h = step(h, word[end]);
                    end += 1;
                }
                if n >= shortest && !(n == 1 && (start == 0 || end == word.len())) {
                    self.push(h % self.bucket, rows);
                }
            }
        }
    }

    fn word_ngrams(&self, hashes: &[u32], rows: &mut Vec<u32>) {
        if self.bucket == 0 {
            return;
        }
        let signed = |h: u32| i64::from(h.cast_signed()).cast_unsigned();
        for (i, first) in hashes.iter().enumerate() {
            let mut h = signed(*first);
            for next in hashes.iter().take(i.saturating_add(self.word_ngrams)).skip(i + 1) {
                h = h.wrapping_mul(116_049_371).wrapping_add(signed(*next));
                self.push((h % u64::from(self.bucket)) as u32, rows);
            }
        }
    }
}
