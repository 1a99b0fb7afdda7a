//! License expressions in one canonical form: a disjunction of conjunctions of leaves, absorbed and sorted.
//!
//! AND unites what is asked, OR keeps alternatives; the meet of two expressions is their AND (semantics.md §1).
//! Parsing is strict SPDX (annex "SPDX license expressions") with ids matched case-insensitively; `NOASSERTION` and
//! `NONE` are not licenses (reference/governance §2.3).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use spdx::expression::{ExprNode, Operator};

use crate::error::{Error, Result};

/// The most alternatives that an expression may have: AND of ORs multiplies, and nobody licenses so.
const MAX_ALTERNATIVES: usize = 64;
/// The most bytes of an expression.
const MAX_LENGTH: usize = 4096;

/// One license: an id of the SPDX list or a `LicenseRef-`, with `+` and `WITH` where given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(String);

impl Leaf {
    /// The leaf as written in an expression, `GPL-2.0-only WITH Classpath-exception-2.0`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the id is the user's own and not of the SPDX list.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.0.starts_with("LicenseRef-") || self.0.starts_with("DocumentRef-")
    }

    /// The id without `+` and `WITH`.
    fn base(&self) -> &str {
        let id = self.0.split(" WITH ").next().unwrap_or(&self.0);
        id.strip_suffix('+').unwrap_or(id)
    }

    /// The license's name on the SPDX list.
    #[must_use]
    pub fn full_name(&self) -> Option<&'static str> {
        spdx::license_id(self.base()).map(|id| id.full_name)
    }

    /// Where the license's text is on the SPDX list, and that of an exception behind it. Nothing is fetched.
    #[must_use]
    pub fn text_at(&self) -> Option<String> {
        let page = |id: &str| format!("https://spdx.org/licenses/{id}.html");
        let license = spdx::license_id(self.base()).map(|id| page(id.name))?;
        let exception = self.0.split_once(" WITH ").map(|(_, exception)| page(exception));
        Some(exception.map_or_else(|| license.clone(), |exception| format!("{license} and {exception}")))
    }

    /// Whether SPDX holds both to be one license: after its prefix, a custom id is compared without case. Each keeps the
    /// case that it was written in, and needs a grant of its own; who denies one denies the other.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self == other || self.is_custom() && other.is_custom() && self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Leaves that apply together.
pub type Alternative = BTreeSet<Leaf>;

/// An expression in canonical form. Two expressions with the same meaning are equal, and so are their texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expression {
    alternatives: BTreeSet<Alternative>,
}

impl Expression {
    /// The alternatives, each a set of leaves that apply together, in canonical order.
    pub fn alternatives(&self) -> impl Iterator<Item = &Alternative> {
        self.alternatives.iter()
    }

    /// Every leaf of every alternative.
    #[must_use]
    pub fn leaves(&self) -> BTreeSet<&Leaf> {
        self.alternatives.iter().flatten().collect()
    }

    /// Whether a choice is left open.
    #[must_use]
    pub fn has_choice(&self) -> bool {
        self.alternatives.len() > 1
    }

    /// Both expressions at once: AND, absorbed. Commutative, associative, idempotent; never permits more than either.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the result has more than 64 alternatives.
    pub fn meet(&self, other: &Self) -> Result<Self> {
        let pairs = self.alternatives.iter().flat_map(|a| other.alternatives.iter().map(move |b| a | b));
        Self::absorbed(pairs.collect())
    }

    /// Either expression: OR, absorbed.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the result has more than 64 alternatives.
    pub fn join(&self, other: &Self) -> Result<Self> {
        Self::absorbed(&self.alternatives | &other.alternatives)
    }

    /// The expression that has only `branch` left, when `branch` is exactly one of the alternatives.
    #[must_use]
    pub fn elect(&self, branch: &Self) -> Option<Self> {
        let [only] = branch.alternatives.iter().collect::<Vec<_>>()[..] else { return None };
        self.alternatives.contains(only).then(|| branch.clone())
    }

    fn absorbed(all: BTreeSet<Alternative>) -> Result<Self> {
        let weaker = |a: &Alternative| all.iter().any(|b| b != a && b.is_subset(a));
        let alternatives: BTreeSet<_> = all.iter().filter(|a| !weaker(a)).cloned().collect();
        if alternatives.len() > MAX_ALTERNATIVES {
            return Err(Error::invalid("license expression", "…", "at most 64 alternatives"));
        }
        let joined = Self { alternatives };
        // What is written must be read again: the canonical form can be longer than what was typed.
        if joined.to_string().len() > MAX_LENGTH {
            return Err(Error::invalid("license expression", "…", "at most 4096 bytes in its canonical form"));
        }
        Ok(joined)
    }

    fn leaf(text: String) -> Self {
        Self { alternatives: BTreeSet::from([BTreeSet::from([Leaf(text)])]) }
    }
}

impl FromStr for Expression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = |why| Error::invalid("license expression", text, why);
        if text.len() > MAX_LENGTH {
            return Err(refused("at most 4096 bytes"));
        }
        let canonical = canonical_words(text).ok_or_else(|| refused("ids of the SPDX list or `LicenseRef-` ids"))?;
        let parsed = spdx::Expression::parse(&canonical).map_err(|_| refused("an SPDX license expression"))?;
        let mut stack: Vec<Self> = Vec::new();
        for node in parsed.iter() {
            match node {
                ExprNode::Req(requirement) => stack.push(Self::leaf(requirement.req.to_string())),
                ExprNode::Op(operator) => {
                    let (right, left) = (stack.pop(), stack.pop());
                    let (Some(left), Some(right)) = (left, right) else { return Err(refused("two operands")) };
                    stack.push(match operator {
                        Operator::And => left.meet(&right)?,
                        Operator::Or => left.join(&right)?,
                    });
                }
            }
        }
        stack.pop().ok_or_else(|| refused("an SPDX license expression"))
    }
}

/// The text with every id in the list's own case and operators in upper case, or nothing when a word is not an id.
fn canonical_words(text: &str) -> Option<String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut words = Vec::new();
    for word in spaced.split_ascii_whitespace() {
        let plain = word.strip_suffix('+').unwrap_or(word);
        let canonical = match word {
            "(" | ")" => word.to_owned(),
            "AND" | "and" => "AND".to_owned(),
            "OR" | "or" => "OR".to_owned(),
            "WITH" | "with" => "WITH".to_owned(),
            _ if plain.eq_ignore_ascii_case("NOASSERTION") || plain.eq_ignore_ascii_case("NONE") => return None,
            _ => canonical_id(plain)? + &word[plain.len()..],
        };
        words.push(canonical);
    }
    Some(words.join(" "))
}

/// The canonical case of a license id or exception; custom ids stay as they are.
fn canonical_id(word: &str) -> Option<String> {
    if word.starts_with("LicenseRef-") || word.starts_with("DocumentRef-") || word.starts_with("AdditionRef-") {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
        let named = |part: &str| part.split_once("Ref-").is_some_and(|(_, name)| !name.is_empty());
        return (word.chars().all(plain) && word.split(':').all(named)).then(|| word.to_owned());
    }
    let license = spdx::identifiers::LICENSES.iter().find(|l| l.name.eq_ignore_ascii_case(word)).map(|l| l.name);
    let exception = || spdx::identifiers::EXCEPTIONS.iter().find(|e| e.name.eq_ignore_ascii_case(word)).map(|e| e.name);
    license.or_else(exception).map(str::to_owned)
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let single = self.alternatives.len() == 1;
        for (i, alternative) in self.alternatives.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { " OR " })?;
            let inner = alternative.iter().map(Leaf::as_str).collect::<Vec<_>>().join(" AND ");
            if single || alternative.len() == 1 { f.write_str(&inner)? } else { write!(f, "({inner})")? }
        }
        Ok(())
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
