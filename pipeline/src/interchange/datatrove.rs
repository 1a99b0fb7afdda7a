//! datatrove's token files: `.ds` has the ids, `.ds.index` the end of each document in tokens as u64, `.ds.metadata`
//! the tokenizer, the count and the count for people (datatrove 0.10.0 `pipeline/tokens/tokenizer.py`).

use std::path::Path;

use super::export::Written;
use super::tokens::{Document, push};
use crate::error::Result;

/// A file under way.
pub(super) struct DatatroveFile {
    ids: Vec<u8>,
    ends: Vec<u64>,
    width: u8,
    tokenizer: String,
}

impl DatatroveFile {
    pub(super) const fn new(width: u8, tokenizer: String) -> Self {
        Self { ids: Vec::new(), ends: Vec::new(), width, tokenizer }
    }

    pub(super) fn push(&mut self, document: &Document<'_>) {
        push(document.tokens, self.width, &mut self.ids);
        self.ends.push(self.ends.last().unwrap_or(&0) + document.tokens.len() as u64);
    }

    pub(super) fn finish(self, base: &str, root: &Path, written: &mut Written) -> Result<()> {
        let index: Vec<u8> = self.ends.iter().flat_map(|end| end.to_le_bytes()).collect();
        let total = self.ends.last().copied().unwrap_or(0);
        let metadata = format!("{}|{}\n{total}\n{}", self.tokenizer, self.width, metric(total));
        written.write(root, &format!("{base}.ds"), &self.ids)?;
        written.write(root, &format!("{base}.ds.index"), &index)?;
        written.write(root, &format!("{base}.ds.metadata"), metadata.as_bytes())
    }
}

/// A count with three digits and a prefix, as `humanize.metric(count, unit="T")` says it.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn metric(count: u64) -> String {
    let mut exponent = count.checked_ilog10().unwrap_or(0) as usize;
    let said = |exponent: usize| {
        let value = count as f64 / 10f64.powi(i32::try_from(exponent / 3 * 3).unwrap_or(0));
        format!("{value:.*}", 2 - exponent % 3)
    };
    // Digits that are rounded up may need one more place: 99.96 is said as 100.
    if said(exponent).bytes().filter(u8::is_ascii_digit).count() > 3 {
        exponent += 1;
    }
    let prefix = ["", "k", "M", "G", "T", "P", "E"].get(exponent / 3).copied().unwrap_or("");
    format!("{} {prefix}T", said(exponent))
}

#[cfg(test)]
mod tests {
    use super::metric;

    #[test]
    fn counts_are_said_as_humanize_says_them() {
        // From humanize 4.17.0: metric(n, unit="T").
        let said = [
            (0, "0.00 T"),
            (7, "7.00 T"),
            (999, "999 T"),
            (12_345, "12.3 kT"),
            (9_996, "10.0 kT"),
            (99_950, "100 kT"),
            (999_500, "1.00 MT"),
        ];
        for (count, words) in said {
            assert_eq!(metric(count), words);
        }
    }
}
