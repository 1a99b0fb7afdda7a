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
    MixedOut "FM-D-010" "mixed-out" "the recipe's mix has tokens enough of its kind without it";
    // F: filters
    LengthTooFewBytes "FM-F-001" "length-too-few-bytes" "fewer bytes than the filter asks";
    LengthTooManyBytes "FM-F-002" "length-too-many-bytes" "more bytes than the filter allows";
    LengthTooFewWords "FM-F-003" "length-too-few-words" "fewer words than the filter asks";
    LengthTooManyWords "FM-F-004" "length-too-many-words" "more words than the filter allows";
    GopherTooFewWords "FM-F-005" "gopher-too-few-words" "fewer words than the Gopher rule asks";
    GopherTooManyWords "FM-F-006" "gopher-too-many-words" "more words than the Gopher rule allows";
    GopherShortWords "FM-F-007" "gopher-short-words" "the median word is shorter than the Gopher rule asks";
    GopherLongWords "FM-F-008" "gopher-long-words" "the median word is longer than the Gopher rule allows";
    GopherSymbols "FM-F-009" "gopher-symbols" "too many symbols for the number of words";
    GopherWordsWithoutLetters "FM-F-010" "gopher-words-without-letters" "too few words have a letter";
    GopherRequiredWords "FM-F-011" "gopher-required-words" "fewer of the required common words than the Gopher rule asks";
    GopherBulletLines "FM-F-012" "gopher-bullet-lines" "too many lines start with a bullet";
    GopherEllipsisLines "FM-F-013" "gopher-ellipsis-lines" "too many lines end with an ellipsis";
    GopherDuplicateLines "FM-F-014" "gopher-duplicate-lines" "too many lines are repeated";
    GopherDuplicateLineCharacters "FM-F-015" "gopher-duplicate-line-characters" "too many characters are in repeated lines";
    GopherTop2gram "FM-F-016" "gopher-top-2gram" "the most frequent 2-gram makes up too much of the text";
    GopherTop3gram "FM-F-017" "gopher-top-3gram" "the most frequent 3-gram makes up too much of the text";
    GopherTop4gram "FM-F-018" "gopher-top-4gram" "the most frequent 4-gram makes up too much of the text";
    GopherDuplicate5grams "FM-F-019" "gopher-duplicate-5grams" "repeated 5-grams make up too much of the text";
    GopherDuplicate6grams "FM-F-020" "gopher-duplicate-6grams" "repeated 6-grams make up too much of the text";
    GopherDuplicate7grams "FM-F-021" "gopher-duplicate-7grams" "repeated 7-grams make up too much of the text";
    GopherDuplicate8grams "FM-F-022" "gopher-duplicate-8grams" "repeated 8-grams make up too much of the text";
    GopherDuplicate9grams "FM-F-023" "gopher-duplicate-9grams" "repeated 9-grams make up too much of the text";
    GopherDuplicate10grams "FM-F-024" "gopher-duplicate-10grams" "repeated 10-grams make up too much of the text";
    GopherShortDoc "FM-F-025" "gopher-short-doc" "the text has too few words that are not punctuation";
    GopherLongDoc "FM-F-026" "gopher-long-doc" "the text has too many words that are not punctuation";
    GopherBelowAvgThreshold "FM-F-027" "gopher-below-avg-threshold" "the mean word length is too small";
    GopherAboveAvgThreshold "FM-F-028" "gopher-above-avg-threshold" "the mean word length is too large";
    GopherTooManyHashes "FM-F-029" "gopher-too-many-hashes" "hash signs are too frequent";
    GopherTooManyEllipsis "FM-F-030" "gopher-too-many-ellipsis" "ellipses are too frequent";
    GopherTooManyBullets "FM-F-031" "gopher-too-many-bullets" "too many lines begin with a bullet";
    GopherTooManyEndEllipsis "FM-F-032" "gopher-too-many-end-ellipsis" "too many lines end with an ellipsis";
    GopherBelowAlphaThreshold "FM-F-033" "gopher-below-alpha-threshold" "too few words have a letter";
    GopherEnoughStopWords "FM-F-034" "gopher-enough-stop-words" "too few different stop words stand in the text";
    GopherDupParaFrac "FM-F-035" "gopher-dup-para-frac" "too many paragraphs stood before";
    GopherDupParaCharFrac "FM-F-036" "gopher-dup-para-char-frac" "paragraphs that stood before make up too much of the text";
    GopherDupLineFrac "FM-F-037" "gopher-dup-line-frac" "too many lines stood before";
    GopherDupLineCharFrac "FM-F-038" "gopher-dup-line-char-frac" "lines that stood before make up too much of the text";
    GopherTop2Gram "FM-F-039" "gopher-top-2-gram" "the most frequent 2-gram makes up too much of the text";
    GopherTop3Gram "FM-F-040" "gopher-top-3-gram" "the most frequent 3-gram makes up too much of the text";
    GopherTop4Gram "FM-F-041" "gopher-top-4-gram" "the most frequent 4-gram makes up too much of the text";
    GopherDuplicated5NGrams "FM-F-042" "gopher-duplicated-5-n-grams" "5-grams that stood before make up too much of the text";
    GopherDuplicated6NGrams "FM-F-043" "gopher-duplicated-6-n-grams" "6-grams that stood before make up too much of the text";
    GopherDuplicated7NGrams "FM-F-044" "gopher-duplicated-7-n-grams" "7-grams that stood before make up too much of the text";
    GopherDuplicated8NGrams "FM-F-045" "gopher-duplicated-8-n-grams" "8-grams that stood before make up too much of the text";
    GopherDuplicated9NGrams "FM-F-046" "gopher-duplicated-9-n-grams" "9-grams that stood before make up too much of the text";
    GopherDuplicated10NGrams "FM-F-047" "gopher-duplicated-10-n-grams" "10-grams that stood before make up too much of the text";
    RuleNotMet "FM-F-080" "rule-not-met" "a rule of the recipe does not hold of the document's facts";
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
    TrustRolledBack "FM-T-009" "trust-rolled-back" "the trust file is older than one that was seen here, or does not follow from it";
    HeadRolledBack "FM-T-010" "head-rolled-back" "the head is older than one that was seen here, or another one of its number";
    KeyCompromised "FM-T-011" "key-compromised" "the signing key was compromised, and this is not among what stands";
    ManifestSuperseded "FM-T-012" "manifest-superseded" "a newer manifest of the set was released";
    ProofInvalid "FM-T-013" "proof-invalid" "the proof does not lead to a root that its manifest names, or answers another question";
}

impl Reason {
    /// Whether an exception may lift it. Never a withdrawal (semantics.md §3), the ceiling (§1: whatever a later policy
    /// says), a grant that is not there, or a policy that is not in force or for another act.
    #[must_use]
    pub const fn may_be_lifted(self) -> bool {
        !matches!(
            self,
            Self::SourceWithdrawn
                | Self::WorkWithdrawn
                | Self::RightsholderWithdrawn
                | Self::LicenseWithdrawn
                | Self::UndecidedWithdrawal
                | Self::CeilingExceeded
                | Self::GrantMissing
                | Self::PolicyNotInForce
                | Self::ActNotCovered
        )
    }
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
