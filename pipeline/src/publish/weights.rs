//! Weights: those trained on a closed set that is handed out leave with it; others only under a policy whose act is
//! `release-weights`. Stamp, signature and every file are verified before any of it is copied.

use std::collections::BTreeSet;
use std::path::Path;

use manifests::digest::Sha256;
use manifests::exposure::TokenTotal;
use manifests::manifest::{Access, SetManifest};
use manifests::policy::Act;
use manifests::publication::Content;
use manifests::record::WithdrawalTarget;
use manifests::sign::oms::SIGNATURE_FILE;
use manifests::stamp::{Stamp, Subject};

use super::withdrawn::{Held, takes};
use super::{Decided, House, Item, Refused, documents, sets};
use crate::error::{Error, Result};
use crate::query::{Folder, STAMP_FILE, Seal, Signed, read_stamp};
use crate::tensors;

/// Why weights may not leave.
type Refusal = (Option<&'static str>, String);

/// Decides on every stamped folder of the corpus: jobs first, then models.
pub(super) fn all(folder: &Folder, house: &House<'_>, decided: &mut Decided) -> Result<()> {
    let (mut stamps, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for place in places(folder)? {
        let path = folder.root.join(&place).join(STAMP_FILE);
        if !path.is_file() {
            continue;
        }
        let signed = read_stamp(&path, Some((house.trust, house.as_of)))?;
        if let Seal::Broken(why) = &signed.seal {
            return Err(manifests::Error::verification(&path, why.as_str()).into());
        }
        // A model holds the same folders as the jobs.
        if !stamps.insert(signed.digest) {
            continue;
        }
        let refusal = match refused(folder, &signed, house, decided)? {
            None if !ids.insert(signed.record.id.clone()) => Some((None, format!("`{place}` is another of this name"))),
            other => other,
        };
        match refusal {
            None => take(folder, &place, &signed, house, decided)?,
            Some((code, why)) => decided.refused.push(Refused { subject: subject(&signed.record), code, why }),
        }
    }
    Ok(())
}

fn subject(stamp: &Stamp) -> String {
    match stamp.subject {
        Subject::Anchor => "the anchor".to_owned(),
        Subject::Expert => format!("expert `{}`", stamp.id),
    }
}

/// Stamped folders, relative to the corpus.
fn places(folder: &Folder) -> Result<Vec<String>> {
    let mut jobs = Vec::new();
    match std::fs::read_dir(folder.root.join("train")) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        entries => {
            for entry in entries.map_err(|e| Error::io(folder.root.join("train"), e))? {
                let name = entry.map_err(|e| Error::io(folder.root.join("train"), e))?.file_name();
                jobs.push(format!("train/{}/model", name.to_string_lossy()));
            }
        }
    }
    jobs.sort();
    for model in &folder.models {
        let base = model.root.strip_prefix(&folder.root).unwrap_or(&model.root).to_string_lossy().into_owned();
        let members = std::iter::once(&model.index.record.anchor).chain(&model.index.record.experts);
        jobs.extend(members.map(|m| format!("{base}/{}", m.folder)));
    }
    Ok(jobs)
}

/// Why these weights may not leave, if they may not.
fn refused(folder: &Folder, signed: &Signed<Stamp>, house: &House<'_>, decided: &Decided) -> Result<Option<Refusal>> {
    let stamp = &signed.record;
    stamp.check()?;
    let of = |set: &manifests::id::SetName| folder.manifests.iter().find(|m| m.record.set == *set);
    let mut closed: Vec<&Signed<SetManifest>> = Vec::new();
    for exposure in &stamp.exposures {
        let full = of(&exposure.set).filter(|m| m.record.access == Access::Closed);
        let bounded = matches!(exposure.tokens, TokenTotal::AtMost(_));
        let Some(full) = full else {
            if bounded {
                let why = format!("it was trained on closed set `{}`, which is not of this corpus", exposure.set);
                return Ok(Some((None, why)));
            }
            continue;
        };
        if !bounded {
            return Ok(Some((None, format!("its stamp counts tokens of closed set `{}`", exposure.set))));
        }
        if !decided.sets.contains(&exposure.set) {
            let why = format!("it was trained on closed set `{}`, which is not handed out here", exposure.set);
            return Ok(Some((None, why)));
        }
        if sets::outward(folder, &full.record)?.digest != exposure.manifest {
            return Ok(Some((None, format!("it was trained on another build of closed set `{}`", exposure.set))));
        }
        closed.push(full);
    }
    let gate = house.gate(Act::ReleaseWeights);
    if closed.is_empty() && gate.is_none() {
        let why = "it was trained on no closed set, and no policy with act `release-weights` was given".to_owned();
        return Ok(Some((None, why)));
    }
    if let Some(gate) = gate {
        let decision = gate.weights(stamp.files_root.root, stamp.assurance, &stamp.exposures);
        if let Some(finding) = decision.findings.first() {
            let denial = &finding.denial;
            return Ok(Some((Some(denial.reason.code()), format!("{} ({})", denial.reason.meaning(), denial.detail))));
        }
    }
    withdrawn(folder, stamp, &closed, house)
}

fn withdrawn(
    folder: &Folder,
    stamp: &Stamp,
    closed: &[&Signed<SetManifest>],
    house: &House<'_>,
) -> Result<Option<Refusal>> {
    let tested = || stamp.exposures.iter().filter(|e| e.kind.is_tested());
    let own = closed.iter().flat_map(|m| m.record.cells.iter().map(|c| &c.cell));
    let mut held = Held {
        cells: tested().flat_map(|e| e.cells.iter().map(|c| &c.cell)).chain(own).collect(),
        manifests: tested().map(|e| e.manifest).chain(closed.iter().map(|m| m.digest)).collect(),
        texts: BTreeSet::new(),
    };
    let works = house.records.withdrawals.iter().any(|w| matches!(w.target, WithdrawalTarget::Work { .. }));
    for full in closed.iter().filter(|_| works) {
        held.texts.extend(documents::of(&folder.root, &full.record)?.iter().map(|d| d.text));
    }
    Ok(takes(&held, Act::ReleaseWeights, house)
        .map(|(reason, id)| (Some(reason.code()), format!("{} ({id})", reason.meaning()))))
}

/// Verifies a stamped folder and adds its files.
fn take(folder: &Folder, place: &str, signed: &Signed<Stamp>, house: &House<'_>, decided: &mut Decided) -> Result<()> {
    let stamp = &signed.record;
    let root = folder.root.join(place);
    let (out, weights) = match stamp.subject {
        Subject::Anchor => ("anchor".to_owned(), "model.safetensors"),
        Subject::Expert => (format!("experts/{}", stamp.id), "expert.safetensors"),
    };
    let fail = |file: &str, what: String| Error::from(manifests::Error::verification(root.join(file), what));
    let add = |name: &str, named: (u64, Sha256), content: Content| {
        Item::of_corpus(&format!("{out}/{name}"), format!("{place}/{name}"), named, content)
    };
    for leaf in &stamp.files {
        let name = leaf.path.as_str();
        let content = match (name, stamp.subject) {
            (name, _) if name == weights => Content::Weights,
            ("config.json", _) => Content::Configuration,
            ("tokenizer.json", Subject::Anchor) => Content::Tokenizer,
            _ => return Err(fail(name, "it is neither weights nor configuration, so it has no way out".to_owned())),
        };
        decided.items.push(add(name, (leaf.length, leaf.digest), content)?);
    }
    let has = |name: &str| stamp.files.iter().any(|f| f.path.as_str() == name);
    if !has(weights) || !has("config.json") {
        return Err(fail(STAMP_FILE, format!("it does not list `{weights}` and `config.json`")));
    }
    tensors::check(&root.join(weights), &stamp.tensors).map_err(|what| fail(weights, what))?;
    match stamp.subject {
        Subject::Expert => config(&root.join("config.json"), stamp, folder).map_err(|w| fail("config.json", w))?,
        Subject::Anchor => tokenizer(stamp, folder).map_err(|w| fail("tokenizer.json", w))?,
    }
    decided.items.push(add(STAMP_FILE, Sha256::of_file(&signed.path)?, Content::Stamp)?);
    if root.join(SIGNATURE_FILE).is_file() {
        crate::verify::model_signature(&root, stamp, house.trust, house.as_of).map_err(|w| fail(SIGNATURE_FILE, w))?;
        let named = Sha256::of_file(&root.join(SIGNATURE_FILE))?;
        decided.items.push(add(SIGNATURE_FILE, named, Content::ModelSignature)?);
    }
    decided.demo |= stamp.demo;
    Ok(())
}

/// What an expert's configuration says, all of which is in its stamp or the public manifest too.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpertConfig {
    schema: String,
    id: manifests::id::ExpertId,
    set: manifests::id::SetName,
    tiers: BTreeSet<String>,
    expert_ranks: [u32; 1],
    anchor: Sha256,
}

/// An expert's configuration says nothing that may not leave.
fn config(path: &Path, stamp: &Stamp, folder: &Folder) -> std::result::Result<(), String> {
    let bytes = manifests::store::read_capped(path, 1 << 20).map_err(|e| e.to_string())?;
    let value = manifests::canonical::parse_strict("configuration", path, &bytes).map_err(|e| e.to_string())?;
    let config: ExpertConfig = serde_json::from_value(value).map_err(|e| e.to_string())?;
    let ExpertConfig { schema, id, set, tiers, expert_ranks: [rank], anchor } = config;
    let of_set = folder.manifests.iter().filter(|m| m.record.set == set);
    let known: BTreeSet<String> = of_set.flat_map(|m| m.record.tiers.iter().cloned()).collect();
    let consumed = stamp.exposures.iter().any(|e| e.set == set);
    if id != stamp.id || !consumed || !tiers.is_subset(&known) || anchor == stamp.files_root.root {
        return Err("it names another expert, set, tier or anchor than its stamp".to_owned());
    }
    // No matrix of ours has more rows than that.
    if schema == "flexmix/expert-config/v1" && rank <= 1 << 20 { Ok(()) } else { Err(format!("schema `{schema}`")) }
}

/// An anchor brings the tokenizer of the corpus, which is of public text, and no other.
fn tokenizer(stamp: &Stamp, folder: &Folder) -> std::result::Result<(), String> {
    let brought = stamp.files.iter().find(|f| f.path.as_str() == "tokenizer.json").map(|f| f.digest);
    let known = folder.manifests.iter().all(|m| brought.is_none_or(|digest| m.record.tokenizer.digest == digest));
    if known { Ok(()) } else { Err("it is not the tokenizer that the manifests name".to_owned()) }
}
