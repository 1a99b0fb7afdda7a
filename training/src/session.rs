//! A session: a model under a policy. Index and stamps are verified and judged first; only then are the admitted
//! folders opened. What the policy excludes is never opened, and need not even be there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use manifests::digest::Sha256;
use manifests::exposure::Exposure;
use manifests::exposure::Kind;
use manifests::gate::{Decision, Finding, Gate, GateOptions, read_record};
use manifests::reason::Reason;
use manifests::stamp::{Member, ModelIndex};
use manifests::trust::Role;
use serde::Serialize;

use crate::config::AnchorConfig;
use crate::error::{Error, Result};
use crate::folder::Stamped;
use crate::merge::INDEX;
use crate::model::{Expert, Mixture, Network};

/// A loaded session.
#[derive(Debug)]
pub struct Session {
    /// The anchor.
    pub network: Network,
    /// The anchor's configuration.
    pub config: AnchorConfig,
    /// The admitted experts, in the order of their digests.
    pub experts: Vec<Expert>,
    /// Who takes part, and why the others do not.
    pub report: Report,
    /// The tokenizer's bytes, as the anchor ships it.
    pub tokenizer: Vec<u8>,
}

/// Who answers under a policy, and why the others do not.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Always `flexmix/session/v1`.
    pub schema: &'static str,
    /// The model's name.
    pub model: String,
    /// The policy's name.
    pub policy: String,
    /// The policy's version.
    pub policy_version: u64,
    /// The date of every verdict.
    pub as_of: String,
    /// The digest of the admitted set: what caches are keyed by.
    pub admitted_set: Sha256,
    /// The anchor, without which nothing runs.
    pub anchor: Admitted,
    /// The admitted experts, in the order of their digests.
    pub admitted: Vec<Admitted>,
    /// The excluded experts.
    pub excluded: Vec<Excluded>,
}

/// Weights that take part.
#[derive(Debug, Clone, Serialize)]
pub struct Admitted {
    /// The expert's id, or `anchor`.
    pub id: String,
    /// The identity of the weights.
    pub files_root: Sha256,
}

/// An expert that takes no part.
#[derive(Debug, Clone, Serialize)]
pub struct Excluded {
    /// The expert's id.
    pub id: String,
    /// The identity of the weights.
    pub files_root: Sha256,
    /// Why, one for each reason and rule.
    pub causes: Vec<Cause>,
}

/// One reason against an expert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cause {
    /// The reason's number, `FM-P-014`.
    pub code: String,
    /// The reason's name.
    pub reason: String,
    /// What it hit.
    pub detail: String,
    /// The policy's key and line, where a rule says so.
    pub rule: Option<String>,
    /// The set concerned.
    pub set: Option<String>,
    /// Tokens concerned.
    pub tokens: Option<u64>,
    /// Documents concerned.
    pub documents: Option<u64>,
    /// Where a claim behind it was read.
    pub evidence: Option<String>,
}

impl Cause {
    fn of(finding: &Finding) -> Self {
        let denial = &finding.denial;
        Self {
            code: denial.reason.code().to_owned(),
            reason: denial.reason.name().to_owned(),
            detail: denial.detail.clone(),
            rule: denial.rule.as_ref().map(|r| format!("line {}, {} \"{}\"", r.line, r.key, r.value)),
            set: finding.set.clone(),
            tokens: finding.tokens,
            documents: finding.documents,
            evidence: finding.evidence.clone(),
        }
    }

    /// A stamp that is missing, wrong or signed by nobody who may: not admitted, and no reason to stop.
    fn unverified(error: &Error) -> Self {
        let reason = match error {
            Error::Manifests(manifests::Error::Io { .. }) => Reason::StampMissing,
            Error::Unverified { .. } => Reason::DigestMismatch,
            _ => Reason::SignatureInvalid,
        };
        Self {
            code: reason.code().to_owned(),
            reason: reason.name().to_owned(),
            detail: error.to_string(),
            rule: None,
            set: None,
            tokens: None,
            documents: None,
            evidence: None,
        }
    }
}

/// What makes causes the same: by a rule or not, code, detail, rule, set.
type Same = (bool, String, String, Option<String>, Option<String>);

/// Adds up causes that say the same of different cells of one set. A text that was consumed in several ways counts once,
/// by the first of them.
fn causes(decision: &Decision) -> Vec<Cause> {
    // In the order of findings: first what a line of the policy forbids.
    let mut sums: BTreeMap<Same, (Option<Kind>, Cause)> = BTreeMap::new();
    for finding in &decision.findings {
        let cause = Cause::of(finding);
        let key =
            (cause.rule.is_none(), cause.code.clone(), cause.detail.clone(), cause.rule.clone(), cause.set.clone());
        match sums.get_mut(&key) {
            Some((kind, _)) if *kind < finding.kind => {}
            Some((kind, sum)) if *kind == finding.kind => {
                let add = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a.saturating_add(b));
                sum.tokens = add(sum.tokens, cause.tokens);
                sum.documents = add(sum.documents, cause.documents);
            }
            _ => {
                sums.insert(key, (finding.kind, cause));
            }
        }
    }
    sums.into_values().map(|(_, cause)| cause).collect()
}

/// The verdicts on a model, before any weight is opened.
#[derive(Debug)]
pub struct Verdicts {
    anchor: Stamped,
    experts: Vec<Stamped>,
    /// The report.
    pub report: Report,
}

/// Verifies a model's index and stamps and judges them. Opens no weights.
///
/// # Errors
/// When gate or index do not hold, or the anchor is denied: then nothing runs.
pub fn judge(model: &Path, options: &GateOptions) -> Result<Verdicts> {
    let gate = Gate::open(options)?;
    let path = model.join(INDEX);
    let peeked = manifests::sign::Envelope::read(&path)?;
    let name = manifests::sign::Statement::<ModelIndex>::peek_unverified(&peeked, &path)?.predicate.name;
    let (index, _): (ModelIndex, _) = read_record(&gate.trust, &path, Role::Merger, &name, gate.as_of)?;
    index.check()?;
    let anchor = open_member(model, &index.anchor, &gate)?;
    let decision = gate.weights(anchor.files_root(), anchor.stamp.assurance, &anchor.stamp.exposures);
    if !decision.is_admitted() {
        return Err(Error::Denied(denied("anchor", &anchor.files_root(), &gate, &causes(&decision))));
    }
    let (mut admitted, mut excluded) = (Vec::new(), Vec::new());
    for member in &index.experts {
        let id = member.id.to_string();
        let judged = open_member(model, member, &gate).and_then(|stamped| {
            stamped.check_anchor(&anchor)?;
            let decision = gate.weights(stamped.files_root(), stamped.stamp.assurance, &stamped.stamp.exposures);
            Ok((stamped, causes(&decision)))
        });
        match judged {
            Ok((stamped, causes)) if causes.is_empty() => admitted.push(stamped),
            Ok((_, causes)) => excluded.push(Excluded { id, files_root: member.files_root, causes }),
            Err(error) => {
                let causes = vec![Cause::unverified(&error)];
                excluded.push(Excluded { id, files_root: member.files_root, causes });
            }
        }
    }
    mix(&gate, &anchor, &mut admitted, &mut excluded)?;
    let all = || std::iter::once(&anchor).chain(&admitted);
    let mut hasher = manifests::digest::Hasher::new();
    all().for_each(|stamped| hasher.field(stamped.files_root().as_bytes()));
    let part = |s: &Stamped| Admitted { id: s.stamp.id.to_string(), files_root: s.files_root() };
    let report = Report {
        schema: "flexmix/session/v1",
        model: index.name.clone(),
        policy: gate.policy.id.clone(),
        policy_version: gate.policy.version,
        as_of: gate.as_of.to_string(),
        admitted_set: hasher.finish(),
        anchor: part(&anchor),
        admitted: admitted.iter().map(part).collect(),
        excluded,
    };
    Ok(Verdicts { anchor, experts: admitted, report })
}

fn open_member(model: &Path, member: &Member, gate: &Gate) -> Result<Stamped> {
    let relative: manifests::store::RelPath = member.folder.parse()?;
    let folder: PathBuf = relative.beneath(model);
    let stamped = Stamped::open(&folder, member.id.as_str(), &gate.trust, gate.as_of)?;
    if (stamped.digest, stamped.files_root()) != (member.stamp, member.files_root) {
        return Err(Error::unverified(&folder, "its stamp is not the one that the index names"));
    }
    Ok(stamped)
}

/// Applies the policy's mixing rules: experts of a side that it does not prefer take no part; where it prefers none, or
/// the anchor itself is of the other side, nothing runs.
fn mix(gate: &Gate, anchor: &Stamped, admitted: &mut Vec<Stamped>, excluded: &mut Vec<Excluded>) -> Result<()> {
    let exposures: Vec<&[Exposure]> = admitted.iter().map(|s| s.stamp.exposures.as_slice()).collect();
    let mixing = gate.mixing(&anchor.stamp.exposures, &exposures);
    if let Some(denial) = mixing.refused {
        let (code, name) = (denial.reason.code(), denial.reason.name());
        return Err(Error::Denied(format!(
            "policy `{}` refuses this mixture: {} [{code} {name}]",
            gate.policy.id, denial.detail
        )));
    }
    // From the back, so that places stay what they are.
    for (place, denial) in mixing.excluded.into_iter().rev() {
        let out = admitted.remove(place);
        let finding = Finding { denial, tokens: None, documents: None, set: None, kind: None, evidence: None };
        let (id, files_root) = (out.stamp.id.to_string(), out.files_root());
        excluded.push(Excluded { id, files_root, causes: vec![Cause::of(&finding)] });
    }
    Ok(())
}

fn denied(what: &str, root: &Sha256, gate: &Gate, causes: &[Cause]) -> String {
    let policy = &gate.policy;
    let code = Reason::AnchorDenied;
    let mut text = format!(
        "DENIED {what} {root} [{} {code}]  policy {} v{}, as of {}",
        code.code(),
        policy.id,
        policy.version,
        gate.as_of
    );
    for cause in causes {
        text.push_str(&format!("\n {}", describe(cause)));
    }
    text
}

/// A cause in one line, for people.
#[must_use]
pub fn describe(cause: &Cause) -> String {
    let mut text = format!("{} [{}]", cause.detail, cause.code.clone() + " " + &cause.reason);
    if let Some(rule) = &cause.rule {
        text = format!("{rule}: {text}");
    }
    if let (Some(tokens), Some(documents)) = (cause.tokens, cause.documents) {
        text.push_str(&format!(", {tokens} tokens of {documents} documents"));
    }
    if let Some(evidence) = &cause.evidence {
        text.push_str(&format!(", evidence: {evidence}"));
    }
    text
}

impl Session {
    /// Judges a model and opens what is admitted.
    ///
    /// # Errors
    /// As [`judge`], and when an admitted file is not what its stamp names.
    pub fn open(model: &Path, options: &GateOptions) -> Result<Self> {
        let Verdicts { anchor, experts, report } = judge(model, options)?;
        let (config, weights) = anchor.anchor()?;
        let size = config.size();
        let tokenizer = anchor.read("tokenizer.json")?;
        let mut opened = Vec::new();
        for stamped in &experts {
            opened.push(stamped.expert(&anchor, &size)?.1);
        }
        Ok(Self { network: Network::new(weights), config, experts: opened, report, tokenizer })
    }

    /// Runs `work` with the session's mixture.
    pub fn with_mixture<T>(&self, work: impl FnOnce(Mixture<'_>) -> T) -> T {
        let experts: Vec<&Expert> = self.experts.iter().collect();
        work(Mixture { experts: &experts, top_k: self.config.top_k() })
    }
}
