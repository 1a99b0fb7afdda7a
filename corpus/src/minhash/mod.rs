//! MinHash signatures as datatrove 0.10.0 computes them, value for value: word n-grams of the simplified text, hashed,
//! under permutations that numpy's legacy generator gives. Knows nothing of documents, buckets or clusters.

mod random;
mod simplify;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use xxhash_rust::xxh3::xxh3_128;
use xxhash_rust::xxh64::xxh64;

use crate::segment::{Span, words};
use random::Generator;
pub use simplify::simplify;

/// The modulus of the permutations, 2⁶¹ − 1.
const PRIME: u64 = (1 << 61) - 1;

/// How an n-gram becomes a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hash {
    /// XXH64 with seed 0, datatrove's default.
    #[default]
    Xxh64,
    /// The first eight bytes of SHA-1, little-endian, as FineWeb was made.
    Sha1,
}

/// The parameters of a signature; the defaults are datatrove's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MinhashConfig {
    /// Bands: two texts are near when one band of them is equal. datatrove calls them buckets.
    pub bands: usize,
    /// Hashes of a band.
    pub hashes: usize,
    /// Words of an n-gram.
    pub ngram: usize,
    /// The seed of the permutations.
    pub seed: u32,
    /// The hash of an n-gram.
    pub hash: Hash,
}

impl Default for MinhashConfig {
    fn default() -> Self {
        Self { bands: 14, hashes: 8, ngram: 5, seed: 1, hash: Hash::Xxh64 }
    }
}

/// Signs texts under one configuration.
#[derive(Debug)]
pub struct Signer {
    config: MinhashConfig,
    /// Factor and addend of each permutation.
    permutations: Vec<(u64, u64)>,
    spans: Vec<Span>,
    joined: String,
    starts: Vec<usize>,
}

impl Signer {
    /// A signer. A configuration without bands, hashes or words of an n-gram signs nothing.
    #[must_use]
    pub fn new(config: MinhashConfig) -> Self {
        let mut generator = Generator::new(config.seed);
        let count = config.bands * config.hashes;
        // datatrove draws all factors before all addends.
        let factors: Vec<u64> = (0..count).map(|_| 1 + generator.up_to(PRIME - 2)).collect();
        let permutations = factors.into_iter().map(|a| (a, generator.up_to(PRIME - 1))).collect();
        Self { config, permutations, spans: Vec::new(), joined: String::new(), starts: Vec::new() }
    }

    /// The signature of a text, all bands one after the other; none when it has fewer words than an n-gram.
    pub fn signature(&mut self, text: &str) -> Option<Vec<u64>> {
        let ngram = self.config.ngram;
        self.join(&simplify(text));
        let words = self.starts.len() - 1;
        if ngram == 0 || words < ngram || self.permutations.is_empty() {
            return None;
        }
        let mut least = vec![u64::MAX; self.permutations.len()];
        for first in 0..=words - ngram {
            // Words stand in `joined` with one space behind each: the last one's is not of the n-gram.
            let gram = &self.joined.as_bytes()[self.starts[first]..self.starts[first + ngram] - 1];
            let shingle = match self.config.hash {
                Hash::Xxh64 => xxh64(gram, 0),
                Hash::Sha1 => sha1_64(gram),
            };
            for (least, (a, b)) in least.iter_mut().zip(&self.permutations) {
                // datatrove's arithmetic wraps at 64 bits before the modulus, which the proper one would not.
                *least = (*least).min(modulo(shingle.wrapping_mul(*a).wrapping_add(*b)));
            }
        }
        Some(least)
    }

    /// What two texts must have equal in one band: the XXH3-128 of each band's hashes as little-endian bytes.
    #[must_use]
    pub fn bands(&self, signature: &[u64]) -> Vec<u128> {
        let band = |hashes: &[u64]| {
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
            xxh3_128(&bytes)
        };
        signature.chunks(self.config.hashes.max(1)).map(band).collect()
    }

    /// Puts the words of a simplified text one after the other, with a space behind each.
    fn join(&mut self, text: &str) {
        words(text, &mut self.spans);
        self.joined.clear();
        self.starts.clear();
        self.starts.push(0);
        for span in &self.spans {
            self.joined.push_str(text[span.clone()].trim_matches(crate::filter::python::is_space));
            self.joined.push(' ');
            self.starts.push(self.joined.len());
        }
    }
}

fn modulo(x: u64) -> u64 {
    let folded = (x & PRIME) + (x >> 61);
    if folded >= PRIME { folded - PRIME } else { folded }
}

fn sha1_64(bytes: &[u8]) -> u64 {
    let digest = Sha1::digest(bytes);
    digest.iter().take(8).rev().fold(0, |n, b| n << 8 | u64::from(*b))
}
