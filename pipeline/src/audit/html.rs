//! The first screen of an audit as a page: may we use it, why, on whose word, and what that does not prove. Tables
//! follow in `details.rs`; the shell is `crate::html`.

use maud::{Markup, html};

use super::text::{asked, ending, head_words, why, withdrawn, word};
use super::{Answer, AuditReport, Judged, Question, Standing, Verdicts, details};
use crate::html::{Column, Page, bar, number, table, text};
use crate::query::Kind;
use crate::words::{counted, excerpt, percent, thousands};

/// What the page is, at its head and in its mark.
pub const KIND: &str = "flexmix audit";

/// The report as a page. `notice` is the name of a NOTICE that was written beside it.
#[must_use]
pub fn page(report: &AuditReport, notice: Option<&str>) -> String {
    let title = match &report.verdicts {
        Some(_) => format!("May we use the {}?", report.named()),
        None => format!("What is in the {}", report.named()),
    };
    let demo = report.trust.contains("DEMO") || report.verdicts.as_ref().is_some_and(|v| v.question.demo);
    let first = match &report.verdicts {
        Some(verdicts) => first_screen(verdicts, report, notice),
        None => html! {
            section.answer aria-label="Answer" {
                div { p.word { "NOT ASKED" } p { "No policy was given, so nothing is decided. These are facts." } }
            }
        },
    };
    let mut sections = report.verdicts.as_ref().map(details::verdicts).unwrap_or_default();
    sections.extend(details::facts(&report.facts));
    Page { title: &title, kind: KIND, demo, first, sections, footer: footer(report) }.render()
}

fn footer(report: &AuditReport) -> Markup {
    html! {
        p { (report.trust) ". Schema " code { (report.schema) } ". Every number is a query over the folder's records: "
            "ask them again with " code { "flexmix query" } "." }
    }
}

fn first_screen(verdicts: &Verdicts, report: &AuditReport, notice: Option<&str>) -> Markup {
    let class = match verdicts.answer {
        Answer::Yes => "answer split yes",
        Answer::InPart => "answer split in-part",
        Answer::No => "answer split no",
    };
    html! {
        section class=(class) aria-label="Answer" {
            div {
                p { (asked(&verdicts.question)) }
                p.word { (word(verdicts.answer)) }
                p { (sentence(&verdicts.because)) }
                (denied(verdicts))
            }
            div {
                h2 #unproven { "What this does not prove" }
                p.note { (report.does_not_say) }
                p.note {
                    "A signature says who vouches, not that it is so: a builder's not that nothing was left out, a "
                    "trainer's not that nothing else was fed, a head's not that no other head is shown elsewhere."
                }
            }
        }
        @if report.kind == Kind::Outward { p.note { "This is " (super::OUTWARD_TREE) "." } }
        @if !verdicts.standing.closed_sets.is_empty() {
            p.note {
                "This report names counts and sources of the closed set " (verdicts.standing.closed_sets.join(", "))
                ": it stays with its owner."
            }
        }
        div.cards {
            (tokens_card(verdicts))
            (standing_card(verdicts))
            section.card aria-labelledby="open" {
                h2 #open { "Open points" }
                (open_points(verdicts))
                h2 #duties { "Duties of what is permitted" }
                (duties(verdicts, notice))
            }
            (blockers_card(verdicts))
        }
    }
}

/// A sentence of the text report as one of its own.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).chain(['.']).collect())
}

fn denied(verdicts: &Verdicts) -> Markup {
    let denied: Vec<&Judged> = verdicts.artifacts.iter().filter(|j| !j.admitted).collect();
    html! {
        @if !denied.is_empty() {
            ul { @for judged in denied { li { "Not " (judged.kind) " " b { (judged.id) } ": " (reasons(judged)) } } }
        }
    }
}

fn reasons(judged: &Judged) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for finding in &judged.findings {
        let value = finding.value.as_deref().filter(|v| !v.is_empty()).map_or_else(String::new, |v| format!(" ({v})"));
        let reason = format!("{}{value}", finding.reason);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.join(", ")
}

fn tokens_card(verdicts: &Verdicts) -> Markup {
    let all = &verdicts.tokens;
    let known = all.denied.saturating_sub(all.unknown);
    let share = |n: u64| percent(n, all.tokens);
    html! {
        section.card aria-labelledby="tokens" {
            h2 #tokens { "Tokens by terms" }
            (bar(&[("permitted", "yes", all.permitted), ("denied", "no", known), ("unknown", "unknown", all.unknown)]))
            dl {
                dt { "permitted" } dd { b.yes { (thousands(all.permitted)) } " (" (share(all.permitted)) ")" }
                dt { "denied" } dd { b.no { (thousands(known)) } " (" (share(known)) ")" }
                dt { "unknown" } dd { b { (thousands(all.unknown)) } " (" (share(all.unknown)) "), denied too" }
                dt { "in all" } dd { (thousands(all.tokens)) " in " (counted(all.documents, "document")) }
                @if all.at_most > 0 { dt { "closed sets" } dd { "at most " (thousands(all.at_most)) ", not counted above" } }
            }
            @if verdicts.artifacts.iter().any(|j| j.kind == "expert") {
                p.note { "The anchor's text, and of each expert its own. Which may take part is a matter of whole experts." }
            }
        }
    }
}

fn standing_card(verdicts: &Verdicts) -> Markup {
    let (standing, question) = (&verdicts.standing, &verdicts.question);
    html! {
        section.card aria-labelledby="standing" {
            h2 #standing { "On whose word" }
            dl {
                dt { "policy" }
                dd { b { (question.policy) } " v" (question.version) " of " (question.owner) ", until " (standing.policy_until) }
                dt { "signed by" }
                dd {
                    @for (n, row) in standing.signatures.iter().enumerate() {
                        @if n > 0 { "; " }
                        (row.what) ": "
                        @if row.keys.is_empty() { "keys not named" } @else { b { (row.keys.join(", ")) } }
                        span.soft { " (" (row.role) ")" }
                    }
                }
                @if let Some(assurance) = &standing.assurance { dt { "assurance" } dd { (assurance) (assured(assurance)) } }
                dt { "records" } dd { (head_words(standing)) }
            }
        }
    }
}

fn assured(assurance: &str) -> &'static str {
    match assurance {
        "imported" => ": an operator's word on weights from elsewhere",
        "claimed" => ": the trainer's word; nobody else counted",
        "observed" => ": another party's launcher counted",
        _ => ": an auditor ran it again",
    }
}

fn blockers_card(verdicts: &Verdicts) -> Markup {
    html! {
        section.card.wide aria-labelledby="blockers" {
            h2 #blockers { "What keeps most text out, and the way out" }
            @if verdicts.blockers.is_empty() {
                p { "Nothing." }
            } @else {
                ol {
                    @for blocker in &verdicts.blockers {
                        li {
                            b {
                                @match (blocker.tokens, blocker.at_most) {
                                    (Some(tokens), _) => (counted(tokens, "token")),
                                    (None, Some(bound)) => { "at most " (counted(bound, "token")) },
                                    (None, None) => "all",
                                }
                            }
                            " of " (blocker.artifacts.join(", ")) ": " (blocker.reason) ", "
                            code { (why(blocker, &verdicts.question)) } " " span.soft { (blocker.code) } br;
                            span.soft { "Way out: " } (blocker.fix) "."
                        }
                    }
                }
            }
        }
    }
}

fn open_points(verdicts: &Verdicts) -> Markup {
    let standing = &verdicts.standing;
    let ending_soon: Vec<_> = standing.exceptions.iter().filter(|e| e.ending).collect();
    let contradicted: u64 = verdicts.contradictions.iter().filter_map(|c| c.documents).sum();
    html! {
        dl {
            dt { "contradictions" }
            dd {
                @if verdicts.contradictions.is_empty() { "none" }
                @else {
                    (counted(contradicted, "document"))
                    @for row in &verdicts.contradictions {
                        "; " (row.source.as_deref().or(row.artifact.as_deref()).unwrap_or("")) ": " (row.decision)
                    }
                }
            }
            dt { "exceptions" }
            dd {
                @if standing.exceptions.is_empty() { "none for what is here" }
                @else if ending_soon.is_empty() { (standing.exceptions.len()) ", none ends within 60 days" }
                @else { @for row in ending_soon { (row.artifact) ", " (row.rule) ": " b { (ending(row)) } br; } }
            }
            dt { "withdrawals" } dd { (withdrawals(standing)) }
            @if let Some(mixing) = &verdicts.mixing { dt { "mixing" } dd { (mixing) } }
        }
    }
}

fn withdrawals(standing: &Standing) -> Markup {
    html! {
        @if standing.withdrawals.is_empty() { "none" }
        @for row in &standing.withdrawals { b { (row.id) } ", " (row.target) ": " (withdrawn(row)) br; }
        @if !standing.lifted.is_empty() { span.soft { "lifted: " (standing.lifted.join(", ")) } }
    }
}

fn duties(verdicts: &Verdicts, notice: Option<&str>) -> Markup {
    html! {
        @if verdicts.duties.is_empty() { p { "None." } }
        @else {
            dl {
                @for duty in &verdicts.duties {
                    dt { (duty.property) }
                    dd {
                        (duty.deliver.as_deref().unwrap_or("not delivered"))
                        @if let Some(documents) = duty.documents { span.soft { ", " (counted(documents, "document")) } }
                    }
                }
            }
            p {
                @match notice {
                    Some(file) => { "What is owed to whom: " a href=(file) { (file) } "." },
                    None => { "What is owed to whom: " code { "flexmix notice" } " writes it." },
                }
            }
        }
    }
}

/// Findings of one artifact as a table, for `details.rs`.
pub(super) fn findings(judged: &Judged, question: &Question) -> Markup {
    let columns = [
        Column::Words("reason"),
        Column::Words("rule"),
        Column::Words("words"),
        Column::Numbers("own documents"),
        Column::Numbers("own tokens"),
        Column::Numbers("all tokens"),
    ];
    let rows = judged.findings.iter().map(|f| {
        let rule = match (f.line, &f.key) {
            (Some(line), Some(key)) => format!("{}:{line} {key} {}", question.file, f.value.as_deref().unwrap_or("")),
            _ => "no line permits it".to_owned(),
        };
        vec![
            html! { (f.reason) " " code { (f.code) } },
            text(rule),
            text(excerpt(&f.detail)),
            number(f.own_documents),
            number(f.own_tokens),
            number(f.tokens),
        ]
    });
    table(&format!("Reasons against {} {}", judged.kind, judged.id), &columns, rows)
}
