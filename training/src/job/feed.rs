//! The order in which documents are fed: row groups shuffled, a few interleaved at a time, rows shuffled in
//! them, packed to sequences with end-of-document tokens. Resumable exactly; counts every position by cell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::rng::Stream;

/// Row groups that are shuffled together.
const INTERLEAVED: usize = 4;
/// The target of a position that has none: the end of a document.
pub const NO_TARGET: i64 = -100;

/// A document as the loader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its exposure cell in the manifest's table.
    pub cell: u32,
    /// How often an epoch reads it.
    pub copies: u32,
    /// Its token ids, without the end-of-document token.
    pub tokens: Vec<u32>,
}

/// Where documents come from: numbered groups, each read whole.
pub trait Groups {
    /// How many groups there are.
    fn count(&self) -> usize;
    /// The documents of group `index` that may be read, in stored order.
    ///
    /// # Errors
    /// When the group can't be read or does not verify.
    fn read(&self, index: usize) -> Result<Vec<Document>>;
}

/// Documents and positions of one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Distinct documents.
    pub documents: u64,
    /// Positions, counted with repetition.
    pub tokens: u64,
}

/// A feed's place, for checkpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    epoch: u64,
    block: usize,
    row: usize,
    offset: usize,
    counts: BTreeMap<u32, Count>,
}

/// Packed sequences: positions, what each is to predict, and the lengths of the pieces of documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    /// Input ids.
    pub tokens: Vec<i64>,
    /// Target ids, [`NO_TARGET`] at the end of a document.
    pub targets: Vec<i64>,
    /// Lengths of the pieces; a document that crosses a sequence's end is cut there.
    pub lengths: Vec<usize>,
}

/// An endless, resumable stream of positions from some groups.
pub struct Feed {
    groups: Box<dyn Groups>,
    stream: (u64, String),
    eos: u32,
    state: State,
    order: Vec<usize>,
    /// The open block: documents, and for each row its document and whether it is the first copy.
    documents: Vec<Document>,
    rows: Vec<(usize, bool)>,
}

impl Feed {
    /// A feed at its beginning, or at `state`. `name` keeps feeds of one seed apart.
    ///
    /// # Errors
    /// When the groups hold no documents, or one can't be read.
    pub fn new(groups: Box<dyn Groups>, seed: u64, name: &str, eos: u32, state: State) -> Result<Self> {
        let mut feed = Self {
            groups,
            stream: (seed, name.to_owned()),
            eos,
            state,
            order: Vec::new(),
            documents: Vec::new(),
            rows: Vec::new(),
        };
        feed.order = feed.epoch_order();
        feed.load()?;
        feed.settle()?;
        Ok(feed)
    }

    /// Where it stands and what it counted.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What was fed so far, by cell.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<u32, Count> {
        &self.state.counts
    }

    /// Appends one sequence of exactly `n` positions.
    ///
    /// # Errors
    /// When a group can't be read.
    pub fn pack(&mut self, n: usize, into: &mut Packed) -> Result<()> {
        let mut missing = n;
        while missing > 0 {
            let (index, first) = self.rows[self.state.row];
            let document = &self.documents[index];
            let (length, from) = (document.tokens.len() + 1, self.state.offset);
            let piece = missing.min(length - from);
            let id = |i: usize| i64::from(document.tokens.get(i).copied().unwrap_or(self.eos));
            into.tokens.extend((from..from + piece).map(id));
            into.targets.extend((from..from + piece).map(|i| if i + 1 < length { id(i + 1) } else { NO_TARGET }));
            into.lengths.push(piece);
            let count = self.state.counts.entry(document.cell).or_default();
            count.tokens += piece as u64;
            count.documents += u64::from(from == 0 && first && self.state.epoch == 0);
            missing -= piece;
            self.state.offset += piece;
            if self.state.offset == length {
                self.state.offset = 0;
                self.state.row += 1;
                self.settle()?;
            }
        }
        Ok(())
    }

    /// The next `n` distinct documents, cut to `longest` tokens, counting what is taken. Fewer where the groups
    /// hold fewer.
    ///
    /// # Errors
    /// When a group can't be read.
    pub fn sample(&mut self, n: usize, longest: usize) -> Result<Vec<Vec<u32>>> {
        let mut taken = Vec::new();
        while taken.len() < n && self.state.epoch == 0 {
            let (index, first) = self.rows[self.state.row];
            let document = &self.documents[index];
            if first && !document.tokens.is_empty() {
                let tokens: Vec<u32> = document.tokens.iter().copied().take(longest).collect();
                let count = self.state.counts.entry(document.cell).or_default();
                count.documents += 1;
                count.tokens += tokens.len() as u64;
                taken.push(tokens);
            }
            self.state.row += 1;
            self.settle()?;
        }
        Ok(taken)
    }

    fn epoch_order(&self) -> Vec<usize> {
        let name = format!("{} groups of epoch {}", self.stream.1, self.state.epoch);
        Stream::new(self.stream.0, &name).permutation(self.groups.count())
    }

    /// Reads the open block and shuffles its rows.
    fn load(&mut self) -> Result<()> {
        self.documents.clear();
        let from = (self.state.block * INTERLEAVED).min(self.order.len());
        let to = (from + INTERLEAVED).min(self.order.len());
        for &group in &self.order[from..to] {
            self.documents.extend(self.groups.read(group)?);
        }
        let copies = self.documents.iter().enumerate().flat_map(|(i, d)| (0..d.copies).map(move |_| i));
        let plain: Vec<usize> = copies.collect();
        let name = format!("{} rows of epoch {} block {}", self.stream.1, self.state.epoch, self.state.block);
        let mut seen = vec![false; self.documents.len()];
        let order = Stream::new(self.stream.0, &name).permutation(plain.len());
        self.rows = order
            .into_iter()
            .map(|place| {
                let index = plain[place];
                (index, !std::mem::replace(&mut seen[index], true))
            })
            .collect();
        Ok(())
    }

    /// Moves on until the place is a row that exists.
    fn settle(&mut self) -> Result<()> {
        let mut empty_epochs = 0;
        while self.state.row >= self.rows.len() {
            self.state.row = 0;
            self.state.block += 1;
            if self.state.block * INTERLEAVED >= self.order.len() {
                empty_epochs += 1;
                if empty_epochs > 1 {
                    return Err(Error::Usage(format!("`{}` has no documents to read", self.stream.1)));
                }
                self.state.epoch += 1;
                self.state.block = 0;
                self.order = self.epoch_order();
            }
            self.load()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Fixed(Vec<Vec<Document>>);

    impl Groups for Fixed {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn read(&self, index: usize) -> Result<Vec<Document>> {
            Ok(self.0[index].clone())
        }
    }

    fn groups() -> Vec<Vec<Document>> {
        let document = |n: u32| Document {
            cell: n % 3,
            copies: 1 + u32::from(n.is_multiple_of(5)),
            tokens: (0..n % 17).map(|i| n * 100 + i).collect(),
        };
        (0..11).map(|g| (g * 7..g * 7 + 7).map(document).collect()).collect()
    }

    fn feed(seed: u64, state: State) -> Feed {
        Feed::new(Box::new(Fixed(groups())), seed, "test", 9, state).unwrap()
    }

    #[test]
    fn an_epoch_feeds_every_copy_with_its_end_and_counts_it() {
        let all: Vec<Document> = groups().into_iter().flatten().collect();
        let positions: u64 = all.iter().map(|d| u64::from(d.copies) * (d.tokens.len() as u64 + 1)).sum();
        let mut feed = feed(1, State::default());
        let mut packed = Packed::default();
        feed.pack(usize::try_from(positions).unwrap(), &mut packed).unwrap();
        assert_eq!(feed.state().epoch, 1);
        for cell in 0..3 {
            let mine = all.iter().filter(|d| d.cell == cell);
            let want = mine.fold(Count::default(), |sum, d| Count {
                documents: sum.documents + 1,
                tokens: sum.tokens + u64::from(d.copies) * (d.tokens.len() as u64 + 1),
            });
            assert_eq!(feed.counts()[&cell], want);
        }
        let ends = packed.tokens.iter().filter(|&&id| id == 9).count();
        assert_eq!(ends, all.iter().map(|d| d.copies as usize).sum::<usize>());
        assert_eq!(packed.targets.iter().filter(|&&id| id == NO_TARGET).count(), ends);
        assert_eq!(packed.lengths.iter().sum::<usize>(), packed.tokens.len());
        feed.pack(1000, &mut packed).unwrap();
        assert_eq!(feed.counts().values().map(|c| c.documents).sum::<u64>(), all.len() as u64);
    }

    #[test]
    fn nothing_to_read_is_an_error() {
        let empty = Feed::new(Box::new(Fixed(vec![vec![], vec![]])), 1, "own text", 9, State::default());
        assert!(empty.err().unwrap().to_string().contains("own text"));
    }

    proptest! {
        #[test]
        fn resuming_anywhere_gives_the_unbroken_stream(seed: u64, before in 0_usize..900, after in 1_usize..900) {
            let mut whole = feed(seed, State::default());
            let (mut a, mut b) = (Packed::default(), Packed::default());
            whole.pack(before, &mut a).unwrap();
            let mut resumed = feed(seed, whole.state().clone());
            let mut rest = Packed::default();
            whole.pack(after, &mut rest).unwrap();
            resumed.pack(after, &mut b).unwrap();
            prop_assert_eq!(rest, b);
            prop_assert_eq!(whole.state(), resumed.state());
        }
    }
}
