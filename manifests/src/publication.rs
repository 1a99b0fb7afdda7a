//! What an owner hands out of a closed corpus (semantics.md §5): the signed list of an outward tree's files, and what
//! leaves by agreement only. A kind of file that is not listed in [`Content`] has no way out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::exposure::{Cell, CellCount, TokenTotal};
use crate::id::{SetName, SourceId};
use crate::manifest::PublicManifest;
use crate::merkle::{FileLeaf, TreeRoot, root_of};
use crate::sign::Record;
use crate::store::check_distinct;

/// The list's file, at the root of an outward tree.
pub const PUBLICATION_FILE: &str = "publication.dsse.json";
/// The file of a set's full cells, by agreement.
pub const AGREED_CELLS_FILE: &str = "agreed-cells.dsse.json";
/// The file of a set's attribution list, by agreement.
pub const ATTRIBUTION_FILE: &str = "attribution.dsse.json";

/// What a published file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// What may be said of a closed set.
    PublicManifest,
    /// An expert's or anchor's stamp.
    Stamp,
    /// The model signature over a folder of weights.
    ModelSignature,
    /// Weights, the router row among them.
    Weights,
    /// The configuration that weights are read with.
    Configuration,
    /// A tokenizer, of public text.
    Tokenizer,
    /// A public set's manifest.
    Manifest,
    /// A public set's shard.
    Shard,
    /// A closed set's full cells.
    AgreedCells,
    /// A closed set's attribution list.
    Attribution,
}

impl Content {
    /// Why a file of this kind may leave, for people.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::PublicManifest => "leaves always: terms without counts or origin, a bound on tokens, commitments",
            Self::Stamp => "leaves always: what the weights consumed, in those terms",
            Self::ModelSignature => "leaves always: the trainer's signature over the folder of weights",
            Self::Weights => "leaves always: weights and router row",
            Self::Configuration => "leaves always: what the weights cannot be read without",
            Self::Tokenizer => "allowed by the policy: made of public text alone",
            Self::Manifest => "allowed by the policy: the manifest of a public set",
            Self::Shard => "allowed by the policy: tokens of a public set",
            Self::AgreedCells => "by agreement: terms with origin and counts",
            Self::Attribution => "by agreement: who is to be named, in their own words",
        }
    }
}

/// One file of an outward tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedFile {
    /// Path beneath the tree, length and digest.
    pub file: FileLeaf,
    /// What it holds.
    pub content: Content,
}

/// The list of everything in an outward tree but itself. Signed by the owner of each set that it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// Always `flexmix/publication/v1`.
    pub schema: String,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// The recipe's name.
    pub corpus: String,
    /// The sets of which something was published.
    pub sets: BTreeSet<SetName>,
    /// The files, sorted by path.
    pub files: Vec<PublishedFile>,
    /// Root over the files.
    pub files_root: TreeRoot,
}

impl Record for Publication {
    const KIND: &'static str = "publication";
    const VERSION: u32 = 1;
}

impl Publication {
    /// The list of these files.
    ///
    /// # Errors
    /// [`Error::Contract`] when two have one path.
    pub fn new(demo: bool, corpus: String, sets: BTreeSet<SetName>, mut files: Vec<PublishedFile>) -> Result<Self> {
        files.sort_by(|a, b| a.file.path.cmp(&b.file.path));
        let files_root = root_of(files.iter().map(|f| &f.file))?;
        let publication = Self { schema: Self::schema(), demo, corpus, sets, files, files_root };
        publication.check()?;
        Ok(publication)
    }

    /// Checks that paths are distinct and sorted, and the root theirs.
    ///
    /// # Errors
    /// [`Error::Contract`] that says which law is broken.
    pub fn check(&self) -> Result<()> {
        let law = |what: &str| Err(Error::Contract(format!("publication of corpus `{}`: {what}", self.corpus)));
        check_distinct(self.files.iter().map(|f| &f.file.path))?;
        if self.files.windows(2).any(|pair| pair[0].file.path >= pair[1].file.path) {
            return law("the files are not sorted by path");
        }
        if root_of(self.files.iter().map(|f| &f.file))? == self.files_root {
            return Ok(());
        }
        law("the root is not that of the files")
    }

    /// What its signer must own: every set that it names, or the weights where it names none.
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        if self.sets.is_empty() { vec!["weights"] } else { self.sets.iter().map(SetName::as_str).collect() }
    }
}

/// A closed set's cells with origin and counts. Leaves by agreement only; signed by the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreedCells {
    /// Always `flexmix/agreed-cells/v1`.
    pub schema: String,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// The recipe's name.
    pub corpus: String,
    /// The set.
    pub set: SetName,
    /// The digest of its public manifest.
    pub manifest: Sha256,
    /// The cells, without the places of claims.
    pub cells: Vec<CellCount>,
}

impl Record for AgreedCells {
    const KIND: &'static str = "agreed-cells";
    const VERSION: u32 = 1;
}

impl AgreedCells {
    /// Checks that the cells are those of which the public manifest names the terms, and say no place of a claim.
    ///
    /// # Errors
    /// [`Error::Contract`] that says what differs.
    pub fn check_against(&self, public: &PublicManifest) -> Result<()> {
        let law = |what: &str| Err(Error::Contract(format!("agreed cells of set `{}`: {what}", self.set)));
        let outward: BTreeSet<Cell> = self.cells.iter().map(|c| c.cell.outward()).collect();
        if !public.cells.iter().eq(&outward) {
            return law("their terms are not those of the public manifest");
        }
        if self.cells.iter().any(|c| c.evidence.is_some()) {
            return law("a cell names the place of a claim");
        }
        let total = self.cells.iter().try_fold(0u64, |sum, c| sum.checked_add(c.tokens?));
        if total.map(TokenTotal::bucket) == Some(public.tokens) {
            return Ok(());
        }
        law("their tokens are not within the public manifest's bound")
    }
}

/// Who is to be named for a closed set. Leaves by agreement only; signed by the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributionList {
    /// Always `flexmix/attribution-list/v1`.
    pub schema: String,
    /// Made with throw-away keys for a demonstration.
    pub demo: bool,
    /// The recipe's name.
    pub corpus: String,
    /// The set.
    pub set: SetName,
    /// The digest of its public manifest.
    pub manifest: Sha256,
    /// Its sources, in the manifest's order.
    pub sources: Vec<Attribution>,
}

impl Record for AttributionList {
    const KIND: &'static str = "attribution-list";
    const VERSION: u32 = 1;
}

/// Who is to be named for one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribution {
    /// The source.
    pub source: SourceId,
    /// Its title.
    pub title: String,
    /// Who holds rights in what was kept of it.
    pub rightsholders: BTreeSet<String>,
    /// Copyright statements and attribution texts of what was kept, verbatim.
    pub statements: BTreeSet<String>,
}
