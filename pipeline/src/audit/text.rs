//! An audit in words: the first screen, short, then a block for each denial (semantics.md §7).

use std::fmt::Write as _;

use super::evidence::Cause;
use super::{Answer, AuditReport, Blocker, FindingRow, Judged, Question, Standing, Verdicts, fixes};
use crate::words::{counted, excerpt, percent, plain, short, thousands, visible};

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
        let count = count.map_or_else(|| "documents".to_owned(), |n| counted(n, "document"));
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
        return plain(&finding.detail);
    }
    let label = |(license, count): &(String, Option<u64>)| match count {
        Some(count) => format!("{license} ({})", thousands(*count)),
        None => license.clone(),
    };
    let licenses = cause.licenses.iter().map(label).collect::<Vec<_>>().join(", ");
    format!("{}: {licenses}", share(finding, judged))
}

/// How much of an artifact a finding concerns. An expert's own text and what it shares with the anchor are told apart:
/// a share of both together would say little of either.
fn share(finding: &FindingRow, judged: &Judged) -> String {
    let (Some(documents), Some(tokens)) = (finding.documents, finding.tokens) else {
        return format!("a closed set of at most {} tokens", thousands(judged.totals.at_most));
    };
    if judged.kind != "expert" {
        return format!("{}, {} of tokens", counted(documents, "document"), percent(tokens, judged.totals.tokens));
    }
    let own = finding.own_documents.zip(finding.own_tokens).map(|(documents, tokens)| {
        format!("{}, {} of its own tokens", counted(documents, "document"), percent(tokens, judged.own.tokens))
    });
    let own_count = (finding.own_documents.unwrap_or(0), finding.own_tokens.unwrap_or(0));
    let shared = (documents.saturating_sub(own_count.0), tokens.saturating_sub(own_count.1));
    let of_shared = judged.totals.tokens.saturating_sub(judged.own.tokens);
    let beside = (shared != (0, 0)).then(|| {
        let count = counted(shared.0, "document");
        format!("{count}, {} of the public text beside it", percent(shared.1, of_shared))
    });
    own.into_iter().chain(beside).collect::<Vec<_>>().join("; ")
}

fn signed(judged: &Judged) -> String {
    let by = if judged.signers.is_empty() { "nobody".to_owned() } else { judged.signers.join(", ") };
    match &judged.assurance {
        Some(assurance) => format!("trainer {by}, assurance {assurance}; weights not opened"),
        None => format!("builder {by}; shards not opened"),
    }
}

fn fix(judged: &Judged) -> String {
    let first = |names: &[&str]| judged.findings.iter().find(|f| names.contains(&f.reason.as_str()));
    // What no other way out helps against comes first.
    let hard = ["source-withdrawn", "work-withdrawn", "rightsholder-withdrawn", "license-withdrawn"];
    let soft = ["undecided-withdrawal", "stamp-missing", "policy-not-in-force", "act-not-covered"];
    if let Some(finding) = first(&hard).or_else(|| first(&soft)) {
        return fixes::fix(&finding.reason, judged.kind).to_owned();
    }
    if judged.findings.iter().all(|f| f.reason == "grant-missing") {
        return fixes::fix("grant-missing", judged.kind).to_owned();
    }
    let own = &judged.own;
    match (judged.kind, own.permitted) {
        (_, 0) => "an exception with owner and expiry".to_owned(),
        ("set", permitted) => {
            format!(
                "use the permitted tiers ({}), or an exception with owner and expiry",
                percent(permitted, own.tokens)
            )
        }
        ("expert", permitted) => format!(
            "train one on the permitted tiers ({} of its own tokens), or an exception with owner and expiry",
            percent(permitted, own.tokens)
        ),
        _ => fixes::fix("license-denied", judged.kind).to_owned(),
    }
}

/// The answer's word.
pub(super) const fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "YES",
        Answer::InPart => "YES, IN PART",
        Answer::No => "NO",
    }
}

/// The question in a sentence.
pub(super) fn asked(question: &Question) -> String {
    format!(
        "May it be used to {}, for the purpose {}, in {}, on {}?",
        question.act,
        question.purpose,
        question.places.join(" and "),
        question.as_of
    )
}

/// The whole report.
pub(super) fn report(report: &AuditReport) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "Audit of the {}", report.named());
    if report.kind == crate::query::Kind::Outward {
        _ = writeln!(text, "This is {}.", super::OUTWARD_TREE);
    }
    match &report.verdicts {
        Some(verdicts) => verdict_part(&mut text, verdicts, report.does_not_say),
        None => _ = writeln!(text, "No policy was given, so nothing is decided; these are facts."),
    }
    _ = writeln!(text, "\n{}", report.trust);
    visible(text.trim_end()) + "\n"
}

fn verdict_part(text: &mut String, verdicts: &Verdicts, does_not_say: &str) {
    let question = &verdicts.question;
    let demo = if question.demo { " DEMO" } else { "" };
    _ = writeln!(text, "{}", asked(question));
    _ = writeln!(text, "{}: {}.", word(verdicts.answer), verdicts.because);
    _ = writeln!(text, "{does_not_say}");
    _ = writeln!(
        text,
        "\npolicy {} v{}{demo}, {}, owner {}, until {}",
        question.policy, question.version, question.digest, question.owner, verdicts.standing.policy_until
    );
    standing(text, &verdicts.standing);
    tokens(text, verdicts);
    if !verdicts.blockers.is_empty() {
        _ = writeln!(text, "\nwhat keeps most text out:");
        for blocker in &verdicts.blockers {
            _ = writeln!(text, "  {}\n      fix: {}", blocker_line(blocker, question), blocker.fix);
        }
    }
    open_points(text, verdicts);
    for judged in &verdicts.artifacts {
        if let Some(denial) = &judged.denial {
            _ = writeln!(text, "\n{denial}");
        }
        for lifted in &judged.lifted {
            _ = writeln!(text, "\nLIFTED {} {}: {} by an exception", judged.kind, judged.id, rule(lifted, question));
        }
    }
    if !verdicts.queued.is_empty() {
        _ = writeln!(
            text,
            "\nqueued for the policy's owner, denied meanwhile (`flexmix policy check --on` lists them):"
        );
        for one in &verdicts.queued {
            let (rule, count) = (&one.rule, counted(one.documents, "document"));
            _ = writeln!(text, "  {}:{} {} \"{}\": {count}", question.file, rule.line, rule.key, rule.value);
        }
    }
    if !verdicts.unmatched.is_empty() {
        _ = writeln!(text, "\nrules that matched nothing here:");
        for rule in &verdicts.unmatched {
            _ = writeln!(text, "  {}:{} {} \"{}\"", question.file, rule.line, rule.key, rule.value);
        }
    }
}

fn standing(text: &mut String, standing: &Standing) {
    let head = &standing.head;
    _ = writeln!(text, "records: {}", head_words(standing));
    for row in &standing.signatures {
        let keys = if row.keys.is_empty() { "not named".to_owned() } else { row.keys.join(", ") };
        _ = writeln!(text, "  {} signed by {keys} ({})", row.what, row.role);
    }
    if let Some(assurance) = &standing.assurance {
        _ = writeln!(text, "  stamps are {assurance}");
    }
    if head.age_days * 2 > head.max_age_days {
        _ = writeln!(text, "  the head is past half of the age that the policy allows: renew it");
    }
}

/// The head in words.
pub(super) fn head_words(standing: &Standing) -> String {
    let head = &standing.head;
    let age = counted(u64::try_from(head.age_days).unwrap_or(0), "day");
    format!(
        "head {} of {}, {age} old ({} allowed), until {}",
        head.sequence, head.issued, head.max_age_days, head.expires
    )
}

fn tokens(text: &mut String, verdicts: &Verdicts) {
    let all = &verdicts.tokens;
    let bound = |at_most: u64| {
        if at_most > 0 { format!(", closed sets at most {}", thousands(at_most)) } else { String::new() }
    };
    let numbers = |t: &super::Totals| {
        let [permitted, denied, unknown] = [t.permitted, t.denied, t.unknown].map(thousands);
        format!("{permitted} permitted, {denied} denied, of these {unknown} unknown{}", bound(t.at_most))
    };
    _ = writeln!(text, "\ntokens by terms: {}", numbers(all));
    let width = verdicts.artifacts.iter().map(|j| j.id.chars().count()).max().unwrap_or(0);
    for judged in &verdicts.artifacts {
        let mark = if judged.admitted { "permitted" } else { "DENIED" };
        _ = writeln!(text, "  {:6} {:width$}  {mark:9}  {}", judged.kind, judged.id, numbers(&judged.own));
    }
}

/// What a blocker is and how much it denies, on one line.
pub(super) fn blocker_line(blocker: &Blocker, question: &Question) -> String {
    let size = match (blocker.tokens, blocker.at_most) {
        (Some(tokens), _) => counted(tokens, "token"),
        (None, Some(bound)) => format!("at most {}", counted(bound, "token")),
        (None, None) => "all of it".to_owned(),
    };
    format!(
        "{size} of {}: {} [{}], {}",
        blocker.artifacts.join(", "),
        blocker.reason,
        blocker.code,
        why(blocker, question)
    )
}

/// The line of the policy behind a blocker, or the words that hit.
pub(super) fn why(blocker: &Blocker, question: &Question) -> String {
    let terms: Vec<&str> = blocker.licenses.iter().flatten().map(String::as_str).collect();
    let terms = match terms.len() {
        0 => excerpt(&blocker.detail),
        1..=3 => terms.join(", "),
        n => format!("{} and {} more", terms[..3].join(", "), n - 3),
    };
    match (blocker.line, &blocker.key, blocker.value.as_deref()) {
        (Some(line), Some(key), None | Some("")) => format!("{}:{line} {key} ({terms})", question.file),
        (Some(line), Some(key), Some(value)) => format!("{}:{line} {key} \"{value}\" ({terms})", question.file),
        _ => terms,
    }
}

fn open_points(text: &mut String, verdicts: &Verdicts) {
    let mut lines = Vec::new();
    for row in &verdicts.contradictions {
        let of = row.source.as_ref().or(row.artifact.as_ref()).map_or_else(String::new, |n| format!(" of {n}"));
        let count = row.documents.map_or_else(|| "documents".to_owned(), |n| counted(n, "document"));
        let detail = row.detail.as_deref().map_or_else(String::new, |d| format!("\n      {}", plain(d)));
        lines.push(format!("contradicted: {count}{of} in set {}, {}{detail}", row.set, row.decision));
    }
    for row in verdicts.standing.exceptions.iter().filter(|e| e.ending) {
        lines.push(format!("exception for {} from {}: {}", row.artifact, row.rule, ending(row)));
    }
    for row in &verdicts.standing.withdrawals {
        lines.push(format!("withdrawal {} of {}: {}", row.id, row.target, withdrawn(row)));
    }
    if !verdicts.standing.lifted.is_empty() {
        lines.push(format!("withdrawals that were lifted: {}", verdicts.standing.lifted.join(", ")));
    }
    section(text, "open points:", &lines);
    let duty = |d: &super::DutyRow| format!("{}: {}", d.property, d.deliver.as_deref().unwrap_or("not delivered"));
    let duties: Vec<String> = verdicts.duties.iter().map(duty).collect();
    section(text, "duties of what is permitted (`flexmix notice` lists what is owed to whom):", &duties);
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        _ = writeln!(text, "\n{title}");
    }
    for line in lines {
        _ = writeln!(text, "  {line}");
    }
}

/// What a withdrawal does here, in words.
pub(super) fn withdrawn(row: &super::WithdrawalRow) -> String {
    let when = if row.in_force { "in force since" } else { "from" };
    let denies = match (row.forbids, row.denies.is_empty()) {
        (false, _) => "looks forward only and does not forbid this act".to_owned(),
        (true, true) => "denies nothing here".to_owned(),
        (true, false) => format!("denies {}", row.denies.join(", ")),
    };
    format!("{when} {}, {denies}", row.effective)
}

/// When an exception ends, in words.
pub(super) fn ending(row: &super::ExceptionRow) -> String {
    match row.days_left {
        days if days < 0 => format!("ended on {}", row.expires),
        0 => "ends today".to_owned(),
        days => format!("ends on {}, in {}", row.expires, counted(u64::try_from(days).unwrap_or(0), "day")),
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
            own_documents: Some(1654),
            own_tokens: Some(186),
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
            totals: super::super::Totals { tokens: 9000, permitted: 8814, denied: 186, ..Default::default() },
            own: super::super::Totals { tokens: 1000, permitted: 814, denied: 186, ..Default::default() },
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
