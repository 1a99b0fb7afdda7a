//! The reviewed terms table: for each license id, the independent properties that matter to a corpus (semantics.md
//! §1). An id without a row permits nothing. Rows were reviewed against the license texts of SPDX list 3.29 and, for
//! copyleft, against OSADL's classes; docs/terms.md prints the table and a test keeps it equal.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Leaf;
use crate::error::{Error, Result};

/// One independent property of a license's terms, in the order of names: labels are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Property {
    /// The author must be named.
    Attribution,
    /// Use over a network counts as sharing.
    NetworkCopyleft,
    /// Changed versions may not be shared.
    NoDerivatives,
    /// Training models is excluded by the text itself.
    NoTraining,
    /// The program or text may not be used in a competing or commercial way.
    NonCommercial,
    /// Copyright and license notices must travel along.
    Notice,
    /// Changed versions must carry the same terms.
    ShareAlike,
    /// Source must be given with what is shared.
    SourceDisclosure,
    /// More is permitted after a date.
    TimeDelayed,
    /// Fields of use or conduct are restricted.
    UseRestricted,
}

impl Property {
    /// Every property, in the order of labels.
    pub const ALL: [Self; 10] = [
        Self::Attribution,
        Self::NetworkCopyleft,
        Self::NoDerivatives,
        Self::NoTraining,
        Self::NonCommercial,
        Self::Notice,
        Self::ShareAlike,
        Self::SourceDisclosure,
        Self::TimeDelayed,
        Self::UseRestricted,
    ];

    /// The property's name in policies and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attribution => "attribution",
            Self::NonCommercial => "non-commercial",
            Self::NoDerivatives => "no-derivatives",
            Self::NoTraining => "no-training",
            Self::Notice => "notice",
            Self::NetworkCopyleft => "network-copyleft",
            Self::ShareAlike => "share-alike",
            Self::SourceDisclosure => "source-disclosure",
            Self::TimeDelayed => "time-delayed",
            Self::UseRestricted => "use-restricted",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Property {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|p| p.as_str() == text);
        found.ok_or_else(|| Error::invalid("property", text, "one of docs/policy.md, such as `non-commercial`"))
    }
}

/// A named predicate over properties: a leaf is in a family when all its properties are in the family's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Nothing is asked.
    PublicDomain,
    /// At most that notices travel along (MIT, BSD, Apache).
    Permissive,
    /// At most attribution and notices (CC-BY beside the permissive).
    Attribution,
    /// At most attribution, notices and share-alike (CC-BY-SA).
    ShareAlike,
    /// Software copyleft: notices, share-alike, source.
    Copyleft,
    /// Copyleft that also covers use over a network.
    NetworkCopyleft,
    /// Anything that at most adds a non-commercial limit to attribution and share-alike.
    NonCommercial,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 7] = [
        Self::PublicDomain,
        Self::Permissive,
        Self::Attribution,
        Self::ShareAlike,
        Self::Copyleft,
        Self::NetworkCopyleft,
        Self::NonCommercial,
    ];

    /// The properties that a leaf of the family may have.
    #[must_use]
    pub const fn may_have(self) -> &'static [Property] {
        use Property::{Attribution, NetworkCopyleft, NonCommercial, Notice, ShareAlike, SourceDisclosure};
        match self {
            Self::PublicDomain => &[],
            Self::Permissive => &[Notice],
            Self::Attribution => &[Attribution, Notice],
            Self::ShareAlike => &[Attribution, Notice, ShareAlike],
            Self::Copyleft => &[Attribution, Notice, ShareAlike, SourceDisclosure],
            Self::NetworkCopyleft => &[Attribution, Notice, ShareAlike, SourceDisclosure, NetworkCopyleft],
            Self::NonCommercial => &[Attribution, Notice, ShareAlike, NonCommercial],
        }
    }

    /// The family's name in policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublicDomain => "public-domain",
            Self::Permissive => "permissive",
            Self::Attribution => "attribution",
            Self::ShareAlike => "share-alike",
            Self::Copyleft => "copyleft",
            Self::NetworkCopyleft => "network-copyleft",
            Self::NonCommercial => "non-commercial",
        }
    }
}

/// The reviewed terms of one license id.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The canonical id.
    pub id: &'static str,
    /// Its properties.
    pub properties: &'static [Property],
}

impl Terms {
    /// The properties as an ordered set.
    #[must_use]
    pub fn property_set(&self) -> BTreeSet<Property> {
        self.properties.iter().copied().collect()
    }

    /// Whether the id is in a family.
    #[must_use]
    pub fn is_in(&self, family: Family) -> bool {
        self.properties.iter().all(|p| family.may_have().contains(p))
    }
}

/// The reviewed terms of a leaf, or nothing when nobody reviewed them (which permits nothing).
///
/// A leaf with an exception or `+` has the terms of its own row only: `GPL-2.0-only WITH …` is not `GPL-2.0-only`.
#[must_use]
pub fn reviewed(leaf: &Leaf) -> Option<&'static Terms> {
    TABLE.iter().find(|row| row.id == leaf.as_str())
}

/// Every reviewed row, by id.
#[must_use]
pub fn reviewed_ids() -> &'static [Terms] {
    TABLE
}

const fn row(id: &'static str, properties: &'static [Property]) -> Terms {
    Terms { id, properties }
}

const NONE: &[Property] = &[];
const N: &[Property] = &[Property::Notice];
const BY: &[Property] = &[Property::Attribution, Property::Notice];
const SA: &[Property] = &[Property::Attribution, Property::Notice, Property::ShareAlike];
const NC: &[Property] = &[Property::Attribution, Property::Notice, Property::NonCommercial];
const ND: &[Property] = &[Property::Attribution, Property::Notice, Property::NoDerivatives];
const NC_SA: &[Property] = &[Property::Attribution, Property::Notice, Property::NonCommercial, Property::ShareAlike];
const NC_ND: &[Property] = &[Property::Attribution, Property::Notice, Property::NonCommercial, Property::NoDerivatives];
const COPYLEFT: &[Property] = &[Property::Notice, Property::ShareAlike, Property::SourceDisclosure];
const NETWORK: &[Property] =
    &[Property::Notice, Property::ShareAlike, Property::SourceDisclosure, Property::NetworkCopyleft];
const DATABASE: &[Property] = &[
    Property::Attribution,
    Property::Notice,
    Property::ShareAlike,
    Property::SourceDisclosure,
    Property::NetworkCopyleft,
];
const MANUAL: &[Property] =
    &[Property::Attribution, Property::Notice, Property::ShareAlike, Property::SourceDisclosure];
const RESTRICTED: &[Property] = &[Property::Notice, Property::UseRestricted];

const TABLE: &[Terms] = &[
    row("0BSD", NONE),
    row("AFL-3.0", BY),
    row("AGPL-3.0-only", NETWORK),
    row("AGPL-3.0-or-later", NETWORK),
    row("Apache-2.0", N),
    row("Apache-2.0 WITH LLVM-exception", N),
    row("Artistic-2.0", &[Property::Notice, Property::SourceDisclosure]),
    row("BSD-1-Clause", N),
    row("BSD-2-Clause", N),
    row("BSD-3-Clause", N),
    row("BSD-3-Clause-Clear", N),
    row("BSD-4-Clause", BY),
    row("BSD-4-Clause-UC", BY),
    row("BSL-1.0", N),
    row("BUSL-1.1", &[Property::Notice, Property::TimeDelayed, Property::UseRestricted]),
    row("BlueOak-1.0.0", N),
    row("CC-BY-1.0", BY),
    row("CC-BY-2.0", BY),
    row("CC-BY-2.5", BY),
    row("CC-BY-3.0", BY),
    row("CC-BY-4.0", BY),
    row("CC-BY-NC-2.0", NC),
    row("CC-BY-NC-3.0", NC),
    row("CC-BY-NC-4.0", NC),
    row("CC-BY-NC-ND-3.0", NC_ND),
    row("CC-BY-NC-ND-4.0", NC_ND),
    row("CC-BY-NC-SA-2.0", NC_SA),
    row("CC-BY-NC-SA-2.5", NC_SA),
    row("CC-BY-NC-SA-3.0", NC_SA),
    row("CC-BY-NC-SA-4.0", NC_SA),
    row("CC-BY-ND-3.0", ND),
    row("CC-BY-ND-4.0", ND),
    row("CC-BY-SA-2.0", SA),
    row("CC-BY-SA-2.5", SA),
    row("CC-BY-SA-3.0", SA),
    row("CC-BY-SA-4.0", SA),
    row("CC-PDDC", NONE),
    row("CC0-1.0", NONE),
    row("CDLA-Permissive-1.0", BY),
    row("CDLA-Permissive-2.0", N),
    row("CDLA-Sharing-1.0", SA),
    row("EPL-2.0", COPYLEFT),
    row("EUPL-1.2", NETWORK),
    row("GFDL-1.1-or-later", MANUAL),
    row("GFDL-1.2-or-later", MANUAL),
    row("GFDL-1.3-or-later", MANUAL),
    row("GPL-2.0-only", COPYLEFT),
    row("GPL-2.0-or-later", COPYLEFT),
    row("GPL-3.0-only", COPYLEFT),
    row("GPL-3.0-or-later", COPYLEFT),
    row("HPND", N),
    row("ISC", N),
    row("LGPL-2.1-only", COPYLEFT),
    row("LGPL-2.1-or-later", COPYLEFT),
    row("LGPL-3.0-only", COPYLEFT),
    row("LGPL-3.0-or-later", COPYLEFT),
    row("MIT", N),
    row("MIT-0", NONE),
    row("MIT-CMU", N),
    row("MPL-2.0", COPYLEFT),
    row("NCSA", N),
    row("ODC-By-1.0", BY),
    row("ODbL-1.0", DATABASE),
    row("OFL-1.1", &[Property::Notice, Property::ShareAlike, Property::UseRestricted]),
    row("OGL-UK-3.0", BY),
    row("OpenMDW-1.0", N),
    row("PDDL-1.0", NONE),
    row("PSF-2.0", N),
    row("PolyForm-Noncommercial-1.0.0", &[Property::Notice, Property::NonCommercial]),
    row("PolyForm-Small-Business-1.0.0", RESTRICTED),
    row("PostgreSQL", N),
    row("Python-2.0", N),
    row("SSPL-1.0", NETWORK),
    row("UPL-1.0", N),
    row("Unicode-3.0", N),
    row("Unicode-DFS-2016", N),
    row("Unlicense", NONE),
    row("W3C", N),
    row("WTFPL", NONE),
    row("X11", N),
    row("Zlib", N),
    row("curl", N),
];
