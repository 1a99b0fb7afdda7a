//! An impact report as one HTML file, in the shell that all reports share.

use maud::{Markup, html};

use super::report::{CorpusImpact, ImpactReport, Part};
use super::text::{action, clocks, effect, of_model, title, used};
use crate::html::{Column, Page, Section, number, table, text};
use crate::words::{percent, thousands};

use Column::{Numbers, Words};

/// What the page says it is, by which another one may take its place.
pub const KIND: &str = "Withdrawal impact";

/// The report as a page.
#[must_use]
pub fn page(report: &ImpactReport) -> String {
    let section = |id, heading, body| Section { id, heading, body };
    let mut sections = vec![
        section("rebuild", "The least that must be made anew", least(report)),
        section("weights", "Anchors, experts and models", weights(report)),
        section("corpora", "What corpora hold", html! { @for corpus in &report.corpora { (of_corpus(corpus)) } }),
    ];
    if !report.undecided.is_empty() || !report.unknown_manifests.is_empty() {
        sections.insert(0, section("undecided", "What cannot be decided here", undecided(report)));
    }
    if !report.cannot_be_undone.is_empty() {
        let body = html! { ul { @for line in &report.cannot_be_undone { li { (line) } } } };
        sections.insert(0, section("cannot", "What cannot be undone", body));
    }
    let footer = html! { "Records: " (report.records) ". Folders: " (report.trust) "." };
    let title = title(report);
    Page { title: &title, kind: KIND, demo: report.demo, first: summary(report), sections, footer }.render()
}

fn summary(report: &ImpactReport) -> Markup {
    let documents: u64 = report.corpora.iter().map(CorpusImpact::hit).sum();
    let rebuild = &report.rebuild;
    let is_free = documents == 0 && rebuild.retrain.is_empty() && report.undecided.is_empty();
    html! {
        section.answer.yes[is_free].no[!is_free] aria-label="summary" {
            p.word {
                @if is_free { "Nothing here holds it" } @else { (crate::words::counted(documents, "document")) " to take out" }
            }
            @if let Some(clocks) = clocks(report) { p { (clocks) } }
            @if let Some(reason) = &report.reason { p { "Reason: " (reason) } }
            @if let Some(kind) = report.kind { p { (effect(kind)) } }
            p {
                @if report.weights.is_empty() { "No weights were looked into." } @else {
                    "To train anew: "
                    b { @if rebuild.retrain.is_empty() { "nothing" } @else { (rebuild.retrain.join(", ")) } } "."
                }
            }
            @if !report.undecided.is_empty() {
                p { "Closed sets of which only their owners can say, and which gates exclude until then: " b { (report.undecided.len()) } "." }
            }
        }
    }
}

fn parts(caption: &str, parts: &[Part]) -> Markup {
    let columns = [
        Words("name"),
        Words("set"),
        Numbers("documents"),
        Numbers("of"),
        Numbers("tokens"),
        Numbers("of"),
        Numbers("share"),
    ];
    let row = |p: &Part| {
        vec![
            text(&p.name),
            text(&p.set),
            number(p.documents),
            number(p.of_documents),
            number(p.tokens),
            number(p.of_tokens),
            text(percent(p.tokens, p.of_tokens)),
        ]
    };
    html! { @if !parts.is_empty() { (table(caption, &columns, parts.iter().map(row))) } }
}

fn sets(corpus: &CorpusImpact) -> Markup {
    let columns = [
        Words("set"),
        Words("access"),
        Words("manifest"),
        Numbers("documents"),
        Numbers("of"),
        Numbers("tokens"),
        Numbers("of"),
        Numbers("share"),
        Numbers("held-out"),
    ];
    let rows = corpus.sets.iter().map(|s| {
        vec![
            text(&s.set),
            text(&s.access),
            html! { code { (s.manifest) } },
            number(s.documents),
            number(s.of_documents),
            number(s.tokens),
            number(s.of_tokens),
            text(percent(s.tokens, s.of_tokens)),
            number(s.held_out),
        ]
    });
    table("Sets", &columns, rows)
}

fn of_corpus(corpus: &CorpusImpact) -> Markup {
    html! {
        h3 { "Corpus " (corpus.folder) " (" (corpus.corpus) ")" }
        (sets(corpus))
        (parts("Tiers, held-out documents included", &corpus.tiers))
        (parts("Shards that hold it", &corpus.shards))
        p { "Further shards, which hold nothing of it: " (thousands(corpus.untouched_shards)) "." }
        (documents(corpus))
        @if !corpus.dropped.is_empty() {
            (table(
                "Further copies that were read and not kept",
                &[Words("source"), Words("set"), Words("why"), Numbers("documents")],
                corpus.dropped.iter().map(|d| {
                    vec![text(&d.source), text(&d.set), text(d.reason.as_deref().unwrap_or("")), number(d.documents)]
                }),
            ))
        }
        @if !corpus.twins.is_empty() {
            (table(
                "What stays free: other sources have the same text",
                &[Words("sources"), Words("set"), Words("terms"), Numbers("documents"), Numbers("tokens")],
                corpus.twins.iter().map(|t| {
                    let terms = text(t.license.as_deref().unwrap_or("none"));
                    vec![text(t.sources.join(", ")), text(&t.set), terms, number(t.documents), number(t.tokens)]
                }),
            ))
        }
    }
}

fn documents(corpus: &CorpusImpact) -> Markup {
    let columns = [
        Words("document"),
        Words("source"),
        Words("place"),
        Words("terms"),
        Words("shard"),
        Numbers("row"),
        Numbers("tokens"),
    ];
    let rows = corpus.documents.iter().map(|d| {
        vec![
            html! { code { (d.doc_id) } },
            text(&d.source),
            html! { (d.path) @if let Some(id) = &d.declared_id { " " (id) } },
            text(d.license.as_deref().unwrap_or("none")),
            html! { (d.set) "/" (d.shard) },
            number(d.row),
            number(d.tokens),
        ]
    });
    html! { @if !corpus.documents.is_empty() { (table("Documents", &columns, rows)) } }
}

fn weights(report: &ImpactReport) -> Markup {
    let columns = [Words("weights"), Words("what to do"), Words("exposure"), Words("where")];
    let rows = report.weights.iter().map(|w| {
        vec![
            html! { (w.subject) " " b { (w.id) } br; code { (w.files_root) } },
            text(action(w.action)),
            html! { @for of in &w.uses { (used(of)) br; } },
            html! { @for place in &w.places { (place) br; } },
        ]
    });
    html! {
        @if report.weights.is_empty() { p { "No weights were looked into." } } @else {
            (table("What their signed stamps say", &columns, rows))
        }
        @if !report.models.is_empty() {
            ul { @for model in &report.models { li { b { (model.name) } " (" (model.folder) "): " (of_model(model)) } } }
        }
    }
}

fn undecided(report: &ImpactReport) -> Markup {
    html! {
        ul {
            @for c in &report.undecided {
                li { "closed set " b { (c.set) } ", public manifest " code { (c.manifest) } ", in " (c.place) ": ask its owner" }
            }
            @for m in &report.unknown_manifests { li { "no corpus given has the ledger of the manifest " code { (m) } } }
        }
    }
}

fn least(report: &ImpactReport) -> Markup {
    let rebuild = &report.rebuild;
    let lists = [("Train anew", &rebuild.retrain), ("Merge anew", &rebuild.remerge), ("Keep", &rebuild.stay)];
    html! {
        ul {
            @for files in &rebuild.files {
                @for path in &files.rewritten { li { "rewrite " code { (path) } " of " (files.folder) } }
                @for path in &files.removed { li { "remove " code { (path) } " of " (files.folder) } }
                li {
                    "keep " (thousands(files.untouched)) " shards of " (files.folder)
                    " byte for byte; sets that keep their manifest: "
                    @if files.untouched_sets.is_empty() { "none" } @else { (files.untouched_sets.join(", ")) }
                }
            }
            @for (word, items) in lists { @if !items.is_empty() { li { (word) ": " (items.join(", ")) } } }
        }
    }
}
