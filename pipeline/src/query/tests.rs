//! The tables of an empty corpus: every one is there, sums are integers, and nothing can be changed.

use super::{Engine, Folder};
use crate::Error;

fn empty() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["sets", "ledger", "claims"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let engine = Engine::open(&Folder::open(folder.path(), None).unwrap()).unwrap();
    (folder, engine)
}

#[test]
fn every_table_is_there_and_sums_are_integers() {
    let (_folder, engine) = empty();
    for table in [
        "ledger",
        "claims",
        "documents",
        "sources",
        "cells",
        "manifests",
        "stamps",
        "exposure",
        "facts",
        "excluded",
        "timings",
    ] {
        let rows = engine.user_sql(&format!("SELECT count(*) AS n FROM {table}")).unwrap();
        assert_eq!(rows.rows, [serde_json::json!({"n": 0})], "{table}");
    }
    let rows =
        engine.user_sql("SELECT coalesce(sum(tokens), 0) AS n, sum(18446744073709551615) AS m FROM cells").unwrap();
    assert_eq!(rows.rows[0]["n"], 0);
    let rows = engine.user_sql("SELECT 1 AS a, 2 AS b, make_array('x', NULL) AS l").unwrap();
    assert_eq!(rows.rows, [serde_json::json!({"a": 1, "b": 2, "l": ["x", null]})]);
}

#[test]
fn queries_only_read() {
    let (folder, engine) = empty();
    let out = folder.path().join("out.parquet");
    let copy = format!("COPY (SELECT 1) TO '{}'", out.display());
    let create = format!("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{}'", out.display());
    let statements = [
        "DROP TABLE ledger",
        "CREATE TABLE t AS SELECT 1",
        "INSERT INTO cells VALUES (1)",
        "SET x.y = 1",
        "EXPLAIN ANALYZE INSERT INTO cells SELECT * FROM cells",
        "CREATE VIEW v AS SELECT 1",
        &copy,
        &create,
    ];
    for sql in statements {
        let error = engine.user_sql(sql).unwrap_err();
        assert!(matches!(error, Error::Usage { .. }), "{sql}: {error}");
    }
    assert!(!out.try_exists().unwrap());
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Folder::open(folder.path(), None), Err(Error::Usage { .. })));
}
