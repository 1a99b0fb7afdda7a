//! Records as they are cut out of an object, before anybody looks into them: what the one who decompresses hands to
//! those who parse.

use std::sync::Arc;

use crate::document::FailReason;

/// A record that is cut and not parsed.
#[derive(Debug)]
pub struct RawRecord {
    /// The path of its object, relative to the source's root.
    pub(super) path: Arc<str>,
    /// Its ordinal in the object.
    pub(super) record: u64,
    /// Where it starts in the object, in decompressed bytes.
    pub(super) offset: u64,
    /// What is there.
    pub(super) body: Body,
}

/// The bytes of a record, or why there are none.
#[derive(Debug)]
pub(super) enum Body {
    /// As they stand in the object.
    Bytes(Vec<u8>),
    /// A record that could not be cut.
    Failed {
        /// Why.
        reason: FailReason,
        /// Bytes that were read of it.
        bytes_in: u64,
        /// What exactly is wrong.
        detail: String,
    },
}

impl RawRecord {
    /// Bytes of memory that it holds, roughly.
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.body {
            Body::Bytes(bytes) => bytes.len(),
            Body::Failed { detail, .. } => detail.len(),
        }
    }
}
