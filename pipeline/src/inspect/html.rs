//! An inspection as a page: first what stayed and what took the rest, then the funnel, reasons with samples, times,
//! plots of sizes and facts, places and duplicates. The shell is `crate::html`; plots are `plot`.

use maud::{Markup, html};

use super::curation_text::{closing, place, why};
use super::{Curation, Duplicates, Excerpt, Funnel, Histogram, InspectReport, Sample, Throughput, plot};
use crate::audit;
use crate::html::{Column, Page, Section, bar, number, table, text};
use crate::words::{counted, measure, percent, plain, rate, seconds, share, thousands};

use Column::{Numbers, Words};

/// What the page is, at its head and in its mark.
pub const KIND: &str = "flexmix inspect";

/// The report on the folder `name` as a page.
#[must_use]
pub fn page(report: &InspectReport, name: &str) -> String {
    let title = match &report.curation {
        Some(_) => format!("What became of the documents of {name}"),
        None => format!("What is in {name}"),
    };
    let first = match &report.curation {
        Some(curation) => first_screen(curation),
        None => html! { p { "There is no ledger here, so nothing is told of single documents." } },
    };
    let mut sections = report.curation.as_ref().map(sections).unwrap_or_default();
    sections.extend(audit::facts_sections(report));
    let footer = html! {
        p { (report.trust) ". Schema " code { (report.schema) } ". Every number is a query over the folder's tables: "
            "ask them again with " code { "flexmix query" } "." }
    };
    Page { title: &title, kind: KIND, demo: report.trust.contains("DEMO"), first, sections, footer }.render()
}

fn sections(curation: &Curation) -> Vec<Section> {
    let mut sections = vec![
        Section { id: "funnel", heading: "What became of each set", body: funnels(&curation.funnels) },
        Section { id: "causes", heading: "Reasons", body: reasons(curation) },
    ];
    if !curation.samples.is_empty() {
        sections.push(Section {
            id: "samples",
            heading: "Samples of what was dropped",
            body: samples(&curation.samples),
        });
    }
    if let Some(times) = &curation.throughput {
        sections.push(Section { id: "times", heading: "How long it took", body: throughput(times) });
    }
    sections.push(Section { id: "spread", heading: "Sizes and facts", body: histograms(&curation.histograms) });
    sections.push(Section { id: "places", heading: "Where documents come from", body: domains(curation) });
    if !curation.duplicates.sizes.is_empty() {
        sections.push(Section { id: "duplicates", heading: "Duplicates", body: duplicates(&curation.duplicates) });
    }
    sections
}

fn first_screen(curation: &Curation) -> Markup {
    let sum = |f: fn(&Funnel) -> u64| curation.funnels.iter().map(f).sum::<u64>();
    let (read, kept, held_out) = (sum(|f| f.read.documents), sum(|f| f.kept.documents), sum(|f| f.held_out.documents));
    let dropped = read - kept - held_out;
    html! {
        section.answer aria-label="Answer" {
            p.word { (thousands(kept)) " of " (thousands(read)) " kept" }
            p { (percent(kept, read)) " of the documents that were read are in training shards, " (percent(held_out, read))
                " are held out for evaluation, " (percent(dropped, read)) " were dropped, each for one stated reason." }
            (bar(&[("kept", "yes", kept), ("held out", "unknown", held_out), ("dropped", "no", dropped)]))
            p.note { (thousands(sum(|f| f.read.bytes))) " bytes read, " (thousands(sum(|f| f.bytes_out)))
                " bytes of text stay, " (thousands(sum(|f| f.tokens))) " training tokens." }
        }
        div.cards {
            (sets_card(&curation.funnels))
            (reasons_card(curation, read, dropped))
            (times_card(curation))
        }
    }
}

fn sets_card(funnels: &[Funnel]) -> Markup {
    html! {
        section.card aria-labelledby="by-set" {
            h2 #by-set { "Documents by set" }
            @for funnel in funnels {
                p { b { (funnel.set) } " " (thousands(funnel.kept.documents)) " of " (thousands(funnel.read.documents))
                    " (" (percent(funnel.kept.documents, funnel.read.documents)) ")" }
                (ending(funnel.kept.documents, funnel.held_out.documents, funnel.read.documents))
            }
        }
    }
}

/// Kept, held out and dropped as a bar.
fn ending(kept: u64, held_out: u64, all: u64) -> Markup {
    bar(&[
        ("kept", "yes", kept),
        ("held out", "unknown", held_out),
        ("dropped", "no", all.saturating_sub(kept + held_out)),
    ])
}

fn reasons_card(curation: &Curation, read: u64, dropped: u64) -> Markup {
    let mut by_reason: Vec<(&str, u64)> = Vec::new();
    for row in &curation.reasons {
        match by_reason.iter_mut().find(|(reason, _)| *reason == row.reason) {
            Some((_, documents)) => *documents += row.documents,
            None => by_reason.push((&row.reason, row.documents)),
        }
    }
    by_reason.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    html! {
        section.card aria-labelledby="most" {
            h2 #most { "What took most" }
            @if by_reason.is_empty() { p { "Nothing was dropped." } }
            @for (reason, documents) in by_reason.into_iter().take(7) {
                p { b { (plain(reason)) } " " (thousands(documents)) " (" (percent(documents, read)) ")" }
                (bar(&[("dropped for it", "no", documents), ("dropped for others", "gone", dropped.saturating_sub(documents))]))
            }
            p.note { "Shares are of all that was read, bars of all that was dropped." }
        }
    }
}

fn times_card(curation: &Curation) -> Markup {
    html! {
        section.card aria-labelledby="pace" {
            h2 #pace { "How long it took" }
            @match &curation.throughput {
                Some(times) => dl {
                    dt { "stages" } dd { (seconds(times.wall_us)) " s, " (counted(times.threads, "task")) " at once" }
                    @for stage in slowest(times) {
                        dt { (stage.stage) } dd { (seconds(stage.busy_us)) " s busy"
                            @if let Some(bytes) = stage.bytes_a_second() { ", " (rate(bytes)) " MB/s of a core" } }
                    }
                },
                None => p { "This folder has no times." },
            }
            @if !curation.missing.is_empty() {
                h2 { "Not shown here" }
                ul { @for missing in &curation.missing { li { b { (missing.what) } ": " (missing.why) } } }
            }
        }
    }
}

/// The four stages that kept the cores busy longest.
fn slowest(times: &Throughput) -> Vec<&crate::timings::StageTime> {
    let mut stages: Vec<_> = times.stages.iter().collect();
    stages.sort_by(|a, b| b.busy_us.cmp(&a.busy_us).then(a.stage.cmp(&b.stage)));
    stages.truncate(4);
    stages
}

fn funnels(funnels: &[Funnel]) -> Markup {
    html! { @for one in funnels { h3 { (one.set) } (funnel(one)) } }
}

fn funnel(funnel: &Funnel) -> Markup {
    let all = funnel.read;
    let columns = [
        Words("stage"),
        Words("reason"),
        Numbers("documents"),
        Numbers("share"),
        Numbers("bytes read"),
        Numbers("documents left"),
        Numbers("bytes left"),
    ];
    let rows = funnel.stages.iter().flat_map(|step| {
        step.dropped.iter().enumerate().map(move |(n, dropped)| {
            let last = n + 1 == step.dropped.len();
            let left = |n: u64| {
                if last {
                    number(n)
                } else {
                    html! {}
                }
            };
            vec![
                text(&step.stage),
                text(plain(&dropped.reason)),
                number(dropped.amount.documents),
                text(share(dropped.amount.documents, all.documents)),
                number(dropped.amount.bytes),
                left(step.out.documents),
                left(step.out.bytes),
            ]
        })
    });
    html! {
        ol.funnel {
            li { b { "input" } (bar(&[("read", "yes", all.documents)]))
                span { (counted(all.documents, "document")) ", " (thousands(all.bytes)) " bytes" } }
            @for step in &funnel.stages {
                @let lost = step.all_dropped();
                li { b { (step.stage) }
                    (bar(&[("left", "yes", step.out.documents), ("dropped here", "no", lost.documents),
                           ("dropped before", "gone", all.documents - step.into.documents)]))
                    span { @if lost.documents == 0 { "drops nothing" } @else {
                        "drops " (thousands(lost.documents)) " (" (percent(lost.documents, all.documents)) "), "
                        (thousands(step.out.documents)) " left" } } }
            }
            li { b { "ends" } (ending(funnel.kept.documents, funnel.held_out.documents, all.documents))
                span { (thousands(funnel.kept.documents)) " kept, " (thousands(funnel.held_out.documents)) " held out" } }
        }
        p.note { (first_up(&closing(funnel))) "." }
        @if all.documents > funnel.kept.documents + funnel.held_out.documents {
            (table(&format!("Set {}: what each stage dropped, in the dataflow's order", funnel.set), &columns, rows))
        }
    }
}

fn first_up(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn reasons(curation: &Curation) -> Markup {
    let columns = [
        Words("reason"),
        Words("set"),
        Words("filter or stage"),
        Numbers("documents"),
        Numbers("bytes read"),
        Numbers("threshold"),
        Numbers("lowest value"),
        Numbers("median"),
        Numbers("highest"),
        Words("what it means"),
    ];
    let or_blank = |value: Option<f64>| text(value.map(measure).unwrap_or_default());
    let rows = curation.reasons.iter().map(|row| {
        vec![
            html! { (plain(&row.reason)) @if let Some(number) = row.code { " " code { (number) } } },
            text(&row.set),
            text(plain(row.filter.as_deref().unwrap_or(&row.stage))),
            number(row.documents),
            number(row.bytes),
            or_blank(row.threshold),
            or_blank(row.lowest),
            or_blank(row.median),
            or_blank(row.highest),
            text(row.meaning.unwrap_or_default()),
        ]
    });
    table("What dropped documents, and the values that it dropped", &columns, rows)
}

fn samples(samples: &[Sample]) -> Markup {
    let mut groups: Vec<(String, Vec<&Sample>)> = Vec::new();
    for sample in samples {
        let filter = sample.filter.as_ref().map_or_else(String::new, |f| format!(", by {}", plain(f)));
        let head = format!("{}: {}{filter}", sample.set, plain(&sample.reason));
        match groups.last_mut() {
            Some((last, group)) if *last == head => group.push(sample),
            _ => groups.push((head, vec![sample])),
        }
    }
    html! {
        p.note { "The first of each by id, which is a digest: an even sample, and the same in every report." }
        @for (head, group) in groups {
            h3 { (head) }
            @for sample in group {
                pre { b { (place(sample)) } "\n" (why(sample))
                    @if let Some(excerpt) = &sample.text { "\n\n" (quoted(excerpt)) } }
            }
        }
    }
}

fn quoted(excerpt: &Excerpt) -> Markup {
    html! {
        @if excerpt.cut_before { "…" }
        (excerpt.before)
        @if !excerpt.marked.is_empty() { mark { (excerpt.marked) } }
        (excerpt.after)
        @if excerpt.cut_after { "…" }
    }
}

fn throughput(times: &Throughput) -> Markup {
    let columns = [
        Words("stage"),
        Words("share of the busy time"),
        Numbers("tasks"),
        Numbers("done before"),
        Numbers("seconds"),
        Numbers("busy seconds"),
        Numbers("documents"),
        Numbers("bytes of text"),
        Numbers("documents/s of a core"),
        Numbers("MB/s of a core"),
    ];
    let all: u64 = times.stages.iter().map(|s| s.busy_us).sum();
    let rows = times.stages.iter().map(|stage| {
        vec![
            text(&stage.stage),
            bar(&[("of it", "yes", stage.busy_us), ("of others", "gone", all - stage.busy_us)]),
            number(stage.tasks),
            number(stage.done_before),
            text(seconds(stage.wall_us)),
            text(seconds(stage.busy_us)),
            number(stage.documents),
            number(stage.bytes),
            stage.documents_a_second().map_or_else(|| html! {}, number),
            text(stage.bytes_a_second().map(rate).unwrap_or_default()),
        ]
    });
    html! {
        p.note { "Busy seconds are those of all tasks together, so that a rate is what one core does. "
            "Nobody signed these times, and no digest covers them: they tell of the machine." }
        (table(&format!("Stages in the order in which they ran, {} at once", counted(times.threads, "task")), &columns, rows))
    }
}

fn histograms(histograms: &[Histogram]) -> Markup {
    html! {
        (plot::legend())
        div.plots { @for one in histograms.iter().filter(|h| !h.bins.is_empty()) { (plot::histogram(one)) } }
        @for one in histograms.iter().filter(|h| !h.values.is_empty()) {
            (table(&first_up(&one.title), &[Words("value"), Words("what became of them"), Numbers("kept"), Numbers("held out"), Numbers("dropped")],
                one.values.iter().map(|v| vec![
                    text(plain(&v.value)),
                    ending(v.kept, v.held_out, v.kept + v.held_out + v.dropped),
                    number(v.kept), number(v.held_out), number(v.dropped),
                ])))
        }
    }
}

fn domains(curation: &Curation) -> Markup {
    let columns = [
        Words("domain, or source and folder"),
        Words("set"),
        Words("what became of them"),
        Numbers("documents"),
        Numbers("kept"),
        Numbers("held out"),
        Numbers("dropped"),
        Numbers("bytes read"),
        Numbers("tokens"),
    ];
    let rows = curation.domains.iter().map(|row| {
        let place = row.place.as_deref().map_or_else(|| format!("{} more places", thousands(row.places)), plain);
        let words = [text(place), text(&row.set), ending(row.kept, row.held_out, row.documents)];
        let counts = [row.documents, row.kept, row.held_out, row.dropped, row.bytes, row.tokens].map(number);
        words.into_iter().chain(counts).collect()
    });
    table("Places with most documents", &columns, rows)
}

fn duplicates(duplicates: &Duplicates) -> Markup {
    let of_sizes = [Words("reason"), Numbers("documents of a cluster"), Numbers("clusters"), Numbers("dropped")];
    let sizes = duplicates
        .sizes
        .iter()
        .map(|row| vec![text(&row.reason), number(row.size), number(row.clusters), number(row.dropped)]);
    let of_biggest = [
        Words("stands for it"),
        Words("place"),
        Words("set"),
        Words("decision"),
        Words("reason"),
        Numbers("documents"),
        Numbers("sources of the others"),
    ];
    let or_gone = |value: &Option<String>| plain(value.as_deref().unwrap_or("not in this ledger"));
    let biggest = duplicates.biggest.iter().map(|row| {
        vec![
            html! { code { (row.doc_id) } },
            text(format!("{}: {}", or_gone(&row.source), or_gone(&row.path))),
            text(or_gone(&row.set)),
            text(or_gone(&row.decision)),
            text(&row.reason),
            number(row.size),
            number(row.sources),
        ]
    });
    html! {
        (table("Clusters by size", &of_sizes, sizes))
        (table("The biggest clusters, and the document that stands for each", &of_biggest, biggest))
    }
}
