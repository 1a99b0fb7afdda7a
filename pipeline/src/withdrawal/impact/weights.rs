//! Anchors, experts and models: what their stamps say of it. A stamp counts cells, so a source, a rightsholder or terms
//! are decided from it; a work is decided by the manifests that hold it, and its tokens are reckoned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::exposure::{Exposure, TokenTotal};
use manifests::record::{WithdrawalKind, WithdrawalTarget};
use manifests::stamp::{Stamp, Subject};
use manifests::trust::{Role, Trust};

use super::Asked;
use super::corpus::{HeldSet, Looked};
use super::report::{Closed, ModelImpact, Use, WeightsImpact, Word};
use crate::error::{Error, Result};
use crate::query::{Folder, ModelFolder, STAMP_FILE, Seal, Signed};

/// Weights and models that were found.
#[derive(Default)]
pub(super) struct Found {
    /// Stamps by the root over the files that they are of, with every place.
    stamps: BTreeMap<Sha256, (Signed<Stamp>, Vec<String>)>,
    models: Vec<ModelFolder>,
    /// Closed sets that were handed out.
    closed: Vec<Closed>,
    /// Manifests of public sets that were handed out without their ledger.
    handed_out: BTreeSet<Sha256>,
}

/// What is to be done about them.
pub(super) struct Judged {
    pub weights: Vec<WeightsImpact>,
    pub models: Vec<ModelImpact>,
    pub undecided: Vec<Closed>,
    pub unknown: BTreeSet<Sha256>,
}

/// What one exposure has of it.
enum Hit {
    No,
    /// Only the owner of the closed set knows.
    AskOwner,
    /// The manifest is not here.
    Unknown,
    /// Gates exclude it for its manifest, and no cell with it was read.
    ManifestOnly,
    /// Tokens, and whether they are reckoned.
    Yes(Option<u64>, bool),
}

impl Found {
    /// Adds a folder's models, and the jobs in `train`.
    pub(super) fn add(&mut self, folder: &Folder, dir: &Path, trust: Option<(&Trust, Date)>) -> Result<()> {
        for model in &folder.models {
            model.check()?;
            for stamp in &model.stamps {
                self.stamp(stamp.clone());
            }
            self.models.push(model.clone());
        }
        for stamp in folder.outward.iter().flat_map(|o| &o.stamps) {
            stamp.record.check()?;
            self.stamp(stamp.clone());
        }
        let jobs = dir.join("train");
        if jobs.is_dir() {
            let mut folders = Vec::new();
            for entry in std::fs::read_dir(&jobs).map_err(|e| Error::io(&jobs, e))? {
                folders.push(entry.map_err(|e| Error::io(&jobs, e))?.path());
            }
            folders.sort();
            for job in folders.iter().filter(|f| f.join("model").join(STAMP_FILE).is_file()) {
                self.add_job(job, trust)?;
            }
        }
        Ok(())
    }

    /// Adds what an outward tree leaves undecided of a work.
    pub(super) fn add_outward(&mut self, folder: &Folder, asked: &Asked) {
        self.closed.extend(super::corpus::undecided(folder, asked));
        self.handed_out.extend(folder.manifests.iter().map(|m| m.digest));
    }

    /// Adds a job folder, or the stamped folder in it.
    pub(super) fn add_job(&mut self, dir: &Path, trust: Option<(&Trust, Date)>) -> Result<()> {
        let places = [dir.join("model").join(STAMP_FILE), dir.join(STAMP_FILE)];
        let Some(path) = places.iter().find(|p| p.is_file()) else {
            let what = format!("`{}` is no corpus, no model and no finished job", dir.display());
            return Err(Error::usage(what, "name folders that flexmix made: a corpus, a model, or a job of a plan"));
        };
        let read = |scope: &str| Signed::<Stamp>::read(path, trust, Role::Trainer, scope);
        let stamp = read(read("*")?.record.id.as_str())?;
        if let Seal::Broken(why) = &stamp.seal {
            return Err(manifests::Error::verification(path, why.clone()).into());
        }
        stamp.record.check()?;
        self.stamp(stamp);
        Ok(())
    }

    fn stamp(&mut self, stamp: Signed<Stamp>) {
        let place = stamp.path.parent().unwrap_or(&stamp.path).display().to_string();
        let known = self.stamps.entry(stamp.record.files_root.root).or_insert_with(|| (stamp, vec![]));
        known.1.push(place);
    }

    /// Says what is to be done, and what cannot be said.
    pub(super) fn judge(&self, asked: &Asked, corpora: &[Looked]) -> Judged {
        let held: BTreeMap<Sha256, &HeldSet> =
            corpora.iter().flat_map(|c| c.held.iter().map(|(digest, set)| (*digest, set))).collect();
        let mut undecided = self.closed.clone();
        let mut unknown: BTreeSet<Sha256> =
            self.handed_out.iter().filter(|digest| !held.contains_key(digest)).copied().collect();
        let mut judged: Vec<(WeightsImpact, Sha256, Option<Sha256>)> = Vec::new();
        for (stamp, places) in self.stamps.values() {
            let (mut uses, mut action) = (Vec::new(), Word::Stay);
            for exposure in &stamp.record.exposures {
                let word = match hit(exposure, asked, &held) {
                    Hit::No => continue,
                    Hit::AskOwner => {
                        let place = places.first().cloned().unwrap_or_default();
                        undecided.push(Closed { set: exposure.set.to_string(), manifest: exposure.manifest, place });
                        Word::AskTheOwner
                    }
                    Hit::Unknown => {
                        unknown.insert(exposure.manifest);
                        Word::NotDecided
                    }
                    Hit::ManifestOnly => {
                        uses.push(used(exposure, Some(0), true));
                        Word::RetrainForItsManifest
                    }
                    Hit::Yes(tokens, reckoned) => {
                        uses.push(used(exposure, tokens, reckoned));
                        Word::Retrain
                    }
                };
                action = action.max(if exposure.kind.is_tested() { word } else { word.min(Word::ReportedOnly) });
            }
            if asked.withdrawal.kind == WithdrawalKind::OptOut && action > Word::ReportedOnly {
                action = Word::StayMadeBefore;
            }
            let subject = if stamp.record.subject == Subject::Anchor { "anchor" } else { "expert" };
            let files_root = stamp.record.files_root.root;
            let (id, places) = (stamp.record.id.to_string(), places.clone());
            let impact = WeightsImpact { places, subject, id, files_root, uses, action };
            judged.push((impact, stamp.digest, stamp.record.anchor));
        }
        through_anchors(&mut judged);
        let mut weights: Vec<WeightsImpact> = judged.into_iter().map(|(impact, ..)| impact).collect();
        weights.sort_by(|a, b| (a.subject, &a.id, a.files_root).cmp(&(b.subject, &b.id, b.files_root)));
        Judged { models: self.models.iter().map(|m| model(m, &weights)).collect(), weights, undecided, unknown }
    }
}

/// An expert whose anchor is made anew must be, too, even where it read nothing of it itself.
fn through_anchors(judged: &mut [(WeightsImpact, Sha256, Option<Sha256>)]) {
    let anew: BTreeSet<Sha256> = judged
        .iter()
        .filter(|(w, ..)| w.subject == "anchor" && w.action >= Word::RetrainOnNewAnchor)
        .map(|(_, digest, _)| *digest)
        .collect();
    let inherited: BTreeMap<Sha256, BTreeSet<Sha256>> = judged
        .iter()
        .filter(|(w, ..)| w.subject == "anchor")
        .map(|(w, digest, _)| (*digest, w.uses.iter().map(|u| u.manifest).collect()))
        .collect();
    for (impact, _, anchor) in judged.iter_mut() {
        let Some(anchor) = anchor.filter(|a| anew.contains(a)) else { continue };
        let of_anchor = inherited.get(&anchor);
        let only_inherited = impact.uses.iter().all(|u| of_anchor.is_some_and(|all| all.contains(&u.manifest)));
        if only_inherited {
            impact.action = Word::RetrainOnNewAnchor;
        }
    }
}

fn used(exposure: &Exposure, tokens: Option<u64>, reckoned: bool) -> Use {
    Use {
        kind: exposure.kind.as_str(),
        set: exposure.set.to_string(),
        manifest: exposure.manifest,
        tokens,
        reckoned,
        of_tokens: exposure.tokens.upper(),
    }
}

fn hit(exposure: &Exposure, asked: &Asked, held: &BTreeMap<Sha256, &HeldSet>) -> Hit {
    let closed = matches!(exposure.tokens, TokenTotal::AtMost(_));
    let target = &asked.withdrawal.target;
    let known = held.get(&exposure.manifest);
    if let WithdrawalTarget::Work { held_by, .. } = target {
        return match known {
            Some(set) if set.any => of_work(exposure, set, closed),
            Some(_) => Hit::No,
            None if held_by.contains(&exposure.manifest) => Hit::Yes(None, true),
            None if asked.answer(exposure.manifest) == Some(false) => Hit::No,
            None if asked.answer(exposure.manifest) == Some(true) => Hit::Yes(None, true),
            None if closed => Hit::AskOwner,
            // A tokenizer from elsewhere: its training text has no manifest.
            None if exposure.cells.iter().all(|c| c.cell == manifests::exposure::Cell::unknown()) => Hit::No,
            None => Hit::Unknown,
        };
    }
    let by_terms = matches!(target, WithdrawalTarget::License(_));
    if closed && !by_terms {
        return match known {
            Some(set) if set.any => Hit::Yes(None, false),
            Some(_) => Hit::No,
            None => match asked.answer(exposure.manifest) {
                Some(true) => Hit::Yes(None, false),
                Some(false) => Hit::No,
                None => Hit::AskOwner,
            },
        };
    }
    let cells: Vec<_> = exposure.cells.iter().filter(|c| asked.takes(&c.cell, asked.act())).collect();
    if cells.is_empty() {
        return Hit::No;
    }
    Hit::Yes((!closed).then(|| cells.iter().filter_map(|c| c.tokens).sum()), false)
}

/// Tokens of a work among those that were consumed: as often as its cell was read.
fn of_work(exposure: &Exposure, set: &HeldSet, closed: bool) -> Hit {
    if closed {
        return Hit::Yes(None, true);
    }
    let reckoned = exposure.cells.iter().filter_map(|count| {
        let (hit, all) = set.cells.get(&count.cell)?;
        let consumed = u128::from(count.tokens?);
        let share = (consumed * u128::from(*hit)).div_ceil(u128::from(*all).max(1));
        u64::try_from(share).ok()
    });
    match reckoned.reduce(|a, b| a + b) {
        Some(tokens) => Hit::Yes(Some(tokens), true),
        None => Hit::ManifestOnly,
    }
}

fn model(model: &ModelFolder, weights: &[WeightsImpact]) -> ModelImpact {
    let index = &model.index.record;
    // A member without a stamp here speaks for nothing, and no gate admits it.
    let excluded =
        |root: Sha256| weights.iter().find(|w| w.files_root == root).is_none_or(|w| w.action >= Word::AskTheOwner);
    let (out, stays): (Vec<_>, Vec<_>) = index.experts.iter().partition(|m| excluded(m.files_root));
    let ids = |members: Vec<&manifests::stamp::Member>| members.iter().map(|m| m.id.to_string()).collect();
    ModelImpact {
        folder: model.root.display().to_string(),
        name: index.name.clone(),
        excluded: ids(out),
        stays: ids(stays),
        stops: excluded(index.anchor.files_root),
    }
}

#[cfg(test)]
mod tests;
