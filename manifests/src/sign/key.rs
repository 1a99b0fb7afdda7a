//! Keys: ECDSA P-256 to sign (RFC 6979, so that one payload under one key has one signature), P-256 or Ed25519 to
//! verify, PKCS#8 and SPKI in PEM. Knows nothing of what a key may sign.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::store::{read_capped, write_new};

const CAP: u64 = 64 << 10;

/// A key's identity: SHA-256 of its `SubjectPublicKeyInfo` in DER.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Sha256);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.parse().map(Self)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Sha256::deserialize(deserializer).map(Self)
    }
}

/// A key that signs. Its secret is wiped when it is dropped and never printed.
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// [`Error::Contract`] when the system gives none.
    pub fn generate() -> Result<Self> {
        loop {
            let mut secret = [0u8; 32];
            getrandom::fill(&mut secret)
                .map_err(|e| Error::Contract(format!("the system gives no randomness: {e}")))?;
            // All but 2^-32 of the values are keys; zero and those above the group's order are not.
            if let Ok(key) = SigningKey::from_slice(&secret) {
                return Ok(Self(key));
            }
        }
    }

    /// Parses PKCS#8 PEM (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    /// [`Error::Contract`]; the text is not repeated in it.
    pub fn from_pem(pem: &str) -> Result<Self> {
        SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|e| {
            Error::Contract(format!(
                "not an unencrypted ECDSA P-256 private key as PKCS#8 PEM (`BEGIN PRIVATE KEY`): {e}"
            ))
        })
    }

    /// Reads a `.key` file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Malformed`].
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_pem(&read_text("private key", path)?).map_err(|e| Error::malformed("private key", path, e))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(Kind::P256(*self.0.verifying_key()))
    }

    /// The signature over `message`: ECDSA with SHA-256, deterministic nonce, low `s`, DER.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.normalize_s().to_der().as_bytes().to_vec()
    }

    /// Writes `PREFIX.key` (readable by its owner only) and `PREFIX.pub`, and returns both paths.
    ///
    /// # Errors
    /// [`Error::Io`], of kind `AlreadyExists` when one of them is there: a key is never overwritten.
    pub fn write_pair(&self, prefix: &Path) -> Result<(PathBuf, PathBuf)> {
        let with = |extension: &str| {
            let mut name = prefix.as_os_str().to_owned();
            name.push(extension);
            PathBuf::from(name)
        };
        let (private, public) = (with(".key"), with(".pub"));
        if std::fs::symlink_metadata(&public).is_ok() {
            return Err(Error::io(&public, std::io::ErrorKind::AlreadyExists.into()));
        }
        let pem =
            self.0.to_pkcs8_pem(LineEnding::LF).map_err(|e| Error::Contract(format!("cannot encode a key: {e}")))?;
        write_new(&private, pem.as_bytes(), 0o600)?;
        write_new(&public, self.public().to_pem()?.as_bytes(), 0o644)?;
        Ok((private, public))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicKey(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    P256(VerifyingKey),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl PublicKey {
    /// Parses SPKI PEM (`BEGIN PUBLIC KEY`) of a P-256 or Ed25519 key.
    ///
    /// # Errors
    /// [`Error::Contract`].
    pub fn from_pem(pem: &str) -> Result<Self> {
        if let Ok(key) = VerifyingKey::from_public_key_pem(pem) {
            return Ok(Self(Kind::P256(key)));
        }
        let key = ed25519_dalek::VerifyingKey::from_public_key_pem(pem);
        key.map(|k| Self(Kind::Ed25519(Box::new(k)))).map_err(|e| {
            Error::Contract(format!("not an ECDSA P-256 or Ed25519 public key as SPKI PEM (`BEGIN PUBLIC KEY`): {e}"))
        })
    }

    /// Reads a `.pub` file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Malformed`].
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_pem(&read_text("public key", path)?).map_err(|e| Error::malformed("public key", path, e))
    }

    /// The key as SPKI PEM, as OpenSSL writes it.
    ///
    /// # Errors
    /// [`Error::Contract`], never seen.
    pub fn to_pem(&self) -> Result<String> {
        let pem = match &self.0 {
            Kind::P256(key) => key.to_public_key_pem(LineEnding::LF),
            Kind::Ed25519(key) => key.to_public_key_pem(LineEnding::LF),
        };
        pem.map_err(|e| Error::Contract(format!("cannot encode a key: {e}")))
    }

    /// The key's identity.
    #[must_use]
    pub fn id(&self) -> KeyId {
        // DER of a key that was parsed can be written; were it not so, the empty digest would match no key.
        let der = match &self.0 {
            Kind::P256(key) => key.to_public_key_der(),
            Kind::Ed25519(key) => key.to_public_key_der(),
        };
        KeyId(Sha256::of(der.as_ref().map_or(&[][..], |d| d.as_bytes())))
    }

    /// Whether `signature` is this key's over `message`, in the one form that we write: P-256 as strict DER with low
    /// `s`, Ed25519 as 64 bytes with its strict equation.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::P256(_) => self.verify_any_s(message, signature) && is_low_s(signature),
            Kind::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }

    /// As [`Self::verify`], but with any `s`: other tools write both, and P-256 keys only.
    pub(super) fn verify_any_s(&self, message: &[u8], signature: &[u8]) -> bool {
        let Kind::P256(key) = &self.0 else { return false };
        Signature::from_der(signature)
            .is_ok_and(|parsed| parsed.to_der().as_bytes() == signature && key.verify(message, &parsed).is_ok())
    }
}

fn is_low_s(signature: &[u8]) -> bool {
    Signature::from_der(signature).is_ok_and(|parsed| parsed == parsed.normalize_s())
}

fn read_text(kind: &'static str, path: &Path) -> Result<String> {
    String::from_utf8(read_capped(path, CAP)?).map_err(|_| Error::malformed(kind, path, "it is not text"))
}
