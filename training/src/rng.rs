//! Our own random numbers: Philox 4x32-10, a pure function of (seed, stream, counter).
//! Initialisation, shuffling and sampling use nothing else, so they are equal on every machine, thread count
//! and libtorch build, and "where was the generator" is one integer in a checkpoint.

/// One named sequence of random numbers. Values are addressed by index; reading one changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    stream: u64,
}

const MUL: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

impl Stream {
    /// A stream for `seed`, kept apart from others of that seed by its name.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        // FNV-1a: names are ours and few, all it must do is tell them apart.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self { key: [low(seed), high(seed)], stream: hash }
    }

    /// Four random words at `counter` (Salmon et al. 2011, ten rounds).
    #[must_use]
    pub fn block(&self, counter: u64) -> [u32; 4] {
        let mut word = [low(counter), high(counter), low(self.stream), high(self.stream)];
        let mut key = self.key;
        for _ in 0..10 {
            let first = u64::from(MUL[0]) * u64::from(word[0]);
            let second = u64::from(MUL[1]) * u64::from(word[2]);
            word = [high(second) ^ word[1] ^ key[0], low(second), high(first) ^ word[3] ^ key[1], low(first)];
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        word
    }

    /// 64 random bits at `index`.
    #[must_use]
    pub fn bits(&self, index: u64) -> u64 {
        let [a, b, c, d] = self.block(index / 2);
        if index.is_multiple_of(2) { u64::from(a) << 32 | u64::from(b) } else { u64::from(c) << 32 | u64::from(d) }
    }

    /// Uniform in the open interval (0, 1), 52 bits.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "52 bits fit a double's mantissa")]
    pub fn uniform(&self, index: u64) -> f64 {
        ((self.bits(index) >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64)
    }

    /// Standard normal by inversion (Wichura 1988, AS 241), so one index is one value.
    #[must_use]
    pub fn normal(&self, index: u64) -> f64 {
        inverse_normal(self.uniform(index))
    }

    /// Uniform in `0..n` (`n` > 0), by multiply-shift.
    #[must_use]
    pub fn below(&self, index: u64, n: u64) -> u64 {
        u64::try_from((u128::from(self.bits(index)) * u128::from(n)) >> 64).unwrap_or(0)
    }

    /// A permutation of `0..n` (Fisher–Yates from the top).
    #[must_use]
    pub fn permutation(&self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            let other = self.below(last as u64, last as u64 + 1);
            order.swap(last, usize::try_from(other).unwrap_or(last));
        }
        order
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
const fn low(value: u64) -> u32 {
    value as u32
}

const fn high(value: u64) -> u32 {
    low(value >> 32)
}

fn ratio(x: f64, top: &[f64; 8], bottom: &[f64; 8]) -> f64 {
    let horner = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * x + term);
    horner(top) / horner(bottom)
}

/// The normal distribution's quantile function for `p` in (0, 1), to about 1e-16.
#[expect(clippy::excessive_precision, clippy::unreadable_literal, reason = "coefficients as published")]
fn inverse_normal(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let a = [
            3.3871328727963666080,
            133.14166789178437745,
            1971.5909503065514427,
            13731.693765509461125,
            45921.953931549871457,
            67265.770927008700853,
            33430.575583588128105,
            2509.0809287301226727,
        ];
        let b = [
            1.0,
            42.313330701600911252,
            687.18700749205790830,
            5394.1960214247511077,
            21213.794301586595867,
            39307.895800092710610,
            28729.085735721942674,
            5226.4952788528545610,
        ];
        return q * ratio(0.180625 - q * q, &a, &b);
    }
    let tail = (-(if q < 0.0 { p } else { 1.0 - p }).ln()).sqrt();
    let value = if tail <= 5.0 {
        let c = [
            1.42343711074968357734,
            4.63033784615654529590,
            5.76949722146069140550,
            3.64784832476320460504,
            1.27045825245236838258,
            0.241780725177450611770,
            0.0227238449892691845833,
            0.00077454501427834140764,
        ];
        let d = [
            1.0,
            2.05319162663775882187,
            1.67638483018380384940,
            0.689767334985100004550,
            0.148103976427480074590,
            0.0151986665636164571966,
            0.00054759380849953445,
            1.05075007164441684324e-9,
        ];
        ratio(tail - 1.6, &c, &d)
    } else {
        let e = [
            6.65790464350110377720,
            5.46378491116411436990,
            1.78482653991729133580,
            0.296560571828504891230,
            0.0265321895265761230930,
            0.00124266094738807843860,
            2.71155556874348757815e-5,
            2.01033439929228813265e-7,
        ];
        let f = [
            1.0,
            0.599832206555887937690,
            0.136929880922735805310,
            0.0148753612908506148525,
            0.00078686913114561325,
            1.84631831751005468180e-5,
            1.42151175831644588870e-7,
            2.04426310338993978564e-15,
        ];
        ratio(tail - 5.0, &e, &f)
    };
    if q < 0.0 { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_vectors() {
        let zero = Stream { key: [0, 0], stream: 0 };
        assert_eq!(zero.block(0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = Stream { key: [u32::MAX; 2], stream: u64::MAX };
        assert_eq!(ones.block(u64::MAX), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    }

    #[test]
    fn normal_has_the_moments_and_quantiles_of_a_normal() {
        let stream = Stream::new(7, "test");
        let n = 200_000_u32;
        let (mut sum, mut squares) = (0.0, 0.0);
        for index in 0..u64::from(n) {
            let value = stream.normal(index);
            sum += value;
            squares += value * value;
        }
        assert!((sum / f64::from(n)).abs() < 0.01);
        assert!((squares / f64::from(n) - 1.0).abs() < 0.01);
        assert!((inverse_normal(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((inverse_normal(1e-10) + 6.361_340_902_404_056).abs() < 1e-9);
        assert!((inverse_normal(1e-20) + 9.262_340_089_798_408).abs() < 1e-9);
    }

    #[test]
    fn permutations_hold_every_index_once_and_differ_by_stream() {
        let mut order = Stream::new(1, "a").permutation(1000);
        assert_ne!(order, Stream::new(1, "b").permutation(1000));
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..1000));
    }
}
