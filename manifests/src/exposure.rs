//! Exposure: what was consumed, in cells of equal terms and origin (semantics.md §2). Each token lies in exactly one
//! cell and the cells add up to the total. Cells are facts; what a policy makes of them is [`crate::policy`]'s.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::claim::Signal;
use crate::conclusion::{Basis, Conclusion, State};
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::id::{SetName, SourceId};
use crate::license::Expression;

/// Terms and origin that a group of documents share. The contract's reference is inside `basis`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The terms.
    pub expression: Option<Expression>,
    /// Whether they are known.
    pub state: State,
    /// What the conclusion rests on.
    pub basis: Option<Basis>,
    /// The branch that a signed election chose.
    pub election: Option<Expression>,
    /// Where copies of the text came from.
    pub sources: BTreeSet<SourceId>,
    /// Who holds rights in it.
    pub rightsholders: BTreeSet<String>,
    /// What each opt-out signal said; absent means not looked at.
    pub optouts: BTreeMap<Signal, bool>,
}

impl Cell {
    /// The cell of a concluded document.
    #[must_use]
    pub fn new(
        conclusion: &Conclusion,
        election: Option<Expression>,
        sources: BTreeSet<SourceId>,
        rightsholders: BTreeSet<String>,
    ) -> Self {
        Self {
            expression: conclusion.expression.clone(),
            state: conclusion.state,
            basis: conclusion.basis.clone(),
            election,
            sources,
            rightsholders,
            optouts: conclusion.optouts.clone(),
        }
    }

    /// A gap: something was consumed and nothing is known of it.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            expression: None,
            state: State::Unknown,
            basis: None,
            election: None,
            sources: BTreeSet::new(),
            rightsholders: BTreeSet::new(),
            optouts: BTreeMap::new(),
        }
    }

    /// The elected branch: the election where there is one, else the expression when it leaves no choice.
    #[must_use]
    pub fn elected(&self) -> Option<&Expression> {
        self.election.as_ref().or_else(|| self.expression.as_ref().filter(|e| !e.has_choice()))
    }

    /// What may be said of the cell outside a closed set: terms with the elected branch, state and basis, and nothing of
    /// origin or signals (semantics.md §5). All branches stay, since a policy may deny one that was not elected.
    #[must_use]
    pub fn outward(&self) -> Self {
        Self {
            expression: self.expression.clone(),
            election: self.election.clone(),
            basis: self.basis.clone(),
            state: self.state,
            ..Self::unknown()
        }
    }

    /// A short label for people: the terms, or the state where there are none.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.expression, &self.basis) {
            (Some(expression), _) => expression.to_string(),
            (None, Some(basis)) => basis.to_string(),
            (None, None) => self.state.to_string(),
        }
    }

    /// The digest of the cell's canonical form.
    ///
    /// # Errors
    /// [`Error::Contract`] when it can't be encoded.
    pub fn digest(&self) -> Result<Sha256> {
        Ok(Sha256::of(&crate::canonical::to_vec(self)?))
    }
}

/// Documents and tokens of one cell. Tokens count with copies and repetition; both are absent for a closed set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellCount {
    /// The cell.
    pub cell: Cell,
    /// The place of one claim that it rests on.
    pub evidence: Option<String>,
    /// Documents.
    pub documents: Option<u64>,
    /// Tokens.
    pub tokens: Option<u64>,
}

/// How something was exposed to text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Positions fed forward in an optimizer step.
    Gradient,
    /// Documents that a router row was made from.
    RowInit,
    /// Router rows tuned after merging.
    RouterTuning,
    /// Proxy data was chosen by comparison with it.
    ProxySelection,
    /// A tokenizer was trained on it.
    Tokenizer,
    /// A classifier was trained on it.
    Classifier,
    /// An embedder was trained on it.
    Embedder,
    /// A model was chosen by its loss on it.
    ModelSelection,
}

impl Kind {
    /// Whether a verdict tests the kind without being asked to (semantics.md §2).
    #[must_use]
    pub const fn is_tested(self) -> bool {
        matches!(self, Self::Gradient | Self::RowInit | Self::RouterTuning)
    }

    /// The kind's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::RowInit => "row-init",
            Self::RouterTuning => "router-tuning",
            Self::ProxySelection => "proxy-selection",
            Self::Tokenizer => "tokenizer",
            Self::Classifier => "classifier",
            Self::Embedder => "embedder",
            Self::ModelSelection => "model-selection",
        }
    }
}

/// A total of tokens: exact, or for a closed set the upper bound of its decade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenTotal {
    /// So many.
    Exact(u64),
    /// At most so many; more than a tenth of it.
    AtMost(u64),
}

impl TokenTotal {
    /// The decade bucket that holds `tokens`: the smallest power of ten not below it.
    #[must_use]
    pub fn bucket(tokens: u64) -> Self {
        Self::AtMost((0..19).map(|k| 10u64.pow(k)).find(|bound| *bound >= tokens).unwrap_or(u64::MAX >> 11))
    }

    /// The number that ceilings are tested against.
    #[must_use]
    pub const fn upper(self) -> u64 {
        match self {
            Self::Exact(n) | Self::AtMost(n) => n,
        }
    }
}

/// What was consumed of one set in one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// How.
    pub kind: Kind,
    /// Of which set.
    pub set: SetName,
    /// The digest of the set's manifest (for a closed set: of its public one).
    pub manifest: Sha256,
    /// The cells, in canonical order.
    pub cells: Vec<CellCount>,
    /// The total.
    pub tokens: TokenTotal,
}

impl Exposure {
    /// An open exposure; the cells are sorted and their tokens added up.
    #[must_use]
    pub fn open(kind: Kind, set: SetName, manifest: Sha256, mut cells: Vec<CellCount>) -> Self {
        cells.retain(|c| c.tokens != Some(0) || c.documents != Some(0));
        cells.sort();
        let tokens = TokenTotal::Exact(cells.iter().filter_map(|c| c.tokens).sum());
        Self { kind, set, manifest, cells, tokens }
    }

    /// What leaves the owner of a closed set: the set of cells without counts and origin, and the total's decade.
    #[must_use]
    pub fn closed(kind: Kind, set: SetName, manifest: Sha256, cells: &[CellCount]) -> Self {
        let total = cells.iter().filter_map(|c| c.tokens).sum();
        let outward: BTreeSet<Cell> = cells.iter().map(|c| c.cell.outward()).collect();
        let blank = |cell| CellCount { cell, evidence: None, documents: None, tokens: None };
        let tokens = TokenTotal::bucket(total);
        Self { kind, set, manifest, cells: outward.into_iter().map(blank).collect(), tokens }
    }

    /// Checks that the cells are in order, distinct, and add up.
    ///
    /// # Errors
    /// [`Error::Contract`] that says which law is broken.
    pub fn check(&self) -> Result<()> {
        let law =
            |what: &str| Error::Contract(format!("exposure of set `{}` ({}): {what}", self.set, self.kind.as_str()));
        if self.cells.windows(2).any(|pair| pair[0].cell >= pair[1].cell) {
            return Err(law("cells are not distinct and in canonical order"));
        }
        match self.tokens {
            TokenTotal::Exact(total) => {
                let sum = self.cells.iter().try_fold(0u64, |sum, c| sum.checked_add(c.tokens?));
                if sum == Some(total) { Ok(()) } else { Err(law("cells do not add up to the total")) }
            }
            TokenTotal::AtMost(bound) if TokenTotal::bucket(bound) != self.tokens => {
                Err(law("the bound is no power of ten"))
            }
            // An omission is no gap: what is not known is a cell `unknown`.
            TokenTotal::AtMost(_) if self.cells.is_empty() => Err(law("a closed exposure names no terms")),
            TokenTotal::AtMost(_) if self.cells.iter().any(|c| c.tokens.is_some() || c.documents.is_some()) => {
                Err(law("a closed exposure carries no counts"))
            }
            TokenTotal::AtMost(_) if self.cells.iter().any(|c| c.evidence.is_some() || c.cell != c.cell.outward()) => {
                Err(law("a closed exposure carries no origin"))
            }
            TokenTotal::AtMost(_) => Ok(()),
        }
    }
}

/// Adds counts of equal cells together, in canonical order.
#[must_use]
pub fn add_up(counts: impl IntoIterator<Item = CellCount>) -> Vec<CellCount> {
    let mut sums: BTreeMap<Cell, (Option<String>, u64, u64)> = BTreeMap::new();
    for count in counts {
        let (evidence, documents, tokens) = sums.entry(count.cell).or_default();
        *evidence = std::mem::take(evidence).into_iter().chain(count.evidence).min();
        *documents += count.documents.unwrap_or(0);
        *tokens += count.tokens.unwrap_or(0);
    }
    let whole = |(cell, (evidence, documents, tokens))| CellCount {
        cell,
        evidence,
        documents: Some(documents),
        tokens: Some(tokens),
    };
    sums.into_iter().map(whole).collect()
}
