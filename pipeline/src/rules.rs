//! The rules of a recipe: conditions in SQL that a data engineer writes over what is known of a document when the chain
//! of filters has run. A document of which a rule does not hold is dropped; what is unknown does not hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use corpus::filter::Chain;
use manifests::id::SetName;
use manifests::reason::Reason;
use serde::Deserialize;

use crate::columns::column;
use crate::engine::Condition;
use crate::error::Result;
use crate::slice::SliceRef;
use crate::udf::fact_fields;

/// A `[[rule]]` table as written:
///
/// ```toml
/// [[rule]]
/// name = "enough-words"
/// keep = "words >= 20 AND language = 'en'"
/// sets = ["news"]                             # absent: every set
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleToml {
    name: String,
    keep: String,
    sets: Option<BTreeSet<SetName>>,
}

/// One rule.
#[derive(Clone, Debug)]
struct Rule {
    name: String,
    keep: Condition,
    words: String,
    sets: Option<BTreeSet<SetName>>,
}

/// The rules of a recipe, in its order.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

/// Columns of facts that are no facts of the document: its text, its digest, and what is said of a filter's decision.
const HIDDEN: [&str; 9] =
    ["digest", "text", "reason", "detail", "filter", "value", "threshold", "span_start", "span_end"];

/// What a condition of a recipe may name: the document's place, its sizes, and the facts that the chain finds out.
#[must_use]
pub fn known_columns(chain: &Chain) -> Schema {
    let place = ["set", "source", "path", "declared_id", "url"].map(|name| Field::new(name, DataType::Utf8, true));
    let facts = fact_fields(chain);
    let facts = facts.iter().filter(|field| !HIDDEN.contains(&field.name().as_str())).map(|f| f.as_ref().clone());
    Schema::new(place.into_iter().chain(facts).collect::<Vec<_>>())
}

impl Rules {
    /// Checks the rules against what `chain` finds out.
    ///
    /// # Errors
    /// In words: the rule and what is wrong with it.
    pub(crate) fn new(rules: Vec<RuleToml>, chain: &Chain) -> std::result::Result<Self, String> {
        let schema = known_columns(chain);
        let mut names = BTreeSet::new();
        let mut checked = Vec::new();
        for rule in rules {
            if rule.name.trim().is_empty() || !names.insert(rule.name.clone()) {
                return Err(format!("rule `{}`: each rule needs a name of its own", rule.name));
            }
            let keep = Condition::new(&rule.keep, &schema).map_err(|e| format!("rule `{}`: {e}", rule.name))?;
            checked.push(Rule { name: rule.name, keep, words: rule.keep, sets: rule.sets });
        }
        Ok(Self(checked))
    }

    /// The facts of a batch of a slice, with the first rule that does not hold as the reason of each document that no
    /// filter dropped.
    ///
    /// # Errors
    /// [`crate::Error::Engine`] when a condition can't be computed.
    pub(crate) fn apply(&self, rows: &RecordBatch, facts: &RecordBatch, slice: &SliceRef) -> Result<RecordBatch> {
        let set = &slice.source.set;
        let ours: Vec<&Rule> = self.0.iter().filter(|r| r.sets.as_ref().is_none_or(|s| s.contains(set))).collect();
        if ours.is_empty() {
            return Ok(facts.clone());
        }
        let known = known(rows, facts, slice)?;
        let held = ours.iter().map(|rule| rule.keep.holds(&known)).collect::<Result<Vec<BooleanArray>>>()?;
        let (reasons, details): (&StringArray, &StringArray) = (column(facts, "reason")?, column(facts, "detail")?);
        let digests = facts.column_by_name("digest");
        let (mut reason, mut detail) = (StringBuilder::new(), StringBuilder::new());
        for row in 0..facts.num_rows() {
            let readable = reasons.is_null(row) && digests.is_some_and(|digests| digests.is_valid(row));
            let broken = ours.iter().zip(&held).find(|(_, held)| readable && !held.value(row));
            match broken {
                Some((rule, _)) => {
                    reason.append_value(Reason::RuleNotMet.name());
                    detail.append_value(format!("rule `{}`: {}", rule.name, rule.words));
                }
                None => {
                    reason.append_option(reasons.is_valid(row).then(|| reasons.value(row)));
                    detail.append_option(details.is_valid(row).then(|| details.value(row)));
                }
            }
        }
        let mut columns = facts.columns().to_vec();
        columns[facts.schema().index_of("reason")?] = Arc::new(reason.finish());
        columns[facts.schema().index_of("detail")?] = Arc::new(detail.finish());
        Ok(RecordBatch::try_new(facts.schema(), columns)?)
    }
}

/// The columns of [`known_columns`] for a batch.
pub(crate) fn known(rows: &RecordBatch, facts: &RecordBatch, slice: &SliceRef) -> Result<RecordBatch> {
    let same = |word: &str| -> ArrayRef { Arc::new(StringArray::from(vec![word; rows.num_rows()])) };
    let mut columns = vec![("set", same(slice.source.set.as_str())), ("source", same(slice.source.id.as_str()))];
    for name in ["path", "declared_id", "url"] {
        columns.push((name, Arc::new(column::<StringArray>(rows, name)?.clone())));
    }
    let schema = facts.schema();
    for (field, values) in schema.fields().iter().zip(facts.columns()) {
        if !HIDDEN.contains(&field.name().as_str()) {
            columns.push((field.name(), Arc::clone(values)));
        }
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, values)| (name, values, true)))?)
}
