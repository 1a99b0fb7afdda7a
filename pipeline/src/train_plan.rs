//! The training plan: from signed manifests to an anchor and one expert for each set and terms tier with enough tokens
//! (semantics.md §2), with the outlook under each policy. Proposes; every job is gated again when it starts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::gate::{Gate, GateOptions, read_record};
use manifests::id::{ExpertId, SetName};
use manifests::manifest::SetManifest;
use manifests::memory::Memory;
use manifests::plan::{AnchorJob, ExpertJob, LeftOut, Plan, PlannedSet, PolicyOutlook};
use manifests::policy::{Act, Policy};
use manifests::tier::is_stricter;
use manifests::trust::{Role, Trust};

use crate::error::{Error, Result};
use crate::outlook::Outlook;
use crate::sizes::Sizes;

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// The corpus.
    pub corpus: PathBuf,
    /// Policies to show the outlook of. One for the act `train` also decides what gets an expert.
    pub policies: Vec<PathBuf>,
    /// The trust file.
    pub trust: Option<PathBuf>,
    /// The records folder.
    pub records: PathBuf,
    /// The date.
    pub as_of: Date,
    /// Where what was seen before is kept, against rollbacks.
    pub memory: Memory,
    /// Where the plan will lie.
    pub out: PathBuf,
    /// The most experts.
    pub max_experts: Option<u32>,
    /// Model and job sizes.
    pub sizes: Sizes,
}

/// A set's verified manifest, and its digest.
struct Planned {
    manifest: SetManifest,
    digest: Sha256,
}

/// A tier that may get an expert, with the smaller tiers that join it.
struct Candidate {
    set: SetName,
    tier: String,
    tiers: Vec<String>,
    tokens: u64,
    documents: u64,
}

/// Makes a plan, and beside it what each policy would leave of the whole corpus by set and by set and tier.
///
/// # Errors
/// [`Error::Record`] when trust, a policy or a manifest does not verify, [`Error::Refused`] when the public set has no
/// token in its anchor tiers.
pub fn plan(options: &PlanOptions) -> Result<(Plan, Vec<Outlook>)> {
    let gates = options.policies.iter().map(|p| open_gate(options, p)).collect::<Result<Vec<Gate>>>()?;
    let Some(trust) = gates.first().map(|g| &g.trust) else {
        return Err(Error::usage("a plan needs at least one policy", "name one with `--policy FILE`"));
    };
    let sets = read_sets(&options.corpus, trust, options.as_of)?;
    let superseded = |set: &Planned| gates[0].current(&set.manifest.corpus, &set.manifest.set, set.digest);
    if let Some(denial) = sets.iter().find_map(superseded) {
        return Err(Error::Refused {
            what: format!("{} [{} {}]", denial.detail, denial.reason.code(), denial.reason),
            hint: Some("plan on the corpus that was released".to_owned()),
        });
    }
    let public = sets.iter().find(|s| !s.manifest.anchor_tiers.is_empty());
    let public = public.ok_or_else(|| Error::Refused {
        what: "no set of the corpus is a public set with anchor tiers".to_owned(),
        hint: None,
    })?;
    let (mut candidates, mut left_out) = (Vec::new(), Vec::new());
    for set in sets.iter().filter(|s| s.manifest.set != public.manifest.set) {
        propose(set, options, &gates, &mut candidates, &mut left_out);
    }
    let ids = ids_of(&candidates)?;
    let mut ranked: Vec<(ExpertId, Candidate)> = ids.into_iter().zip(candidates).collect();
    ranked.sort_by_key(|(id, c)| (options.sizes.preference(&c.set, &c.tier), std::cmp::Reverse(c.tokens), id.clone()));
    let budget = options.max_experts.map_or(ranked.len(), |n| (n as usize).min(ranked.len()));
    for (_, candidate) in ranked.split_off(budget) {
        let reason = "over the budget of experts".to_owned();
        let each = candidate.tiers.iter().map(|tier| (tier, tier_count(&sets, &candidate.set, tier)));
        left_out.extend(each.map(|(tier, (_, tokens))| LeftOut {
            set: candidate.set.clone(),
            tier: tier.clone(),
            tokens,
            reason: reason.clone(),
        }));
    }
    left_out.sort_by(|a, b| (&a.set, &a.tier).cmp(&(&b.set, &b.tier)));
    let experts: Vec<ExpertJob> =
        ranked.into_iter().zip(1..).map(|((id, c), n)| expert(&options.sizes, id, c, n)).collect();
    let outlook = gates.iter().map(|gate| outlook(gate, public, &sets, &experts)).collect();
    let all: Vec<_> = sets.iter().map(|s| (&s.manifest, s.digest)).collect();
    let whole = gates.iter().map(|gate| crate::outlook::outlook(gate, &all)).collect::<Result<Vec<_>>>()?;
    let used: BTreeSet<&SetName> = experts.iter().map(|e| &e.set).chain([&public.manifest.set]).collect();
    let pinned = sets.iter().filter(|s| used.contains(&s.manifest.set));
    let plan = Plan {
        schema: "flexmix/plan/v1".to_owned(),
        demo: public.manifest.demo,
        corpus: relative(&options.corpus, &options.out),
        as_of: options.as_of,
        model: options.sizes.model(public.manifest.tokenizer.vocabulary),
        sets: pinned.map(|s| PlannedSet { set: s.manifest.set.clone(), manifest: s.digest }).collect(),
        anchor: anchor(public, options)?,
        experts,
        left_out,
        outlook,
    };
    Ok((plan, whole))
}

fn open_gate(options: &PlanOptions, path: &Path) -> Result<Gate> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let act = Policy::parse(path, &bytes)?.act;
    Ok(Gate::open(&GateOptions {
        policy: path.to_path_buf(),
        trust: options.trust.clone(),
        records: options.records.clone(),
        as_of: options.as_of,
        act,
        memory: options.memory.clone(),
    })?)
}

fn read_sets(corpus: &Path, trust: &Trust, as_of: Date) -> Result<Vec<Planned>> {
    let folder = corpus.join("sets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| Error::io(&folder, e))? {
        names.push(entry.map_err(|e| Error::io(&folder, e))?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let one = |name: &String| {
        let path = folder.join(name).join("manifest.dsse.json");
        let (manifest, digest) = read_record::<SetManifest>(trust, &path, Role::Builder, name, as_of)?;
        manifest.check()?;
        Ok(Planned { manifest, digest })
    };
    names.iter().map(one).collect()
}

/// Documents and tokens of each tier of a set.
fn tiers(manifest: &SetManifest) -> BTreeMap<&str, (u64, u64)> {
    let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (cell, tier) in manifest.cells.iter().zip(&manifest.tiers) {
        let sum = sums.entry(tier).or_default();
        *sum = (sum.0 + cell.documents.unwrap_or(0), sum.1 + cell.tokens.unwrap_or(0));
    }
    sums
}

fn tier_count(sets: &[Planned], set: &SetName, tier: &str) -> (u64, u64) {
    let found = sets.iter().find(|s| s.manifest.set == *set);
    found.and_then(|s| tiers(&s.manifest).get(tier).copied()).unwrap_or_default()
}

/// Tiers with enough of everything get an expert; a small one joins a stricter one or is left out.
fn propose(
    set: &Planned,
    options: &PlanOptions,
    gates: &[Gate],
    candidates: &mut Vec<Candidate>,
    left_out: &mut Vec<LeftOut>,
) {
    let sizes = &options.sizes;
    let mut small = Vec::new();
    let first = candidates.len();
    for (tier, (documents, tokens)) in tiers(&set.manifest).into_iter().filter(|(_, (_, tokens))| *tokens > 0) {
        let mut leave = |reason: String| {
            left_out.push(LeftOut { set: set.manifest.set.clone(), tier: tier.to_owned(), tokens, reason });
        };
        let denied =
            gates.iter().filter(|g| g.policy.act == Act::Train).find_map(|g| denied(g, set, &[tier.to_owned()]));
        if let Some(reason) = denied {
            leave(format!("denied for training: {reason}"));
        } else if tokens < sizes.min_tokens || documents < u64::from(sizes.row_documents) {
            small.push((tier.to_owned(), documents, tokens));
        } else {
            let (set, tier) = (set.manifest.set.clone(), tier.to_owned());
            candidates.push(Candidate { set, tiers: vec![tier.clone()], tier, tokens, documents });
        }
    }
    for (tier, documents, tokens) in small {
        // The least strict of those that are stricter, so that as little as possible is lost with it.
        let hosts = candidates[first..].iter_mut().filter(|c| is_stricter(&c.tier, &tier));
        match hosts.min_by_key(|c| (c.tier.len(), c.tier.clone())) {
            Some(host) => {
                host.tiers.push(tier);
                host.tokens += tokens;
                host.documents += documents;
            }
            None => left_out.push(LeftOut {
                set: set.manifest.set.clone(),
                tier,
                tokens,
                reason: format!("too small ({documents} documents) and no stricter tier of the set to join"),
            }),
        }
    }
}

/// The reason why a gate denies something of these tiers, if it does.
fn denied(gate: &Gate, set: &Planned, tiers: &[String]) -> Option<String> {
    crate::outlook::denied(gate, (&set.manifest, set.digest), |tier| tiers.iter().any(|t| t == tier))
}

fn outlook(gate: &Gate, public: &Planned, sets: &[Planned], experts: &[ExpertJob]) -> PolicyOutlook {
    let anchor_denied = denied(gate, public, &public.manifest.anchor_tiers);
    let (mut usable, mut excluded, mut kept, mut total) = (Vec::new(), Vec::new(), 0u64, 0u64);
    for expert in experts {
        let reason = sets.iter().find(|s| s.manifest.set == expert.set).and_then(|s| denied(gate, s, &expert.tiers));
        total += expert.available;
        match reason {
            None => {
                usable.push(expert.id.clone());
                kept += expert.available;
            }
            Some(reason) => excluded.push(format!("{}: {reason}", expert.id)),
        }
    }
    let ppm = if total == 0 { 0 } else { u128::from(kept) * 1_000_000 / u128::from(total) };
    PolicyOutlook {
        policy: format!("{} v{}", gate.policy.id, gate.policy.version),
        usable,
        excluded,
        anchor_denied,
        usable_ppm: u32::try_from(ppm).unwrap_or(1_000_000),
    }
}

fn anchor(public: &Planned, options: &PlanOptions) -> Result<AnchorJob> {
    let tiers = public.manifest.anchor_tiers.clone();
    let all = self::tiers(&public.manifest);
    let available: u64 = tiers.iter().filter_map(|t| all.get(t.as_str())).map(|(_, tokens)| tokens).sum();
    if available == 0 {
        let has = all.keys().copied().collect::<Vec<_>>().join(", ");
        return Err(Error::Refused {
            what: format!("set `{}` has no token in its anchor tiers {tiers:?}", public.manifest.set),
            hint: Some(format!("its tiers are: {has}")),
        });
    }
    Ok(options.sizes.anchor(public.manifest.set.clone(), tiers, available))
}

fn expert(sizes: &Sizes, id: ExpertId, candidate: Candidate, number: u64) -> ExpertJob {
    sizes.expert(id, candidate.set, candidate.tiers, candidate.tokens, number)
}

/// Ids such as `code-by-nc`: the set, then what the tier asks, abbreviated; numbered where two would be alike.
fn ids_of(candidates: &[Candidate]) -> Result<Vec<ExpertId>> {
    let mut taken = BTreeSet::new();
    let one = |c: &Candidate| {
        let base = format!("{}-{}", c.set, abbreviation(&c.tier));
        let numbered = (2..).map(|n| format!("{base}-{n}"));
        let free = std::iter::once(base.clone()).chain(numbered).find(|id| taken.insert(id.clone()));
        Ok(free.unwrap_or(base).parse()?)
    };
    candidates.iter().map(one).collect()
}

fn abbreviation(tier: &str) -> String {
    let mut parts = tier.splitn(3, '/');
    let (_, basis, properties) = (parts.next(), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    if basis.starts_with("contract") {
        return "contract".to_owned();
    }
    if basis.starts_with("public-domain") || properties == "none" {
        return "pd".to_owned();
    }
    let short = |p: &str| match p {
        "attribution" => Some("by"),
        "non-commercial" => Some("nc"),
        "no-derivatives" => Some("nd"),
        "share-alike" => Some("sa"),
        "source-disclosure" => Some("src"),
        "network-copyleft" => Some("net"),
        "no-training" => Some("nt"),
        "time-delayed" => Some("td"),
        "use-restricted" => Some("ur"),
        _ => None,
    };
    let known: Vec<&str> = properties.split('+').filter_map(short).collect();
    if known.is_empty() { "open".to_owned() } else { known.join("-") }
}

/// The corpus as the plan names it: relative to the plan's folder where it lies above it, absolute otherwise.
fn relative(corpus: &Path, plan: &Path) -> String {
    let absolute = |p: &Path| std::path::absolute(p).unwrap_or_else(|_| p.to_path_buf());
    let (corpus, plan) = (absolute(corpus), absolute(plan));
    let folder = plan.parent().unwrap_or(Path::new("/"));
    match folder.strip_prefix(&corpus) {
        Ok(below) if below.components().count() == 0 => ".".to_owned(),
        Ok(below) => below.components().map(|_| "..").collect::<Vec<_>>().join("/"),
        Err(_) => corpus.to_string_lossy().into_owned(),
    }
}
