//! The answer to "may we use it": a policy asked of every set of a corpus, or of the anchor and experts of a model,
//! with the facts beside it. Verdicts come from the gate, numbers from the query layer; nothing here decides anew.

mod details;
mod evidence;
mod fixes;
mod html;
pub(crate) mod judge;
mod standing;
mod tables;
mod text;
mod verdicts;

use manifests::date::Date;
use manifests::gate::Gate;
use manifests::policy::RuleRef;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::inspect::{InspectReport, holdings};
use crate::policy::Waiting;
use crate::query::{Folder, Kind, ModelFolder};

pub use crate::words::{short, thousands};
pub(crate) use details::facts as facts_sections;
pub use html::{KIND, page};
pub use standing::{ExceptionRow, HeadRow, Places, SignatureRow, Standing, WithdrawalRow};

/// What a policy says of a folder as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// All of it may be used.
    Yes,
    /// Some of it may be used, and the report says which.
    InPart,
    /// None of it may be used.
    No,
}

/// The question: the policy's own act, purpose and places, on a day.
#[derive(Clone, Debug, Serialize)]
pub struct Question {
    /// The policy's id.
    pub policy: String,
    /// Its version.
    pub version: u64,
    /// Who answers for it.
    pub owner: String,
    /// The digest of its exact bytes.
    pub digest: String,
    /// Its file.
    pub file: String,
    /// The act.
    pub act: String,
    /// The purpose.
    pub purpose: String,
    /// The places.
    pub places: Vec<String>,
    /// The day.
    pub as_of: Date,
    /// Made for a demonstration.
    pub demo: bool,
}

/// The verdict on one set, anchor or expert.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// `set`, `anchor` or `expert`.
    pub kind: &'static str,
    /// Its name.
    pub id: String,
    /// Its digest: of the manifest, or the root over the weights' files.
    pub digest: String,
    /// Whether all of it may be used.
    pub admitted: bool,
    /// Who signed its record.
    pub signers: Vec<String>,
    /// How far its stamp was checked.
    pub assurance: Option<String>,
    /// Tokens by verdict, over the exposure that a verdict tests.
    pub totals: Totals,
    /// Of these its own text. For an expert the rest is the anchor's and public text that it was trained beside; sets
    /// and anchors have nothing else.
    pub own: Totals,
    /// Why not.
    pub findings: Vec<FindingRow>,
    /// What an exception lifted.
    pub lifted: Vec<FindingRow>,
    /// The denial in words, when it is denied.
    pub denial: Option<String>,
}

/// Tokens and documents by verdict. Each cell counts once, however many rules deny it and however many kinds of
/// exposure name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// All tokens that are counted.
    pub tokens: u64,
    /// Tokens in permitted cells.
    pub permitted: u64,
    /// Tokens in denied cells.
    pub denied: u64,
    /// Tokens in denied cells whose terms nobody knows.
    pub unknown: u64,
    /// All documents that are counted.
    pub documents: u64,
    /// Documents in denied cells.
    pub denied_documents: u64,
    /// A bound on tokens of closed sets, which are in none of the above.
    pub at_most: u64,
}

/// One reason against one artifact, by one rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindingRow {
    /// The stable number, `FM-P-014`.
    pub code: String,
    /// The stable name.
    pub reason: String,
    /// The line of the policy; absent where the law of flexmix itself says so.
    pub line: Option<u64>,
    /// The rule's key.
    pub key: Option<String>,
    /// The rule's value.
    pub value: Option<String>,
    /// Documents that it concerns.
    pub documents: Option<u64>,
    /// Tokens that it concerns; findings overlap, so these do not add up.
    pub tokens: Option<u64>,
    /// Of these documents of the artifact's own.
    pub own_documents: Option<u64>,
    /// Of these tokens of the artifact's own.
    pub own_tokens: Option<u64>,
    /// The words that hit, when there is one.
    pub detail: String,
    /// The place of a claim that it rests on.
    pub evidence: Option<String>,
}

/// Tokens by tier and verdict.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TierVerdict {
    /// The artifact.
    pub artifact: String,
    /// The tier.
    pub tier: String,
    /// Whether it is permitted.
    pub permitted: bool,
    /// Documents.
    pub documents: Option<u64>,
    /// Tokens.
    pub tokens: Option<u64>,
}

/// Tokens by reason over all artifacts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReasonRow {
    /// The stable number.
    pub code: String,
    /// The stable name.
    pub reason: String,
    /// The line of the policy.
    pub line: Option<u64>,
    /// The rule's key.
    pub key: Option<String>,
    /// The rule's value.
    pub value: Option<String>,
    /// Artifacts that it concerns.
    pub artifacts: u64,
    /// Documents that it concerns.
    pub documents: Option<u64>,
    /// Tokens that it concerns.
    pub tokens: Option<u64>,
}

/// One of the reasons that keep most text out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Blocker {
    /// The stable number.
    pub code: String,
    /// The stable name.
    pub reason: String,
    /// The line of the policy.
    pub line: Option<u64>,
    /// The rule's key.
    pub key: Option<String>,
    /// The rule's value.
    pub value: Option<String>,
    /// The words that hit.
    pub detail: String,
    /// The artifacts that it keeps out.
    pub artifacts: Vec<String>,
    /// The terms of what it denies.
    pub licenses: Vec<Option<String>>,
    /// Tokens that it denies, of the artifacts' own; a reason against a whole artifact denies all of these.
    pub tokens: Option<u64>,
    /// A bound on a closed set's tokens, where no count is said.
    pub at_most: Option<u64>,
    /// The way out.
    #[serde(default)]
    pub fix: String,
}

/// Text on whose terms two who may conclude disagree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contradiction {
    /// The set.
    pub set: String,
    /// The source, where the corpus says it.
    pub source: Option<String>,
    /// The artifact, for a model.
    pub artifact: Option<String>,
    /// What became of it: `kept`, `held-out`, `dropped`, or `consumed` by a model.
    pub decision: String,
    /// Documents.
    pub documents: Option<u64>,
    /// Both sides of the first one.
    pub detail: Option<String>,
    /// Where the first one lies.
    pub path: Option<String>,
}

/// What the terms of permitted text ask for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DutyRow {
    /// The property.
    pub property: String,
    /// The duty's key in the policy.
    #[serde(default)]
    pub duty: String,
    /// How the policy delivers it.
    #[serde(default)]
    pub deliver: Option<String>,
    /// Artifacts that it concerns.
    pub artifacts: u64,
    /// Documents that it concerns.
    pub documents: Option<u64>,
    /// Tokens that it concerns.
    pub tokens: Option<u64>,
}

/// The verdict part of an audit.
#[derive(Clone, Debug, Serialize)]
pub struct Verdicts {
    /// What was asked.
    pub question: Question,
    /// The answer.
    pub answer: Answer,
    /// The answer in a sentence.
    pub because: String,
    /// Tokens by verdict over everything here: of sets all, of an anchor all, of experts their own.
    pub tokens: Totals,
    /// The reasons that deny most tokens, at most five.
    pub blockers: Vec<Blocker>,
    /// What the answer stands on.
    pub standing: Standing,
    /// Text whose terms are contradicted.
    pub contradictions: Vec<Contradiction>,
    /// What the terms of permitted text ask for.
    pub duties: Vec<DutyRow>,
    /// Each set, or the anchor and each expert.
    pub artifacts: Vec<Judged>,
    /// Tokens by reason.
    pub reasons: Vec<ReasonRow>,
    /// Tokens by tier.
    pub tiers: Vec<TierVerdict>,
    /// Two properties that may not act together, when the admitted ones have them.
    pub mixing: Option<String>,
    /// Rules that nothing matched.
    pub unmatched: Vec<RuleRef>,
    /// Documents that the policy queues for its owner (`[state] … = "review"`); denied meanwhile.
    pub queued: Vec<Waiting>,
}

/// What `flexmix audit` reports.
#[derive(Clone, Debug, Serialize)]
pub struct AuditReport {
    /// Always `flexmix/audit-report/v2`.
    pub schema: &'static str,
    /// The corpus's or model's name.
    pub subject: String,
    /// What it is.
    pub kind: Kind,
    /// How far signatures were checked.
    pub trust: String,
    /// What a policy says; absent without one.
    pub verdicts: Option<Verdicts>,
    /// The facts.
    pub facts: InspectReport,
    /// What this report does not say.
    pub does_not_say: &'static str,
}

/// What an outward tree is, for people.
pub const OUTWARD_TREE: &str = "an outward tree: what the owners of closed sets handed out, and nothing else; their \
text, tokens and ledger are not here";

/// The other half of the first screen (semantics.md §3).
pub const DOES_NOT_SAY: &str = "It does not say that the signed records are true, that no copy of a denied text sits \
in a permitted set, that weights are or are not derivative works, or that an answer is clean. Exclusion concerns \
weights, not text that a user puts in the prompt.";

/// What is asked of a folder.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The gate, open.
    pub gate: &'a Gate,
    /// Where its files lie.
    pub places: Places<'a>,
    /// For a model: the corpus beside it, whose claims have the words behind its cells.
    pub beside: Option<&'a Folder>,
}

/// Audits a folder. Without a question it lists facts and decides nothing.
///
/// # Errors
/// [`Error::Record`] when a record that a verdict would rest on is not signed as it must be.
pub fn audit(folder: &Folder, ask: Option<Ask<'_>>, trust: String) -> Result<AuditReport> {
    let verdicts = match ask {
        None => None,
        Some(ask) => {
            if let Some((path, why)) = folder.broken() {
                return Err(Error::Record(manifests::Error::verification(path, why)));
            }
            folder.models.iter().try_for_each(ModelFolder::check)?;
            Some(verdicts::verdicts(folder, ask)?)
        }
    };
    Ok(AuditReport {
        schema: "flexmix/audit-report/v2",
        subject: folder.name(),
        kind: folder.kind,
        trust: trust.clone(),
        verdicts,
        facts: holdings(folder, trust)?,
        does_not_say: DOES_NOT_SAY,
    })
}

impl AuditReport {
    /// What it is of, in words.
    fn named(&self) -> String {
        let kind = match self.kind {
            Kind::Corpus => "corpus",
            Kind::Model => "model",
            Kind::Outward => "outward tree of",
        };
        format!("{kind} {}", crate::words::plain(&self.subject))
    }

    /// The report for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::report(self)
    }
}
