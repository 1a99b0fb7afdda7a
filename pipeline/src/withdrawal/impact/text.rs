//! An impact report in words, for a legal team: what it is about, what holds it, what to do, what cannot be undone.

use std::fmt::Write as _;

use manifests::record::WithdrawalKind;

use super::report::{CorpusImpact, Files, ImpactReport, ModelImpact, Part, SetPart, Use, WeightsImpact, Word};
use crate::words::{counted as count, percent, short, thousands, visible};

/// Shards and documents that are listed one by one; programs get all of them.
const LISTED: usize = 20;

/// What a kind of withdrawal does.
pub(super) const fn effect(kind: WithdrawalKind) -> &'static str {
    match kind {
        WithdrawalKind::OptOut => {
            "An opt-out is forward only: from its effective day on nothing more is built, trained or published with it. \
             Weights made before may go on."
        }
        WithdrawalKind::Erasure => {
            "From its effective day on every gate denies what holds it. An erasure also asks that nothing of it is \
             kept: rebuild the corpus, and delete the old one and its inputs."
        }
        WithdrawalKind::ContractEnd | WithdrawalKind::WrongLicense | WithdrawalKind::CourtOrder => {
            "From its effective day on every gate denies what holds it: building, training, releasing, serving, \
             publishing."
        }
    }
}

/// A kind's name.
pub(super) const fn kind(kind: WithdrawalKind) -> &'static str {
    match kind {
        WithdrawalKind::ContractEnd => "contract end",
        WithdrawalKind::WrongLicense => "wrong license",
        WithdrawalKind::OptOut => "opt-out",
        WithdrawalKind::Erasure => "erasure",
        WithdrawalKind::CourtOrder => "court order",
    }
}

/// What to do with weights, in words.
pub(super) const fn action(word: Word) -> &'static str {
    match word {
        Word::Stay => "stay: their records list nothing of it",
        Word::StayMadeBefore => "stay: made before, and an opt-out is forward only",
        Word::ReportedOnly => "stay, unless a policy's `[exposure] kinds` names how they saw it",
        Word::NotDecided => "not decided: no corpus given here has the manifests that they name",
        Word::AskTheOwner => "excluded until the owner of the closed set answers",
        Word::RetrainOnNewAnchor => "excluded: train anew, since their anchor must be",
        Word::RetrainForItsManifest => {
            "excluded: the manifest that they name holds it, though the cells that they read do not; train anew"
        }
        Word::Retrain => "excluded: they consumed it; train anew without it",
    }
}

/// The two dates, in words.
pub(super) fn clocks(report: &ImpactReport) -> Option<String> {
    let (effective, learned) = (report.effective?, report.learned?);
    let mut text = format!("Effective {effective}, learned {learned}. ");
    text += &if report.lifted {
        "Two legal keys lifted it: no gate obeys it any more, and below is what it would come to.".to_owned()
    } else if report.in_force {
        format!("In force on {}.", report.as_of)
    } else {
        format!("Not yet in force on {}; below is what it comes to on {effective}.", report.as_of)
    };
    let late = learned.days_since(effective);
    if late > 0 {
        let days = if late == 1 { "the day".to_owned() } else { format!("the {late} days") };
        text += &format!(" What was built, trained or answered in {days} between was done before you knew.");
    }
    Some(text)
}

/// The first line.
pub(super) fn title(report: &ImpactReport) -> String {
    match (&report.id, report.kind) {
        (Some(id), Some(of)) => format!("Impact of withdrawal {id} ({}): {}", kind(of), report.target),
        _ => format!("Impact if somebody withdrew {}", report.target),
    }
}

impl ImpactReport {
    /// The report in words.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = title(self) + "\n";
        for line in clocks(self).into_iter().chain(self.reason.clone().map(|r| format!("Reason: {r}"))) {
            text += &format!("{line}\n");
        }
        text += &self.kind.map_or_else(String::new, |k| format!("{}\n", effect(k)));
        text += &format!("Records: {}. Folders: {}.\n", self.records, self.trust);
        for corpus in &self.corpora {
            text += &of_corpus(corpus);
        }
        text += &of_weights(self);
        text += &undecided(self);
        text += &rebuild(self);
        if !self.cannot_be_undone.is_empty() {
            text += "\nWhat cannot be undone\n";
            for line in &self.cannot_be_undone {
                text += &format!("  - {line}\n");
            }
        }
        visible(&text)
    }
}

fn of_corpus(corpus: &CorpusImpact) -> String {
    let mut text = format!("\nCorpus {} ({})\n", corpus.folder, corpus.corpus);
    for set in &corpus.sets {
        text += &of_set(set);
    }
    for tier in &corpus.tiers {
        text += &of_part("tier", &format!("{} of set {}", tier.name, tier.set), tier);
    }
    for shard in corpus.shards.iter().take(LISTED) {
        text += &of_part("shard", &format!("sets/{}/{}", shard.set, shard.name), shard);
    }
    text += &more(corpus.shards.len(), "shard");
    text += &format!("  {} hold nothing of it\n", count(corpus.untouched_shards, "further shard"));
    for document in corpus.documents.iter().take(LISTED) {
        let declared = document.declared_id.as_ref().map_or_else(String::new, |id| format!(" `{id}`"));
        _ = writeln!(
            text,
            "  document {} from {} {}{declared}, {}, {}: {} row {}",
            document.doc_id,
            document.source,
            document.path,
            document.license.as_deref().unwrap_or("no terms"),
            count(document.tokens, "token"),
            document.shard,
            document.row
        );
    }
    text += &more(corpus.documents.len(), "document");
    for copy in &corpus.dropped {
        let why = copy.reason.as_deref().unwrap_or("no reason");
        text += &format!("  read from {} and not kept ({why}): {}\n", copy.source, count(copy.documents, "document"));
    }
    for twin in &corpus.twins {
        _ = writeln!(
            text,
            "  stays free: {}, {} of set {} ({}), which {} have as well",
            count(twin.documents, "document"),
            count(twin.tokens, "token"),
            twin.set,
            twin.license.as_deref().unwrap_or("no terms"),
            twin.sources.join(" and ")
        );
    }
    text
}

/// What a list leaves out.
fn more(all: usize, noun: &str) -> String {
    let rest = all.saturating_sub(LISTED) as u64;
    if rest == 0 { String::new() } else { format!("  and {} more; `--format json` lists all\n", count(rest, noun)) }
}

fn of_set(set: &SetPart) -> String {
    if set.documents + set.held_out == 0 {
        return format!("  set {}: nothing\n", set.set);
    }
    format!(
        "  set {} ({}): {} of {} training documents, {} of {} tokens ({}), {} held-out; manifest {}\n",
        set.set,
        set.access,
        thousands(set.documents),
        thousands(set.of_documents),
        thousands(set.tokens),
        thousands(set.of_tokens),
        percent(set.tokens, set.of_tokens),
        thousands(set.held_out),
        short(&set.manifest)
    )
}

fn of_part(what: &str, name: &str, part: &Part) -> String {
    let gone = if part.documents == part.of_documents { ", all of it" } else { "" };
    format!(
        "  {what} {name}: {} of {} documents, {} of {} tokens ({}){gone}\n",
        thousands(part.documents),
        thousands(part.of_documents),
        thousands(part.tokens),
        thousands(part.of_tokens),
        percent(part.tokens, part.of_tokens)
    )
}

/// A use of a set, in words.
pub(super) fn used(of: &Use) -> String {
    let whole = match of.tokens {
        None => format!(
            "of set {}, whose owner does not say how many of {} tokens at most",
            of.set,
            thousands(of.of_tokens)
        ),
        Some(tokens) => {
            let about = if of.reckoned { "about " } else { "" };
            let share = percent(tokens, of.of_tokens);
            format!("{about}{} of {} tokens of set {} ({share})", thousands(tokens), thousands(of.of_tokens), of.set)
        }
    };
    format!("{}: {whole}", of.kind)
}

fn of_weights(report: &ImpactReport) -> String {
    let mut text = String::new();
    text += if report.weights.is_empty() { "\nNo weights were looked into.\n" } else { "\nAnchors and experts\n" };
    for weights in &report.weights {
        text += &of_one(weights);
    }
    if !report.models.is_empty() {
        text += "\nModels\n";
    }
    for model in &report.models {
        text += &format!("  {} ({}): {}\n", model.name, model.folder, of_model(model));
    }
    text
}

fn of_one(weights: &WeightsImpact) -> String {
    let mut text = format!("  {} {}: {}\n", weights.subject, weights.id, action(weights.action));
    for of in &weights.uses {
        text += &format!("    {}\n", used(of));
    }
    for place in &weights.places {
        text += &format!("    in {place}\n");
    }
    text
}

/// What becomes of a model, in words.
pub(super) fn of_model(model: &ModelImpact) -> String {
    if model.stops {
        return "nothing of it runs, since its anchor is excluded".to_owned();
    }
    if model.excluded.is_empty() {
        return "goes on whole".to_owned();
    }
    let stays = if model.stays.is_empty() { "the anchor alone".to_owned() } else { model.stays.join(", ") };
    format!("goes on without {}; {stays} answers as before", model.excluded.join(", "))
}

fn undecided(report: &ImpactReport) -> String {
    let mut text = String::new();
    if !report.undecided.is_empty() {
        text += "\nOnly their owners can say, and gates exclude them until then\n";
    }
    for closed in &report.undecided {
        text += &format!("  closed set {}, public manifest {}, in {}\n", closed.set, closed.manifest, closed.place);
    }
    if !report.unknown_manifests.is_empty() {
        text += "\nNot decided: no corpus given here has the ledger of these manifests\n";
    }
    for manifest in &report.unknown_manifests {
        text += &format!("  {manifest}\n");
    }
    text
}

fn of_files(files: &Files) -> String {
    let mut text = String::new();
    for (word, paths) in [("rewrite", &files.rewritten), ("remove", &files.removed)] {
        for path in paths.iter().take(LISTED) {
            text += &format!("  {word} {path} of {}\n", files.folder);
        }
        text += &more(paths.len(), "file");
    }
    if files.rewritten.is_empty() && files.removed.is_empty() {
        return format!("  nothing of {}\n", files.folder);
    }
    let sets = if files.untouched_sets.is_empty() { "none".to_owned() } else { files.untouched_sets.join(", ") };
    text + &format!(
        "  keep {} of {} byte for byte, and the manifests of: {sets}\n",
        count(files.untouched, "shard"),
        files.folder
    )
}

fn rebuild(report: &ImpactReport) -> String {
    let least = &report.rebuild;
    let mut text = "\nThe least that must be made anew\n".to_owned();
    for files in &least.files {
        text += &of_files(files);
    }
    let lists = [("train anew", &least.retrain), ("merge anew", &least.remerge), ("keep", &least.stay)];
    for (word, items) in lists.iter().filter(|(_, items)| !items.is_empty()) {
        text += &format!("  {word}: {}\n", items.join(", "));
    }
    text
}
