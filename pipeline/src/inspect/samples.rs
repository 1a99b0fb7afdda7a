//! Samples of what each reason dropped: the first documents by id, which is a digest, so that they are an even sample
//! and the same in every report. Their text is shown where the build kept it, with the span that the rule points at.

use serde::{Deserialize, Serialize};

use super::reasons::named;
use crate::error::Result;
use crate::query::Engine;
use crate::stages::place;

/// Bytes of text that are shown before and after a span.
const AROUND: usize = 200;
/// Bytes of a span that are shown.
const SPAN: usize = 400;

/// A document that was dropped.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Its set.
    pub set: String,
    /// The stage that dropped it.
    pub stage: String,
    /// The reason.
    pub reason: String,
    /// The filter of the recipe.
    pub filter: Option<String>,
    /// Its id.
    pub doc_id: String,
    /// The id that its record declares.
    pub declared_id: Option<String>,
    /// Its source.
    pub source: String,
    /// Its place in the source.
    pub path: String,
    /// The reason in words.
    pub detail: Option<String>,
    /// The value that the rule found.
    pub value: Option<f64>,
    /// The threshold that it missed.
    pub threshold: Option<f64>,
    /// The document that it was found equal or near to.
    pub duplicate_of: Option<String>,
    /// Its text as it was when it was dropped, where the build kept it.
    pub text: Option<Excerpt>,
}

/// A piece of a text about a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// What stands before the span, or the text's beginning where a rule points at no span.
    pub before: String,
    /// What the rule points at.
    pub marked: String,
    /// What stands after it.
    pub after: String,
    /// Whether text before it was left out.
    pub cut_before: bool,
    /// Whether text after it was left out.
    pub cut_after: bool,
    /// Bytes of the whole text.
    pub bytes: u64,
}

impl Excerpt {
    /// The excerpt of `text` about the bytes `span`; without one, its beginning. Ends fall on characters.
    #[must_use]
    pub fn of(text: &str, span: Option<(usize, usize)>) -> Self {
        let bytes = text.len() as u64;
        let whole = |at: usize| text.floor_char_boundary(at.min(text.len()));
        let Some((start, end)) = span.map(|(start, end)| (whole(start), whole(end))).filter(|(s, e)| s < e) else {
            let end = whole(2 * AROUND);
            return Self { before: text[..end].to_owned(), cut_after: end < text.len(), bytes, ..Self::default() };
        };
        let from = whole(start.saturating_sub(AROUND));
        // A span that is a whole text long is shown by its beginning.
        let shown = whole(end.min(start + SPAN)).max(start);
        let to = if shown < end { shown } else { whole(end + AROUND) };
        Self {
            before: text[from..start].to_owned(),
            marked: text[start..shown].to_owned(),
            after: text[shown..to].to_owned(),
            cut_before: from > 0,
            cut_after: to < text.len(),
            bytes,
        }
    }
}

#[derive(Deserialize)]
struct Row {
    set: String,
    stage: String,
    reason: String,
    filter: Option<u64>,
    doc_id: String,
    declared_id: Option<String>,
    source: String,
    path: String,
    detail: Option<String>,
    value: Option<f64>,
    threshold: Option<f64>,
    duplicate_of: Option<String>,
}

#[derive(Deserialize)]
struct TextRow {
    doc_id: String,
    text: Option<String>,
    span_start: Option<u64>,
    span_end: Option<u64>,
}

/// Asks for at most `most` documents of each set and reason.
pub(super) fn ask(engine: &Engine, filters: &[String], most: usize) -> Result<Vec<Sample>> {
    let facts = if engine.has_rows("facts")? {
        "f.filter, CAST(f.value AS DOUBLE) AS value, CAST(f.threshold AS DOUBLE) AS threshold
         FROM chosen c LEFT JOIN facts f ON f.doc_id = c.doc_id AND c.stage = 'filter'"
    } else {
        "CAST(NULL AS BIGINT) AS filter, CAST(NULL AS DOUBLE) AS value, CAST(NULL AS DOUBLE) AS threshold FROM chosen c"
    };
    let sql = format!(
        r#"
WITH ranked AS (
  SELECT "set", stage, coalesce(reason, 'no reason') AS reason, doc_id, declared_id, source, path, detail, duplicate_of,
         row_number() OVER (PARTITION BY "set", stage, reason ORDER BY doc_id) AS n
  FROM ledger WHERE decision = 'dropped'),
chosen AS (SELECT * FROM ranked WHERE n <= {most})
SELECT c."set", c.stage, c.reason, c.doc_id, c.declared_id, c.source, c.path, c.detail, c.duplicate_of, {facts}
ORDER BY c."set", c.stage, c.reason, c.doc_id"#
    );
    let rows = engine.sql(&sql)?.read::<Row>()?;
    let ids: Vec<&str> = rows.iter().map(|r| r.doc_id.as_str()).collect();
    let texts = excerpts(engine, &ids)?;
    let sample = |row: Row| Sample {
        text: texts.iter().find(|(id, _)| *id == row.doc_id).map(|(_, text)| text.clone()),
        filter: named(filters, row.filter),
        set: row.set,
        stage: row.stage,
        reason: row.reason,
        doc_id: row.doc_id,
        declared_id: row.declared_id,
        source: row.source,
        path: row.path,
        detail: row.detail,
        value: row.value,
        threshold: row.threshold,
        duplicate_of: row.duplicate_of,
    };
    let mut samples: Vec<Sample> = rows.into_iter().map(sample).collect();
    samples.sort_by(|a, b| (&a.set, place(&a.stage)).cmp(&(&b.set, place(&b.stage))));
    Ok(samples)
}

/// The excerpts of these documents' texts, of those that the build kept.
pub(super) fn excerpts(engine: &Engine, ids: &[&str]) -> Result<Vec<(String, Excerpt)>> {
    if ids.is_empty() || !engine.has_rows("excluded")? {
        return Ok(vec![]);
    }
    let list = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
    let sql =
        format!("SELECT doc_id, text, span_start, span_end FROM excluded WHERE doc_id IN ({list}) ORDER BY doc_id");
    let at = |at: Option<u64>| at.and_then(|at| usize::try_from(at).ok());
    let excerpt = |row: TextRow| {
        let span = at(row.span_start).zip(at(row.span_end));
        row.text.map(|text| (row.doc_id, Excerpt::of(&text, span)))
    };
    Ok(engine.sql(&sql)?.read::<TextRow>()?.into_iter().filter_map(excerpt).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_is_marked_with_what_stands_about_it() {
        let found = Excerpt::of("one two three", Some((4, 7)));
        assert_eq!((found.before.as_str(), found.marked.as_str(), found.after.as_str()), ("one ", "two", " three"));
        assert!(!found.cut_before && !found.cut_after);
        let long = format!("{}HERE{}", "a".repeat(1000), "b".repeat(1000));
        let found = Excerpt::of(&long, Some((1000, 1004)));
        assert_eq!((found.before.len(), found.marked.as_str(), found.after.len()), (200, "HERE", 200));
        assert!(found.cut_before && found.cut_after);
        assert_eq!(found.bytes, 2004);
        let whole = Excerpt::of(&long, Some((0, 2004)));
        assert_eq!((whole.marked.len(), whole.after.as_str(), whole.cut_after), (400, "", true));
        let none = Excerpt::of("short", None);
        assert_eq!((none.before.as_str(), none.marked.as_str(), none.cut_after), ("short", "", false));
    }

    proptest! {
        /// Whatever a file says of a span, the excerpt is one piece of the text.
        #[test]
        fn an_excerpt_is_a_piece_of_its_text(text in ".{0,900}", start in 0usize..2000, length in 0usize..2000) {
            let found = Excerpt::of(&text, Some((start, start + length)));
            let piece = format!("{}{}{}", found.before, found.marked, found.after);
            prop_assert!(text.contains(&piece));
            prop_assert!(found.cut_before || text.starts_with(&piece));
            prop_assert!(found.cut_after || text.ends_with(&piece));
            prop_assert!(piece.len() <= AROUND + SPAN + AROUND);
        }
    }
}
