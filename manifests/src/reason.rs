//! The catalogue of reason codes: why a document was dropped, a cell denied, an expert excluded or a signature
//! refused. A code is never renamed or reused. docs/reason-codes.md lists them and a test keeps it equal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

macro_rules! reasons {
    ($($variant:ident $code:literal $name:literal $meaning:literal;)*) => {
        /// Why something was dropped, denied, excluded or refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $meaning] $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable number, `FM-P-014`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The stable name, `license-denied`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One line on what it means.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

reasons! {
    // R: a record could not become a document
    TruncatedStream "FM-R-001" "truncated-stream" "the compressed stream ends before its end";
    InvalidUtf8 "FM-R-002" "invalid-utf8" "the bytes are not UTF-8 text";
    MalformedJson "FM-R-003" "malformed-json" "the line is not a JSON object";
    MissingField "FM-R-004" "missing-field" "the record lacks the field that holds the text";
    Empty "FM-R-005" "empty" "the file or record holds no text";
    RecordTooLarge "FM-R-006" "record-too-large" "the record exceeds the size limit";
    UnsupportedFormat "FM-R-007" "unsupported-format" "the object's format is not the one that the recipe names";
    MalformedMarkup "FM-R-008" "malformed-markup" "the XML, HTML or YAML around the text cannot be read";
    Panicked "FM-R-009" "processing-failed" "a stage failed on this document; the message is in the log";
    // D: duplicates and splits
    ExactDuplicate "FM-D-001" "exact-duplicate" "the same normalised text stands elsewhere; `duplicate_of` says where";
    // F: filters
    LengthBelow "FM-F-001" "length-below" "the text is shorter than the filter's minimum";
    LengthAbove "FM-F-002" "length-above" "the text is longer than the filter's maximum";
    GopherWordCount "FM-F-010" "gopher-word-count" "the number of words is outside the Gopher range";
    GopherWordLength "FM-F-011" "gopher-word-length" "the median or mean word length is outside the Gopher range";
    GopherSymbolRatio "FM-F-012" "gopher-symbol-ratio" "too many symbols for the number of words";
    GopherAlphaRatio "FM-F-013" "gopher-alpha-ratio" "too few words have an alphabetic character";
    GopherStopWords "FM-F-014" "gopher-stop-words" "fewer required stop words than the Gopher rule asks";
    GopherBullets "FM-F-015" "gopher-bullets" "too many lines start with a bullet";
    GopherEllipsis "FM-F-016" "gopher-ellipsis" "too many lines end with an ellipsis";
    GopherDuplicateLines "FM-F-017" "gopher-duplicate-lines" "too much of the text is in repeated lines or paragraphs";
    GopherTopNgram "FM-F-018" "gopher-top-ngram" "one n-gram makes up too much of the text";
    GopherDuplicateNgram "FM-F-019" "gopher-duplicate-ngram" "repeated n-grams make up too much of the text";
    // P: policy
    PolicyNotInForce "FM-P-001" "policy-not-in-force" "the date is outside the policy's validity";
    ActNotCovered "FM-P-002" "act-not-covered" "the policy is for another act";
    NoneFound "FM-P-003" "none-found" "nobody who may conclude said anything on the terms";
    Contradicted "FM-P-004" "contradicted" "two who may conclude disagree on the terms";
    Unparseable "FM-P-005" "unparseable" "the terms are stated in words that are no license expression";
    Pending "FM-P-006" "pending" "a human decision on the terms is awaited";
    ExposureUnknown "FM-P-007" "exposure-unknown" "what was consumed is not known";
    BasisNotAllowed "FM-P-008" "basis-not-allowed" "the policy does not list the basis that the conclusion rests on";
    BasisNotInPlace "FM-P-009" "basis-not-in-place" "the basis does not hold in every place of use";
    ElectionMissing "FM-P-010" "election-missing" "the terms leave a choice and no signed election made it";
    UnreviewedTerms "FM-P-011" "unreviewed-terms" "nobody reviewed what the license id permits";
    LicenseNotAllowed "FM-P-012" "license-not-allowed" "the license is in none of the policy's families or ids";
    CeilingExceeded "FM-P-013" "ceiling-exceeded" "what was taken for research is never commercial";
    LicenseDenied "FM-P-014" "license-denied" "the license has a property that the policy denies";
    BranchDenied "FM-P-015" "branch-denied" "a license that the policy denies stands in some branch of the terms";
    SourceDenied "FM-P-016" "source-denied" "every source of the text is denied";
    RightsholderDenied "FM-P-017" "rightsholder-denied" "a rightsholder of the text is denied";
    DutyUndeliverable "FM-P-018" "duty-undeliverable" "the license asks for something that the policy does not deliver";
    OptedOut "FM-P-019" "opted-out" "a reservation ends the basis";
    OptOutUnchecked "FM-P-020" "opt-out-unchecked" "a signal that the policy honours was not looked at";
    MixingForbidden "FM-P-021" "mixing-forbidden" "two properties may not act together";
    SourceWithdrawn "FM-P-022" "source-withdrawn" "every source of the text is withdrawn";
    WorkWithdrawn "FM-P-023" "work-withdrawn" "the work is withdrawn";
    RightsholderWithdrawn "FM-P-024" "rightsholder-withdrawn" "a rightsholder withdrew";
    LicenseWithdrawn "FM-P-025" "license-withdrawn" "the license claim is withdrawn";
    UndecidedWithdrawal "FM-P-026" "undecided-withdrawal" "a withdrawal may touch a closed set and its owner has not said";
    GrantMissing "FM-P-027" "grant-missing" "no grant in force covers the act, purpose, places and date";
    AssuranceTooLow "FM-P-028" "assurance-too-low" "the stamp's assurance is below what the policy asks";
    AnchorDenied "FM-P-029" "anchor-denied" "the anchor is denied, so nothing runs";
    ExcludedByRequest "FM-P-030" "excluded-by-request" "the request's narrower policy excludes it";
    // T: trust
    TrustMissing "FM-T-001" "trust-missing" "there is no valid trust file";
    SignatureInvalid "FM-T-002" "signature-invalid" "no signature verifies under a trusted key";
    RoleMissing "FM-T-003" "role-missing" "the signers do not hold the role, scope and dates that are needed";
    HeadMissing "FM-T-004" "head-missing" "there is no signed head over the records";
    HeadExpired "FM-T-005" "head-expired" "the head is expired or older than the policy allows";
    RecordsChanged "FM-T-006" "records-changed" "the records are not those that the head names";
    DigestMismatch "FM-T-007" "digest-mismatch" "the bytes are not those that the record names";
    StampMissing "FM-T-008" "stamp-missing" "there is no stamp for the weights";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Reason {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|r| r.name() == text);
        found.copied().ok_or_else(|| Error::invalid("reason", text, "a name of docs/reason-codes.md"))
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_parse_back() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        let names: BTreeSet<_> = Reason::ALL.iter().map(|r| r.name()).collect();
        assert_eq!((codes.len(), names.len()), (Reason::ALL.len(), Reason::ALL.len()));
        assert!(Reason::ALL.iter().all(|r| r.name().parse::<Reason>().unwrap() == *r));
    }
}
