//! The tables behind an audit's first screen: verdicts by artifact, reasons, tiers, and the facts of the folder.

use maud::{Markup, html};

use super::html::findings;
use super::text::ending;
use super::{Judged, Totals, Verdicts};
use crate::html::{Column, Section, number, table, text};
use crate::inspect::InspectReport;
use crate::words::{percent, plain};

use Column::{Numbers, Words};

pub(super) fn verdicts(verdicts: &Verdicts) -> Vec<Section> {
    let mut sections = vec![Section { id: "artifacts", heading: "Who may take part", body: artifacts(verdicts) }];
    let denied: Vec<&Judged> = verdicts.artifacts.iter().filter(|j| !j.admitted).collect();
    if !denied.is_empty() {
        let body = html! {
            @for judged in denied {
                @if let Some(denial) = &judged.denial { pre { (denial) } }
                (findings(judged, &verdicts.question))
            }
        };
        sections.push(Section { id: "denials", heading: "Denials", body });
    }
    sections.push(Section { id: "reasons", heading: "Reasons", body: reasons(verdicts) });
    sections.push(Section { id: "tiers", heading: "Terms tiers", body: tiers(verdicts) });
    if !verdicts.contradictions.is_empty() {
        sections.push(Section { id: "contradictions", heading: "Contradictions", body: contradictions(verdicts) });
    }
    if !verdicts.standing.exceptions.is_empty() {
        sections.push(Section { id: "exceptions", heading: "Exceptions", body: exceptions(verdicts) });
    }
    sections
}

fn totals(totals: &Totals) -> [Markup; 5] {
    [
        number(totals.permitted),
        number(totals.denied),
        number(totals.unknown),
        if totals.at_most > 0 { number(totals.at_most) } else { text("none") },
        text(percent(totals.permitted, totals.tokens)),
    ]
}

fn artifacts(verdicts: &Verdicts) -> Markup {
    let columns = [
        Words("artifact"),
        Words("verdict"),
        Words("text"),
        Numbers("permitted"),
        Numbers("denied"),
        Numbers("of these unknown"),
        Numbers("closed, at most"),
        Numbers("share permitted"),
    ];
    let row = |judged: &Judged, what: &'static str, counts: &Totals| {
        let verdict = if judged.admitted {
            html! { b.yes { "permitted" } }
        } else {
            html! { b.no { "denied" } }
        };
        let head = html! { (judged.kind) " " b { (judged.id) } };
        [head, verdict, text(what)].into_iter().chain(totals(counts)).collect::<Vec<_>>()
    };
    let rows = verdicts.artifacts.iter().flat_map(|judged| {
        let mut rows = vec![row(judged, if judged.kind == "expert" { "its own" } else { "all" }, &judged.own)];
        if judged.kind == "expert" {
            rows.push(row(judged, "public, beside it", &beside(judged)));
        }
        rows
    });
    let records = verdicts.artifacts.iter().map(|judged| {
        let signers = if judged.signers.is_empty() { "not checked".to_owned() } else { judged.signers.join(", ") };
        let assurance = judged.assurance.as_deref().unwrap_or("a manifest");
        vec![text(&judged.id), html! { code { (judged.digest) } }, text(signers), text(assurance)]
    });
    let of = [Words("artifact"), Words("digest"), Words("signed by"), Words("assurance")];
    html! {
        (table("Tokens by verdict. Each text counts once, however many rules deny it.", &columns, rows))
        (table("Records that say so", &of, records))
    }
}

/// What an expert saw beside its own text.
fn beside(judged: &Judged) -> Totals {
    let (all, own) = (&judged.totals, &judged.own);
    Totals {
        tokens: all.tokens.saturating_sub(own.tokens),
        permitted: all.permitted.saturating_sub(own.permitted),
        denied: all.denied.saturating_sub(own.denied),
        unknown: all.unknown.saturating_sub(own.unknown),
        documents: all.documents.saturating_sub(own.documents),
        denied_documents: all.denied_documents.saturating_sub(own.denied_documents),
        at_most: all.at_most.saturating_sub(own.at_most),
    }
}

fn reasons(verdicts: &Verdicts) -> Markup {
    let columns = [Words("reason"), Words("rule"), Numbers("artifacts"), Numbers("documents"), Numbers("tokens")];
    let file = &verdicts.question.file;
    let rows = verdicts.reasons.iter().map(|row| {
        let rule = match (row.line, &row.key) {
            (Some(line), Some(key)) => format!("{file}:{line} {key} {}", row.value.as_deref().unwrap_or("")),
            _ => "no line permits it".to_owned(),
        };
        let reason = html! { (row.reason) " " code { (row.code) } };
        vec![reason, text(rule), number(row.artifacts), number(row.documents), number(row.tokens)]
    });
    let unmatched = verdicts.unmatched.iter();
    let unmatched = unmatched.map(|r| vec![text(format!("{file}:{}", r.line)), text(&r.key), text(plain(&r.value))]);
    html! {
        @if verdicts.reasons.is_empty() { p { "No rule denies anything here." } }
        @else { (table("Tokens by reason. Reasons overlap, so these do not add up.", &columns, rows)) }
        @if !verdicts.unmatched.is_empty() {
            (table("Rules of the policy that matched nothing here", &[Words("line"), Words("key"), Words("value")], unmatched))
        }
    }
}

fn tiers(verdicts: &Verdicts) -> Markup {
    let columns = [Words("artifact"), Words("tier"), Words("verdict"), Numbers("documents"), Numbers("tokens")];
    let rows = verdicts.tiers.iter().map(|row| {
        let verdict = if row.permitted {
            html! { "permitted" }
        } else {
            html! { b.no { "denied" } }
        };
        vec![text(&row.artifact), text(&row.tier), verdict, number(row.documents), number(row.tokens)]
    });
    table("Tokens by tier of terms (state, basis, properties); of experts their own", &columns, rows)
}

fn contradictions(verdicts: &Verdicts) -> Markup {
    let columns = [
        Words("set"),
        Words("of"),
        Words("what became of it"),
        Numbers("documents"),
        Words("both sides, of the first"),
    ];
    let rows = verdicts.contradictions.iter().map(|row| {
        let of = row.source.as_deref().or(row.artifact.as_deref()).unwrap_or("");
        let place = row.path.as_ref().map_or_else(String::new, |p| format!("{}: ", plain(p)));
        let unsaid = if row.decision == "consumed" { "an audit of the corpus shows them" } else { "in the ledger" };
        let detail = row.detail.as_deref().map_or_else(|| unsaid.to_owned(), plain);
        vec![text(&row.set), text(of), text(&row.decision), number(row.documents), text(format!("{place}{detail}"))]
    });
    table("Texts on whose terms two who may conclude disagree", &columns, rows)
}

fn exceptions(verdicts: &Verdicts) -> Markup {
    let columns = [Words("artifact"), Words("rule"), Numbers("at most"), Words("why, and who"), Words("until")];
    let rows = verdicts.standing.exceptions.iter().map(|row| {
        vec![text(&row.artifact), text(&row.rule), number(row.max_tokens), text(plain(&row.reason)), text(ending(row))]
    });
    table("Exceptions for what is here", &columns, rows)
}

fn or_none(value: Option<&str>) -> Markup {
    text(value.unwrap_or("none"))
}

pub(crate) fn facts(facts: &InspectReport) -> Vec<Section> {
    let mut sections = Vec::new();
    if !facts.sets.is_empty() {
        sections.push(Section { id: "inputs", heading: "Every input record is accounted for", body: inputs(facts) });
        sections.push(Section { id: "terms", heading: "What was kept, by terms and source", body: terms(facts) });
    }
    if !facts.exposure.is_empty() {
        sections.push(Section { id: "exposure", heading: "What the weights consumed", body: exposure(facts) });
    }
    sections
}

fn inputs(facts: &InspectReport) -> Markup {
    let columns = [
        Words("set"),
        Words("access"),
        Numbers("read"),
        Numbers("kept"),
        Numbers("held out"),
        Numbers("dropped"),
        Numbers("tokens"),
    ];
    let sets = facts.sets.iter().map(|row| {
        let counts = [row.read, row.kept, row.held_out, row.dropped, row.tokens].map(number);
        [text(&row.set), text(&row.access)].into_iter().chain(counts).collect()
    });
    let reasons = [Words("set"), Words("stage"), Words("reason"), Numbers("documents"), Numbers("bytes")];
    let dropped = facts
        .dropped
        .iter()
        .map(|row| vec![text(&row.set), text(&row.stage), text(&row.reason), number(row.documents), number(row.bytes)]);
    html! {
        (table("Documents in and out, by set", &columns, sets))
        @if !facts.dropped.is_empty() { (table("Dropped, by reason", &reasons, dropped)) }
    }
}

fn terms(facts: &InspectReport) -> Markup {
    let columns = [Words("terms"), Words("state"), Words("basis"), Numbers("documents"), Numbers("tokens")];
    let licenses = facts.licenses.iter().map(|row| {
        vec![
            or_none(row.license.as_deref()),
            text(&row.state),
            or_none(row.basis.as_deref()),
            number(row.documents),
            number(row.tokens),
        ]
    });
    let of = [Words("source"), Words("title"), Words("set"), Numbers("read"), Numbers("kept"), Numbers("tokens")];
    let sources = facts.sources.iter().map(|row| {
        let title = text(plain(row.title.as_deref().unwrap_or("")));
        vec![text(&row.source), title, text(&row.set), number(row.read), number(row.kept), number(row.tokens)]
    });
    html! {
        (table("Kept for training, by terms", &columns, licenses))
        (table("Sources; kept includes what is held out for evaluation", &of, sources))
    }
}

fn exposure(facts: &InspectReport) -> Markup {
    let columns = [
        Words("artifact"),
        Words("kind"),
        Words("set"),
        Words("terms"),
        Words("state"),
        Numbers("documents"),
        Numbers("tokens"),
        Numbers("at most"),
    ];
    let rows = facts.exposure.iter().map(|row| {
        let words = [&row.artifact, &row.kind, &row.set].map(text);
        let at_most = if row.at_most.is_some() { number(row.at_most) } else { text("exact") };
        let rest =
            [or_none(row.license.as_deref()), text(&row.state), number(row.documents), number(row.tokens), at_most];
        words.into_iter().chain(rest).collect()
    });
    table("Exposure by artifact, kind, set and terms", &columns, rows)
}
