//! What stands beside exported files: where they come from, which terms they carry and their digests. The formats of
//! other tools have no place for it.

use manifests::digest::Sha256;
use manifests::id::SetName;
use manifests::manifest::Access;
use serde::Serialize;

/// The file's name in an export.
pub const EXPORT_FILE: &str = "export.json";

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedFile {
    /// Its path beneath the export.
    pub path: String,
    /// Its bytes' number.
    pub length: u64,
    /// Its bytes' digest.
    pub digest: Sha256,
}

/// Documents and tokens of a set under one license label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LicenseTotal {
    /// The terms, as shards have them.
    pub license: String,
    /// Distinct documents.
    pub documents: u64,
    /// Rows written: documents × copies.
    pub rows: u64,
    /// Tokens × copies, without ends of documents.
    pub tokens: u64,
}

/// A set of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedSet {
    /// The set.
    pub set: SetName,
    /// Who may read it.
    pub access: Access,
    /// The digest of its manifest.
    pub manifest: Sha256,
    /// What it holds, by terms.
    pub licenses: Vec<LicenseTotal>,
}

/// What the policy left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The set.
    pub set: SetName,
    /// The terms.
    pub license: String,
    /// Documents.
    pub documents: u64,
    /// Tokens × copies.
    pub tokens: u64,
    /// Reason names.
    pub reasons: Vec<String>,
}

/// An export, for programs; written beside the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// Always `flexmix/export/v1`.
    pub schema: &'static str,
    /// Made with throw-away keys.
    pub demo: bool,
    /// The corpus.
    pub corpus: String,
    /// For which tool.
    pub target: &'static str,
    /// The policy that permitted it, and its exact bytes' digest.
    pub policy: (String, Sha256),
    /// The day that it was decided for.
    pub as_of: String,
    /// Held-out documents, and no training ones.
    pub held_out: bool,
    /// The seed that the documents of each shard were mixed by.
    pub shuffle: Option<u64>,
    /// The tokenizer's name and digest.
    pub tokenizer: (String, Sha256),
    /// The id that ends each document.
    pub eos: u32,
    /// Bytes of a token id; absent for documents.
    pub token_bytes: Option<u8>,
    /// The sets.
    pub sets: Vec<ExportedSet>,
    /// What the policy left out.
    pub left_out: Vec<LeftOut>,
    /// The file with what is owed to whom.
    pub notice: &'static str,
    /// The files, by path.
    pub files: Vec<ExportedFile>,
}
