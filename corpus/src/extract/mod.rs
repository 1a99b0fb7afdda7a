//! Bytes of one record → text, and what the record says about itself. Pure: a record in, text or a reason out.
//! What a format removes or adds is the difference of lengths, which the ledger keeps.

mod brown;
mod email;
mod entities;
mod fields;
mod markup;
pub(crate) mod tags;
mod xml;

use manifests::claim::Speaker;

use crate::document::{Declared, FailReason};
use crate::source::Cut;

/// Why a record has no text, with the detail for people.
pub type Failure = (FailReason, String);

/// How the text is got out of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// The object is the text: plain text, reStructuredText, source code, or Markdown as it stands.
    Plain,
    /// The object is Markdown; HTML comments and layout tags in it are dropped.
    Markdown,
    /// The object is a page.
    Html,
    /// The object is tagged text of the Brown corpus, `word/tag`.
    Brown,
    /// The object is a mail; its headers are dropped.
    Email,
    /// Medline XML: each article with an abstract is a document.
    Pubmed,
    /// The object is one journal article in JATS XML, which carries its own license.
    Jats,
    /// The object is a JSON list of strings, one a line.
    Sentences,
    /// The object is a JSON tree; each string in it is a line, after its name.
    Outline,
    /// The object is TOML; the named fields are the text.
    Toml {
        /// Paths of fields, `a.b`.
        fields: Vec<String>,
    },
    /// The object is JSON; the named fields are the text.
    Json {
        /// Paths of fields, `a.b`.
        fields: Vec<String>,
        /// What else is read.
        record: RecordFields,
    },
    /// Each line is JSON; the named fields are the text.
    Jsonl {
        /// Paths of fields, `a.b`.
        fields: Vec<String>,
        /// What else is read.
        record: RecordFields,
    },
    /// Plain texts with a separator between them.
    Delimited {
        /// The separator.
        separator: String,
    },
}

/// The text of a record, not blank, and what the record says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// The text.
    pub text: String,
    /// The id that the record gives itself.
    pub declared_id: Option<String>,
    /// The field about its license.
    pub license: Option<Field>,
    /// The field about its copyright.
    pub copyright: Option<Field>,
    /// Fields that name who is to be credited.
    pub attributions: Vec<Field>,
    /// The address that it was read from.
    pub url: Option<String>,
    /// The header of the response that it came in, one field a line.
    pub headers: Option<Field>,
}

/// The fields of a JSON record that say something of it, by their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFields {
    /// The declared id.
    pub id: Option<String>,
    /// Terms, and who speaks in this field, the copyright and the attribution.
    pub license: Option<(String, Speaker)>,
    /// Who is to be credited.
    pub attributions: Vec<String>,
    /// The address that it was read from.
    pub url: Option<String>,
    /// The header of the response.
    pub headers: Option<String>,
}

impl RecordFields {
    /// Every path.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &String> {
        let license = self.license.iter().map(|(name, _)| name);
        self.id.iter().chain(license).chain(&self.attributions).chain(&self.url).chain(&self.headers)
    }
}

/// A field of a record, as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field's name.
    pub name: String,
    /// The words.
    pub raw: String,
    /// Who speaks.
    pub speaker: Speaker,
}

impl Field {
    pub(crate) fn at(self, locate: impl Fn(&str) -> String) -> Declared {
        Declared { locator: locate(&self.name), raw: self.raw, speaker: self.speaker }
    }
}

impl Format {
    /// The names that a recipe may give.
    pub const NAMES: [&'static str; 13] = [
        "plain",
        "markdown",
        "html",
        "brown",
        "email",
        "pubmed",
        "jats",
        "sentences",
        "outline",
        "toml",
        "json",
        "jsonl",
        "delimited",
    ];

    /// Where records of this format end.
    #[must_use]
    pub fn cut(&self) -> Cut {
        match self {
            Self::Jsonl { .. } => Cut::After(b"\n".to_vec()),
            Self::Pubmed => Cut::After(b"</PubmedArticle>".to_vec()),
            Self::Delimited { separator } => Cut::After(separator.clone().into_bytes()),
            _ => Cut::Whole,
        }
    }

    /// Whether the bytes are what follows the last record and no record themselves.
    #[must_use]
    pub fn is_trailer(&self, record: &[u8]) -> bool {
        let has = |needle: &[u8]| record.windows(needle.len()).any(|w| w == needle);
        *self == Self::Pubmed
            && !record.is_empty()
            && !record.ends_with(b"</PubmedArticle>")
            && has(b"</PubmedArticleSet>")
    }

    /// The fields of a structured record that it reads beside the text.
    #[must_use]
    pub const fn record_fields(&self) -> Option<&RecordFields> {
        match self {
            Self::Json { record, .. } | Self::Jsonl { record, .. } => Some(record),
            _ => None,
        }
    }

    /// The text of one record.
    ///
    /// # Errors
    /// The reason why it has none; the text of a document is valid UTF-8 and not blank.
    pub fn extract(&self, record: &[u8]) -> Result<Extracted, Failure> {
        if record.iter().all(u8::is_ascii_whitespace) {
            return Err((FailReason::Empty, "the record has no text".to_owned()));
        }
        let extracted = match self {
            Self::Plain => plain(utf8(record)?.to_owned()),
            Self::Delimited { separator } => {
                let text = utf8(record)?;
                plain(text.strip_suffix(separator.as_str()).unwrap_or(text).to_owned())
            }
            Self::Markdown => plain(markup::markdown(utf8(record)?)),
            Self::Html => plain(markup::page(utf8(record)?)),
            Self::Brown => plain(brown::untag(utf8(record)?)),
            Self::Email => plain(email::body(record)?),
            Self::Pubmed => xml::pubmed(utf8(record)?)?,
            Self::Jats => xml::jats(utf8(record)?)?,
            Self::Sentences => plain(fields::sentences(record)?),
            Self::Outline => plain(fields::outline(record)?),
            Self::Toml { fields } => plain(fields::toml(utf8(record)?, fields)?),
            Self::Json { fields, record: named } | Self::Jsonl { fields, record: named } => {
                fields::json(record, fields, named)?
            }
        };
        if extracted.text.trim().is_empty() {
            return Err((FailReason::Empty, "the record has no text".to_owned()));
        }
        Ok(extracted)
    }
}

/// A text that says nothing about itself; a byte order mark is no text.
fn plain(text: String) -> Extracted {
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Extracted { text, ..Extracted::default() }
}

fn utf8(record: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(record)
        .map_err(|e| (FailReason::InvalidUtf8, format!("the bytes after offset {} are not UTF-8", e.valid_up_to())))
}
