//! Claims: what somebody said about terms, kept as found and never edited (semantics.md §1). Reading claims out of
//! foreign bytes is `corpus`' business; what follows from them is [`crate::conclusion`]'s.

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::digest::Sha256;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// Whoever holds the rights in the text, in their own words or metadata.
    Rightsholder,
    /// The publisher of the source, under the rightsholder's mandate.
    Source,
    /// Somebody who collected other people's text.
    Aggregator,
    /// A program that guessed; never enough for a conclusion.
    Detector,
}

/// What a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// This document.
    Work,
    /// The package, repository or data set that it came in.
    Collection,
    /// Access to it (robots.txt and the like), not the text itself.
    Access,
}

/// A way in which rightsholders reserve their text against mining or training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// robots.txt (RFC 9309).
    Robots,
    /// TDM Reservation Protocol.
    Tdmrep,
    /// IETF AI preferences.
    Aipref,
    /// Really Simple Licensing.
    Rsl,
    /// The `noai` meta convention.
    Noai,
    /// Terms of service in prose.
    Tos,
}

/// What kind of thing was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Statement {
    /// These license terms apply. The expression is the canonical SPDX form of the raw text, absent when it has none.
    License {
        /// Canonical expression, [`NO_ASSERTION`] for words of not knowing, or nothing when the raw text is none of them.
        expression: Option<String>,
    },
    /// The work is in the public domain in these places (ISO 3166 codes, or `*`).
    PublicDomain {
        /// Where.
        places: Vec<String>,
    },
    /// A contract between owner and builder covers it.
    Contract {
        /// The contract's reference.
        id: String,
        /// The terms that it grants, as an expression (usually one `LicenseRef-`).
        expression: String,
    },
    /// A reservation against mining or training.
    OptOut {
        /// By which signal.
        signal: Signal,
        /// Whether it reserves; `false` is a check that found no reservation, absent a place whose words cannot be read.
        reserved: Option<bool>,
    },
    /// A copyright statement, kept verbatim for NOTICE.
    Copyright,
    /// An attribution text or URL that the license asks to be shown.
    Attribution,
}

/// SPDX's word for knowing nothing of the terms.
pub const NO_ASSERTION: &str = "NOASSERTION";

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Who speaks.
    pub speaker: Speaker,
    /// About what.
    pub scope: Scope,
    /// What follows from the words, without interpretation of their effect.
    pub statement: Statement,
    /// The words, as found.
    pub raw: String,
    /// Where: `path:line`, `METADATA#License-Expression`, `recipe#source.claim`.
    pub locator: String,
    /// The digest of the bytes that were read (the file, or the record).
    pub digest: Sha256,
    /// The date of reading, from the recipe's lock; never from the clock.
    pub date: Option<Date>,
}
