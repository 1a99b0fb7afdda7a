//! Sets of characters as the Python tools see them that filters are compared with, whatever Unicode this program was
//! built with: read once from data/datatrove.json, which tests/golden/make_minhash.py asked of them.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for people: which tools were asked")]
    made_with: serde_json::Value,
    sets: HashMap<String, Vec<(u32, u32)>>,
}

/// A set of characters, as sorted ranges.
pub(crate) struct CharacterSet(Vec<(u32, u32)>);

impl CharacterSet {
    /// Whether a character is in it.
    pub(crate) fn has(&self, c: char) -> bool {
        let c = c as u32;
        let at = self.0.partition_point(|(_, last)| *last < c);
        self.0.get(at).is_some_and(|(first, _)| *first <= c)
    }
}

/// The sets.
pub(crate) struct Sets {
    /// datatrove's `PUNCTUATION`, which simplified texts lose.
    pub(crate) punctuation: CharacterSet,
    /// datatrove's `PUNCTUATION_SET`: that and marks at the end of sentences of every script.
    pub(crate) all_punctuation: CharacterSet,
    /// Category Mn.
    pub(crate) mark: CharacterSet,
    /// Category Nd.
    pub(crate) number: CharacterSet,
    /// `str.isalpha`.
    pub(crate) letter: CharacterSet,
    /// Every category but Cn and Co.
    pub(crate) assigned: CharacterSet,
}

/// The sets of this program.
pub(crate) static SETS: LazyLock<Sets> = LazyLock::new(|| {
    let file = serde_json::from_str::<File>(include_str!("../data/datatrove.json"));
    let mut sets = file.map(|file| file.sets).unwrap_or_default();
    let mut set = |name: &str| CharacterSet(sets.remove(name).unwrap_or_default());
    Sets {
        punctuation: set("punctuation"),
        all_punctuation: set("all_punctuation"),
        mark: set("mark"),
        number: set("number"),
        letter: set("letter"),
        assigned: set("assigned"),
    }
});
