//! Which cells a NOTICE is about: of a corpus all that the policy permits, of a model what its anchor and admitted
//! experts consumed, looked up in the corpus beside it by the digest of its manifest.

use std::collections::{BTreeMap, BTreeSet};

use manifests::conclusion::State;
use manifests::digest::Sha256;
use manifests::exposure::{Cell, CellCount, Exposure, TokenTotal};
use manifests::gate::Gate;
use manifests::id::SetName;
use manifests::license::{Leaf, Property};
use manifests::manifest::{Access, SetManifest};
use manifests::policy::{ReviewedTerms, TermsSource};
use manifests::stamp::{Stamp, Subject};

use super::{AgreedSource, Ask, ClosedNotice, LicensePart, Unknown, Why};
use crate::error::{Error, Result};
use crate::query::{Folder, Kind, ModelFolder, Signed};

/// What a closed set says until its owner agreed to more.
const CLOSED: &str = "a closed set: whom it owes is its owner's to say, and its owner has agreed to no list";

/// What it says where there is such a list.
const AGREED: &str = "a closed set: its owner agreed to name these";

/// A cell that a NOTICE is about.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub set: SetName,
    pub title_of: BTreeMap<String, String>,
    pub cell: Cell,
    pub evidence: Option<String>,
    /// The elected terms, or all of them when none are elected.
    pub terms: Option<String>,
    pub open_choice: bool,
    pub parts: Vec<LicensePart>,
    /// Whether a name is enough: attribution is asked and the recipe names a rightsholder.
    pub named: bool,
    /// Whether the terms are known.
    pub known: bool,
}

/// What a NOTICE is about.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub cells: Vec<Asked>,
    pub closed: Vec<ClosedNotice>,
    pub unknowns: Vec<Unknown>,
    pub artifacts: Vec<String>,
    /// Whether held-out documents count: they do in a corpus, and no weights consumed them.
    pub held_out: bool,
}

impl Scope {
    pub(super) fn of(folder: &Folder, ask: Ask<'_>) -> Result<Self> {
        let mut scope = Self { held_out: folder.kind == Kind::Corpus, ..Self::default() };
        match folder.kind {
            Kind::Corpus => scope.corpus(folder, ask)?,
            Kind::Model => {
                for model in &folder.models {
                    scope.model(model, ask)?;
                }
            }
            Kind::Outward => {
                scope.corpus(folder, ask)?;
                folder.outward.iter().for_each(|o| scope.weights(&o.stamps, ask));
            }
        }
        // A set that was handed out may be one that weights consumed too.
        let mut seen = BTreeSet::new();
        scope.cells.retain(|c| seen.insert((c.set.clone(), c.cell.clone())));
        let mut told = BTreeSet::new();
        scope.unknowns.retain(|u| told.insert((u.why, u.set.clone(), u.terms.clone(), u.manifest.clone())));
        Ok(scope)
    }

    fn corpus(&mut self, folder: &Folder, ask: Ask<'_>) -> Result<()> {
        let there: BTreeSet<&SetName> =
            folder.manifests.iter().map(|m| &m.record.set).chain(folder.public.iter().map(|p| &p.record.set)).collect();
        if let Some(missing) = ask.sets.iter().find(|s| !there.contains(s)) {
            let names = there.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ");
            return Err(Error::usage(format!("there is no set `{missing}`"), format!("the sets are {names}")));
        }
        let wanted = |set: &SetName| ask.sets.is_empty() || ask.sets.contains(set);
        for manifest in folder.manifests.iter().filter(|m| wanted(&m.record.set)) {
            let used: Vec<&CellCount> = manifest.record.cells.iter().filter(|c| permits(ask.gate, &c.cell)).collect();
            // What was handed out has no ledger and no claims.
            if folder.kind == Kind::Outward {
                self.consumed(&manifest.record.set, manifest.digest, false, &used, ask);
            } else {
                self.add(&manifest.record, used.into_iter().cloned().collect(), ask.gate);
            }
        }
        let has_full = |set: &SetName| folder.manifests.iter().any(|m| m.record.set == *set);
        for public in folder.public.iter().filter(|p| wanted(&p.record.set) && !has_full(&p.record.set)) {
            let used = public.record.cells.iter().filter(|c| permits(ask.gate, c));
            self.closed(&public.record.set, used, ask.gate);
            self.agreed(folder, &public.record.set, public.digest);
        }
        Ok(())
    }

    /// Whom the owner of a closed set agreed to name, in the owner's signed list.
    fn agreed(&mut self, folder: &Folder, set: &SetName, manifest: Sha256) {
        let lists = folder.outward.iter().flat_map(|o| &o.attribution);
        let Some(list) = lists.map(|l| &l.record).find(|l| l.set == *set && l.manifest == manifest) else { return };
        for closed in self.closed.iter_mut().filter(|c| c.set == set.as_str()) {
            closed.says = AGREED;
            closed.sources = list
                .sources
                .iter()
                .map(|s| AgreedSource {
                    source: s.source.to_string(),
                    title: s.title.clone(),
                    rightsholders: s.rightsholders.iter().cloned().collect(),
                    statements: s.statements.iter().cloned().collect(),
                })
                .collect();
        }
    }

    fn add(&mut self, manifest: &SetManifest, cells: Vec<CellCount>, gate: Option<&Gate>) {
        if manifest.access == Access::Closed {
            return self.closed(&manifest.set, cells.iter().map(|c| &c.cell), gate);
        }
        let titles: BTreeMap<String, String> =
            manifest.sources.iter().map(|s| (s.id.to_string(), s.title.clone())).collect();
        for count in cells {
            if let Some(asked) = asked(&manifest.set, &titles, count, gate) {
                self.cells.push(asked);
            }
        }
    }

    fn closed<'a>(&mut self, set: &SetName, cells: impl Iterator<Item = &'a Cell>, gate: Option<&Gate>) {
        let blank = |cell: &Cell| CellCount { cell: cell.clone(), evidence: None, documents: None, tokens: None };
        let asking: BTreeSet<String> = cells
            .filter_map(|cell| asked(set, &BTreeMap::new(), blank(cell), gate))
            .map(|a| a.terms.unwrap_or_else(|| a.cell.label()))
            .collect();
        if !asking.is_empty() && !self.closed.iter().any(|c| c.set == set.as_str()) {
            self.closed.push(ClosedNotice {
                set: set.to_string(),
                terms: asking.into_iter().collect(),
                says: CLOSED,
                sources: vec![],
            });
        }
    }

    fn model(&mut self, model: &ModelFolder, ask: Ask<'_>) -> Result<()> {
        let is_denied = |s: &Signed<Stamp>| s.record.subject == Subject::Anchor && !takes_part(s, ask.gate);
        if model.stamps.iter().any(is_denied) {
            return Err(Error::Refused {
                what: "the policy denies the anchor, so nothing runs and nothing is owed for running it".to_owned(),
                hint: Some("`flexmix audit` says why; without `--policy` all that was consumed is listed".to_owned()),
            });
        }
        self.weights(&model.stamps, ask);
        self.unknowns.extend(model.unstamped.iter().map(|member| Unknown {
            why: Why::StampMissing,
            terms: None,
            set: member.id.to_string(),
            source: None,
            documents: None,
            listed: vec![],
            manifest: None,
        }));
        Ok(())
    }

    /// What the anchor and admitted experts consumed.
    fn weights(&mut self, stamps: &[Signed<Stamp>], ask: Ask<'_>) {
        let admitted: Vec<&Stamp> = stamps.iter().filter(|s| takes_part(s, ask.gate)).map(|s| &s.record).collect();
        self.artifacts.extend(admitted.iter().map(|s| s.id.to_string()));
        let exposures = admitted.iter().flat_map(|s| &s.exposures).filter(|e| e.kind.is_tested());
        let wanted = |e: &&Exposure| ask.sets.is_empty() || ask.sets.contains(&e.set);
        let mut consumed: BTreeMap<(&SetName, Sha256), (bool, Vec<&CellCount>)> = BTreeMap::new();
        for exposure in exposures.filter(wanted) {
            let closed = matches!(exposure.tokens, TokenTotal::AtMost(_));
            let entry = consumed.entry((&exposure.set, exposure.manifest)).or_insert_with(|| (closed, vec![]));
            entry.1.extend(&exposure.cells);
        }
        for ((set, manifest), (closed, cells)) in consumed {
            self.consumed(set, manifest, closed, &cells, ask);
        }
    }

    /// What was consumed of one set: looked up in the corpus beside the model, when that is the same one.
    fn consumed(&mut self, set: &SetName, manifest: Sha256, closed: bool, cells: &[&CellCount], ask: Ask<'_>) {
        if closed {
            return self.closed(set, cells.iter().map(|c| &c.cell), ask.gate);
        }
        let used: BTreeSet<&Cell> = cells.iter().map(|c| &c.cell).collect();
        let known =
            ask.beside.into_iter().flat_map(|b| &b.manifests).find(|m: &&Signed<SetManifest>| m.digest == manifest);
        if let Some(found) = known {
            let cells = found.record.cells.iter().filter(|c| used.contains(&c.cell)).cloned().collect();
            return self.add(&found.record, cells, ask.gate);
        }
        for cell in used {
            let documents = cells.iter().filter(|c| c.cell == *cell).filter_map(|c| c.documents).max();
            let blank = CellCount { cell: cell.clone(), evidence: None, documents, tokens: None };
            if let Some(asked) = asked(set, &BTreeMap::new(), blank, ask.gate) {
                self.unknowns.push(Unknown {
                    why: Why::CorpusMissing,
                    terms: Some(asked.terms.unwrap_or_else(|| cell.label())),
                    set: set.to_string(),
                    source: None,
                    documents,
                    listed: vec![],
                    manifest: Some(manifest.to_string()),
                });
            }
        }
    }
}

fn takes_part(stamp: &Signed<Stamp>, gate: Option<&Gate>) -> bool {
    let record = &stamp.record;
    gate.is_none_or(|g| g.weights(record.files_root.root, record.assurance, &record.exposures).is_admitted())
}

fn permits(gate: Option<&Gate>, cell: &Cell) -> bool {
    gate.is_none_or(|gate| gate.cell(cell).is_permitted())
}

/// What a cell asks; nothing when its terms are known and ask for neither name nor notice.
pub(super) fn asked(
    set: &SetName,
    titles: &BTreeMap<String, String>,
    count: CellCount,
    gate: Option<&Gate>,
) -> Option<Asked> {
    let terms: &dyn TermsSource = match gate {
        Some(gate) => &gate.records,
        None => &ReviewedTerms,
    };
    let cell = &count.cell;
    let expression = cell.elected().or(cell.expression.as_ref());
    let leaves: Vec<&Leaf> = expression.iter().flat_map(|e| e.leaves()).collect();
    let parts: Vec<LicensePart> = leaves.iter().map(|leaf| part(leaf, terms)).collect();
    let asks = |name: &str| parts.iter().any(|p| p.asks.as_ref().is_none_or(|asks| asks.iter().any(|a| a == name)));
    let (attribution, notice) = (asks("attribution"), asks("notice"));
    let known = cell.state == State::Concluded;
    (!known || attribution || notice).then(|| Asked {
        set: set.clone(),
        title_of: titles.clone(),
        terms: expression.map(ToString::to_string),
        open_choice: cell.elected().is_none() && expression.is_some(),
        named: attribution && !cell.rightsholders.is_empty(),
        known,
        parts,
        evidence: count.evidence.clone(),
        cell: cell.clone(),
    })
}

fn part(leaf: &Leaf, terms: &dyn TermsSource) -> LicensePart {
    let duties = [Property::Attribution, Property::Notice, Property::ShareAlike, Property::SourceDisclosure];
    let named = |properties: BTreeSet<Property>| {
        duties.iter().filter(|d| properties.contains(d)).map(|d| d.as_str().to_owned()).collect()
    };
    LicensePart {
        id: leaf.to_string(),
        name: leaf.full_name().map(str::to_owned),
        text: leaf.text_at(),
        asks: terms.properties(leaf).map(named),
    }
}
