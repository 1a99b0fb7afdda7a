//! Drafts of elections: for every choice of licenses that a corpus met and nobody decided, the branch that the policy's
//! `[or] elect` names first. A draft elects nothing: two legal keys sign it, a recipe names it, a build fixes it.

use std::collections::{BTreeMap, BTreeSet};

use manifests::conclusion::State;
use manifests::exposure::Cell;
use manifests::id::SourceId;
use manifests::license::Expression;
use manifests::record::Election;
use manifests::sign::Record;
use serde::{Deserialize, Serialize};

use super::because::{Because, rule};
use super::check::DECIDED;
use super::{Asked, Rehearsal, cells, sound};
use crate::error::{Error, Result};
use crate::query::{Engine, Folder};
use crate::words::thousands;

/// An election to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Draft {
    /// Its file's name, and the id for the recipe.
    pub id: String,
    /// The choice.
    pub expression: String,
    /// The branch.
    pub branch: String,
    /// The sources that were seen with it, and that it is for.
    pub sources: Vec<String>,
    /// Documents that wait for it.
    pub documents: u64,
    /// What the policy would say of the branch; permitted when empty.
    pub denials: Vec<Because>,
    /// The file.
    #[serde(skip)]
    pub toml: String,
}

/// A choice that stays open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Open {
    /// The choice.
    pub expression: String,
    /// The sources that were seen with it.
    pub sources: Vec<String>,
    /// Documents that wait.
    pub documents: u64,
    /// Why nothing was drafted.
    pub why: String,
}

/// What `flexmix policy elect` reports.
#[derive(Clone, Debug, Serialize)]
pub struct ElectReport {
    /// Always `flexmix/elect-report/v1`.
    pub schema: &'static str,
    /// The policy.
    pub policy: Asked,
    /// What was drafted.
    pub drafts: Vec<Draft>,
    /// What was not, and why.
    pub open: Vec<Open>,
}

struct Choice {
    sources: BTreeSet<SourceId>,
    documents: u64,
    cell: Cell,
}

#[derive(Deserialize)]
struct Waiting {
    cell: String,
    documents: u64,
}

/// Drafts elections for a folder. Writes nothing; the drafts carry their files' text.
///
/// # Errors
/// [`Error::Record`] when the folder's records do not hold; [`Error::Engine`].
pub fn elect(rehearsal: &Rehearsal, folder: &Folder) -> Result<ElectReport> {
    sound(folder)?;
    let gate = &rehearsal.gate;
    let engine = Engine::open(folder)?;
    // Documents that an open choice dropped; copies and what a filter dropped wait for nothing.
    let waiting: Vec<Waiting> = engine
        .sql(&format!(
            "SELECT cell, count(*) AS documents FROM ledger
             WHERE cell IS NOT NULL AND {DECIDED} GROUP BY cell ORDER BY cell"
        ))?
        .read()?;
    let waiting: BTreeMap<String, u64> = waiting.into_iter().map(|w| (w.cell, w.documents)).collect();
    let mut choices: BTreeMap<Expression, Choice> = BTreeMap::new();
    for seen in cells::seen(folder, &engine, gate, None)? {
        let open = seen.tier.ends_with("/election-missing") && seen.cell.state == State::Concluded;
        let (Some(expression), true) = (seen.cell.expression.clone().filter(Expression::has_choice), open) else {
            continue;
        };
        let choice = choices.entry(expression).or_insert_with(|| Choice {
            sources: BTreeSet::new(),
            documents: 0,
            cell: seen.cell.clone(),
        });
        choice.sources.extend(seen.cell.sources.iter().cloned());
        choice.documents += waiting.get(&seen.digest).copied().unwrap_or(0);
    }
    let (mut drafts, mut open) = (Vec::new(), Vec::new());
    for (expression, choice) in choices {
        match draft(rehearsal, &expression, &choice)? {
            Ok(draft) => drafts.push(draft),
            Err(why) => open.push(Open {
                expression: expression.to_string(),
                sources: choice.sources.iter().map(ToString::to_string).collect(),
                documents: choice.documents,
                why,
            }),
        }
    }
    number(&mut drafts);
    Ok(ElectReport { schema: "flexmix/elect-report/v1", policy: Asked::of(rehearsal), drafts, open })
}

/// The draft for one choice, or why there is none.
fn draft(
    rehearsal: &Rehearsal,
    expression: &Expression,
    choice: &Choice,
) -> Result<std::result::Result<Draft, String>> {
    let (gate, policy) = (&rehearsal.gate, &rehearsal.gate.policy);
    let signed = gate.records.elections.iter().find(|e| e.elects(expression, &choice.sources).is_some());
    if let Some(election) = signed {
        return Ok(Err(format!("election `{}` is signed: name it in the recipe's `elections` and build", election.id)));
    }
    let Some(listed) = policy.elect.iter().find(|l| expression.elect(&l.value).is_some()) else {
        return Ok(Err(format!("no branch of it stands in `[or] elect` of {}", policy.file)));
    };
    let cell = Cell { election: Some(listed.value.clone()), sources: choice.sources.clone(), ..choice.cell.clone() };
    let id = format!("elect-{}", slug(&expression.to_string()));
    let record = Election {
        schema: Election::schema(),
        id: id.clone(),
        demo: policy.demo,
        expression: expression.clone(),
        branch: listed.value.clone(),
        sources: choice.sources.clone(),
        by: policy.owner.clone(),
        on: gate.as_of,
        reason: format!(
            "first of its branches in `[or] elect` of policy {} v{} (line {})",
            policy.id, policy.version, listed.line
        ),
    };
    Ok(Ok(Draft {
        toml: String::new(),
        expression: expression.to_string(),
        branch: listed.value.to_string(),
        sources: choice.sources.iter().map(ToString::to_string).collect(),
        documents: choice.documents,
        denials: Because::all(&gate.cell(&cell).denials),
        id,
    }
    .with(&record)?))
}

impl Draft {
    fn with(mut self, record: &Election) -> Result<Self> {
        let body = toml::to_string(record).map_err(|e| Error::Bug(format!("an election has no TOML form: {e}")))?;
        self.toml = format!(
            "# A draft: it elects nothing until two legal keys signed it (flexmix sign election {}.toml --key KEY),\n\
             # a head names it, and a recipe lists its id. Read the terms, and change the reason to your own, first.\n{body}",
            record.id
        );
        Ok(self)
    }
}

/// Gives every file a name of its own where two choices would share one.
fn number(drafts: &mut [Draft]) {
    let mut taken = BTreeSet::new();
    for draft in drafts {
        let base = draft.id.clone();
        let free = std::iter::once(base.clone())
            .chain((2..).map(|n| format!("{base}-{n}")))
            .find(|id| taken.insert(id.clone()));
        let id = free.unwrap_or(base);
        draft.toml = draft.toml.replace(&format!("{}.toml", draft.id), &format!("{id}.toml"));
        draft.toml = draft.toml.replace(&format!("id = \"{}\"", draft.id), &format!("id = \"{id}\""));
        draft.id = id;
    }
}

/// `mit-or-apache-2.0`, at most 80 characters.
fn slug(expression: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let text: String = expression.chars().filter(|c| !matches!(c, '(' | ')')).map(plain).collect();
    text.chars().take(80).collect::<String>().trim_matches(['-', '.']).to_owned()
}

impl ElectReport {
    /// The report for people.
    #[must_use]
    pub fn to_text(&self, out: &str) -> String {
        let file = &self.policy.file;
        let mut text = format!("{}\n", self.policy.in_words());
        let documents = |n: u64| format!("{} document{}", thousands(n), if n == 1 { "" } else { "s" });
        for draft in &self.drafts {
            text += &format!(
                "drafted {out}/{}.toml: {} for `{}`, for {} of {}\n",
                draft.id,
                draft.branch,
                draft.expression,
                documents(draft.documents),
                draft.sources.join(", ")
            );
            for denial in &draft.denials {
                let place = denial.rule.as_ref().map_or_else(|| "no line permits it".to_owned(), |r| rule(r, file));
                text += &format!(
                    "  under this policy the branch would be denied: {place} [{} {}]\n",
                    denial.code, denial.reason
                );
            }
        }
        for open in &self.open {
            text += &format!(
                "not drafted: `{}`, for {} of {}: {}\n",
                open.expression,
                documents(open.documents),
                open.sources.join(", "),
                open.why
            );
        }
        match (self.drafts.is_empty(), self.open.is_empty()) {
            (true, true) => text += "no choice of licenses is open here\n",
            (false, _) => {
                text += "A draft elects nothing. Next: two legal keys sign each file (`flexmix sign election FILE --key KEY`),\n\
                         it goes into the records folder, a new head is signed, the recipe lists its id, and a build fixes it.\n";
            }
            _ => {}
        }
        text
    }
}
