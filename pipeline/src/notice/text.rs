//! A NOTICE as the text file that travels with data or weights: by license, then by source, words as found.

use std::fmt::Write as _;

use super::{AgreedSource, LicenseNotice, Notice, Said, SourceNotice, Unknown, Why};
use crate::query::Kind;
use crate::words::{counted, plain, short, visible};

/// The first line of every NOTICE of ours, by which one is known before it is replaced.
pub const MARK: &str = "NOTICE: attributions and notices owed, written by flexmix";

/// The most documents of one unknown that the text names; the JSON form names all.
const MOST_LISTED: usize = 50;

pub(super) fn notice(notice: &Notice) -> String {
    let mut text = format!("{MARK}\n\n");
    head(&mut text, notice);
    for license in &notice.licenses {
        license_part(&mut text, license);
    }
    if !notice.closed.is_empty() {
        heading(&mut text, "Closed sets");
        for closed in &notice.closed {
            _ = writeln!(text, "Set {} under {}: {}.", closed.set, closed.terms.join(", "), closed.says);
            closed.sources.iter().for_each(|source| agreed_part(&mut text, source));
        }
    }
    if !notice.unknowns.is_empty() {
        heading(&mut text, "Not known");
        for unknown in &notice.unknowns {
            unknown_part(&mut text, unknown);
        }
    }
    visible(&text)
}

fn heading(text: &mut String, words: &str) {
    _ = writeln!(text, "\n{}\n{words}\n{}\n", "=".repeat(78), "=".repeat(78));
}

fn head(text: &mut String, notice: &Notice) {
    let what = match notice.kind {
        Kind::Corpus => "the corpus",
        Kind::Model => "the model",
        Kind::Outward => "what was handed out of the corpus",
    };
    _ = writeln!(text, "For {what} {}.", plain(&notice.subject));
    if !notice.artifacts.is_empty() {
        _ = writeln!(text, "It lists what these weights consumed: {}.", notice.artifacts.join(", "));
    }
    match &notice.policy {
        Some(policy) => _ = writeln!(text, "It lists the text that policy {policy} permits."),
        None => _ = writeln!(text, "No policy was asked: it lists all text that was kept or consumed."),
    }
    if !notice.sets.is_empty() {
        _ = writeln!(text, "Sets: {}.", notice.sets.join(", "));
    }
    _ = writeln!(text, "{}.", notice.trust);
    let missing = notice.unknown();
    _ = writeln!(
        text,
        "{} asked for a name or a notice; for {} one was found. {} listed under \"Not known\".",
        counted(notice.documents, "document"),
        counted(notice.covered, "document"),
        if missing == 1 { "1 document is".to_owned() } else { format!("{} are", counted(missing, "document")) },
    );
    _ = writeln!(text, "\nChanges: {}", notice.changes);
}

fn license_part(text: &mut String, license: &LicenseNotice) {
    heading(text, &license.terms);
    if license.open_choice {
        _ = writeln!(text, "No branch is elected; what every branch asks is listed.");
    }
    for part in &license.parts {
        let name = part.name.as_deref().unwrap_or(&part.id);
        let place = part.text.as_deref().unwrap_or("its text came with the sources below");
        let asks = match &part.asks {
            Some(asks) if asks.is_empty() => "asks nothing".to_owned(),
            Some(asks) => format!("asks {}", asks.join(", ")),
            None => "not reviewed, so taken to ask attribution and notice".to_owned(),
        };
        _ = writeln!(text, "{name} ({}): {place}; {asks}.", part.id);
    }
    for source in &license.sources {
        source_part(text, source);
    }
}

fn source_part(text: &mut String, source: &SourceNotice) {
    let title = source.title.as_deref().map_or_else(|| source.source.clone(), plain);
    _ = writeln!(text, "\n{title}");
    let changed =
        if source.changed == 0 { String::new() } else { format!(", {} changed", counted(source.changed, "document")) };
    _ = writeln!(
        text,
        "  source {}, set {}: {}{changed}",
        source.source,
        source.set,
        counted(source.documents, "document")
    );
    if !source.also_from.is_empty() {
        _ = writeln!(text, "  the same texts also came from: {}", source.also_from.join(", "));
    }
    if !source.rightsholders.is_empty() {
        let holders: Vec<String> = source.rightsholders.iter().map(|h| plain(h)).collect();
        _ = writeln!(text, "  rights held by: {}", holders.join("; "));
    }
    if !source.terms_at.is_empty() {
        let places: Vec<String> = source.terms_at.iter().map(|p| plain(p)).collect();
        _ = writeln!(text, "  terms read at: {}", places.join(", "));
    }
    for said in &source.statements {
        said_part(text, said, source.documents);
    }
    if source.without_statement > 0 {
        let count = counted(source.without_statement, "document");
        _ = writeln!(text, "  {count} without a statement of their own or of their source");
    }
}

fn agreed_part(text: &mut String, source: &AgreedSource) {
    _ = writeln!(text, "\n{}\n  source {}", plain(&source.title), source.source);
    if !source.rightsholders.is_empty() {
        let holders: Vec<String> = source.rightsholders.iter().map(|h| plain(h)).collect();
        _ = writeln!(text, "  rights held by: {}", holders.join("; "));
    }
    source.statements.iter().for_each(|words| verbatim(text, words));
}

/// Words as found, each line of theirs kept and set in, so that none can be taken for one of ours.
fn said_part(text: &mut String, said: &Said, of: u64) {
    let cover = if said.documents == of { String::new() } else { format!(", {}", counted(said.documents, "document")) };
    verbatim(text, &said.words);
    _ = writeln!(text, "    ({}, {}{cover})", said.kind, plain(&said.locator));
}

fn verbatim(text: &mut String, words: &str) {
    for line in words.lines().filter(|l| !l.trim().is_empty()) {
        _ = writeln!(text, "  | {}", line.trim_end());
    }
}

fn unknown_part(text: &mut String, unknown: &Unknown) {
    let terms = unknown.terms.as_deref().unwrap_or("terms");
    let count = unknown.documents.map_or_else(|| "documents".to_owned(), |n| counted(n, "document"));
    let of = unknown.source.as_ref().map_or_else(String::new, |s| format!(", source {s}"));
    _ = match unknown.why {
        Why::NoStatement => writeln!(
            text,
            "{terms}, set {}{of}: {count}; no copyright statement or attribution was found:",
            unknown.set
        ),
        Why::TermsUnknown => {
            writeln!(text, "Terms {terms}, set {}{of}: {count}; what they ask is not known:", unknown.set)
        }
        Why::CorpusMissing => writeln!(
            text,
            "{terms}, set {}: {count}; whom they owe stands in the corpus with manifest {}, which is not at hand.",
            unknown.set,
            unknown.manifest.as_deref().map_or_else(String::new, short),
        ),
        Why::StampMissing => {
            writeln!(text, "Expert {}: it has no stamp, so what it consumed is not known.", unknown.set)
        }
    };
    for document in unknown.listed.iter().take(MOST_LISTED) {
        _ = writeln!(text, "  {} {}", document.doc_id, plain(&document.path));
    }
    if let Some(more) = unknown.listed.len().checked_sub(MOST_LISTED).filter(|n| *n > 0) {
        _ = writeln!(text, "  and {} more: `flexmix notice --format json` names all", counted(more as u64, "document"));
    }
}
