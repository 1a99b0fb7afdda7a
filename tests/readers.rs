//! What a build leaves opens in pyarrow and DuckDB with nothing of ours, and they count what `flexmix query` counts.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Ended, corpus};

/// The exit status of a script whose tools could not be installed.
pub(crate) const NOT_INSTALLED: i32 = 77;

/// Runs one of the Python scripts of the tests. Nothing is skipped in silence: without the tools the test fails, unless
/// FLEXMIX_OFFLINE says that there is no registry.
pub(crate) fn script(name: &str, arguments: &[&Path]) -> Option<Ended> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python").join(name);
    let ended = Ended::of(Command::new("python3").arg(script).args(arguments));
    if ended.code != NOT_INSTALLED {
        return Some(ended);
    }
    assert!(std::env::var_os("FLEXMIX_OFFLINE").is_some(), "set FLEXMIX_OFFLINE to go without: {}", ended.stderr);
    eprintln!("skipped: {}", ended.stderr);
    None
}

#[test]
fn pyarrow_and_duckdb_count_what_we_count() {
    let house = corpus();
    let folder = house.corpus();
    let Some(ended) = script("read_parquet.py", &[&folder]) else { return };
    let counts = ended.expect(0).json();
    assert_eq!(counts["pyarrow"], counts["duckdb"]);
    let ours = |sql: &str| Value::from(house.number(&folder, sql));
    let found = &counts["pyarrow"];
    assert_eq!(found["ledger"], ours("SELECT count(*) FROM ledger"));
    assert_eq!(found["kept"], ours("SELECT count(*) FROM ledger WHERE decision = 'kept'"));
    assert_eq!(found["bytes_in"], ours("SELECT sum(bytes_in) FROM ledger"));
    assert_eq!(found["claims"], ours("SELECT count(*) FROM claims"));
    assert_eq!(found["documents"], ours("SELECT count(*) FROM documents"));
    assert_eq!(found["n_tokens"], ours("SELECT sum(n_tokens) FROM documents"));
    assert_eq!(found["tokens"], found["n_tokens"]);
    assert_eq!(found["first"], house.query(&folder, "SELECT min(doc_id) AS first FROM documents")[0]["first"]);
}
