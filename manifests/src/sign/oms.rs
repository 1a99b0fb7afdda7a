//! Model signing bundles (`model.sig`), so that the public `model_signing verify key` checks a folder too. Its
//! root leaves names out and has no freshness: it is never an identity here, the Merkle root over the files is.
//!
//! Covered is every file of the folder but the signature itself, `stamp.dsse.json` included: sign a folder last.
//! Links, dot files, names outside our path grammar, duplicates and other ignored paths are refused.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::dsse::{decode, pae};
use super::key::{KeyId, PrivateKey, PublicKey};
use super::statement::{PAYLOAD_TYPE, Subject};
use crate::canonical;
use crate::digest::{Hasher, Sha256};
use crate::error::{Error, Result};
use crate::merkle::FileLeaf;
use crate::store::{RelPath, check_distinct, open_beneath, read_beneath, write_atomic};

/// The signature's name inside the folder.
pub const SIGNATURE_FILE: &str = "model.sig";

const KIND: &str = "model signature";
const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";
/// What the tool always ignores: none of them can be in a folder of ours, so that ignoring them hides nothing.
const TOOL_IGNORES: [&str; 4] = [".github", ".git", ".gitignore", ".gitattributes"];
const CAP: u64 = canonical::MAX_BYTES as u64;

/// A folder whose files are exactly those that a key signed. Only signing and verifying make one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedFolder {
    /// The files but the signature, sorted by path, as they were read.
    pub files: Vec<FileLeaf>,
    /// The digest of the signed payload.
    pub payload_digest: Sha256,
    /// Who signed.
    pub key_id: KeyId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bundle {
    #[serde(rename = "mediaType")]
    media_type: String,
    #[serde(rename = "verificationMaterial")]
    material: Material,
    #[serde(rename = "dsseEnvelope")]
    envelope: WireEnvelope,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Material {
    #[serde(rename = "publicKey")]
    public_key: Hint,
    /// Transparency log entries: we neither write nor read any.
    #[serde(rename = "tlogEntries", default)]
    log: [(); 0],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEnvelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    /// Exactly one: the tool ignores further ones, so that they would be unsigned freight.
    signatures: [WireSignature; 1],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    #[serde(rename = "_type")]
    kind: String,
    subject: [Subject; 1],
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    resources: Vec<Resource>,
    serialization: Serialization,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    name: RelPath,
    algorithm: String,
    digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Serialization {
    method: String,
    hash_type: String,
    allow_symlinks: bool,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

/// Signs every file of `folder` and writes `model.sig` into it.
///
/// # Errors
/// [`Error::Io`]; [`Error::Invalid`] for a file name outside the grammar; [`Error::Verification`] for what is neither
/// file nor folder; [`Error::Contract`] for an empty folder.
pub fn sign_folder(folder: &Path, key: &PrivateKey) -> Result<SignedFolder> {
    let mut files = list(folder)?;
    if files.is_empty() {
        return Err(Error::Contract(format!("`{}` has no file to sign", folder.display())));
    }
    // The tool's order, by path components; a verifier takes any.
    files.sort_by(|a, b| a.path.parts().cmp(b.path.parts()));
    let name = fs::canonicalize(folder).map_err(|e| Error::io(folder, e))?;
    let name = name.file_name().map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned());
    let payload = canonical::to_vec(&payload_of(name, &files))?;
    let public = key.public();
    let bundle = Bundle {
        media_type: BUNDLE_TYPE.to_owned(),
        material: Material { public_key: Hint { hint: hint_of(&public)? }, log: [] },
        envelope: WireEnvelope {
            payload: STANDARD.encode(&payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: [WireSignature {
                keyid: String::new(),
                sig: STANDARD.encode(key.sign(&pae(PAYLOAD_TYPE, &payload))),
            }],
        },
    };
    write_atomic(&folder.join(SIGNATURE_FILE), &canonical::to_vec(&bundle)?)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(SignedFolder { files, payload_digest: Sha256::of(&payload), key_id: public.id() })
}

/// Verifies `folder` under `keys` (P-256): its files are exactly those signed. Takes bundles of ours and of the tool.
///
/// # Errors
/// [`Error::Verification`] naming the file at fault; [`Error::Malformed`] for a bundle of another form; [`Error::Io`].
pub fn verify_folder(folder: &Path, keys: &[PublicKey]) -> Result<SignedFolder> {
    let path = folder.join(SIGNATURE_FILE);
    let malformed = |what: &str| Error::malformed(KIND, &path, what);
    let bytes = read_beneath(folder, &SIGNATURE_FILE.parse()?, CAP)?;
    let bundle: Bundle = serde_json::from_value(canonical::parse_strict(KIND, &path, &bytes)?)
        .map_err(|e| Error::malformed(KIND, &path, e))?;
    if bundle.media_type != BUNDLE_TYPE || bundle.envelope.payload_type != PAYLOAD_TYPE {
        return Err(malformed("its media type or payload type is not that of model signing v1.0"));
    }
    let payload = decode(&bundle.envelope.payload).ok_or_else(|| malformed("`payload` is not base64"))?;
    let [WireSignature { sig, .. }] = &bundle.envelope.signatures;
    let sig = decode(sig).ok_or_else(|| malformed("`sig` is not base64"))?;
    let message = pae(PAYLOAD_TYPE, &payload);
    // The tool does not normalise `s`; signature bytes identify nothing here.
    let key = keys.iter().find(|key| key.verify_any_s(&message, &sig));
    let key = key.ok_or_else(|| Error::verification(&path, "no key given signed it, or it was changed"))?;
    let hint = &bundle.material.public_key.hint;
    if !hint.is_empty() && *hint != hint_of(key)? {
        return Err(Error::verification(&path, "its key hint is not that of the key that signed it"));
    }
    let payload_digest = Sha256::of(&payload);
    let payload = serde_json::from_value(canonical::parse_strict(KIND, &path, &payload)?)
        .map_err(|e| Error::malformed(KIND, &path, e))?;
    let signed = check_payload(&path, payload)?;
    let files = compare(folder, &signed)?;
    Ok(SignedFolder { files, payload_digest, key_id: key.id() })
}

fn payload_of(name: String, files: &[FileLeaf]) -> Payload {
    let resource = |file: &FileLeaf| Resource {
        name: file.path.clone(),
        algorithm: "sha256".to_owned(),
        digest: file.digest.hex(),
    };
    Payload {
        kind: STATEMENT_TYPE.to_owned(),
        subject: [Subject { name, digest: root_of(files.iter().map(|f| f.digest)) }],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {
            resources: files.iter().map(resource).collect(),
            serialization: Serialization {
                method: "files".to_owned(),
                hash_type: "sha256".to_owned(),
                allow_symlinks: false,
                ignore_paths: vec![SIGNATURE_FILE.to_owned()],
            },
        },
    }
}

/// The format's root: SHA-256 over the raw digests in the order listed.
fn root_of(digests: impl Iterator<Item = Sha256>) -> Sha256 {
    let mut hasher = Hasher::new();
    digests.for_each(|digest| hasher.update(digest.as_bytes()));
    hasher.finish()
}

/// The format's key hint: SHA-256 over the PEM text.
fn hint_of(key: &PublicKey) -> Result<String> {
    Ok(Sha256::of(key.to_pem()?.as_bytes()).hex())
}

/// What a verified payload says of each file, sorted by path.
fn check_payload(path: &Path, payload: Payload) -> Result<Vec<(RelPath, Sha256)>> {
    let refused = |what: &str| Err(Error::verification(path, what));
    if payload.kind != STATEMENT_TYPE || payload.predicate_type != PREDICATE_TYPE {
        return refused("it is not a model signing v1.0 statement");
    }
    let Serialization { method, hash_type, allow_symlinks, ignore_paths } = payload.predicate.serialization;
    if method != "files" || hash_type != "sha256" || allow_symlinks {
        return refused("only whole files, SHA-256 and no links are accepted");
    }
    if ignore_paths.iter().any(|p| p != SIGNATURE_FILE && !TOOL_IGNORES.contains(&p.as_str())) {
        return refused("it ignores paths other than the signature itself");
    }
    let mut files = Vec::with_capacity(payload.predicate.resources.len());
    for resource in payload.predicate.resources {
        if resource.algorithm != "sha256" {
            return refused("a file's digest is not SHA-256");
        }
        files.push((resource.name, Sha256::from_hex(&resource.digest)?));
    }
    let [subject] = &payload.subject;
    if root_of(files.iter().map(|(_, digest)| *digest)) != subject.digest {
        return refused("its root is not that of its files");
    }
    check_distinct(files.iter().map(|(name, _)| name)).map_err(|e| Error::verification(path, e.to_string()))?;
    files.sort();
    Ok(files)
}

/// Reads the folder and compares it with what was signed.
fn compare(folder: &Path, signed: &[(RelPath, Sha256)]) -> Result<Vec<FileLeaf>> {
    let files = list(folder)?;
    for file in &files {
        let place = file.path.beneath(folder);
        match signed.binary_search_by(|(name, _)| name.cmp(&file.path)) {
            Err(_) => return Err(Error::verification(place, "it is not among the signed files")),
            Ok(at) if signed[at].1 != file.digest => {
                return Err(Error::verification(
                    place,
                    format!("its digest is {}, signed is {}", file.digest, signed[at].1),
                ));
            }
            Ok(_) => {}
        }
    }
    match signed.iter().find(|(name, _)| files.binary_search_by(|f| f.path.cmp(name)).is_err()) {
        Some((name, _)) => Err(Error::verification(name.beneath(folder), "it was signed and is not there")),
        None => Ok(files),
    }
}

/// Every file of a folder but the signature, with length and digest, sorted by path.
fn list(folder: &Path) -> Result<Vec<FileLeaf>> {
    let mut names = Vec::new();
    walk(folder, None, &mut names)?;
    names.sort();
    check_distinct(&names)?;
    let mut files = Vec::with_capacity(names.len());
    for path in names {
        if path.as_str() == SIGNATURE_FILE {
            continue;
        }
        let (length, digest) = Sha256::of_reader(open_beneath(folder, &path)?, &path.beneath(folder))?;
        files.push(FileLeaf { path, length, digest });
    }
    Ok(files)
}

fn walk(folder: &Path, inside: Option<&RelPath>, names: &mut Vec<RelPath>) -> Result<()> {
    let here = inside.map_or_else(|| folder.to_path_buf(), |path| path.beneath(folder));
    for entry in fs::read_dir(&here).map_err(|e| Error::io(&here, e))? {
        let entry = entry.map_err(|e| Error::io(&here, e))?;
        let name: RelPath = entry.file_name().to_string_lossy().parse()?;
        let path = match inside {
            Some(folder) => format!("{folder}/{name}").parse()?,
            None => name,
        };
        // The entry's own kind: a link is not followed.
        let kind = entry.file_type().map_err(|e| Error::io(entry.path(), e))?;
        if kind.is_dir() {
            walk(folder, Some(&path), names)?;
        } else if kind.is_file() {
            names.push(path);
        } else {
            return Err(Error::verification(entry.path(), "a signed folder holds plain files only"));
        }
    }
    Ok(())
}
