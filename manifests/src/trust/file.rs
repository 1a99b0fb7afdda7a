//! The trust file as people write and read it: keys with roles, scopes and days, the roots before, and keys that are
//! no longer their owners' alone. What follows from it is decided one module up.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::sign::KeyId;

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The trust file itself.
    Root,
    /// Grants, closed commitments.
    Owner,
    /// Corpus manifests.
    Builder,
    /// Policies, elections, exceptions, the lifting of a withdrawal: two keys.
    Legal,
    /// Stamps.
    Trainer,
    /// Model indexes.
    Merger,
    /// Withdrawals: one key is enough.
    Withdrawals,
    /// The head over all records.
    Head,
    /// Answers.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::Root,
        Self::Owner,
        Self::Builder,
        Self::Legal,
        Self::Trainer,
        Self::Merger,
        Self::Withdrawals,
        Self::Head,
        Self::Operator,
    ];

    /// The role's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Owner => "owner",
            Self::Builder => "builder",
            Self::Legal => "legal",
            Self::Trainer => "trainer",
            Self::Merger => "merger",
            Self::Withdrawals => "withdrawals",
            Self::Head => "head",
            Self::Operator => "operator",
        }
    }

    /// How many distinct keys must sign.
    #[must_use]
    pub const fn threshold(self) -> usize {
        if matches!(self, Self::Legal) { 2 } else { 1 }
    }
}

/// A key as a trust file binds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// A name for people.
    pub name: String,
    /// What it may sign.
    pub roles: BTreeSet<Role>,
    /// Sets, sources or experts that it may sign for; `*` is all.
    pub scope: BTreeSet<String>,
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub until: Date,
    /// The public key, SPKI PEM.
    pub pem: String,
}

impl TrustedKey {
    /// Whether the key holds a role for a scope on a day.
    #[must_use]
    pub fn holds(&self, role: Role, scope: &str, as_of: Date) -> bool {
        self.roles.contains(&role)
            && (self.scope.contains("*") || self.scope.contains(scope))
            && (self.from..=self.until).contains(&as_of)
    }
}

/// A root key of a trust file before this one. One of those of the version just before signs the new file too; older
/// ones stay named, so that the line is known to whoever missed a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormerRoot {
    /// A name for people.
    pub name: String,
    /// The last version that it was a root of.
    pub version: u64,
    /// The public key, SPKI PEM.
    pub pem: String,
}

/// A key that somebody else may have used. Only what it is known to have signed before still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compromised {
    /// The key's id.
    pub key: KeyId,
    /// The sequence of the last head of which it is known that the key was its owner's alone.
    pub after: u64,
    /// The digests of payloads signed by the key that stand: those that lay under that head, and what the root's owner
    /// vouches for beside them.
    #[serde(default)]
    pub stands: BTreeSet<Sha256>,
}

/// A trust file as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustFile {
    /// `flexmix/trust/v2`; `v1`, which has neither `former-root` nor `compromised`, is read too.
    pub schema: String,
    /// Rises with each rotation.
    pub version: u64,
    /// Made with throw-away keys for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// The keys.
    #[serde(default, rename = "key")]
    pub keys: Vec<TrustedKey>,
    /// The root keys of all versions before, from the second version on.
    #[serde(default, rename = "former-root", skip_serializing_if = "Vec::is_empty")]
    pub former_roots: Vec<FormerRoot>,
    /// Keys that are no longer their owners' alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compromised: Vec<Compromised>,
}

impl TrustFile {
    /// The newest schema, the only one written.
    pub const SCHEMA: &'static str = "flexmix/trust/v2";

    /// Parses a trust file.
    ///
    /// # Errors
    /// [`Error::Malformed`] with line and column, or with the law that it breaks.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let malformed = |what: String| Error::malformed("trust file", path, what);
        let text = std::str::from_utf8(bytes).map_err(|e| malformed(e.to_string()))?;
        let file: Self = toml::from_str(text).map_err(|e| malformed(e.to_string()))?;
        let first = file.schema == "flexmix/trust/v1";
        if !first && file.schema != Self::SCHEMA {
            return Err(malformed(format!("schema is `{}`; this build reads `{}` and v1", file.schema, Self::SCHEMA)));
        }
        if first && !(file.former_roots.is_empty() && file.compromised.is_empty()) {
            return Err(malformed(format!("`former-root` and `compromised` need schema `{}`", Self::SCHEMA)));
        }
        let named = file.former_roots.iter().any(|r| r.version.checked_add(1) == Some(file.version));
        let later = file.former_roots.iter().any(|r| r.version == 0 || r.version >= file.version);
        if file.version == 0 || later || (!first && (file.version > 1) != named) {
            let what = "`version` starts at 1, and from 2 on `former-root` names the roots of the version before";
            return Err(malformed(what.to_owned()));
        }
        Ok(file)
    }
}
