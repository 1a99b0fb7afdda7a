//! In-toto Statements v1 about records of ours. The digest of the payload is the identity of a record: it doesn't
//! change with who signs it, when, or how often.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dsse::{Envelope, Verified};
use super::key::{PrivateKey, PublicKey};
use crate::canonical;
use crate::digest::Sha256;
use crate::error::{Error, Result};

/// The DSSE payload type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

const TYPE: &str = "https://in-toto.io/Statement/v1";

/// A kind of record. Its first member is `schema`, always [`Record::schema`] of the newest version.
pub trait Record: Serialize + DeserializeOwned {
    /// The kind: kebab-case.
    const KIND: &'static str;
    /// The newest version, the only one written.
    const VERSION: u32;

    /// `flexmix/KIND/vN`.
    #[must_use]
    fn schema() -> String {
        format!("flexmix/{}/v{}", Self::KIND, Self::VERSION)
    }

    /// `urn:flexmix:KIND:vN`.
    #[must_use]
    fn predicate_type() -> String {
        format!("urn:flexmix:{}:v{}", Self::KIND, Self::VERSION)
    }

    /// Turns a record of an older version into the newest, `schema` included, or nothing when that is not known.
    #[must_use]
    fn upgrade(_version: u32, _old: &Value) -> Option<Value> {
        None
    }
}

/// An artifact that a statement is about, known by its digest alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// A name for people; distinct within a statement.
    pub name: String,
    /// The digest.
    #[serde(with = "digest_set")]
    pub digest: Sha256,
}

/// A record and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<R> {
    /// What it is about; at least one.
    pub subjects: Vec<Subject>,
    /// The record.
    pub predicate: R,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Value,
}

impl<R: Record> Statement<R> {
    /// A statement about artifacts.
    #[must_use]
    pub const fn new(subjects: Vec<Subject>, predicate: R) -> Self {
        Self { subjects, predicate }
    }

    /// A statement of a record that is about no file: its subject is the record's own canonical bytes.
    ///
    /// # Errors
    /// [`Error::Contract`] when the record has no canonical form.
    pub fn about_itself(name: &str, predicate: R) -> Result<Self> {
        let digest = Sha256::of(&canonical::to_vec(&predicate)?);
        Ok(Self::new(vec![Subject { name: name.to_owned(), digest }], predicate))
    }

    /// The canonical bytes that are signed.
    ///
    /// # Errors
    /// [`Error::Contract`] when the record has no canonical form, another `schema` or no subject, or two subjects one
    /// name.
    pub fn payload(&self) -> Result<Vec<u8>> {
        let predicate = serde_json::to_value(&self.predicate)
            .map_err(|e| Error::Contract(format!("cannot write a {}: {e}", R::KIND)))?;
        if predicate.get("schema").and_then(Value::as_str) != Some(&R::schema()) {
            return Err(Error::Contract(format!("a {} is written with `schema` = `{}` only", R::KIND, R::schema())));
        }
        check_subjects(&self.subjects).map_err(|what| Error::Contract(what.to_owned()))?;
        let subject = self.subjects.clone();
        canonical::to_vec(&Wire { kind: TYPE.to_owned(), subject, predicate_type: R::predicate_type(), predicate })
    }

    /// The record's identity: the digest of its payload.
    ///
    /// # Errors
    /// Those of [`Self::payload`].
    pub fn payload_digest(&self) -> Result<Sha256> {
        Ok(Sha256::of(&self.payload()?))
    }

    /// Signs the statement.
    ///
    /// # Errors
    /// Those of [`Self::payload`].
    pub fn sign(&self, key: &PrivateKey) -> Result<Envelope> {
        Ok(Envelope::sign(PAYLOAD_TYPE, self.payload()?, key))
    }

    /// Signs the statement, publishes it at `path` (`*.dsse.json`) atomically, and returns its payload's digest.
    ///
    /// # Errors
    /// Those of [`Self::payload`], or [`Error::Io`].
    pub fn write(&self, path: &Path, key: &PrivateKey) -> Result<Sha256> {
        self.sign(key)?.write(path)?;
        self.payload_digest()
    }

    /// Reads a statement under `keys`; any one of them suffices.
    ///
    /// # Errors
    /// Those of [`Envelope::read`], [`Envelope::verify`] and [`Self::from_verified`].
    pub fn read(path: &Path, keys: &[PublicKey]) -> Result<(Self, Verified)> {
        let verified = Envelope::read(path)?.verify(keys, &[PAYLOAD_TYPE])?;
        Ok((Self::from_verified(&verified, path)?, verified))
    }

    /// Parses verified bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] for another kind or version, or bytes that this record would not be written as.
    pub fn from_verified(verified: &Verified, path: &Path) -> Result<Self> {
        if verified.payload_type != PAYLOAD_TYPE {
            return Err(Error::malformed(R::KIND, path, format!("payload type `{}`", verified.payload_type)));
        }
        Self::parse(&verified.payload, path)
    }

    /// Parses **UNVERIFIED** bytes: integrity only, signer unknown. For showing, never for deciding.
    ///
    /// # Errors
    /// Those of [`Self::from_verified`].
    pub fn peek_unverified(envelope: &Envelope, path: &Path) -> Result<Self> {
        Self::parse(envelope.peek_unverified()?, path)
    }

    fn parse(payload: &[u8], path: &Path) -> Result<Self> {
        let malformed = |what: String| Error::malformed(R::KIND, path, what);
        let wire: Wire = canonical::from_slice(R::KIND, path, payload)?;
        if wire.kind != TYPE {
            return Err(malformed(format!("its type is `{}`, not `{TYPE}`", wire.kind)));
        }
        check_subjects(&wire.subject).map_err(|what| malformed(what.to_owned()))?;
        let version = version_of::<R>(&wire.predicate_type).ok_or_else(|| {
            malformed(format!("it is `{}`; supported are versions to `{}`", wire.predicate_type, R::predicate_type()))
        })?;
        let schema = format!("flexmix/{}/v{version}", R::KIND);
        if wire.predicate.get("schema").and_then(Value::as_str) != Some(&schema) {
            return Err(malformed(format!("its `schema` is not `{schema}`")));
        }
        let newest = version == R::VERSION;
        let value = if newest { Some(wire.predicate) } else { R::upgrade(version, &wire.predicate) };
        let value = value.ok_or_else(|| malformed(format!("version {version} can no longer be read")))?;
        let predicate = serde_json::from_value(value).map_err(|e| malformed(e.to_string()))?;
        let statement = Self { subjects: wire.subject, predicate };
        // What a record drops or completes while it is parsed would be signed and yet unseen.
        if newest && statement.payload()? != payload {
            return Err(malformed("it is not written as this version writes it".to_owned()));
        }
        Ok(statement)
    }
}

/// The version in a predicate type of this kind, from 1 to the newest.
fn version_of<R: Record>(predicate_type: &str) -> Option<u32> {
    let version: u32 =
        predicate_type.strip_prefix("urn:flexmix:")?.strip_prefix(R::KIND)?.strip_prefix(":v")?.parse().ok()?;
    let spelled = format!("urn:flexmix:{}:v{version}", R::KIND);
    ((1..=R::VERSION).contains(&version) && spelled == predicate_type).then_some(version)
}

fn check_subjects(subjects: &[Subject]) -> std::result::Result<(), &'static str> {
    let mut names: Vec<&str> = subjects.iter().map(|s| s.name.as_str()).collect();
    names.sort_unstable();
    if names.is_empty() {
        return Err("a statement is about at least one subject");
    }
    if names.windows(2).any(|pair| pair[0] == pair[1]) { Err("two subjects have one name") } else { Ok(()) }
}

/// In-toto's digest set with SHA-256 alone, as hex without a prefix.
mod digest_set {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::digest::Sha256;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct DigestSet {
        sha256: String,
    }

    pub(super) fn serialize<S: Serializer>(digest: &Sha256, serializer: S) -> Result<S::Ok, S::Error> {
        DigestSet { sha256: digest.hex() }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sha256, D::Error> {
        Sha256::from_hex(&DigestSet::deserialize(deserializer)?.sha256).map_err(serde::de::Error::custom)
    }
}
