//! Trust: which key may sign what, and when (semantics.md §4). A trust file is TOML, signed by its own root keys as
//! exact bytes; whoever names the file vouches for the root. A bare key counts as builder only, elsewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::error::{Error, Result};
use crate::sign::{Envelope, KeyId, PublicKey, Verified};
use crate::store::read_capped;

/// The DSSE payload type of a trust file's exact bytes.
pub const TRUST_TYPE: &str = "application/vnd.flexmix.trust+toml";
/// The DSSE payload type of a policy's exact bytes.
pub const POLICY_TYPE: &str = "application/vnd.flexmix.policy+toml";
/// The DSSE payload type of in-toto statements.
pub const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";
const CAP: u64 = 16 << 20;

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

/// A trust file as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustFile {
    /// Always `flexmix/trust/v1`.
    pub schema: String,
    /// Rises with each rotation.
    pub version: u64,
    /// Made with throw-away keys for a demonstration.
    #[serde(default)]
    pub demo: bool,
    /// The keys.
    #[serde(default, rename = "key")]
    pub keys: Vec<TrustedKey>,
}

/// A verified trust file.
#[derive(Clone, Debug)]
pub struct Trust {
    file: TrustFile,
    keys: Vec<(PublicKey, TrustedKey)>,
    path: PathBuf,
}

/// The envelope that belongs to a file signed as exact bytes: `FILE.dsse.json` beside it.
#[must_use]
pub fn envelope_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".dsse.json");
    PathBuf::from(name)
}

/// A file that trust rests on and that is not there is a refusal, not a failure of the disk.
fn refused_if_missing(error: Error, what: impl FnOnce() -> String) -> Error {
    match error {
        Error::Io { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
            Error::verification(path, what())
        }
        other => other,
    }
}

/// Reads a file's envelope and checks that it is over exactly these bytes; nothing is said of who signed.
pub(crate) fn envelope_of(path: &Path, bytes: &[u8], payload_type: &str) -> Result<Envelope> {
    let beside = envelope_path(path);
    let unsigned =
        || format!("`{}` is not signed: there is no signature beside it [FM-T-002 signature-invalid]", path.display());
    let envelope = Envelope::read(&beside).map_err(|e| refused_if_missing(e, unsigned))?;
    if envelope.peek_unverified()? != bytes || envelope.payload_type() != payload_type {
        return Err(Error::verification(
            &beside,
            format!("it is not a signature over the bytes of `{}`", path.display()),
        ));
    }
    Ok(envelope)
}

impl Trust {
    /// Reads a trust file and checks that its own root keys signed it, on `as_of`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Malformed`], or [`Error::Verification`] when no root key of it signed these bytes.
    pub fn open(path: &Path, as_of: Date) -> Result<Self> {
        let missing = || "there is no trust file at this place [FM-T-001 trust-missing]".to_owned();
        let bytes = read_capped(path, CAP).map_err(|e| refused_if_missing(e, missing))?;
        let text = std::str::from_utf8(&bytes).map_err(|e| Error::malformed("trust file", path, e))?;
        let file: TrustFile = toml::from_str(text).map_err(|e| Error::malformed("trust file", path, e))?;
        if file.schema != "flexmix/trust/v1" {
            return Err(Error::malformed("trust file", path, "schema must be `flexmix/trust/v1`"));
        }
        let mut keys = Vec::new();
        for key in &file.keys {
            let public = PublicKey::from_pem(&key.pem).map_err(|e| Error::malformed("trust file", path, e))?;
            if keys.iter().any(|(known, _): &(PublicKey, TrustedKey)| known.id() == public.id()) {
                return Err(Error::malformed("trust file", path, format!("key `{}` stands twice", key.name)));
            }
            keys.push((public, key.clone()));
        }
        let envelope = envelope_of(path, &bytes, TRUST_TYPE)?;
        let trust = Self { file, keys, path: path.to_path_buf() };
        trust.verify(&envelope, &envelope_path(path), TRUST_TYPE, Role::Root, "*", as_of)?;
        Ok(trust)
    }

    /// Whether the trust file was made for a demonstration.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.file.demo
    }

    /// The trusted keys.
    #[must_use]
    pub fn keys(&self) -> &[TrustedKey] {
        &self.file.keys
    }

    /// Where it was read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of a key, for reports.
    #[must_use]
    pub fn name_of(&self, id: &KeyId) -> Option<&str> {
        self.keys.iter().find(|(public, _)| public.id() == *id).map(|(_, key)| key.name.as_str())
    }

    /// Whether a key may sign as `role` for `scope` on `as_of`: asked before work that its signature would end.
    #[must_use]
    pub fn may_sign(&self, id: &KeyId, role: Role, scope: &str, as_of: Date) -> bool {
        self.keys.iter().any(|(public, key)| public.id() == *id && key.holds(role, scope, as_of))
    }

    /// Verifies an envelope under the keys that hold `role` for `scope` on `as_of`; enough distinct keys must agree.
    ///
    /// # Errors
    /// [`Error::Verification`] naming `path` (the envelope's place) and what is missing.
    pub fn verify(
        &self,
        envelope: &Envelope,
        path: &Path,
        payload_type: &str,
        role: Role,
        scope: &str,
        as_of: Date,
    ) -> Result<Verified> {
        let fits = |(_, key): &&(PublicKey, TrustedKey)| key.holds(role, scope, as_of);
        let holders: Vec<PublicKey> = self.keys.iter().filter(fits).map(|(p, _)| p.clone()).collect();
        let verified = envelope.verify(&holders, &[payload_type]).map_err(|e| {
            let need = format!(
                "no key with role `{}` for `{scope}` on {as_of} signed it [FM-T-003 role-missing]: {e}",
                role.as_str()
            );
            Error::verification(path, need)
        })?;
        if verified.key_ids.len() < role.threshold() {
            let need = format!(
                "role `{}` needs {} distinct keys, {} signed",
                role.as_str(),
                role.threshold(),
                verified.key_ids.len()
            );
            return Err(Error::verification(path, need));
        }
        Ok(verified)
    }
}
