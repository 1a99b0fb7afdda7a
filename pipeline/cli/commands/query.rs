//! `flexmix query`.

use pipeline::query::{Engine, Rows};
use serde::Serialize;

use crate::args::{Format, QueryArgs};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{Output, table};
use crate::settings::GateSettings;

/// A result with the name of its form.
#[derive(Serialize)]
struct QueryResult {
    schema: &'static str,
    columns: Vec<pipeline::query::Column>,
    rows: Vec<serde_json::Value>,
}

pub(super) fn query(args: &QueryArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let (folder, _trust, words) = super::open(&args.dir, &settings)?;
    let rows = Engine::open(&folder)?.user_sql(&args.sql)?;
    match args.format {
        Format::Human => {
            output.data(&table(&rows))?;
            output.say(&words);
        }
        Format::Json => {
            let Rows { columns, rows } = rows;
            let result = QueryResult { schema: "flexmix/query-result/v1", columns, rows };
            output.report(Format::Json, &result, |_| String::new())?;
        }
    }
    Ok(Exit::Done)
}
