//! Rows of numbers, plain or product-quantised. Sums run in the order of fastText's C++, one number after the other,
//! because another order gives other last bits.

/// Values that a byte chooses from.
pub(super) const CENTROIDS: usize = 256;

/// A product quantiser: each part of a row is one of 256 centroids.
#[derive(Debug)]
pub(super) struct Quantizer {
    /// Numbers in a part.
    pub(super) part: usize,
    /// Numbers in the last part.
    pub(super) last: usize,
    /// Parts of a row.
    pub(super) parts: usize,
    /// Part after part, centroid after centroid.
    pub(super) centroids: Vec<f32>,
}

impl Quantizer {
    /// The numbers that `code` stands for in part `m`.
    fn centroid(&self, m: usize, code: u8) -> &[f32] {
        let size = if m + 1 == self.parts { self.last } else { self.part };
        let start = m * CENTROIDS * self.part + usize::from(code) * size;
        &self.centroids[start..start + size]
    }
}

/// The rows themselves.
#[derive(Debug)]
pub(super) enum Rows {
    /// As they are.
    Dense(Vec<f32>),
    /// As codes, and codes of their lengths where those were quantised apart.
    Quantized { codes: Vec<u8>, quantizer: Quantizer, norms: Option<(Vec<u8>, Quantizer)> },
}

/// A matrix.
#[derive(Debug)]
pub(super) struct Matrix {
    /// Numbers in a row.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
    pub(super) rows: Rows,
}

impl Matrix {
    pub(super) fn memory(&self) -> u64 {
        let bytes = match &self.rows {
            Rows::Dense(numbers) => numbers.len() * 4,
            Rows::Quantized { codes, quantizer, norms } => {
                let norms = norms.as_ref().map_or(0, |(codes, q)| codes.len() + q.centroids.len() * 4);
                codes.len() + quantizer.centroids.len() * 4 + norms
            }
        };
        bytes as u64
    }

    /// The mean of some rows.
    pub(super) fn average(&self, rows: &[u32]) -> Vec<f32> {
        let mut mean = vec![0.0f32; self.width];
        for row in rows {
            self.add(*row as usize, &mut mean);
        }
        let share = (1.0 / rows.len() as f64) as f32;
        mean.iter_mut().for_each(|x| *x *= share);
        mean
    }

    fn add(&self, i: usize, sums: &mut [f32]) {
        match &self.rows {
            Rows::Dense(numbers) => {
                let row = &numbers[i * self.width..][..self.width];
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            Rows::Quantized { codes, quantizer, norms } => {
                let scale = norm(norms.as_ref(), i);
                let codes = &codes[i * quantizer.parts..][..quantizer.parts];
                for (m, (code, sums)) in codes.iter().zip(sums.chunks_mut(quantizer.part)).enumerate() {
                    let part = quantizer.centroid(m, *code);
                    sums.iter_mut().zip(part).for_each(|(sum, x)| *sum += scale * x);
                }
            }
        }
    }

    /// Row `i` times a vector.
    pub(super) fn dot(&self, i: usize, vector: &[f32]) -> f32 {
        let dot = |sum: f32, row: &[f32], vector: &[f32]| row.iter().zip(vector).fold(sum, |sum, (x, y)| sum + x * y);
        match &self.rows {
            Rows::Dense(numbers) => dot(0.0, &numbers[i * self.width..][..self.width], vector),
            Rows::Quantized { codes, quantizer, norms } => {
                let codes = codes[i * quantizer.parts..][..quantizer.parts].iter().enumerate();
                let parts = codes.map(|(m, code)| quantizer.centroid(m, *code)).zip(vector.chunks(quantizer.part));
                parts.fold(0.0, |sum, (part, vector)| dot(sum, part, vector)) * norm(norms.as_ref(), i)
            }
        }
    }
}

/// What the numbers of row `i` are multiplied by.
fn norm(norms: Option<&(Vec<u8>, Quantizer)>, i: usize) -> f32 {
    norms.map_or(1.0, |(codes, quantizer)| quantizer.centroid(0, codes[i])[0])
}
