//! Trust: which key may sign what, and when (semantics.md §4). A trust file is TOML, signed by its own root keys as
//! exact bytes; whoever names the file vouches for the root. A bare public key in its place counts as builder only.

mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use file::{Compromised, FormerRoot, Role, TrustFile, TrustedKey};

use crate::date::Date;
use crate::digest::Sha256;
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

/// A verified trust file.
#[derive(Clone, Debug)]
pub struct Trust {
    file: TrustFile,
    keys: Vec<(PublicKey, TrustedKey)>,
    path: PathBuf,
    digest: Sha256,
    signers: BTreeSet<KeyId>,
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
        if bytes.starts_with(b"-----BEGIN PUBLIC KEY-----") {
            return Self::bare(path, &bytes);
        }
        let file = TrustFile::parse(path, &bytes)?;
        let mut keys = Vec::new();
        for key in &file.keys {
            let public = PublicKey::from_pem(&key.pem).map_err(|e| Error::malformed("trust file", path, e))?;
            if keys.iter().any(|(known, _): &(PublicKey, TrustedKey)| known.id() == public.id()) {
                return Err(Error::malformed("trust file", path, format!("key `{}` stands twice", key.name)));
            }
            keys.push((public, key.clone()));
        }
        let envelope = envelope_of(path, &bytes, TRUST_TYPE)?;
        let mut trust =
            Self { file, keys, path: path.to_path_buf(), digest: Sha256::of(&bytes), signers: BTreeSet::new() };
        let beside = envelope_path(path);
        trust.signers = trust.verify(&envelope, &beside, TRUST_TYPE, Role::Root, "*", as_of)?.key_ids;
        trust.signers.extend(trust.former(&envelope, &beside)?);
        Ok(trust)
    }

    /// A public key by itself, which nobody signed: it counts as builder of anything on any day, and as nothing else, so
    /// that a corpus can be checked with no more than its builder's key and no gate opens with it.
    fn bare(path: &Path, bytes: &[u8]) -> Result<Self> {
        let malformed = |e: String| Error::malformed("public key", path, e);
        let pem = std::str::from_utf8(bytes).map_err(|e| malformed(e.to_string()))?;
        let public = PublicKey::from_pem(pem).map_err(|e| malformed(e.to_string()))?;
        let key = TrustedKey {
            name: "bare key".to_owned(),
            roles: BTreeSet::from([Role::Builder]),
            scope: BTreeSet::from(["*".to_owned()]),
            from: "0001-01-01".parse()?,
            until: "9999-12-31".parse()?,
            pem: pem.to_owned(),
        };
        let file = TrustFile {
            schema: TrustFile::SCHEMA.to_owned(),
            version: 1,
            demo: false,
            keys: vec![key.clone()],
            former_roots: vec![],
            compromised: vec![],
        };
        let digest = Sha256::of(bytes);
        Ok(Self { file, keys: vec![(public, key)], path: path.to_path_buf(), digest, signers: BTreeSet::new() })
    }

    /// The roots before that signed this file too: a rotation without one of them is none.
    fn former(&self, envelope: &Envelope, path: &Path) -> Result<BTreeSet<KeyId>> {
        if self.file.former_roots.is_empty() {
            return Ok(BTreeSet::new());
        }
        let just_before = |root: &&FormerRoot| root.version + 1 == self.file.version;
        let keys = self.former_keys(just_before)?;
        let verified = envelope.verify(&keys, &[TRUST_TYPE]).map_err(|e| {
            Error::verification(
                path,
                format!("no root key of the version before signed it [FM-T-003 role-missing]: {e}"),
            )
        })?;
        Ok(verified.key_ids)
    }

    fn former_keys(&self, which: impl Fn(&&FormerRoot) -> bool) -> Result<Vec<PublicKey>> {
        let parse = |root: &FormerRoot| PublicKey::from_pem(&root.pem);
        let keys = self.file.former_roots.iter().filter(which).map(parse).collect::<Result<Vec<_>>>();
        keys.map_err(|e| Error::malformed("trust file", &self.path, e))
    }

    /// Every root key of the line, now and before.
    #[must_use]
    pub fn line(&self) -> BTreeSet<KeyId> {
        // Keys that were no keys were refused when the file was opened.
        let former = self.former_keys(|_| true).unwrap_or_default();
        former.iter().map(PublicKey::id).chain(self.roots()).collect()
    }

    /// Its version; rises with each rotation.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.file.version
    }

    /// The digest of the file's exact bytes.
    #[must_use]
    pub const fn digest(&self) -> Sha256 {
        self.digest
    }

    /// The root keys that signed it, those of the version before among them.
    #[must_use]
    pub const fn signers(&self) -> &BTreeSet<KeyId> {
        &self.signers
    }

    /// The ids of its root keys.
    #[must_use]
    pub fn roots(&self) -> BTreeSet<KeyId> {
        self.keys.iter().filter(|(_, key)| key.roles.contains(&Role::Root)).map(|(public, _)| public.id()).collect()
    }

    /// Whether a signature by this key over this payload counts, as far as it was not compromised: for formats whose
    /// signatures are checked elsewhere.
    #[must_use]
    pub fn stands(&self, key: &KeyId, payload: Sha256) -> bool {
        self.file.compromised.iter().filter(|c| c.key == *key).all(|c| c.stands.contains(&payload))
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
        let taken = self.file.compromised.iter().any(|c| c.key == *id);
        !taken && self.keys.iter().any(|(public, key)| public.id() == *id && key.holds(role, scope, as_of))
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
        self.verify_all(envelope, path, payload_type, role, &[scope], as_of)
    }

    /// As [`Self::verify`], under keys that hold the role for every one of `scopes`.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_all(
        &self,
        envelope: &Envelope,
        path: &Path,
        payload_type: &str,
        role: Role,
        scopes: &[&str],
        as_of: Date,
    ) -> Result<Verified> {
        let payload = Sha256::of(envelope.peek_unverified()?);
        let holds = |key: &TrustedKey| scopes.iter().all(|scope| key.holds(role, scope, as_of));
        let fits = |(public, key): &&(PublicKey, TrustedKey)| holds(key) && self.stands(&public.id(), payload);
        let holders: Vec<PublicKey> = self.keys.iter().filter(fits).map(|(p, _)| p.clone()).collect();
        let verified = envelope.verify(&holders, &[payload_type]).map_err(|e| {
            let claimed: Vec<&str> = envelope.claimed_key_ids_unverified().collect();
            let voided = self.file.compromised.iter().find(|c| claimed.contains(&c.key.to_string().as_str()));
            if let Some(voided) = voided {
                let what = format!(
                    "key `{}` was compromised after head {}, and this is not among what stands \
                     [FM-T-011 key-compromised]",
                    voided.key, voided.after
                );
                return Error::verification(path, what);
            }
            let (role, scope) = (role.as_str(), scopes.join("`, `"));
            let need =
                format!("no key with role `{role}` for `{scope}` on {as_of} signed it [FM-T-003 role-missing]: {e}");
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
