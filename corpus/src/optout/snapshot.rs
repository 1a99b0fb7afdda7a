//! Snapshots: files in which somebody kept what a site said, with the address they came from, the answer's status and
//! the day. They are given as bytes; whether they speak of a document is for [`super::Sites`] to find.

use manifests::date::Date;
use manifests::digest::Sha256;
use serde::Deserialize;

/// Product tokens by which those who train models read the web, or are told not to (`Google-Extended` and
/// `Applebot-Extended` are never sent). A recipe may name others.
pub const AI_AGENTS: [&str; 22] = [
    "AI2Bot",
    "Amazonbot",
    "Applebot-Extended",
    "Bytespider",
    "CCBot",
    "ClaudeBot",
    "Diffbot",
    "FacebookBot",
    "GPTBot",
    "Google-CloudVertexBot",
    "Google-Extended",
    "ImagesiftBot",
    "Kangaroo",
    "Meta-ExternalAgent",
    "PanguBot",
    "PetalBot",
    "SBIntuitionsBot",
    "Timpibot",
    "anthropic-ai",
    "cohere-ai",
    "cohere-training-data-crawler",
    "omgili",
];

/// What a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// A site's robots.txt, which also holds AI preferences and links to RSL.
    #[serde(rename = "robots.txt")]
    Robots,
    /// A site's `/.well-known/tdmrep.json`.
    #[serde(rename = "tdmrep.json")]
    Tdmrep,
    /// A site's RSL document.
    #[serde(rename = "rsl.xml")]
    Rsl,
    /// The header of a response, which speaks for what lies at and beneath its address.
    #[serde(rename = "headers")]
    Headers,
    /// Terms of service; a person read them and says what they reserve.
    #[serde(rename = "terms")]
    Terms,
}

/// A snapshot, read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What it is.
    pub kind: Kind,
    /// Where it was read.
    pub url: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Whether terms reserve, by a person's reading; of [`Kind::Terms`] only.
    pub reserved: Option<bool>,
    /// The words that decide it; of [`Kind::Terms`] only.
    pub quote: String,
    /// The product tokens that robots.txt is asked for.
    pub agents: Vec<String>,
    /// The day of reading.
    pub read_at: Date,
    /// The file's path in the inputs folder, or the address when there was no file.
    pub locator: String,
    /// The file's bytes, or none.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Sha256,
}
