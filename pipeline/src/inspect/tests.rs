//! The laws of an inspection over ledgers of every shape, with facts and excluded text beside them: nothing is lost
//! between stages, bins and reasons, a value has one bin, and a span is marked where the file says.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryBuilder, Float64Array, LargeStringArray, RecordBatch, StringArray, UInt32Array,
    UInt64Array, new_null_array,
};
use arrow::datatypes::Schema;
use manifests::ledger::{claims_schema, ledger_schema};
use proptest::prelude::*;

use super::*;
use crate::query::Folder;
use crate::table::TableWriter;

/// What decided on a row: stage, decision, reason.
const ENDS: [(&str, &str, Option<&str>); 6] = [
    ("hold-out", "kept", None),
    ("hold-out", "held-out", None),
    ("read", "dropped", Some("malformed-json")),
    ("filter", "dropped", Some("gopher-too-few-words")),
    ("filter", "dropped", Some("length-too-few-words")),
    ("a-stage-to-come", "dropped", Some("a-reason-to-come")),
];

/// A row of a test's ledger.
#[derive(Clone, Debug)]
struct Row {
    set: u8,
    end: usize,
    bytes: u32,
    value: Option<f64>,
    twin: Option<u8>,
}

impl Row {
    fn end(&self) -> (&'static str, &'static str, Option<&'static str>) {
        ENDS[self.end]
    }

    fn dropped(&self) -> bool {
        self.end().1 == "dropped"
    }
}

fn ids(values: impl Iterator<Item = Option<usize>>) -> ArrayRef {
    let mut builder = FixedSizeBinaryBuilder::new(16);
    for value in values {
        match value {
            Some(id) => builder.append_value((id as u128).to_be_bytes()).unwrap(),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

fn texts<S: Into<String>>(values: impl Iterator<Item = Option<S>>) -> ArrayRef {
    Arc::new(values.map(|v| v.map(Into::into)).collect::<StringArray>())
}

fn counts(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

fn put(path: &Path, schema: Arc<Schema>, columns: Vec<ArrayRef>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = TableWriter::create(path, Arc::clone(&schema)).unwrap();
    writer.write(RecordBatch::try_new(schema, columns).unwrap()).unwrap();
    writer.finish().unwrap();
}

fn write_ledger(root: &Path, rows: &[Row]) {
    let all = || rows.iter();
    let columns = ledger_schema()
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "doc_id" => ids((0..rows.len()).map(Some)),
            "duplicate_of" => ids(all().map(|r| r.twin.map(usize::from))),
            "source" => texts(all().map(|_| Some("s"))),
            "path" => texts(all().map(|r| Some(format!("a/b{}/c.jsonl", r.set)))),
            "set" => texts(all().map(|r| Some(format!("set{}", r.set)))),
            "decision" => texts(all().map(|r| Some(r.end().1))),
            "stage" => texts(all().map(|r| Some(r.end().0))),
            "reason" => texts(all().map(|r| r.end().2)),
            "bytes_in" => counts(all().map(|r| u64::from(r.bytes))),
            "bytes_removed" => counts(all().map(|r| if r.dropped() { u64::from(r.bytes) } else { 0 })),
            "bytes_out" | "n_tokens" => counts(all().map(|r| if r.dropped() { 0 } else { u64::from(r.bytes) })),
            "bytes_added" => counts(all().map(|_| 0)),
            "copies" => Arc::new(UInt32Array::from_iter_values(all().map(|r| u32::from(!r.dropped())))),
            _ => new_null_array(field.data_type(), rows.len()),
        })
        .collect();
    put(&root.join("ledger/0.parquet"), ledger_schema(), columns);
    let nothing = claims_schema().fields().iter().map(|f| new_null_array(f.data_type(), 0)).collect();
    put(&root.join("claims/0.parquet"), claims_schema(), nothing);
    std::fs::create_dir_all(root.join("sets")).unwrap();
}

fn write_facts(root: &Path, rows: &[Row]) {
    let places = Arc::new(UInt32Array::from_iter(rows.iter().map(|r| (r.end().0 == "filter").then_some(1))));
    let values = || Arc::new(rows.iter().map(|r| r.value).collect::<Float64Array>());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("doc_id", ids((0..rows.len()).map(Some))),
        ("filter", places),
        ("value", values()),
        ("threshold", Arc::new(Float64Array::from(vec![0.5; rows.len()]))),
        ("share", values()),
        ("language", texts(rows.iter().map(|r| Some(if r.set == 0 { "en" } else { "de" })))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    put(&root.join("facts/0.parquet"), batch.schema(), batch.columns().to_vec());
}

/// One document's text, with the span of its fourth to seventh byte.
fn write_excluded(root: &Path, id: usize, text: &str) {
    let schema = crate::stages::excluded::schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "doc_id" => ids([Some(id)].into_iter()),
            "span_start" => counts([4].into_iter()),
            "span_end" => counts([7].into_iter()),
            "text" => Arc::new(LargeStringArray::from(vec![text])) as ArrayRef,
            "set" | "source" | "path" | "stage" => texts([Some("x")].into_iter()),
            _ => new_null_array(field.data_type(), 1),
        })
        .collect();
    put(&root.join("excluded/0.parquet"), schema, columns);
}

fn look(rows: &[Row]) -> Curation {
    let folder = tempfile::tempdir().unwrap();
    write_ledger(folder.path(), rows);
    write_facts(folder.path(), rows);
    let report = inspect(&Folder::open(folder.path(), None).unwrap(), "nobody".to_owned(), 2).unwrap();
    let page = page(&report, "a corpus");
    assert!(page.contains("What became of the documents of a corpus"));
    report.curation.unwrap()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let value = prop_oneof![
        Just(None),
        (0.0f64..1.0).prop_map(Some),
        (0u32..100).prop_map(|n| Some(f64::from(n) / 100.0)),
        (0.0f64..1e12).prop_map(Some),
        Just(Some(f64::NAN)),
        Just(Some(f64::INFINITY)),
    ];
    let row = (0u8..2, 0..ENDS.len(), 0u32..100_000, value, proptest::option::of(0u8..6));
    let row = row.prop_map(|(set, end, bytes, value, twin)| Row { set, end, bytes, value, twin });
    proptest::collection::vec(row, 1..40)
}

fn add_up(curation: &Curation, rows: &[Row]) {
    for funnel in &curation.funnels {
        let mut into = funnel.read;
        for step in &funnel.stages {
            assert_eq!(step.into, into);
            let dropped: u64 = step.dropped.iter().map(|d| d.amount.documents).sum();
            assert_eq!(step.into.documents, dropped + step.out.documents);
            into = step.out;
        }
        assert_eq!(into.documents, funnel.kept.documents + funnel.held_out.documents);
        assert_eq!(into.bytes + funnel.bytes_added, funnel.bytes_out + funnel.bytes_removed);
    }
    let dropped = rows.iter().filter(|r| r.dropped()).count() as u64;
    assert_eq!(curation.reasons.iter().map(|r| r.documents).sum::<u64>(), dropped);
    assert_eq!(curation.domains.iter().map(|d| d.documents).sum::<u64>(), rows.len() as u64);
    let twins = rows.iter().filter(|r| r.twin.is_some() && r.dropped()).count() as u64;
    assert_eq!(curation.duplicates.sizes.iter().map(|s| s.dropped).sum::<u64>(), twins);
    for one in &curation.histograms {
        let binned: u64 = one.bins.iter().map(Bin::documents).sum();
        let words: u64 = one.values.iter().map(|v| v.kept + v.held_out + v.dropped).sum();
        assert_eq!(binned + words, one.documents, "{one:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_is_lost_between_stages_reasons_and_bins(rows in rows()) {
        let curation = look(&rows);
        add_up(&curation, &rows);
        let finite: Vec<f64> = rows.iter().filter_map(|r| r.value).filter(|v| v.is_finite()).collect();
        let share = curation.histograms.iter().find(|h| h.column == "share");
        prop_assert_eq!(share.map_or(0, |h| h.documents), finite.len() as u64);
        for bin in share.iter().flat_map(|h| &h.bins) {
            let inside = finite.iter().filter(|v| **v >= bin.from && **v < bin.to).count() as u64;
            prop_assert_eq!(bin.documents(), inside, "{:?}", bin);
        }
    }
}

#[test]
fn stages_stand_in_the_dataflow_and_what_is_not_known_yet_comes_last() {
    let row = |end| Row { set: 0, end, bytes: 10, value: Some(0.25), twin: None };
    let curation = look(&[row(5), row(4), row(3), row(2), row(0)]);
    let stages: Vec<&str> = curation.funnels[0].stages.iter().map(|s| s.stage.as_str()).collect();
    assert_eq!(stages, ["read", "filter", "a-stage-to-come"]);
    let reason = curation.reasons.iter().find(|r| r.reason == "gopher-too-few-words").unwrap();
    assert_eq!((reason.code, reason.filter.as_deref()), (Some("FM-F-005"), Some("filter 2")));
    assert_eq!((reason.threshold, reason.lowest, reason.highest), (Some(0.5), Some(0.25), Some(0.25)));
    let strange = curation.reasons.iter().find(|r| r.reason == "a-reason-to-come").unwrap();
    assert_eq!((strange.code, strange.meaning, strange.filter.as_deref()), (None, None, None));
}

#[test]
fn the_span_that_a_rule_points_at_is_marked_on_every_report() {
    let folder = tempfile::tempdir().unwrap();
    let row = |end| Row { set: 0, end, bytes: 10, value: Some(0.25), twin: None };
    write_ledger(folder.path(), &[row(0), row(3)]);
    write_excluded(folder.path(), 1, "one TWO <three>");
    let open = Folder::open(folder.path(), None).unwrap();
    let report = inspect(&open, "nobody".to_owned(), 3).unwrap();
    let sample = &report.curation.as_ref().unwrap().samples[0];
    assert_eq!(sample.text.as_ref().unwrap().marked, "TWO");
    assert!(page(&report, "c").contains("one <mark>TWO</mark> &lt;three&gt;"));
    assert!(report.to_text().contains("\"one ⟦TWO⟧ <three>\""), "{}", report.to_text());
    let story = story(&open, "nobody".to_owned(), &format!("{:032x}", 1)).unwrap();
    assert!(story.to_text().contains("\"one ⟦TWO⟧ <three>\""), "{}", story.to_text());
}
