//! The closed lists of a policy's language that are words and no types: one place for the parser, for those who sign
//! grants, and for the test that holds docs/policy.md to them.

use crate::reason::Reason;
use crate::suggest::question;

/// The legal values of `schema`.
pub const SCHEMAS: &[&str] = &["flexmix/policy/v1"];
/// The legal value of `default`, `state.unreviewed-terms` and `optout.unchecked`.
pub const DENY: &[&str] = &["deny"];
/// What may become of a state that is not `concluded`.
pub const STATES: &[&str] = &["deny", "review"];
/// Purposes with a meaning of their own. Others begin with [`OWN_PURPOSE`].
pub const PURPOSES: &[&str] = &["commercial", "non-commercial", "research", "education", "internal", "evaluation"];
/// How a purpose that two parties agreed on begins.
pub const OWN_PURPOSE: &str = "x-";
/// Kinds of basis.
pub const BASES: &[&str] = &["license", "contract", "public-domain", "tdm-art4", "tdm-art3", "other-exception", "own"];
/// Duties.
pub const DUTIES: &[&str] = &["attribution", "share-alike", "source-disclosure"];
/// Ways to deliver a duty.
pub const WAYS: &[&str] = &["notice-file", "notice-url", "answer-flag", "source-url"];
/// What a delivered duty covers.
pub const COVERS: &[&str] = &["every-document"];
/// What becomes of a withdrawal that a closed set's owner has not decided.
pub const UNDECIDED: &[&str] = &["exclude"];
/// Where a mixing rule holds.
pub const SCOPES: &[&str] = &["session"];
/// Keys of rules that a denial can name, and an exception lift.
pub const RULES: &[&str] = &[
    "state.none-found",
    "state.contradicted",
    "state.unparseable",
    "state.pending",
    "state.unreviewed-terms",
    "deny.properties",
    "deny.any_branch",
    "deny.sources",
    "deny.rightsholders",
    "duties.attribution",
    "duties.share-alike",
    "duties.source-disclosure",
    "optout.honour",
    "optout.ends",
];

/// What an exception may name: the key of a rule, or the name of a reason that may be lifted at all.
pub fn liftable() -> impl Iterator<Item = &'static str> {
    let reasons = Reason::ALL.iter().filter(|r| r.code().starts_with("FM-P-") && r.may_be_lifted());
    RULES.iter().copied().chain(reasons.map(|r| r.name()))
}

/// Checks a purpose: a word of the list, or one of the parties' own that says so.
///
/// # Errors
/// A sentence that says what a purpose is, and which one may be meant.
pub fn check_purpose(text: &str) -> Result<(), String> {
    let own = |rest: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !rest.is_empty() && rest.chars().all(plain)
    };
    if PURPOSES.contains(&text) || text.strip_prefix(OWN_PURPOSE).is_some_and(own) {
        return Ok(());
    }
    let meant = question(text, PURPOSES.iter().copied());
    Err(format!(
        "`{text}` is no purpose: it is one of {}, or a word of your own such as \"x-customer-support\"{meant}",
        PURPOSES.join(", ")
    ))
}
