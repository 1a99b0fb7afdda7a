//! An audit as one HTML file: nothing is fetched, everything is escaped (maud), and it prints. The first screen is the
//! answer with both its halves; tables follow.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::{asked, word};
use super::{Answer, AuditReport, Judged, Verdicts};
use crate::inspect::InspectReport;
use crate::words::{percent, thousands};

const STYLE: &str = "
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2.5rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;font-weight:600;padding:.5rem 0}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8886;vertical-align:top;overflow-wrap:break-word}code{overflow-wrap:anywhere}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.answer{border:2px solid;border-radius:.5rem;padding:1rem 1.5rem;margin:1rem 0}
.answer strong{font-size:2rem;display:block}
.demo{border:2px dashed;padding:.3rem .8rem;font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border-left:4px solid #c33;padding:.5rem 1rem;background:#8881}
code{font-size:.9em}
@media print{body{max-width:none;margin:0}table,pre,tr{break-inside:avoid}h2{break-after:avoid}}
";

/// The report as a page.
#[must_use]
pub fn page(report: &AuditReport) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Audit of " (report.subject) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Audit of " (report.subject) }
                @if report.kind == crate::query::Kind::Outward { p { "This is " (super::OUTWARD_TREE) "." } }
                @match &report.verdicts {
                    Some(verdicts) => (first_screen(verdicts, report)),
                    None => p { "No policy was given, so nothing is decided; these are facts." },
                }
                p { (report.trust) "." }
                @if let Some(verdicts) = &report.verdicts { (details(verdicts)) }
                (facts(&report.facts))
            }
        }
    };
    markup.into_string()
}

fn first_screen(verdicts: &Verdicts, report: &AuditReport) -> Markup {
    let question = &verdicts.question;
    html! {
        @if question.demo || report.trust.contains("DEMO") {
            p.demo { "DEMO: made with throw-away keys. Nobody vouches for this." }
        }
        section.answer aria-label="answer" {
            p { (asked(question)) }
            strong { (word(verdicts.answer)) }
            p { (verdicts.because) "." }
            @if verdicts.answer != Answer::Yes {
                ul {
                    @for judged in verdicts.artifacts.iter().filter(|j| !j.admitted) {
                        li { (judged.kind) " " b { (judged.id) } ": " (reasons(judged)) }
                    }
                }
            }
        }
        p { (report.does_not_say) }
        p {
            "Policy " b { (question.policy) } " v" (question.version) ", owner " (question.owner) ", "
            code { (question.digest) } "."
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

fn number(value: Option<u64>) -> Markup {
    html! { td.n { @match value { Some(n) => (thousands(n)), None => "not said" } } }
}

fn details(verdicts: &Verdicts) -> Markup {
    html! {
        h2 { "Who may take part" }
        table {
            caption { "Tokens by verdict. Each counts once, however many rules deny it." }
            thead { tr { th { "artifact" } th { "verdict" } th.n { "permitted" } th.n { "denied" } th.n { "of these unknown" } th.n { "closed, at most" } th.n { "share permitted" } } }
            tbody {
                @for judged in &verdicts.artifacts {
                    tr {
                        td { (judged.kind) " " b { (judged.id) } br; code { (judged.digest) } }
                        td { @if judged.admitted { "permitted" } @else { b { "denied" } } }
                        td.n { (thousands(judged.totals.permitted)) }
                        td.n { (thousands(judged.totals.denied)) }
                        td.n { (thousands(judged.totals.unknown)) }
                        td.n { (thousands(judged.totals.at_most)) }
                        td.n { (percent(judged.totals.permitted, judged.totals.tokens)) }
                    }
                }
            }
        }
        @if verdicts.artifacts.iter().any(|j| j.denial.is_some()) {
            h2 { "Denials" }
            @for denial in verdicts.artifacts.iter().filter_map(|j| j.denial.as_ref()) { pre { (denial) } }
        }
        (by_reason(verdicts))
        (by_tier(verdicts))
        @if !verdicts.unmatched.is_empty() {
            table {
                caption { "Rules of the policy that matched nothing here" }
                thead { tr { th { "line" } th { "rule" } } }
                tbody {
                    @for rule in &verdicts.unmatched {
                        tr { td { (verdicts.question.file) ":" (rule.line) } td { (rule.key) " \"" (rule.value) "\"" } }
                    }
                }
            }
        }
    }
}

fn by_reason(verdicts: &Verdicts) -> Markup {
    html! {
        @if !verdicts.reasons.is_empty() {
            h2 { "Reasons" }
            table {
                caption { "Tokens by reason. Reasons overlap, so these do not add up." }
                thead { tr { th { "reason" } th { "rule" } th.n { "artifacts" } th.n { "documents" } th.n { "tokens" } } }
                tbody {
                    @for row in &verdicts.reasons {
                        tr {
                            td { (row.reason) " " code { (row.code) } }
                            td {
                                @if let (Some(line), Some(key)) = (row.line, &row.key) {
                                    (verdicts.question.file) ":" (line) " " (key) " " (row.value.as_deref().unwrap_or(""))
                                } @else { "no line permits it" }
                            }
                            td.n { (row.artifacts) }
                            (number(row.documents))
                            (number(row.tokens))
                        }
                    }
                }
            }
        }
    }
}

fn by_tier(verdicts: &Verdicts) -> Markup {
    html! {
        h2 { "Terms tiers" }
        table {
            caption { "Tokens by tier of terms: state, basis, properties" }
            thead { tr { th { "artifact" } th { "tier" } th { "verdict" } th.n { "documents" } th.n { "tokens" } } }
            tbody {
                @for row in &verdicts.tiers {
                    tr {
                        td { (row.artifact) }
                        td { (row.tier) }
                        td { @if row.permitted { "permitted" } @else { b { "denied" } } }
                        (number(row.documents))
                        (number(row.tokens))
                    }
                }
            }
        }
    }
}

fn facts(facts: &InspectReport) -> Markup {
    html! {
        @if !facts.sets.is_empty() {
            h2 { "Every input record is accounted for" }
            table {
                caption { "Documents in and out, by set" }
                thead { tr { th { "set" } th { "access" } th.n { "read" } th.n { "kept" } th.n { "held out" } th.n { "dropped" } th.n { "tokens" } } }
                tbody {
                    @for row in &facts.sets {
                        tr {
                            td { (row.set) } td { (row.access) }
                            (number(Some(row.read))) (number(Some(row.kept))) (number(Some(row.held_out)))
                            (number(Some(row.dropped))) (number(Some(row.tokens)))
                        }
                    }
                }
            }
            table {
                caption { "Dropped, by reason" }
                thead { tr { th { "set" } th { "stage" } th { "reason" } th.n { "documents" } th.n { "bytes" } } }
                tbody {
                    @for row in &facts.dropped {
                        tr { td { (row.set) } td { (row.stage) } td { (row.reason) } (number(Some(row.documents))) (number(Some(row.bytes))) }
                    }
                }
            }
            table {
                caption { "Kept for training, by terms" }
                thead { tr { th { "terms" } th { "state" } th { "basis" } th.n { "documents" } th.n { "tokens" } } }
                tbody {
                    @for row in &facts.licenses {
                        tr {
                            td { (row.license.as_deref().unwrap_or("none")) } td { (row.state) }
                            td { (row.basis.as_deref().unwrap_or("none")) }
                            (number(Some(row.documents))) (number(Some(row.tokens)))
                        }
                    }
                }
            }
            table {
                caption { "Sources" }
                thead { tr { th { "set" } th { "source" } th.n { "read" } th.n { "kept" } th.n { "tokens" } } }
                tbody {
                    @for row in &facts.sources {
                        tr {
                            td { (row.set) } td { (row.source) @if let Some(title) = &row.title { br; (title) } }
                            (number(Some(row.read))) (number(Some(row.kept))) (number(Some(row.tokens)))
                        }
                    }
                }
            }
        }
        @if !facts.exposure.is_empty() {
            h2 { "What the weights consumed" }
            table {
                caption { "Exposure by artifact, kind, set and terms" }
                thead { tr { th { "artifact" } th { "kind" } th { "set" } th { "terms" } th { "state" } th.n { "documents" } th.n { "tokens" } th.n { "at most" } } }
                tbody {
                    @for row in &facts.exposure {
                        tr {
                            td { (row.artifact) } td { (row.kind) } td { (row.set) }
                            td { (row.license.as_deref().unwrap_or("none")) } td { (row.state) }
                            (number(row.documents)) (number(row.tokens)) (number(row.at_most))
                        }
                    }
                }
            }
        }
    }
}
