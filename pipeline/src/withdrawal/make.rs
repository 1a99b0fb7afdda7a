//! Making the new corpus, set by set: untouched sets are placed byte for byte, the others are written anew and signed,
//! then `run.json` and the record of the rebuild; last the whole is read as a stranger would.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use manifests::closed::Secret;
use manifests::digest::Sha256;
use manifests::gate::Gate;
use manifests::id::SetName;
use manifests::ledger::Decision;
use manifests::manifest::{Funnel, REBUILD_STAGE, SetManifest};
use manifests::merkle::{DocumentLeaf, FileLeaf, TextLeaf, root_of};
use manifests::rebuild::{Rebuild, RebuiltSet, UntouchedSet};
use manifests::sign::{PrivateKey, Record, Statement};
use manifests::store::write_atomic;
use manifests::trust::Role;

use super::evidence::evidence;
use super::history::{REBUILDS, records};
use super::locators::mend;
use super::rebuild::{RebuildReport, SetReport};
use super::rewrite::{cells, shards};
use super::taken::{LedgerRow, Taken, ledger, taken, traces};
use crate::build::{BUILD, RunRecord, StageRecord};
use crate::error::{Error, Result};
use crate::query::{Folder, MANIFEST_FILE, PUBLIC_FILE, Signed};
use crate::recipe::Recipe;
use crate::stages::publish::{funnels, place, sign};
use crate::task::depends_on;

/// The version of what a rebuild does; it stands among the stages of every set that was rebuilt.
const VERSION: u32 = 1;

/// A corpus that is being rebuilt.
pub(super) struct Job<'a> {
    pub folder: &'a Folder,
    pub recipe: Recipe,
    pub run: RunRecord,
    pub gate: &'a Gate,
    pub rows: Vec<LedgerRow>,
    pub taken: Taken,
    pub key: PrivateKey,
    pub secret: Option<Secret>,
    /// Where it is made.
    pub making: PathBuf,
}

/// The leaves of a set's documents that stay, by id.
pub(super) fn documents(rows: &[LedgerRow], set: &SetName, taken: &Taken) -> Result<Vec<DocumentLeaf>> {
    let stays =
        |r: &&LedgerRow| r.set == *set && r.decision != Decision::Dropped && !taken.documents.contains_key(&r.doc_id);
    let leaf = |r: &LedgerRow| {
        let (text, cell) = r.text.zip(r.cell).ok_or_else(|| {
            Error::Unbalanced(format!("document {} is kept and has no text digest or no cell", r.doc_id))
        })?;
        Ok(DocumentLeaf { doc_id: r.doc_id, text, cell, n_tokens: r.n_tokens })
    };
    let mut leaves: Vec<DocumentLeaf> = rows.iter().filter(stays).map(leaf).collect::<Result<_>>()?;
    leaves.sort_by_key(|l| l.doc_id);
    Ok(leaves)
}

impl Job<'_> {
    pub(super) fn make(&self) -> Result<RebuildReport> {
        let from = &self.folder.root;
        place(&from.join("tokenizer.json"), &self.making.join("tokenizer.json"))?;
        let (mut rebuilt, mut untouched) = (Vec::new(), Vec::new());
        for signed in &self.folder.manifests {
            if self.touches(&signed.record.set) {
                rebuilt.push(self.set(signed)?);
            } else {
                self.keep(signed)?;
                untouched.push(UntouchedSet { set: signed.record.set.clone(), manifest: signed.digest });
            }
        }
        self.keep_outward_sets()?;
        self.finish(rebuilt, untouched)
    }

    /// Whether the records take a document of the set, or erase what its ledger says of one.
    fn touches(&self, set: &SetName) -> bool {
        let hit =
            |r: &LedgerRow| self.taken.documents.contains_key(&r.doc_id) || self.taken.erased.contains_key(&r.doc_id);
        self.rows.iter().any(|r| r.set == *set && hit(r))
    }

    /// Puts an untouched set into the new corpus, byte for byte.
    fn keep(&self, signed: &Signed<SetManifest>) -> Result<()> {
        let set = Path::new("sets").join(signed.record.set.as_str());
        let shards = signed.record.shards.iter().map(|s| set.join(s.file.path.as_str()));
        let evidence = signed.record.evidence.iter().map(|f| PathBuf::from(f.path.as_str()));
        for path in shards.chain(evidence).chain([set.join(MANIFEST_FILE)]) {
            place(&self.folder.root.join(&path), &self.making.join(&path))?;
        }
        self.keep_public(&signed.record.set)
    }

    fn keep_public(&self, set: &SetName) -> Result<()> {
        let path = Path::new("sets").join(set.as_str()).join(PUBLIC_FILE);
        let old = self.folder.root.join(&path);
        if old.is_file() { place(&old, &self.making.join(&path)) } else { Ok(()) }
    }

    /// Closed sets of which only what left their owner is here: nobody but the owner can rebuild them.
    fn keep_outward_sets(&self) -> Result<()> {
        let has_full = |set: &SetName| self.folder.manifests.iter().any(|m| m.record.set == *set);
        let mut outward = self.folder.public.iter().filter(|p| !has_full(&p.record.set));
        outward.try_for_each(|p| self.keep_public(&p.record.set))
    }

    /// Writes a set anew: shards, evidence, roots and manifest.
    fn set(&self, signed: &Signed<SetManifest>) -> Result<RebuiltSet> {
        let old = &signed.record;
        let id = self.key.public().id();
        if !self.gate.trust.may_sign(&id, Role::Builder, old.set.as_str(), self.gate.as_of) {
            return Err(Error::Refused {
                what: format!(
                    "key `{id}` does not hold the role `builder` for set `{}` on {} [FM-T-003 role-missing]",
                    old.set, self.gate.as_of
                ),
                hint: Some("nobody would accept what it signs; give a builder's key with `--key`".to_owned()),
            });
        }
        let set = Path::new("sets").join(old.set.as_str());
        let (from, to) = (self.folder.root.join(&set), self.making.join(&set));
        let in_set = |r: &&LedgerRow| r.set == old.set && self.taken.documents.contains_key(&r.doc_id);
        let touched = self.rows.iter().filter(in_set).filter_map(|r| r.shard.as_deref()).collect();
        let written = shards(old, [&from, &to], &touched, &self.taken, self.recipe.row_group_tokens)?;
        let proof = evidence(&old.evidence, &self.folder.root, &self.making, &self.taken, &written.rows)?;
        let documents = documents(&self.rows, &old.set, &self.taken)?;
        let texts: BTreeSet<Sha256> = documents.iter().map(|d| d.text).collect();
        let texts: Vec<TextLeaf> = texts.into_iter().map(|text| TextLeaf { text }).collect();
        let leaf = |s: &manifests::manifest::ManifestShard| FileLeaf {
            path: s.file.path.clone(),
            length: s.file.length,
            digest: s.file.digest,
        };
        let mut files: Vec<FileLeaf> = written.shards.iter().map(leaf).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut cells = cells(&old.cells, &written.shards);
        let claims = proof.leaves.iter().filter(|f| f.path.as_str().starts_with("claims/"));
        let claims: Vec<PathBuf> = claims.map(|f| f.path.beneath(&self.making)).collect();
        mend(&mut cells, &proof.lost, &claims, &documents)?;
        let mut stages = old.stages.clone();
        stages.insert(REBUILD_STAGE.to_owned(), VERSION);
        let manifest = SetManifest {
            schema: SetManifest::schema(),
            build: BUILD.to_owned(),
            stages,
            documents: cells.iter().filter_map(|c| c.documents).sum(),
            tokens: cells.iter().filter_map(|c| c.tokens).sum(),
            cells,
            funnel: self.funnel(&old.set)?,
            documents_root: root_of(&documents)?,
            texts_root: root_of(&texts)?,
            files_root: root_of(&files)?,
            evidence_root: root_of(&proof.leaves)?,
            evidence: proof.leaves,
            shards: written.shards,
            ..old.clone()
        };
        Ok(RebuiltSet {
            set: old.set.clone(),
            from: signed.digest,
            to: sign(manifest, &documents, &self.key, self.secret.as_ref(), &to)?,
            documents: written.taken.0,
            tokens: written.taken.1,
            rewritten: written.files.into_iter().chain(proof.rewritten).collect(),
            untouched: written.untouched.into_iter().chain(proof.untouched).collect(),
        })
    }

    /// What the new ledger says became of a set's documents.
    fn funnel(&self, set: &SetName) -> Result<Funnel> {
        let old = self.folder.manifests.iter().find(|m| m.record.set == *set);
        let ledgers = old.iter().flat_map(|m| &m.record.evidence).filter(|f| f.path.as_str().starts_with("ledger/"));
        let files: Vec<PathBuf> = ledgers.map(|f| f.path.beneath(&self.making)).collect();
        Ok(funnels(&files)?.remove(set).unwrap_or_default())
    }

    fn finish(&self, rebuilt: Vec<RebuiltSet>, untouched: Vec<UntouchedSet>) -> Result<RebuildReport> {
        let from = &self.folder.root;
        let number = self.keep_records()? + 1;
        let took = self.taken.documents.values().map(|d| &d.detail);
        let withdrawals: BTreeSet<String> = took.chain(self.taken.erased.values().flatten()).cloned().collect();
        if rebuilt.is_empty() {
            place(&from.join("run.json"), &self.making.join("run.json"))?;
        } else {
            let record = Rebuild {
                schema: Rebuild::schema(),
                demo: self.recipe.demo,
                corpus: self.recipe.name.clone(),
                number,
                as_of: self.gate.as_of,
                head: self.gate.records.head.sequence,
                withdrawals: withdrawals.clone(),
                rebuilt: rebuilt.clone(),
                untouched: untouched.clone(),
            };
            let folder = self.making.join(REBUILDS);
            std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
            Statement::about_itself("rebuild", record)?
                .write(&folder.join(format!("{number:05}.dsse.json")), &self.key)?;
            self.write_run(&rebuilt)?;
        }
        let whole = |s: UntouchedSet| SetReport {
            before: s.manifest,
            after: s.manifest,
            documents: 0,
            tokens: 0,
            rewritten: vec![],
            removed: vec![],
            untouched: self.files_of(&s.set),
            set: s.set,
        };
        let mut sets: Vec<SetReport> = rebuilt.iter().map(report_of).chain(untouched.into_iter().map(whole)).collect();
        sets.sort_by(|a, b| a.set.cmp(&b.set));
        let trained_on = self.folder.manifests.iter().find_map(|m| m.record.tokenizer.name.strip_prefix("trained:"));
        let saw = rebuilt.iter().find(|s| s.documents > 0 && trained_on == Some(s.set.as_str()));
        Ok(RebuildReport {
            schema: "flexmix/rebuild-report/v1",
            corpus: self.recipe.name.clone(),
            as_of: self.gate.as_of,
            head: self.gate.records.head.sequence,
            withdrawals,
            tokenizer_saw: saw.map(|s| s.set.clone()),
            releases: vec![],
            sets,
        })
    }

    fn files_of(&self, set: &SetName) -> u64 {
        let found = self.folder.manifests.iter().find(|m| m.record.set == *set);
        found.map_or(0, |m| (m.record.shards.len() + m.record.evidence.len()) as u64)
    }

    /// Keeps the records of earlier rebuilds; gives the number of the last.
    fn keep_records(&self) -> Result<u64> {
        let records = records(&self.folder.root)?;
        for path in &records {
            if let Some(name) = path.file_name() {
                place(path, &self.making.join(REBUILDS).join(name))?;
            }
        }
        Ok(records.len() as u64)
    }

    fn write_run(&self, rebuilt: &[RebuiltSet]) -> Result<()> {
        let mut run = self.run.clone();
        run.build = BUILD.to_owned();
        let files = rebuilt.iter().flat_map(|s| &s.rewritten);
        let outputs = depends_on(files.filter_map(|f| f.to.as_ref()).map(|d| &d.as_bytes()[..]));
        let tasks = rebuilt.iter().map(|s| s.rewritten.len() as u64).sum();
        run.stages.insert(REBUILD_STAGE.to_owned(), StageRecord { version: VERSION, tasks, outputs });
        for set in rebuilt {
            run.manifests.insert(set.set.clone(), set.to);
            run.funnels.insert(set.set.clone(), self.funnel(&set.set)?);
        }
        Ok(write_atomic(&self.making.join("run.json"), &manifests::canonical::to_vec(&run)?)?)
    }

    /// Reads the new corpus as a stranger would: everything in it verifies, nothing that the records take is left, and
    /// what was untouched has the digest that it had.
    pub(super) fn prove(&self, report: &RebuildReport) -> Result<()> {
        let bound = Some((&self.gate.trust, self.gate.as_of));
        let verified = crate::verify::verify(&self.making, bound, None)?;
        if let Some(failed) = verified.checks.iter().find(|c| c.outcome == crate::verify::Outcome::Failed) {
            return Err(Error::Bug(format!("the rebuilt `{}`: {}: {}", failed.file, failed.check, failed.detail)));
        }
        let made = Folder::open(&self.making, bound)?;
        let rows = ledger(&made)?;
        let left = taken(&made, self.gate, &rows, &self.recipe)?;
        let traces = traces(&made, &rows)?;
        if let Some(id) = left.erased.keys().chain(self.taken.erased.keys()).find(|id| traces.contains(id)) {
            return Err(Error::Bug(format!("document {id} was to be erased, and its digest, id or a claim is left")));
        }
        if let Some((id, denial)) = left.documents.iter().next() {
            return Err(Error::Bug(format!("document {id} is still there ({})", denial.detail)));
        }
        let now: BTreeMap<&SetName, Sha256> = made.manifests.iter().map(|m| (&m.record.set, m.digest)).collect();
        let before: BTreeMap<&SetName, Sha256> =
            self.folder.manifests.iter().map(|m| (&m.record.set, m.digest)).collect();
        let kept = |s: &&SetReport| s.is_untouched();
        match report.sets.iter().filter(kept).find(|s| now.get(&s.set) != before.get(&s.set)) {
            Some(set) => Err(Error::Bug(format!("set `{}` was to stay as it was", set.set))),
            None => Ok(()),
        }
    }
}

fn report_of(set: &RebuiltSet) -> SetReport {
    let named = |gone: bool| -> Vec<String> {
        set.rewritten.iter().filter(|f| f.to.is_none() == gone).map(|f| f.path.to_string()).collect()
    };
    SetReport {
        set: set.set.clone(),
        before: set.from,
        after: set.to,
        documents: set.documents,
        tokens: set.tokens,
        rewritten: named(false),
        removed: named(true),
        untouched: set.untouched.len() as u64,
    }
}
