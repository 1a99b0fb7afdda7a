//! One expert under a policy: what its signed stamp says it consumed, cell by cell, and what the policy makes of each.

use std::collections::BTreeSet;

use manifests::policy::RuleRef;
use serde::{Deserialize, Serialize};

use super::because::{Because, rule};
use super::explain::CellWords;
use super::{Asked, Rehearsal, sound};
use crate::audit::judge;
use crate::error::{Error, Result};
use crate::query::{Engine, Folder, ModelFolder};
use crate::words::{excerpt, plain, short, thousands, visible};

/// What the expert consumed of one cell in one way, and the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consumed {
    /// How: `gradient`, `row-init`, …
    pub kind: String,
    /// Of which set.
    pub set: String,
    /// The terms and origin.
    pub cell: CellWords,
    /// Documents; a closed set gives none.
    pub documents: Option<u64>,
    /// Tokens; a closed set gives none.
    pub tokens: Option<u64>,
    /// The most tokens of the closed set.
    pub at_most: Option<u64>,
    /// Whether a verdict tests this kind.
    pub tested: bool,
    /// The reasons against it.
    pub denials: Vec<Because>,
    /// What an exception lifted.
    pub lifted: Vec<Because>,
    /// The place of a claim that it rests on, with its words where they are at hand.
    pub evidence: Option<String>,
}

/// What `flexmix policy explain --expert` reports.
#[derive(Clone, Debug, Serialize)]
pub struct ExpertReport {
    /// Always `flexmix/expert-report/v1`.
    pub schema: &'static str,
    /// The policy.
    pub policy: Asked,
    /// The model.
    pub model: String,
    /// `anchor` or `expert`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// The identity of its weights.
    pub files_root: String,
    /// Who signed its stamp.
    pub signers: Vec<String>,
    /// How far the stamp was checked by somebody else.
    pub assurance: Option<String>,
    /// Whether the policy admits it.
    pub admitted: bool,
    /// Why nothing of the model runs, when a mixing rule refuses the whole.
    pub refused: Option<String>,
    /// The rules that matched and do not deny.
    pub permits: Vec<RuleRef>,
    /// What it consumed.
    pub consumed: Vec<Consumed>,
    /// Reasons against the whole: no grant, too low an assurance, a withdrawn work.
    pub whole: Vec<Because>,
}

/// Explains one expert, or the anchor (`anchor`), of a model folder or of the model of a corpus that `model` names.
///
/// # Errors
/// [`Error::Usage`] when there is no such model or expert; [`Error::Record`] when the folder's records do not hold.
pub fn expert(rehearsal: &Rehearsal, folder: &Folder, id: &str, model: Option<&str>) -> Result<ExpertReport> {
    sound(folder)?;
    let model = pick(folder, model)?;
    let subjects = judge::of_model(model);
    let shared = judge::shared(&subjects);
    let mut judgements: Vec<_> = subjects.iter().map(|s| judge::judge(s, &rehearsal.gate, &shared)).collect();
    let refused = judge::mix(&mut judgements, &rehearsal.gate);
    let judgement = judgements.iter().find(|j| j.subject.id == id).ok_or_else(|| {
        let index = &model.index.record;
        let known: Vec<&str> = index.experts.iter().map(|e| e.id.as_str()).collect();
        let hint = format!("its experts are {}, and `anchor`", known.join(", "));
        Error::usage(format!("model `{}` has no expert `{id}`", index.name), hint)
    })?;
    let engine = Engine::open(folder)?;
    let mut consumed = Vec::new();
    for cell in &judgement.cells {
        consumed.push(Consumed {
            kind: cell.exposure.kind.as_str().to_owned(),
            set: cell.exposure.set.to_string(),
            cell: CellWords::of(&cell.count.cell, true),
            documents: cell.count.documents,
            tokens: cell.count.tokens,
            at_most: cell.count.tokens.is_none().then(|| cell.exposure.tokens.upper()),
            tested: cell.tested,
            denials: Because::all(&cell.denials),
            lifted: Because::all(&cell.lifted),
            evidence: evidence(&engine, cell.count)?,
        });
    }
    let against: BTreeSet<&RuleRef> =
        judgement.cells.iter().flat_map(|c| &c.denials).filter_map(|d| d.rule.as_ref()).collect();
    let subject = judgement.subject;
    Ok(ExpertReport {
        schema: "flexmix/expert-report/v1",
        policy: Asked::of(rehearsal),
        model: model.index.record.name.clone(),
        kind: subject.kind,
        id: subject.id.clone(),
        files_root: subject.digest.to_string(),
        signers: subject.signers.clone(),
        assurance: subject.assurance.map(|a| format!("{a:?}").to_lowercase()),
        admitted: judgement.admitted,
        refused,
        permits: judgement.matched.iter().filter(|rule| !against.contains(rule)).cloned().collect(),
        consumed,
        whole: judgement.whole.iter().map(|f| Because::of(&f.denial)).collect(),
    })
}

fn pick<'a>(folder: &'a Folder, name: Option<&str>) -> Result<&'a ModelFolder> {
    let known: Vec<&str> = folder.models.iter().map(|m| m.index.record.name.as_str()).collect();
    let listed =
        if known.is_empty() { "there is none here".to_owned() } else { format!("there are: {}", known.join(", ")) };
    match (name, &folder.models[..]) {
        (None, [only]) => Ok(only),
        (None, _) => Err(Error::usage("which model is not said", format!("name one with `--model NAME`; {listed}"))),
        (Some(name), all) => all
            .iter()
            .find(|m| m.index.record.name == name)
            .ok_or_else(|| Error::usage(format!("there is no model `{name}`"), listed)),
    }
}

#[derive(Deserialize)]
struct Words {
    raw: String,
    digest: String,
    date: Option<String>,
}

/// The place of the claim that a cell rests on, with its words where the folder has the claims.
fn evidence(engine: &Engine, count: &manifests::exposure::CellCount) -> Result<Option<String>> {
    let Some(locator) = &count.evidence else { return Ok(None) };
    let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let sources: Vec<String> = count.cell.sources.iter().map(|s| quote(s.as_str())).collect();
    if sources.is_empty() {
        return Ok(Some(locator.clone()));
    }
    let sql = format!(
        "SELECT raw, digest, date FROM claims WHERE locator = {} AND source IN ({}) ORDER BY source, digest, raw LIMIT 1",
        quote(locator),
        sources.join(", ")
    );
    let found = engine.sql(&sql)?.read::<Words>()?.into_iter().next();
    Ok(Some(found.map_or_else(
        || locator.clone(),
        |words| {
            let read = words.date.map_or_else(String::new, |date| format!(", read {date}"));
            format!("{locator} \"{}\", {}{read}", excerpt(&words.raw), short(&words.digest))
        },
    )))
}

impl Consumed {
    fn amount(&self) -> String {
        match (self.documents, self.tokens, self.at_most) {
            (Some(documents), Some(tokens), _) => {
                format!("{} tokens of {} documents", thousands(tokens), thousands(documents))
            }
            (_, _, Some(bound)) => format!("a closed set of at most {} tokens", thousands(bound)),
            _ => "an amount that is not said".to_owned(),
        }
    }

    fn lines(&self, file: &str) -> String {
        let terms = self.cell.license.as_deref().or(self.cell.basis.as_deref()).unwrap_or(&self.cell.state);
        let mark = match (self.tested, self.denials.is_empty()) {
            (false, _) => "reported",
            (true, true) => "permitted",
            (true, false) => "DENIED",
        };
        let mut text = format!("  {mark:9} {terms}: {}, {} of set {}\n", self.amount(), self.kind, self.set);
        if let Some(elected) = &self.cell.elected {
            text += &format!("            elected: {elected}, by a signed election\n");
        }
        for denial in self.denials.iter().filter(|_| self.tested) {
            text += &format!(
                "            {}\n            {}: {}\n",
                denial.place(file),
                denial.meaning,
                plain(&denial.detail)
            );
        }
        for lifted in &self.lifted {
            text += &format!("            lifted by an exception: {}\n", lifted.place(file));
        }
        if let Some(evidence) = &self.evidence {
            text += &format!("            evidence: {}\n", plain(evidence));
        }
        text
    }
}

impl ExpertReport {
    /// The report for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let file = &self.policy.file;
        let answer = if self.admitted && self.refused.is_none() { "PERMITTED" } else { "DENIED" };
        let mut text = format!(
            "{answer} {} {} of model {}, {}\n{}\n",
            self.kind,
            self.id,
            self.model,
            short(&self.files_root),
            self.policy.in_words()
        );
        let signers = if self.signers.is_empty() { "nobody".to_owned() } else { self.signers.join(", ") };
        let assurance = self.assurance.as_deref().unwrap_or("none");
        text += &format!("its stamp is signed by {signers}, assurance {assurance}; its weights were not opened\n");
        text += "\nWhat its stamp says it consumed, and the verdict\n";
        for consumed in &self.consumed {
            text += &consumed.lines(file);
        }
        if !self.whole.is_empty() || self.refused.is_some() {
            text += "\nAgainst the whole\n";
        }
        for because in &self.whole {
            text +=
                &format!("  {}\n            {}: {}\n", because.place(file), because.meaning, plain(&because.detail));
        }
        if let Some(refused) = &self.refused {
            text += &format!("  nothing of the model runs: {refused}\n");
        }
        if !self.permits.is_empty() {
            text += "\nRules that permit what is permitted\n";
        }
        for permits in &self.permits {
            text += &format!("  {}\n", rule(permits, file));
        }
        let tested = self.consumed.iter().filter(|c| c.tested).flat_map(|c| &c.denials);
        let ways: BTreeSet<&str> = tested.chain(&self.whole).map(|d| d.way_out).collect();
        if !ways.is_empty() {
            text += "\nWhat would change it\n";
        }
        for way in ways {
            text += &format!("  {way}\n");
        }
        visible(&text)
    }
}
