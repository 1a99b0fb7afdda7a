//! A license text with the places where SPDX's list lets it vary, and where it ends in a sequence of words. Every end
//! is found; nothing is near enough.

use std::collections::{BTreeSet, HashMap};

use super::compare::Naming;

/// Words, each known by a number.
#[derive(Debug, Default)]
pub(super) struct Vocabulary(HashMap<String, u32>);

impl Vocabulary {
    /// The number of a word, a new one if it has none.
    pub(super) fn learn(&mut self, word: &str) -> u32 {
        if let Some(known) = self.0.get(word) {
            return *known;
        }
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(word.to_owned(), next);
        next
    }

    /// The words as numbers; what no listed text has is `u32::MAX`.
    pub(super) fn read<S: AsRef<str>>(&self, words: &[S]) -> Vec<u32> {
        words.iter().map(|w| self.0.get(w.as_ref()).copied().unwrap_or(u32::MAX)).collect()
    }
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// These words.
    Words(Vec<u32>),
    /// One of these.
    Choice(Vec<Vec<Part>>),
    /// A name.
    Name,
    /// A number.
    Number,
}

/// The most words of a name, and the most of them that are not said elsewhere.
const LONGEST_NAME: usize = 14;
const MOST_UNKNOWN: usize = 4;

/// A text that is looked at.
pub(super) struct Subject<'a> {
    /// Its words as numbers.
    pub words: &'a [u32],
    /// Whether each word may stand in a name.
    pub naming: &'a [Naming],
    /// Whether a sentence ends after each word: no name goes on there.
    pub ends: &'a [bool],
    /// Whether each word is a number.
    pub numbers: &'a [bool],
}

/// Where a pattern that begins at one of `starts` can end.
pub(super) fn ends(parts: &[Part], starts: BTreeSet<usize>, subject: &Subject) -> BTreeSet<usize> {
    let mut at = starts;
    for part in parts {
        at = match part {
            Part::Words(words) => {
                let fits = |start: &usize| subject.words.get(*start..start + words.len()).is_some_and(|w| w == words);
                at.into_iter().filter(fits).map(|start| start + words.len()).collect()
            }
            Part::Choice(choices) => choices.iter().flat_map(|c| ends(c, at.clone(), subject)).collect(),
            Part::Name => at.into_iter().flat_map(|start| names(start, subject)).collect(),
            Part::Number => at.into_iter().filter(|s| subject.numbers.get(*s) == Some(&true)).map(|s| s + 1).collect(),
        };
        if at.is_empty() {
            return at;
        }
    }
    at
}

/// Where a name that begins at `start` can end: in the same sentence, with few words that nothing else says are a name.
fn names(start: usize, subject: &Subject) -> impl Iterator<Item = usize> {
    let mut unknown = 0;
    let mut longest = 0;
    for at in start..subject.naming.len().min(start + LONGEST_NAME) {
        unknown += usize::from(subject.naming[at] == Naming::Unknown);
        let ends = subject.ends[at];
        if subject.naming[at] == Naming::Never
            || unknown > MOST_UNKNOWN
            || ends && subject.naming[at] == Naming::Unknown
        {
            break;
        }
        longest += 1;
        if ends {
            break;
        }
    }
    (1..=longest).map(move |n| start + n)
}

/// The words by which a pattern can begin; nothing when it can begin with a name or a number, or be empty.
pub(super) fn firsts(parts: &[Part]) -> Option<BTreeSet<u32>> {
    let mut out = BTreeSet::new();
    collect_firsts(parts, &mut out).then_some(out)
}

/// Whether the pattern cannot be empty and begins with the words collected.
fn collect_firsts(parts: &[Part], out: &mut BTreeSet<u32>) -> bool {
    for part in parts {
        match part {
            Part::Words(words) => {
                if let Some(first) = words.first() {
                    out.insert(*first);
                    return true;
                }
            }
            Part::Choice(choices) => {
                let mut filled = true;
                for choice in choices {
                    filled &= collect_firsts(choice, out);
                }
                if filled {
                    return true;
                }
            }
            Part::Name | Part::Number => return false,
        }
    }
    false
}

/// How a template's marks are written among words.
pub(super) const MARKS: [(&str, &str); 5] = [
    ("⟦", " xxflexmixopen "),
    ("¦", " xxflexmixor "),
    ("⟧", " xxflexmixclose "),
    ("⟨name⟩", " xxflexmixname "),
    ("⟨number⟩", " xxflexmixnumber "),
];

/// A pattern out of words with marks among them.
pub(super) fn parse(words: &[String], vocabulary: &mut Vocabulary) -> Vec<Part> {
    let mut stack: Vec<Vec<Vec<Part>>> = vec![vec![vec![]]];
    for word in words {
        match word.as_str() {
            "xxflexmixopen" => stack.push(vec![vec![]]),
            "xxflexmixor" => {
                if let Some(choices) = stack.last_mut() {
                    choices.push(vec![]);
                }
            }
            "xxflexmixclose" if stack.len() > 1 => {
                let choices = stack.pop().unwrap_or_default();
                if choices.iter().any(|c| !c.is_empty()) {
                    push(&mut stack, Part::Choice(choices));
                }
            }
            "xxflexmixname" => push(&mut stack, Part::Name),
            "xxflexmixnumber" => push(&mut stack, Part::Number),
            word => {
                let word = vocabulary.learn(word);
                match stack.last_mut().and_then(|s| s.last_mut()).and_then(|s| s.last_mut()) {
                    Some(Part::Words(words)) => words.push(word),
                    _ => push(&mut stack, Part::Words(vec![word])),
                }
            }
        }
    }
    stack.into_iter().flatten().flatten().collect()
}

fn push(stack: &mut [Vec<Vec<Part>>], part: Part) {
    if let Some(sequence) = stack.last_mut().and_then(|choices| choices.last_mut()) {
        sequence.push(part);
    }
}
