//! Hold out: a share of what stays goes to evaluation, the last decision of all. By seed and the normalised digest of
//! the text that stands for its cluster, so that equal and near-equal texts are always on one side.

use std::path::Path;

use arrow::array::FixedSizeBinaryArray;
use manifests::digest::{Hasher, Sha256};
use manifests::ledger::Decision;

use super::decided::DecidedSlice;
use crate::columns::column;
use crate::error::Result;
use crate::task::Stage;

/// The stage.
pub const STAGE: Stage = Stage { name: "hold-out", version: 1 };

/// What decides.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The recipe's seed.
    pub seed: u64,
    /// Parts per million that are held out.
    pub ppm: u32,
}

/// Splits one slice's rows that stay.
///
/// # Errors
/// A file that can't be read or written.
pub fn run(slice: &DecidedSlice, share: Share, n: usize, folder: &Path) -> Result<Vec<String>> {
    slice.rewrite(n, folder, |rows| {
        let digests: &FixedSizeBinaryArray = column(&rows.facts, "digest")?;
        for (i, row) in rows.decided.iter_mut().enumerate().filter(|(_, row)| row.stays()) {
            row.stage = STAGE.name.into();
            row.decision = if share.holds(digests.value(i)) { Decision::HeldOut } else { Decision::Kept };
        }
        Ok(())
    })
}

impl Share {
    /// Whether the text of this digest is held out.
    fn holds(self, digest: &[u8]) -> bool {
        let mut hasher = Hasher::new();
        hasher.update(b"flexmix/hold-out/1");
        hasher.field(&self.seed.to_le_bytes());
        hasher.field(digest);
        order_of(hasher.finish()) % 1_000_000 < u64::from(self.ppm)
    }
}

/// The first eight bytes of a digest as a number.
pub(super) fn order_of(digest: Sha256) -> u64 {
    digest.as_bytes()[..8].iter().fold(0, |n, b| n << 8 | u64::from(*b))
}
