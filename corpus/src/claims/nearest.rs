//! The listed text that a file comes nearest to, and where the two part: for people to read, and never to accept.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use similar::DiffOp;
use spdx::text::LICENSE_TEXTS;

use super::compare::{Compared, compared};
use super::texts::without_package_title;
use super::wording::is_retired;

static BAGS: LazyLock<Vec<(&'static str, Bag)>> = LazyLock::new(|| {
    let listed = LICENSE_TEXTS.iter().filter(|(id, _)| !is_retired(id));
    listed.map(|(id, text)| (*id, bag(&compared(text).words))).collect()
});

type Bag = BTreeMap<String, usize>;

fn bag(words: &[String]) -> Bag {
    let mut bag = BTreeMap::new();
    for word in words {
        *bag.entry(word.clone()).or_insert(0) += 1;
    }
    bag
}

/// The listed text with the fewest words more or less, if at most a fifth of its words differ. A hint and no more.
pub(super) fn nearest(text: &str, package: Option<&str>) -> Option<(&'static str, usize)> {
    nearest_of(&compared(&without_package_title(text, package)))
}

fn nearest_of(text: &Compared) -> Option<(&'static str, usize)> {
    let ours = bag(&text.words);
    let distance = |theirs: &Bag| -> usize {
        let more = ours.iter().map(|(w, n)| n.saturating_sub(theirs.get(w).copied().unwrap_or(0)));
        let less = theirs.iter().map(|(w, n)| n.saturating_sub(ours.get(w).copied().unwrap_or(0)));
        more.sum::<usize>() + less.sum::<usize>()
    };
    let best = BAGS.iter().map(|(id, theirs)| (distance(theirs), *id)).min()?;
    (best.0 * 5 <= text.words.len()).then_some((best.1, best.0))
}

/// A place where a file parts from a listed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The line of the file, from 1.
    pub line: usize,
    /// The words that the file has and the listed text has not, in lower case and without punctuation.
    pub added: String,
    /// The words that the listed text has and the file has not.
    pub removed: String,
}

/// The nearest listed text and every place where the file parts from it, in the file's order.
pub(super) fn changes(text: &str, package: Option<&str>) -> Option<(&'static str, Vec<Change>)> {
    let ours = compared(&without_package_title(text, package));
    let (id, _) = nearest_of(&ours)?;
    let theirs = compared(LICENSE_TEXTS.iter().find(|(listed, _)| *listed == id)?.1);
    let ops = similar::capture_diff_slices(similar::Algorithm::Myers, &theirs.words, &ours.words);
    let changes = ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. })).map(|op| Change {
        line: ours.lines.get(op.new_range().start).or(ours.lines.last()).copied().unwrap_or(1),
        added: ours.words[op.new_range()].join(" "),
        removed: theirs.words[op.old_range()].join(" "),
    });
    Some((id, changes.collect()))
}
