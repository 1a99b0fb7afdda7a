//! What became of every document, in words: the funnel of each set, reasons and samples, times, sizes and facts,
//! places, duplicates, and what this corpus cannot show.

use super::text::{Heading, section};
use super::{Curation, Duplicates, Excerpt, Funnel, Histogram, Sample, Throughput};
use crate::words::{counted, measure, plain, rate, seconds, share, thousands};

pub(super) fn all(curation: &Curation) -> String {
    [
        curation.funnels.iter().map(funnel).collect::<String>(),
        reasons(curation),
        samples(&curation.samples),
        curation.throughput.as_ref().map(throughput).unwrap_or_default(),
        histograms(&curation.histograms),
        domains(curation),
        duplicates(&curation.duplicates),
        missing(curation),
    ]
    .concat()
}

fn funnel(funnel: &Funnel) -> String {
    let all = funnel.read;
    let share = |n: u64| share(n, all.documents);
    let mut lines = vec![vec![
        "read".to_owned(),
        String::new(),
        thousands(all.documents),
        String::new(),
        thousands(all.bytes),
        thousands(all.documents),
        thousands(all.bytes),
    ]];
    for step in &funnel.stages {
        for (n, dropped) in step.dropped.iter().enumerate() {
            let last = n + 1 == step.dropped.len();
            let left = |n: u64| if last { thousands(n) } else { String::new() };
            lines.push(vec![
                if n == 0 { format!("- {}", step.stage) } else { String::new() },
                dropped.reason.clone(),
                thousands(dropped.amount.documents),
                share(dropped.amount.documents),
                thousands(dropped.amount.bytes),
                left(step.out.documents),
                left(step.out.bytes),
            ]);
        }
    }
    for (name, amount) in [("= kept for training", funnel.kept), ("= held out", funnel.held_out)] {
        lines.push(vec![
            name.to_owned(),
            String::new(),
            thousands(amount.documents),
            share(amount.documents),
            thousands(amount.bytes),
            String::new(),
            String::new(),
        ]);
    }
    let columns: [Heading; 7] = [
        ("stage", false),
        ("reason", false),
        ("documents", true),
        ("share", true),
        ("bytes read", true),
        ("documents left", true),
        ("bytes left", true),
    ];
    let table = section(&format!("what became of set {}", funnel.set), &columns, lines);
    format!("{}  {}\n\n", table.trim_end_matches('\n').to_owned() + "\n", closing(funnel))
}

/// How the law of bytes closes, in a sentence.
pub(super) fn closing(funnel: &Funnel) -> String {
    let text = format!(
        "of what stays: {} bytes read + {} added - {} removed = {} of text; {} training tokens",
        thousands(funnel.kept.bytes + funnel.held_out.bytes),
        thousands(funnel.bytes_added),
        thousands(funnel.bytes_removed),
        thousands(funnel.bytes_out),
        thousands(funnel.tokens)
    );
    if funnel.tokens == funnel.tokens_with_copies {
        return text;
    }
    format!("{text}, {} with copies", thousands(funnel.tokens_with_copies))
}

fn reasons(curation: &Curation) -> String {
    let or_blank = |value: Option<f64>| value.map(measure).unwrap_or_default();
    let lines = curation.reasons.iter().map(|r| {
        vec![
            r.set.clone(),
            r.reason.clone(),
            r.code.unwrap_or_default().to_owned(),
            r.filter.clone().unwrap_or_else(|| r.stage.clone()),
            thousands(r.documents),
            or_blank(r.threshold),
            or_blank(r.lowest),
            or_blank(r.median),
            or_blank(r.highest),
        ]
    });
    let columns: [Heading; 9] = [
        ("set", false),
        ("reason", false),
        ("code", false),
        ("filter or stage", false),
        ("documents", true),
        ("threshold", true),
        ("lowest", true),
        ("median", true),
        ("highest", true),
    ];
    section("reasons, and the values that they dropped", &columns, lines.collect())
}

fn samples(samples: &[Sample]) -> String {
    let mut text = String::new();
    let mut last = None;
    for sample in samples {
        let head = (&sample.set, &sample.reason);
        if last != Some(head) {
            let filter = sample.filter.as_ref().map_or_else(String::new, |f| format!(" by {}", plain(f)));
            text += &format!(" {}: {}{filter}\n", sample.set, sample.reason);
            last = Some(head);
        }
        text += &format!("   {}\n", place(sample));
        let why = why(sample);
        if !why.is_empty() {
            text += &format!("     {why}\n");
        }
        if let Some(excerpt) = &sample.text {
            text += &format!("     {}\n", quoted(excerpt));
        }
    }
    if text.is_empty() { text } else { format!("samples of what each reason dropped\n{text}\n") }
}

/// A document's id, its source and its place there, on one line.
pub(super) fn place(sample: &Sample) -> String {
    let declared = sample.declared_id.as_ref().map_or_else(String::new, |id| format!(" ({})", plain(id)));
    format!("{} {}: {}{declared}", sample.doc_id, sample.source, plain(&sample.path))
}

/// What the rule found, on one line; empty where the reason says all.
pub(super) fn why(sample: &Sample) -> String {
    let mut parts = Vec::new();
    match (sample.value, sample.threshold) {
        (Some(value), Some(threshold)) => {
            parts.push(format!("value {}, threshold {}", measure(value), measure(threshold)));
        }
        _ => parts.extend(sample.detail.as_ref().map(|detail| plain(detail))),
    }
    parts.extend(sample.duplicate_of.as_ref().map(|id| format!("stands for it: {id}")));
    parts.join("; ")
}

fn quoted(excerpt: &Excerpt) -> String {
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let marked = if excerpt.marked.is_empty() { String::new() } else { format!("⟦{}⟧", excerpt.marked) };
    let text = format!("{}{marked}{}", excerpt.before, excerpt.after);
    plain(&format!("\"{}{text}{}\"", cut(excerpt.cut_before), cut(excerpt.cut_after)))
}

fn throughput(throughput: &Throughput) -> String {
    let lines = throughput.stages.iter().map(|s| {
        vec![
            s.stage.clone(),
            thousands(s.tasks),
            thousands(s.done_before),
            seconds(s.wall_us),
            seconds(s.busy_us),
            thousands(s.documents),
            thousands(s.bytes),
            s.documents_a_second().map(thousands).unwrap_or_default(),
            s.bytes_a_second().map(rate).unwrap_or_default(),
        ]
    });
    let columns: [Heading; 9] = [
        ("stage", false),
        ("tasks", true),
        ("done before", true),
        ("seconds", true),
        ("busy seconds", true),
        ("documents", true),
        ("bytes of text", true),
        ("documents/s of a core", true),
        ("MB/s of a core", true),
    ];
    let title = format!("throughput, {} at once (nobody signed this)", counted(throughput.threads, "task"));
    section(&title, &columns, lines.collect())
}

fn histograms(histograms: &[Histogram]) -> String {
    let or_blank = |value: Option<f64>| value.map(measure).unwrap_or_default();
    let numbers = histograms.iter().filter(|h| !h.bins.is_empty()).map(|h| {
        vec![
            h.title.clone(),
            thousands(h.documents),
            or_blank(h.lowest),
            or_blank(h.median),
            or_blank(h.highest),
            sparkline(h),
        ]
    });
    let columns: [Heading; 6] = [
        ("of each document", false),
        ("documents", true),
        ("lowest", true),
        ("median", true),
        ("highest", true),
        ("spread", false),
    ];
    let words = histograms.iter().flat_map(|h| {
        h.values.iter().map(|v| {
            let counts = [v.kept, v.held_out, v.dropped].map(thousands);
            [h.title.clone(), v.value.clone()].into_iter().chain(counts).collect()
        })
    });
    let of_words: [Heading; 5] =
        [("fact", false), ("value", false), ("kept", true), ("held out", true), ("dropped", true)];
    section("sizes and facts", &columns, numbers.collect()) + &section("facts in words", &of_words, words.collect())
}

/// The bins as blocks of eight heights; anything at all is at least the lowest.
fn sparkline(histogram: &Histogram) -> String {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = histogram.bins.iter().map(super::Bin::documents).max().unwrap_or(0).max(1);
    let height = |n: u64| usize::try_from((u128::from(n) * 8).div_ceil(u128::from(most))).unwrap_or(8).min(8);
    let blocks: String = histogram.bins.iter().map(|bin| BLOCKS[height(bin.documents())]).collect();
    format!("|{blocks}|")
}

fn domains(curation: &Curation) -> String {
    let lines = curation.domains.iter().map(|d| {
        let place = d.place.clone().unwrap_or_else(|| format!("{} more places", thousands(d.places)));
        let counts = [d.documents, d.kept, d.held_out, d.dropped, d.bytes, d.tokens].map(thousands);
        [d.set.clone(), place].into_iter().chain(counts).collect()
    });
    let columns: [Heading; 8] = [
        ("set", false),
        ("domain, or source and folder", false),
        ("documents", true),
        ("kept", true),
        ("held out", true),
        ("dropped", true),
        ("bytes read", true),
        ("tokens", true),
    ];
    section("where documents come from", &columns, lines.collect())
}

fn duplicates(duplicates: &Duplicates) -> String {
    let sizes = duplicates
        .sizes
        .iter()
        .map(|s| std::iter::once(s.reason.clone()).chain([s.size, s.clusters, s.dropped].map(thousands)).collect());
    let biggest = duplicates.biggest.iter().map(|c| {
        let or_gone = |value: &Option<String>| value.clone().unwrap_or_else(|| "not in this ledger".to_owned());
        vec![
            thousands(c.size),
            c.reason.clone(),
            c.doc_id.clone(),
            or_gone(&c.source),
            c.path.clone().unwrap_or_default(),
            c.decision.clone().unwrap_or_default(),
        ]
    });
    let of_sizes: [Heading; 4] = [("reason", false), ("size", true), ("clusters", true), ("dropped", true)];
    let of_biggest: [Heading; 6] = [
        ("size", true),
        ("reason", false),
        ("stands for it", false),
        ("source", false),
        ("path", false),
        ("decision", false),
    ];
    section("duplicates, by size of cluster", &of_sizes, sizes.collect())
        + &section("biggest clusters", &of_biggest, biggest.collect())
}

fn missing(curation: &Curation) -> String {
    let lines: String = curation.missing.iter().map(|m| format!(" {}: {}\n", m.what, m.why)).collect();
    if lines.is_empty() { lines } else { format!("not shown\n{lines}\n") }
}
