//! DSSE v1 envelopes: bytes, their type, and signatures over both. Verified before anything parses them, and what was
//! verified is what is used. Knows nothing of the payload.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::key::{KeyId, PrivateKey, PublicKey};
use crate::canonical;
use crate::error::{Error, Result};
use crate::store::{read_capped, write_atomic};

/// The most signatures that an envelope may carry.
pub const MAX_SIGNATURES: usize = 16;

const KIND: &str = "DSSE envelope";

/// The bytes that are signed for a payload (DSSE's pre-authentication encoding).
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// A payload with signatures that nobody has verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Entry>,
    path: PathBuf,
}

/// One signature and the key that it says it is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    keyid: String,
    sig: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// A payload under at least one key that the caller named. Only [`Envelope::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The verified bytes.
    pub payload: Vec<u8>,
    /// Their type, one of those that the caller accepts.
    pub payload_type: String,
    /// The distinct keys that signed.
    pub key_ids: BTreeSet<KeyId>,
}

impl Envelope {
    /// Signs a payload.
    #[must_use]
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &PrivateKey) -> Self {
        let (payload_type, path) = (payload_type.to_owned(), PathBuf::from("envelope"));
        let mut envelope = Self { payload_type, payload, signatures: Vec::new(), path };
        envelope.add_signature(key);
        envelope
    }

    /// Adds a key's signature, in place of an earlier one by the same key.
    pub fn add_signature(&mut self, key: &PrivateKey) {
        let keyid = key.public().id().to_string();
        self.signatures.retain(|s| s.keyid != keyid);
        let sig = key.sign(&pae(&self.payload_type, &self.payload));
        self.signatures.push(Entry { keyid, sig });
        self.signatures.sort();
    }

    /// Reads an envelope; verifies nothing.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Malformed`].
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_slice(path, &read_capped(path, canonical::MAX_BYTES as u64)?)
    }

    /// Parses an envelope; verifies nothing. `path` is named in errors, also in later ones.
    ///
    /// # Errors
    /// [`Error::Malformed`] for unknown members, bad base64, no signature or more than [`MAX_SIGNATURES`].
    pub fn from_slice(path: &Path, bytes: &[u8]) -> Result<Self> {
        let value = canonical::parse_strict(KIND, path, bytes)?;
        let wire: Wire = serde_json::from_value(value).map_err(|e| Error::malformed(KIND, path, e))?;
        Self::from_wire(path, wire)
    }

    fn from_wire(path: &Path, wire: Wire) -> Result<Self> {
        let malformed = |what: &str| Error::malformed(KIND, path, what);
        if wire.signatures.is_empty() || wire.signatures.len() > MAX_SIGNATURES {
            return Err(malformed("it must have 1 to 16 signatures"));
        }
        let payload = decode(&wire.payload).ok_or_else(|| malformed("`payload` is not base64"))?;
        let mut signatures = Vec::with_capacity(wire.signatures.len());
        for WireSignature { keyid, sig } in wire.signatures {
            let sig = decode(&sig).ok_or_else(|| malformed("`sig` is not base64"))?;
            signatures.push(Entry { keyid, sig });
        }
        Ok(Self { payload_type: wire.payload_type, payload, signatures, path: path.to_path_buf() })
    }

    /// The envelope as canonical JSON.
    ///
    /// # Errors
    /// [`Error::Contract`], never seen.
    pub fn to_vec(&self) -> Result<Vec<u8>> {
        canonical::to_vec(self)
    }

    fn wire(&self) -> Wire {
        let entry = |e: &Entry| WireSignature { keyid: e.keyid.clone(), sig: STANDARD.encode(&e.sig) };
        Wire {
            payload: STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self.signatures.iter().map(entry).collect(),
        }
    }

    /// Publishes the envelope at `path`, atomically.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        write_atomic(path, &self.to_vec()?)
    }

    /// The payload's type as claimed; nothing of it is verified.
    #[must_use]
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload, **UNVERIFIED**: integrity only at best, signer unknown. For showing and routing, never for deciding.
    ///
    /// # Errors
    /// None today: the envelope was decoded when it was read.
    pub fn peek_unverified(&self) -> Result<&[u8]> {
        Ok(&self.payload)
    }

    /// The keys that the signatures **CLAIM** to be of; hints that nobody verified.
    pub fn claimed_key_ids_unverified(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|s| s.keyid.as_str())
    }

    /// Verifies the envelope under `keys`. Signatures of other keys count for nothing; one that names a key of `keys`
    /// and fails, or a second one of the same key, refuses the envelope.
    ///
    /// # Errors
    /// [`Error::Verification`] when the payload's type is not among `accepted`, or no key of `keys` signed.
    pub fn verify(&self, keys: &[PublicKey], accepted: &[&str]) -> Result<Verified> {
        let refused = |what: String| Error::verification(&self.path, what);
        if !accepted.contains(&self.payload_type.as_str()) {
            return Err(refused(format!("the payload type `{}` is not accepted here", self.payload_type)));
        }
        let message = pae(&self.payload_type, &self.payload);
        let mut key_ids = BTreeSet::new();
        for entry in &self.signatures {
            match keys.iter().find(|key| key.verify(&message, &entry.sig)).map(PublicKey::id) {
                Some(id) if !key_ids.insert(id) => return Err(refused(format!("key `{id}` signed twice"))),
                None if keys.iter().any(|key| key.id().to_string() == entry.keyid) => {
                    return Err(refused(format!("the signature of key `{}` is not over these bytes", entry.keyid)));
                }
                Some(_) | None => {}
            }
        }
        if key_ids.is_empty() {
            let claimed: Vec<&str> = self.claimed_key_ids_unverified().collect();
            return Err(refused(format!("no key given signed it; it names `{}`", claimed.join("`, `"))));
        }
        Ok(Verified { payload: self.payload.clone(), payload_type: self.payload_type.clone(), key_ids })
    }
}

/// An envelope inside another record travels as itself.
impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.wire().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::from_wire(Path::new("envelope"), Wire::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Standard or URL-safe base64, padded or not, as DSSE asks of a verifier.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let url_safe = text.contains(['-', '_']);
    let alphabet = if url_safe { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()
}
