//! What an impact report says, as programs read it, and how it is put together from what was found.

use std::collections::{BTreeMap, BTreeSet};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::record::{WithdrawalKind, WithdrawalTarget};
use serde::{Deserialize, Serialize};

use super::Asked;
use super::corpus::Looked;
use super::weights::Found;

/// Documents and tokens of a part that are hit, and of the part as a whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// The set.
    pub set: String,
    /// The shard or the tier.
    pub name: String,
    /// `train` or `held-out`; a tier counts both.
    pub role: Option<String>,
    /// Documents that are hit.
    pub documents: u64,
    /// Their tokens.
    pub tokens: u64,
    /// All documents.
    pub of_documents: u64,
    /// All tokens.
    pub of_tokens: u64,
}

/// A set, hit or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetPart {
    /// The set.
    pub set: String,
    /// `public` or `closed`.
    pub access: String,
    /// The digest of its manifest.
    pub manifest: String,
    /// The digest of its public manifest, where it has one.
    #[serde(default)]
    pub public: Option<Sha256>,
    /// Training documents that are hit.
    pub documents: u64,
    /// Training tokens that are hit.
    pub tokens: u64,
    /// Held-out documents that are hit.
    pub held_out: u64,
    /// All training documents.
    pub of_documents: u64,
    /// All training tokens.
    pub of_tokens: u64,
}

/// A document that is hit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldDocument {
    /// Its id.
    pub doc_id: String,
    /// Its set.
    pub set: String,
    /// The source that stands for it.
    pub source: String,
    /// Where it was in the source.
    pub path: String,
    /// The id that it gave itself.
    pub declared_id: Option<String>,
    /// Its terms.
    pub license: Option<String>,
    /// The shard.
    pub shard: String,
    /// The row.
    pub row: u64,
    /// Its tokens.
    pub tokens: u64,
}

/// Further copies of a work that were read and not kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dropped {
    /// The set.
    pub set: String,
    /// The source.
    pub source: String,
    /// Why they were not kept.
    pub reason: Option<String>,
    /// Documents.
    pub documents: u64,
}

/// What stays free because other sources have the same text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Twin {
    /// The set.
    pub set: String,
    /// Its terms.
    pub license: Option<String>,
    /// All its sources.
    pub sources: Vec<String>,
    /// Training documents.
    pub documents: u64,
    /// Training tokens.
    pub tokens: u64,
}

/// What one corpus holds.
#[derive(Clone, Debug, Serialize)]
pub struct CorpusImpact {
    /// The folder, as typed.
    pub folder: String,
    /// The recipe's name.
    pub corpus: String,
    /// Every set.
    pub sets: Vec<SetPart>,
    /// Tiers that are hit.
    pub tiers: Vec<Part>,
    /// Shards that are hit.
    pub shards: Vec<Part>,
    /// Shards that are not.
    pub untouched_shards: u64,
    /// Documents that are hit.
    pub documents: Vec<HeldDocument>,
    /// Copies of a work that were read and not kept.
    pub dropped: Vec<Dropped>,
    /// What stays free.
    pub twins: Vec<Twin>,
    /// The set that the tokenizer was trained on, when that set is hit.
    pub tokenizer: Option<String>,
}

impl CorpusImpact {
    /// Documents that are hit, held-out ones included.
    #[must_use]
    pub fn hit(&self) -> u64 {
        self.sets.iter().map(|s| s.documents + s.held_out).sum()
    }
}

/// A closed set that only its owner can decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Closed {
    /// The set.
    pub set: String,
    /// The digest of its public manifest.
    pub manifest: Sha256,
    /// Where it shows.
    pub place: String,
}

/// What a use of a set by weights comes to.
#[derive(Clone, Debug, Serialize)]
pub struct Use {
    /// How: `gradient`, `row-init`, `tokenizer`, …
    pub kind: &'static str,
    /// The set.
    pub set: String,
    /// The set's manifest.
    pub manifest: Sha256,
    /// Tokens consumed that are hit; absent where a closed set does not say.
    pub tokens: Option<u64>,
    /// Whether `tokens` is reckoned from how often the cell was read: stamps count cells, not works.
    pub reckoned: bool,
    /// All tokens consumed this way; a closed set's is its upper bound.
    pub of_tokens: u64,
}

/// What is to be done with weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// Nothing: they hold nothing of it.
    Stay,
    /// Nothing: an opt-out is forward only.
    StayMadeBefore,
    /// Nothing, unless a policy's `[exposure] kinds` names how they were exposed.
    ReportedOnly,
    /// Nobody knows: the manifests that they name are in none of the corpora.
    NotDecided,
    /// The owner of a closed set must say.
    AskTheOwner,
    /// Train anew, since the anchor must be.
    RetrainOnNewAnchor,
    /// Train anew: gates exclude them, though they read none of it, since their manifest holds it.
    RetrainForItsManifest,
    /// Train anew: they consumed it.
    Retrain,
}

/// What is to be done about weights.
#[derive(Clone, Debug, Serialize)]
pub struct WeightsImpact {
    /// Where they lie.
    pub places: Vec<String>,
    /// `anchor` or `expert`.
    pub subject: &'static str,
    /// The id.
    pub id: String,
    /// The root over their files.
    pub files_root: Sha256,
    /// How they were exposed to it.
    pub uses: Vec<Use>,
    /// What to do.
    pub action: Word,
}

/// What is to be done about a model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelImpact {
    /// Where it lies.
    pub folder: String,
    /// Its name.
    pub name: String,
    /// Members that gates exclude from the effective day on.
    pub excluded: Vec<String>,
    /// Members that go on.
    pub stays: Vec<String>,
    /// Whether nothing of it runs: its anchor is excluded.
    pub stops: bool,
}

/// Files of a corpus by what becomes of them.
#[derive(Clone, Debug, Serialize)]
pub struct Files {
    /// The corpus's folder.
    pub folder: String,
    /// Shards that are written anew.
    pub rewritten: Vec<String>,
    /// Shards of which nothing is left.
    pub removed: Vec<String>,
    /// Shards that keep their bytes.
    pub untouched: u64,
    /// Sets that keep their manifest.
    pub untouched_sets: Vec<String>,
}

/// The least that must be made anew.
#[derive(Clone, Debug, Serialize)]
pub struct Rebuild {
    /// Files of each corpus.
    pub files: Vec<Files>,
    /// Weights to train anew.
    pub retrain: Vec<String>,
    /// Weights that stay.
    pub stay: Vec<String>,
    /// Models to merge anew.
    pub remerge: Vec<String>,
}

/// What `flexmix impact` reports.
#[derive(Clone, Debug, Serialize)]
pub struct ImpactReport {
    /// Always `flexmix/impact-report/v1`.
    pub schema: &'static str,
    /// Made with throw-away keys.
    pub demo: bool,
    /// The record's id; absent for a question.
    pub id: Option<String>,
    /// What is withdrawn, in words.
    pub target: String,
    /// Its kind; absent for a question.
    pub kind: Option<WithdrawalKind>,
    /// The first day on which it is in force.
    pub effective: Option<Date>,
    /// The day on which it was learned.
    pub learned: Option<Date>,
    /// Why.
    pub reason: Option<String>,
    /// The day that was asked for.
    pub as_of: Date,
    /// Whether it is in force on that day.
    pub in_force: bool,
    /// Whether two legal keys lifted it.
    pub lifted: bool,
    /// How far records were checked.
    pub records: String,
    /// How far the folders' signatures were checked.
    pub trust: String,
    /// The corpora.
    pub corpora: Vec<CorpusImpact>,
    /// Weights: anchors and experts.
    pub weights: Vec<WeightsImpact>,
    /// Models.
    pub models: Vec<ModelImpact>,
    /// Closed sets that cannot be decided here.
    pub undecided: Vec<Closed>,
    /// Manifests that the weights name and that are in none of the corpora, where that matters.
    pub unknown_manifests: BTreeSet<Sha256>,
    /// The least that must be made anew.
    pub rebuild: Rebuild,
    /// What no rebuild brings back.
    pub cannot_be_undone: Vec<String>,
    /// Manifests that hold it: what a work's record lists.
    pub held_by: BTreeSet<Sha256>,
    /// Manifests that were looked into and hold nothing of it.
    pub free_of: BTreeSet<Sha256>,
}

pub(super) fn assemble(asked: &Asked, corpora: Vec<Looked>, found: &Found, trust: String) -> ImpactReport {
    let judged = found.judge(asked, &corpora);
    let named = |w: &WeightsImpact| format!("{} {}", w.subject, w.id);
    let is_made_anew = |w: &&WeightsImpact| w.action >= Word::RetrainOnNewAnchor;
    let rebuild = Rebuild {
        files: corpora.iter().map(|c| files(&c.impact)).collect(),
        retrain: judged.weights.iter().filter(is_made_anew).map(named).collect(),
        stay: judged.weights.iter().filter(|w| w.action <= Word::ReportedOnly).map(named).collect(),
        remerge: judged.models.iter().filter(|m| m.stops || !m.excluded.is_empty()).map(|m| m.folder.clone()).collect(),
    };
    let mut undecided: BTreeSet<Closed> = corpora.iter().flat_map(|c| c.undecided.clone()).collect();
    undecided.extend(judged.undecided);
    let cannot_be_undone = cannot(asked, &corpora, &judged.weights);
    let record = &asked.withdrawal;
    let recorded = asked.digest.is_some();
    ImpactReport {
        schema: "flexmix/impact-report/v1",
        demo: record.demo || trust.contains("DEMO"),
        id: recorded.then(|| record.id.clone()),
        target: asked.target(),
        kind: recorded.then_some(record.kind),
        effective: recorded.then_some(record.effective),
        learned: recorded.then_some(record.learned),
        reason: recorded.then(|| record.reason.clone()),
        as_of: asked.as_of,
        in_force: recorded && record.is_in_force(asked.as_of) && !asked.is_lifted(),
        lifted: asked.is_lifted(),
        records: asked.others.words.clone(),
        trust,
        held_by: corpora.iter().flat_map(Looked::held_by).collect(),
        free_of: corpora.iter().flat_map(Looked::free_of).collect(),
        corpora: corpora.into_iter().map(|c| c.impact).collect(),
        weights: judged.weights,
        models: judged.models,
        undecided: undecided.into_iter().collect(),
        unknown_manifests: judged.unknown,
        rebuild,
        cannot_be_undone,
    }
}

fn files(corpus: &CorpusImpact) -> Files {
    let named = |whole: bool| -> Vec<String> {
        let hit = corpus.shards.iter().filter(|s| (s.documents == s.of_documents) == whole);
        hit.map(|s| format!("sets/{}/{}", s.set, s.name)).collect()
    };
    let whole = corpus.sets.iter().filter(|s| s.documents == 0 && s.held_out == 0);
    Files {
        folder: corpus.folder.clone(),
        rewritten: named(false),
        removed: named(true),
        untouched: corpus.untouched_shards,
        untouched_sets: whole.map(|s| s.set.clone()).collect(),
    }
}

fn cannot(asked: &Asked, corpora: &[Looked], weights: &[WeightsImpact]) -> Vec<String> {
    let mut said = Vec::new();
    let held: u64 = corpora.iter().map(|c| c.impact.hit()).sum();
    let consumed = weights.iter().any(|w| w.action >= Word::Retrain);
    if consumed {
        said.push(
            "Weights that left your house stay with whoever has them; a gate that sees this record excludes them, and \
             nothing reaches a copy that asks no gate."
                .to_owned(),
        );
        said.push("What such weights have answered so far was answered with them.".to_owned());
        said.push(
            "Nothing takes a text out of weights: they are trained anew without it, or not used. Whether they repeat \
             it was not tested."
                .to_owned(),
        );
    }
    if held > 0 {
        said.push("Copies of the shards that were handed out before hold it still.".to_owned());
    }
    let mut saw: BTreeMap<&str, &str> = BTreeMap::new();
    for corpus in corpora.iter().map(|c| &c.impact) {
        saw.extend(corpus.tokenizer.as_deref().map(|set| (corpus.folder.as_str(), set)));
    }
    for (folder, set) in saw {
        said.push(format!(
            "The tokenizer of `{folder}` was trained on set `{set}` with it. A rebuild keeps the tokenizer, since \
             another one would change every token of every set; what it saw is reported as exposure of kind \
             `tokenizer`. To be rid of that as well, build anew from the inputs."
        ));
    }
    if matches!(asked.withdrawal.target, WithdrawalTarget::Work { .. }) {
        said.push("A copy in which one word differs is another text: near-duplicates are not found.".to_owned());
    }
    said
}
