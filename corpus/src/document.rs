//! What reading hands over: documents, and rows for records that are none. Every record of an input becomes exactly
//! one of the two. This module knows nothing of formats, filters or storage.

use std::fmt;

use manifests::claim::{Claim, Speaker};
use manifests::digest::Sha256;
use manifests::id::{DocId, SourceId};

/// A document as read: text, its place in the source, and what was said about it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The source that it belongs to.
    pub source: SourceId,
    /// The path of its object, relative to the source's root.
    pub path: String,
    /// The record's ordinal in the object; malformed and blank records use up ordinals.
    pub record: u64,
    /// The document's ordinal in the record.
    pub ordinal: u64,
    /// The id that the record gives itself.
    pub declared_id: Option<String>,
    /// The text, valid UTF-8 and not blank.
    pub text: String,
    /// Bytes of the record, decompressed.
    pub bytes_in: u64,
    /// Bytes that extraction added: `bytes_in + bytes_added = text.len() + bytes_removed`.
    pub bytes_added: u64,
    /// Bytes that extraction removed.
    pub bytes_removed: u64,
    /// Claims that the recipe states for the source and that cover this document.
    pub claims: Vec<Claim>,
    /// What the record itself says, for the detection of claims.
    pub context: Context,
}

impl Document {
    /// The id that the document has in every ledger, shard and manifest.
    #[must_use]
    pub fn doc_id(&self) -> DocId {
        DocId::derive(&self.source, &self.path, self.record, self.ordinal)
    }

    /// Bytes of the text.
    #[must_use]
    pub const fn bytes_out(&self) -> u64 {
        self.text.len() as u64
    }
}

/// What a record says about itself beside its text; not interpreted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The digest of the record's raw bytes, for claims read out of it.
    pub record_digest: Sha256,
    /// The first [`Context::HEAD`] bytes of the raw record, cut at a character: headers, front matter, comments.
    pub head: String,
    /// The whole raw record of a page, whose marks may stand anywhere in it.
    pub page: Option<String>,
    /// The address that it was read from.
    pub url: Option<String>,
    /// The header of the response that it came in, one field a line.
    pub headers: Option<Declared>,
    /// The license field of the record, as found.
    pub license: Option<Declared>,
    /// The copyright statement of the record, as found.
    pub copyright: Option<Declared>,
    /// Fields that name who is to be credited, as found.
    pub attributions: Vec<Declared>,
}

impl Context {
    /// The most bytes of [`Context::head`].
    pub const HEAD: usize = 4096;
}

/// A field of a record that speaks about terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The words, as found.
    pub raw: String,
    /// Whose words the recipe says they are.
    pub speaker: Speaker,
    /// Where: `path#record/field`.
    pub locator: String,
}

/// A record that is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRecord {
    /// The source that it belongs to.
    pub source: SourceId,
    /// The path of its object, relative to the source's root.
    pub path: String,
    /// The record's ordinal in the object.
    pub record: u64,
    /// Where the record starts in the object, in decompressed bytes.
    pub offset: u64,
    /// Why it is none.
    pub reason: FailReason,
    /// Bytes of the record that were read.
    pub bytes_in: u64,
    /// What exactly is wrong, with column or field where known.
    pub detail: String,
}

impl FailedRecord {
    /// The id of the failed record's row in the ledger.
    #[must_use]
    pub fn doc_id(&self) -> DocId {
        DocId::derive(&self.source, &self.path, self.record, 0)
    }
}

/// Why a record is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailReason {
    /// Nothing but whitespace.
    Empty,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// A record that does not parse as JSON.
    MalformedJson,
    /// A field that the recipe names is absent or not a string.
    MissingField,
    /// A record longer than the cap, or an object that decompresses beyond its bound.
    RecordTooLarge,
    /// A stream that ends or breaks before its end.
    TruncatedStream,
    /// A record that the format's reader cannot take.
    UnsupportedFormat,
}

impl FailReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Empty,
        Self::InvalidUtf8,
        Self::MalformedJson,
        Self::MissingField,
        Self::RecordTooLarge,
        Self::TruncatedStream,
        Self::UnsupportedFormat,
    ];

    /// The reason's name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::MalformedJson => "malformed-json",
            Self::MissingField => "missing-field",
            Self::RecordTooLarge => "record-too-large",
            Self::TruncatedStream => "truncated-stream",
            Self::UnsupportedFormat => "unsupported-format",
        }
    }
}

impl fmt::Display for FailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one record came to.
#[expect(clippy::large_enum_variant, reason = "one outcome is held at a time")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A document.
    Document(Document),
    /// A row for the ledger.
    Failed(FailedRecord),
}
