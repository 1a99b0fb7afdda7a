//! Training a byte-level BPE. Counts are integers, words are sorted before the first merge and ties go to the pair of
//! smallest ids, so the bytes depend on the texts alone: not on their order, their batching or the thread count.
//! (The trainer of crate tokenizers may queue one pair twice, with different words, in the order of a hash map.)

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use tokenizers::pipeline::{PipelineTokenizer, PreTokenizer as _, PreTokenizerScratch};

use super::alphabet::character;
use super::file::Bpe;
use super::{END_OF_TEXT, Error, Result};

/// A merge must have been seen so often.
const LEAST_COUNT: u64 = 2;

type Pair = (u32, u32);

/// Trains a tokenizer of at most `vocabulary` tokens (256 bytes and the end of text among them) and returns its
/// `tokenizer.json`. Fewer come out when no pair occurs twice any more.
///
/// # Errors
/// [`Error::VocabularySize`] below 257, [`Error::Encode`] when a text cannot be cut into words.
pub fn train_bpe<T: AsRef<str>>(texts: impl IntoIterator<Item = T>, vocabulary: usize) -> Result<Vec<u8>> {
    if vocabulary < 257 || u32::try_from(vocabulary).is_err() {
        return Err(Error::VocabularySize(vocabulary));
    }
    let mut bpe = Bpe {
        tokens: vec![END_OF_TEXT.as_bytes().to_vec()],
        merges: Vec::new(),
        special: vec![(0, END_OF_TEXT.to_owned())],
        whole_words: false,
    };
    // The alphabet in the order of its printable characters, as other trainers have it.
    let mut alphabet: Vec<u8> = (0..=255).collect();
    alphabet.sort_by_key(|b| character(*b));
    bpe.tokens.extend(alphabet.iter().map(|b| vec![*b]));
    let words = count_words(texts, &bpe)?;
    let mut trainer = Trainer::new(&words, &alphabet);
    trainer.run(&mut bpe, vocabulary);
    bpe.to_json()
}

/// Every distinct word with its count, sorted by word: cut by the very grammar that the encoder runs.
fn count_words<T: AsRef<str>>(texts: impl IntoIterator<Item = T>, bpe: &Bpe) -> Result<BTreeMap<String, u64>> {
    let refused = |e: &dyn std::fmt::Display| Error::Encode(e.to_string());
    let json = String::from_utf8(bpe.to_json()?).map_err(|e| refused(&e))?;
    let canonical = tokenizers::canonicalize_str(&json).map_err(|e| refused(&e))?;
    let base: PipelineTokenizer = tokenizers::from_json(&canonical).map_err(|e| refused(&e))?;
    let cutter = base.get_pre_tokenizer();
    let (mut scratch, mut spans) = (PreTokenizerScratch::default(), Vec::new());
    let mut counts: HashMap<String, u64> = HashMap::new();
    for text in texts {
        let text = text.as_ref();
        spans.clear();
        cutter.pre_tokenize(text, &mut scratch, &mut spans).map_err(|e| refused(&e))?;
        for span in &spans {
            let word = &text[span.start as usize..span.end as usize];
            match counts.get_mut(word) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(word.to_owned(), 1);
                }
            }
        }
    }
    Ok(counts.into_iter().collect())
}

/// A distinct word as tokens, with how often it was seen.
struct Word {
    ids: Vec<u32>,
    count: u64,
}

#[derive(Default)]
struct Occurrences {
    count: u64,
    words: BTreeSet<u32>,
}

/// The state of training. A pair's count is exact at all times; the queue may hold stale counts, which are corrected
/// when they surface.
struct Trainer {
    words: Vec<Word>,
    pairs: HashMap<Pair, Occurrences>,
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
}

impl Trainer {
    fn new(words: &BTreeMap<String, u64>, alphabet: &[u8]) -> Self {
        let mut ids = [0u32; 256];
        for (id, byte) in (1..).zip(alphabet) {
            ids[usize::from(*byte)] = id;
        }
        let word = |(text, count): (&String, &u64)| Word {
            ids: text.bytes().map(|b| ids[usize::from(b)]).collect(),
            count: *count,
        };
        let mut trainer =
            Self { words: words.iter().map(word).collect(), pairs: HashMap::new(), queue: BinaryHeap::new() };
        for index in 0..trainer.words.len() {
            trainer.add(index);
        }
        trainer.queue = trainer.pairs.iter().map(|(pair, o)| (o.count, Reverse(*pair))).collect();
        trainer
    }

    fn run(&mut self, bpe: &mut Bpe, vocabulary: usize) {
        let mut known: HashMap<Vec<u8>, u32> = (0..).zip(&bpe.tokens).map(|(id, t)| (t.clone(), id)).collect();
        while bpe.tokens.len() < vocabulary {
            let Some((count, Reverse(pair))) = self.queue.pop() else { break };
            let current = self.pairs.get(&pair).map_or(0, |o| o.count);
            if current != count {
                if current > 0 {
                    self.queue.push((current, Reverse(pair)));
                }
                continue;
            }
            if count < LEAST_COUNT {
                break;
            }
            let merged = [bpe.tokens[pair.0 as usize].as_slice(), &bpe.tokens[pair.1 as usize]].concat();
            // Two pairs may spell the same token: it keeps its first id, and both merges stand.
            let next = u32::try_from(bpe.tokens.len()).unwrap_or(u32::MAX);
            let id = *known.entry(merged.clone()).or_insert(next);
            if id == next {
                bpe.tokens.push(merged);
            }
            bpe.merges.push(pair);
            self.merge(pair, id);
        }
    }

    fn merge(&mut self, pair: Pair, id: u32) {
        let words = self.pairs.remove(&pair).map(|o| o.words).unwrap_or_default();
        let mut touched = BTreeSet::new();
        for index in words {
            let index = index as usize;
            self.remove(index);
            let ids = &mut self.words[index].ids;
            let (mut from, mut to) = (0, 0);
            while from < ids.len() {
                let found = from + 1 < ids.len() && (ids[from], ids[from + 1]) == pair;
                ids[to] = if found { id } else { ids[from] };
                from += if found { 2 } else { 1 };
                to += 1;
            }
            ids.truncate(to);
            self.add(index);
            touched.extend(neighbours(&self.words[index].ids).filter(|(a, b)| *a == id || *b == id));
        }
        for pair in touched {
            if let Some(occurrences) = self.pairs.get(&pair) {
                self.queue.push((occurrences.count, Reverse(pair)));
            }
        }
    }

    /// Counts the pairs of a word in.
    fn add(&mut self, index: usize) {
        let Word { ids, count } = &self.words[index];
        for pair in neighbours(ids) {
            let occurrences = self.pairs.entry(pair).or_default();
            occurrences.count += count;
            occurrences.words.insert(u32::try_from(index).unwrap_or(u32::MAX));
        }
    }

    /// Counts the pairs of a word out. The pair being merged is gone already.
    fn remove(&mut self, index: usize) {
        let Word { ids, count } = &self.words[index];
        for pair in neighbours(ids) {
            if let Some(occurrences) = self.pairs.get_mut(&pair) {
                occurrences.count -= count;
                occurrences.words.remove(&u32::try_from(index).unwrap_or(u32::MAX));
            }
        }
    }
}

fn neighbours(ids: &[u32]) -> impl Iterator<Item = Pair> + '_ {
    ids.windows(2).map(|w| (w[0], w[1]))
}
