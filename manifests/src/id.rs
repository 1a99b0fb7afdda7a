//! Newtypes for every identifier. Each parses or refuses, prints what it parses, and travels through serde by its
//! parser, so that no record can hold an identifier of the wrong form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Hasher, hex, unhex};
use crate::error::{Error, Result};

/// ASCII letters, digits, `.`, `_` and `-`, not starting with `.` or `-`, at most 128: safe as a folder's name.
fn is_slug(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=128).contains(&text.len()) && text.chars().all(inner) && !text.starts_with(['.', '-'])
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The identifier's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                if is_slug(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Error::invalid($kind, text, "1 to 128 ASCII letters, digits, `.`, `_`, `-`"))
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

slug!(
    /// Where documents come from: one owner, one set of terms signals.
    SourceId,
    "source id"
);
slug!(
    /// One of the FlexMix sets, or the user's own.
    SetName,
    "set name"
);
slug!(
    /// An expert of a model.
    ExpertId,
    "expert id"
);

/// A document: the first 16 bytes of SHA-256 over the source and the place in it (docs/formats.md).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocId([u8; 16]);

impl DocId {
    /// The id of document `ordinal` in record `record` of the object at `path` (source-root-relative) in `source`.
    #[must_use]
    pub fn derive(source: &SourceId, path: &str, record: u64, ordinal: u64) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(b"flexmix/doc/1");
        hasher.field(source.as_str().as_bytes());
        hasher.field(path.as_bytes());
        hasher.field(&record.to_le_bytes());
        hasher.field(&ordinal.to_le_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finish().as_bytes()[..16]);
        Self(id)
    }

    /// Wraps 16 raw bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for DocId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for DocId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DocId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes = unhex(text).and_then(|b| <[u8; 16]>::try_from(b).ok());
        bytes.map(Self).ok_or_else(|| Error::invalid("document id", text, "32 lower-case hex digits"))
    }
}

impl Serialize for DocId {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DocId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
