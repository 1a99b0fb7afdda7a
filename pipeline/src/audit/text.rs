//! An audit in words: the answer first, a block for each denial (semantics.md §7), then the tables.

use std::fmt::Write as _;

use super::evidence::Cause;
use crate::words::{percent, short, thousands};

use super::{Answer, AuditReport, FindingRow, Judged, Question, Verdicts};

fn documents(count: u64) -> String {
    if count == 1 { "1 document".to_owned() } else { format!("{} documents", thousands(count)) }
}

/// The block that a denial reads as.
pub(super) fn denial(
    judged: &Judged,
    question: &Question,
    causes: &[Cause],
    choices: &[(Option<u64>, String, String)],
) -> String {
    let mut text = format!(
        "DENIED {} {} {}  policy {} v{}, as of {}\n",
        judged.kind,
        judged.id,
        short(&judged.digest),
        question.policy,
        question.version,
        question.as_of
    );
    for (finding, cause) in judged.findings.iter().zip(causes) {
        _ = writeln!(text, " rule   {}", rule(finding, question));
        _ = writeln!(text, " cause  {}", cause_line(finding, cause, judged));
        if let Some(evidence) = &cause.evidence {
            _ = writeln!(text, "        evidence: {evidence}");
        }
    }
    for (count, all, branch) in choices {
        let count = count.map_or_else(|| "documents".to_owned(), documents);
        _ = writeln!(text, " not    {count} {all}: {branch} elected");
    }
    _ = writeln!(text, " signed {}", signed(judged));
    _ = write!(text, " fix    {}", fix(judged));
    text
}

/// `policy.toml:20 deny.properties "non-commercial" [FM-P-014]`.
fn rule(finding: &FindingRow, question: &Question) -> String {
    match (&finding.key, &finding.value, finding.line) {
        (Some(key), Some(value), Some(line)) => {
            let value = if value.is_empty() { String::new() } else { format!(" \"{value}\"") };
            format!("{}:{line} {key}{value} [{}]", question.file, finding.code)
        }
        _ => format!("{}: no line permits it, {} [{}]", question.file, finding.reason, finding.code),
    }
}

fn cause_line(finding: &FindingRow, cause: &Cause, judged: &Judged) -> String {
    if cause.licenses.is_empty() {
        return finding.detail.clone();
    }
    let label = |(license, count): &(String, Option<u64>)| match count {
        Some(count) => format!("{license} ({})", thousands(*count)),
        None => license.clone(),
    };
    let licenses = cause.licenses.iter().map(label).collect::<Vec<_>>().join(", ");
    match (finding.documents, finding.tokens) {
        (Some(count), Some(tokens)) => {
            format!("{}, {} of tokens: {licenses}", documents(count), percent(tokens, judged.totals.tokens))
        }
        _ => format!("a closed set of at most {} tokens: {licenses}", thousands(judged.totals.at_most)),
    }
}

fn signed(judged: &Judged) -> String {
    let by = if judged.signers.is_empty() { "nobody".to_owned() } else { judged.signers.join(", ") };
    match &judged.assurance {
        Some(assurance) => format!("trainer {by}, assurance {assurance}; weights not opened"),
        None => format!("builder {by}; shards not opened"),
    }
}

fn fix(judged: &Judged) -> String {
    let has = |reason: &str| judged.findings.iter().any(|f| f.reason == reason);
    let withdrawn = judged.findings.iter().any(|f| f.reason.ends_with("-withdrawn"));
    if withdrawn {
        return "rebuild without what is withdrawn; no exception lifts a withdrawal".to_owned();
    }
    if has("undecided-withdrawal") {
        return "ask the set's owner for an impact record".to_owned();
    }
    if has("stamp-missing") {
        return "put its stamp back, or merge without it".to_owned();
    }
    if has("policy-not-in-force") || has("act-not-covered") {
        return "ask a policy that is for this act and in force on this day".to_owned();
    }
    let only_grant = judged.findings.iter().all(|f| f.reason == "grant-missing");
    if only_grant {
        return "ask the owner for a grant that covers the act, purpose, places and day".to_owned();
    }
    let totals = &judged.totals;
    match (judged.kind, totals.permitted) {
        (_, 0) => "an exception with owner and expiry".to_owned(),
        ("set", permitted) => {
            format!(
                "use the permitted tiers ({}), or an exception with owner and expiry",
                percent(permitted, totals.tokens)
            )
        }
        // An expert's share counts the public text that it saw too, so it says nothing of what to train instead.
        _ => {
            "leave it out, train one on tiers that the policy permits, or an exception with owner and expiry".to_owned()
        }
    }
}

/// The answer's word.
pub(super) const fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "YES",
        Answer::InPart => "IN PART",
        Answer::No => "NO",
    }
}

/// The question in a sentence.
pub(super) fn asked(question: &Question) -> String {
    format!(
        "May it be used for act `{}`, purpose `{}`, in {}, on {}?",
        question.act,
        question.purpose,
        question.places.join(" and "),
        question.as_of
    )
}

/// The whole report.
pub(super) fn report(report: &AuditReport) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "Audit of {}", report.subject);
    if report.kind == crate::query::Kind::Outward {
        _ = writeln!(text, "This is {}.", super::OUTWARD_TREE);
    }
    match &report.verdicts {
        Some(verdicts) => verdict_part(&mut text, verdicts, report.does_not_say),
        None => _ = writeln!(text, "No policy was given, so nothing is decided; these are facts."),
    }
    _ = writeln!(text, "\n{}", report.trust);
    text.trim_end().to_owned() + "\n"
}

fn verdict_part(text: &mut String, verdicts: &Verdicts, does_not_say: &str) {
    let question = &verdicts.question;
    let demo = if question.demo { " DEMO" } else { "" };
    _ = writeln!(text, "{}", asked(question));
    _ = writeln!(text, "{}: {}.", word(verdicts.answer), verdicts.because);
    _ = writeln!(text, "{does_not_say}");
    _ = writeln!(
        text,
        "\npolicy {} v{}{demo}, {}, owner {}",
        question.policy, question.version, question.digest, question.owner
    );
    _ = writeln!(text, "\ntokens by verdict:");
    let width = verdicts.artifacts.iter().map(|j| j.id.chars().count()).max().unwrap_or(0);
    for judged in &verdicts.artifacts {
        let totals = &judged.totals;
        let mark = if judged.admitted { "permitted" } else { "DENIED" };
        let bound = if totals.at_most > 0 {
            format!(", closed sets at most {}", thousands(totals.at_most))
        } else {
            String::new()
        };
        _ = writeln!(
            text,
            "  {:6} {:width$}  {mark:9}  {} permitted, {} denied, of these {} unknown{bound}",
            judged.kind,
            judged.id,
            thousands(totals.permitted),
            thousands(totals.denied),
            thousands(totals.unknown)
        );
    }
    for judged in &verdicts.artifacts {
        if let Some(denial) = &judged.denial {
            _ = writeln!(text, "\n{denial}");
        }
        for lifted in &judged.lifted {
            _ = writeln!(text, "\nLIFTED {} {}: {} by an exception", judged.kind, judged.id, rule(lifted, question));
        }
    }
    if !verdicts.unmatched.is_empty() {
        _ = writeln!(text, "\nrules that matched nothing here:");
        for rule in &verdicts.unmatched {
            _ = writeln!(text, "  {}:{} {} \"{}\"", question.file, rule.line, rule.key, rule.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_reads_as_documented() {
        let question = Question {
            policy: "acme-serve-eu".into(),
            version: 4,
            owner: "legal@acme.example".into(),
            digest: "sha256:00".into(),
            file: "policy.toml".into(),
            act: "serve".into(),
            purpose: "commercial".into(),
            places: vec!["EU".into()],
            as_of: "2026-12-03".parse().unwrap(),
            demo: false,
        };
        let finding = FindingRow {
            code: "FM-P-014".into(),
            reason: "license-denied".into(),
            line: Some(20),
            key: Some("deny.properties".into()),
            value: Some("non-commercial".into()),
            documents: Some(1654),
            tokens: Some(186),
            detail: "CC-BY-NC-4.0".into(),
            evidence: Some("README.md:12".into()),
        };
        let judged = Judged {
            kind: "expert",
            id: "math-nc".into(),
            digest: format!("sha256:77ab{}", "0".repeat(60)),
            admitted: false,
            signers: vec!["lab-k2".into()],
            assurance: Some("claimed".into()),
            totals: super::super::Totals { tokens: 1000, permitted: 814, denied: 186, ..Default::default() },
            findings: vec![finding],
            lifted: vec![],
            denial: None,
        };
        let cause = Cause {
            licenses: vec![("CC-BY-NC-4.0".into(), Some(1628)), ("CC-BY-NC-SA-4.0".into(), Some(26))],
            evidence: Some("README.md:12 \"non-commercial use only\", sha256:0a1b2c3d…, read 2026-11-24".into()),
        };
        let choices = [(Some(8), "CC-BY-NC-SA-4.0 OR CC-BY-SA-4.0".to_owned(), "CC-BY-SA-4.0".to_owned())];
        insta::assert_snapshot!(denial(&judged, &question, &[cause], &choices));
    }
}
