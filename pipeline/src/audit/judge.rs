//! Puts each set, or the anchor and each expert, before the gate, and keeps the verdict of every cell. The rules are
//! the gate's; here is only who is asked, and what the answers add up to.

use std::collections::BTreeSet;

use manifests::digest::Sha256;
use manifests::exposure::{Cell, CellCount, Exposure, Kind as ExposureKind};
use manifests::gate::{Finding, Gate};
use manifests::id::SetName;
use manifests::policy::{Assurance, Denial, RuleRef};
use manifests::reason::Reason;
use manifests::stamp::{self, Member};
use manifests::tier::tier;

use super::{Answer, Judged, Question};
use crate::query::{Folder, Kind, ModelFolder, Signed};

/// Something that is asked about.
pub(crate) struct Subject {
    pub kind: &'static str,
    pub id: String,
    pub digest: Sha256,
    pub exposures: Vec<Exposure>,
    pub assurance: Option<Assurance>,
    pub signers: Vec<String>,
    /// The index names it and there is no stamp: nothing is known of it.
    pub is_unstamped: bool,
}

/// The verdict on one cell of a subject.
pub(crate) struct CellVerdict<'a> {
    pub exposure: &'a Exposure,
    pub count: &'a CellCount,
    pub tier: String,
    pub tested: bool,
    /// Text of the subject's own: not of the anchor that an expert was trained beside.
    pub own: bool,
    pub denials: Vec<Denial>,
    pub lifted: Vec<Denial>,
}

/// Everything that the gate said of a subject.
pub(crate) struct Judgement<'a> {
    pub subject: &'a Subject,
    pub cells: Vec<CellVerdict<'a>>,
    /// Findings about the whole: grant, assurance, withdrawals of works.
    pub whole: Vec<Finding>,
    pub admitted: bool,
    pub matched: BTreeSet<RuleRef>,
}

/// Who is asked: the sets of a corpus; the anchor and experts of a model.
pub(crate) fn subjects(folder: &Folder) -> Vec<Subject> {
    match folder.kind {
        Kind::Corpus => sets(folder),
        Kind::Outward => {
            let weights: Vec<Subject> = folder.outward.iter().flat_map(|o| o.stamps.iter().map(weights)).collect();
            let mut sets = sets(folder);
            // Numbers are asked for by name, so an expert and a set of one name must not share one.
            for set in &mut sets {
                if weights.iter().any(|w| w.id == set.id) {
                    set.id.push_str(" (set)");
                }
            }
            sets.into_iter().chain(weights).collect()
        }
        Kind::Model => folder.models.iter().flat_map(of_model).collect(),
    }
}

/// The anchor and experts of a model, those without a stamp at the end.
pub(crate) fn of_model(model: &ModelFolder) -> Vec<Subject> {
    let unstamped = |m: &Member| Subject {
        kind: if m.id.as_str() == "anchor" { "anchor" } else { "expert" },
        id: m.id.to_string(),
        digest: m.files_root,
        exposures: vec![],
        assurance: None,
        signers: vec![],
        is_unstamped: true,
    };
    model.stamps.iter().map(weights).chain(model.unstamped.iter().map(unstamped)).collect()
}

fn sets(folder: &Folder) -> Vec<Subject> {
    let subject = |set: String, digest, exposure, signers: &[String]| Subject {
        kind: "set",
        id: set,
        digest,
        exposures: vec![exposure],
        assurance: None,
        signers: signers.to_vec(),
        is_unstamped: false,
    };
    let open = folder.manifests.iter().map(|m| {
        let exposure = Exposure::open(ExposureKind::Gradient, m.record.set.clone(), m.digest, m.record.cells.clone());
        subject(m.record.set.to_string(), m.digest, exposure, m.seal.signers())
    });
    let has_full = |set| folder.manifests.iter().any(|m| m.record.set == set);
    // A closed set in another's house: only what its owner says outwardly.
    let outward = folder.public.iter().filter(|p| !has_full(p.record.set.clone())).map(|p| {
        let blank = |cell: &Cell| CellCount { cell: cell.clone(), evidence: None, documents: None, tokens: None };
        let exposure = Exposure {
            kind: ExposureKind::Gradient,
            set: p.record.set.clone(),
            manifest: p.digest,
            cells: p.record.cells.iter().map(blank).collect(),
            tokens: p.record.tokens,
        };
        subject(p.record.set.to_string(), p.digest, exposure, p.seal.signers())
    });
    let mut subjects: Vec<Subject> = open.chain(outward).collect();
    subjects.sort_by(|a, b| a.id.cmp(&b.id));
    subjects
}

fn weights(stamp: &Signed<stamp::Stamp>) -> Subject {
    Subject {
        kind: match stamp.record.subject {
            stamp::Subject::Anchor => "anchor",
            stamp::Subject::Expert => "expert",
        },
        id: stamp.record.id.to_string(),
        digest: stamp.record.files_root.root,
        exposures: stamp.record.exposures.clone(),
        assurance: Some(stamp.record.assurance),
        signers: stamp.seal.signers().to_vec(),
        is_unstamped: false,
    }
}

/// Sets and cells that the anchor consumed: what every expert shares with it, and is contrasted with.
pub(crate) type Shared<'a> = BTreeSet<(&'a SetName, &'a Cell)>;

/// What the experts of these subjects share with the anchor.
pub(crate) fn shared(subjects: &[Subject]) -> Shared<'_> {
    let anchors = subjects.iter().filter(|s| s.kind == "anchor");
    anchors.flat_map(|s| &s.exposures).flat_map(|e| e.cells.iter().map(move |c| (&e.set, &c.cell))).collect()
}

/// Asks the gate about a subject.
pub(crate) fn judge<'a>(subject: &'a Subject, gate: &Gate, shared: &Shared<'_>) -> Judgement<'a> {
    if subject.is_unstamped {
        let detail = "the index names it, and there is no stamp in its folder".to_owned();
        let denial = Denial { reason: Reason::StampMissing, rule: None, detail };
        let whole = vec![Finding { denial, tokens: None, documents: None, set: None, kind: None, evidence: None }];
        return Judgement { subject, cells: vec![], whole, admitted: false, matched: BTreeSet::new() };
    }
    let decision = match subject.assurance {
        Some(assurance) => gate.weights(subject.digest, assurance, &subject.exposures),
        None => gate.exposures(subject.digest, &subject.exposures),
    };
    let mut cells = Vec::new();
    for exposure in &subject.exposures {
        let tested = gate.tests(exposure);
        for count in &exposure.cells {
            let of_cell = |f: &&Finding| {
                f.set.as_deref() == Some(exposure.set.as_str())
                    && (f.tokens, f.documents, &f.evidence) == (count.tokens, count.documents, &count.evidence)
            };
            let is_lifted = |d: &Denial| decision.lifted.iter().filter(of_cell).any(|f| f.denial == *d);
            let (lifted, denials) = gate.cell(&count.cell).denials.into_iter().partition(is_lifted);
            cells.push(CellVerdict {
                exposure,
                count,
                tier: tier(&count.cell, &gate.records),
                tested,
                own: subject.kind != "expert" || !shared.contains(&(&exposure.set, &count.cell)),
                denials,
                lifted,
            });
        }
    }
    let of_cells = |f: &Finding| cells.iter().any(|c: &CellVerdict<'_>| c.tested && c.denials.contains(&f.denial));
    let whole = decision.findings.iter().filter(|f| !of_cells(f)).cloned().collect();
    Judgement { subject, cells, whole, admitted: decision.is_admitted(), matched: decision.matched }
}

/// Applies the mixing rules to the anchor and the admitted experts: experts of a side that the policy does not prefer are
/// denied; gives the rule in words when it refuses the whole.
pub(crate) fn mix(judgements: &mut [Judgement<'_>], gate: &Gate) -> Option<String> {
    let anchor: Vec<&Subject> = judgements.iter().map(|j| j.subject).filter(|s| s.kind == "anchor").collect();
    // What an owner hands out holds experts alone: they may not mix all the same.
    let anchor = anchor.first().map_or(&[][..], |s| s.exposures.as_slice());
    let mut experts: Vec<&mut Judgement<'_>> =
        judgements.iter_mut().filter(|j| j.subject.kind == "expert" && j.admitted).collect();
    let exposures: Vec<&[Exposure]> = experts.iter().map(|j| j.subject.exposures.as_slice()).collect();
    let mixing = gate.mixing(anchor, &exposures);
    for (place, denial) in mixing.excluded {
        experts[place].matched.extend(denial.rule.clone());
        experts[place].whole.push(Finding {
            denial,
            tokens: None,
            documents: None,
            set: None,
            kind: None,
            evidence: None,
        });
        experts[place].admitted = false;
    }
    let denial = mixing.refused?;
    let line = denial.rule.map_or_else(String::new, |r| format!("{}:{} ", gate.policy.file, r.line));
    Some(format!("{line}{} [{} {}]", denial.detail, denial.reason.code(), denial.reason.name()))
}

/// What the verdicts add up to, and why in one sentence.
pub(super) fn answer(kind: Kind, all: &[Judged], mixing: Option<&str>, question: &Question) -> (Answer, String) {
    // A set that kept nothing answers nothing; a closed one in another's house says a bound only.
    let has_text = |j: &&Judged| j.totals.tokens > 0 || j.totals.at_most > 0;
    let all: Vec<&Judged> = all.iter().filter(|j| kind != Kind::Corpus || has_text(j)).collect();
    let names = |admitted: bool| -> Vec<&str> {
        all.iter().filter(|j| j.admitted == admitted).map(|j| j.id.as_str()).collect()
    };
    let (yes, no) = (names(true), names(false));
    let under = format!("under policy {} v{} as of {}", question.policy, question.version, question.as_of);
    if let Some(rule) = mixing {
        return (Answer::No, format!("{under}, what is admitted may not act together: {rule}"));
    }
    let anchor_denied = all.iter().any(|j| j.kind == "anchor" && !j.admitted);
    match kind {
        _ if all.is_empty() => (Answer::No, "there is nothing here to use".to_owned()),
        Kind::Model | Kind::Outward if anchor_denied => {
            (Answer::No, format!("{under}, the anchor is denied, so nothing runs"))
        }
        _ if no.is_empty() => {
            let what = format!("{under}, the signed records of all {} list no token that the policy denies", yes.len());
            (Answer::Yes, what)
        }
        Kind::Outward if yes.is_empty() => (Answer::No, format!("{under}, nothing in it is permitted")),
        Kind::Outward => {
            let what = format!("{under}, {} may be used; {} may not", yes.join(", "), no.join(", "));
            (Answer::InPart, what)
        }
        Kind::Model => {
            let what = format!(
                "{under}, the signed records of {} list no token that the policy denies; {} {} no part",
                yes.join(", "),
                no.join(", "),
                if no.len() == 1 { "takes" } else { "take" }
            );
            (Answer::InPart, what)
        }
        Kind::Corpus => {
            let permitted: u64 = all.iter().map(|j| j.totals.permitted).sum();
            let total: u64 = all.iter().map(|j| j.totals.tokens).sum();
            let share = crate::words::percent(permitted, total);
            let what = format!(
                "{under}, {share} of tokens are permitted; {} of {} sets are permitted whole",
                yes.len(),
                all.len()
            );
            (if permitted == 0 && yes.is_empty() { Answer::No } else { Answer::InPart }, what)
        }
    }
}
