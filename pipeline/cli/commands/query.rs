//! `flexmix inspect` and `flexmix query`.

use pipeline::audit::thousands;
use pipeline::inspect::{InspectReport, inspect as read};
use pipeline::query::{Engine, Rows};
use serde::Serialize;

use crate::args::{Format, InspectArgs, QueryArgs};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{Output, grid, table};
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

pub(super) fn inspect(args: &InspectArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let (folder, _trust, words) = super::open(&args.dir, &settings)?;
    output.report(args.format, &read(&folder, words)?, text)?;
    Ok(Exit::Done)
}

/// A titled table, or nothing when it has no lines.
fn section(title: &str, names: &[&str], right: &[bool], lines: Vec<Vec<String>>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    format!("{title}\n{}\n", grid(&names, &lines, right))
}

fn text(report: &InspectReport) -> String {
    let number = thousands;
    let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let or_unsaid = |value: Option<u64>| value.map_or_else(|| "not said".to_owned(), number);
    let sets = report.sets.iter().map(|r| {
        let counts = [r.read, r.kept, r.held_out, r.dropped, r.bytes_in, r.tokens].map(number);
        [r.set.clone(), r.access.clone()].into_iter().chain(counts).collect()
    });
    let outward = report.outward.iter().map(|r| {
        vec![
            r.set.clone(),
            or_none(&r.license),
            r.state.clone(),
            or_none(&r.basis),
            or_unsaid(r.at_most),
            r.manifest.clone(),
        ]
    });
    let dropped = report
        .dropped
        .iter()
        .map(|r| vec![r.set.clone(), r.stage.clone(), r.reason.clone(), number(r.documents), number(r.bytes)]);
    let tiers = report.tiers.iter().map(|r| vec![r.set.clone(), r.tier.clone(), number(r.documents), number(r.tokens)]);
    let terms = report
        .licenses
        .iter()
        .map(|r| vec![or_none(&r.license), r.state.clone(), or_none(&r.basis), number(r.documents), number(r.tokens)]);
    let sources = report
        .sources
        .iter()
        .map(|r| vec![r.set.clone(), r.source.clone(), number(r.read), number(r.kept), number(r.tokens)]);
    let tokenizers = report
        .tokenizers
        .iter()
        .map(|r| vec![r.tokenizer.clone(), r.digest.clone(), number(r.vocabulary), number(r.sets)]);
    let artifacts = report.artifacts.iter().map(|r| {
        let signed = r.verified.map_or("not checked", |v| if v { "verified" } else { "BROKEN" });
        vec![
            r.model.clone(),
            r.subject.clone(),
            r.artifact.clone(),
            r.assurance.clone(),
            number(r.steps),
            signed.to_owned(),
            r.files_root.clone(),
        ]
    });
    let exposure = report.exposure.iter().map(|r| {
        vec![
            r.artifact.clone(),
            r.kind.clone(),
            r.set.clone(),
            or_none(&r.license),
            r.state.clone(),
            or_unsaid(r.documents),
            or_unsaid(r.tokens),
            or_unsaid(r.at_most),
        ]
    });
    let outward_tree = report.kind == pipeline::query::Kind::Outward;
    [
        if outward_tree { format!("{}\n\n", pipeline::audit::OUTWARD_TREE) } else { String::new() },
        section(
            "documents by set",
            &["set", "access", "read", "kept", "held out", "dropped", "bytes in", "tokens"],
            &[false, false, true, true, true, true, true, true],
            sets.collect(),
        ),
        section(
            "closed sets, as their owner tells of them (tokens: a bound on the whole set)",
            &["set", "terms", "state", "basis", "tokens at most", "public manifest"],
            &[false, false, false, false, true, false],
            outward.collect(),
        ),
        section(
            "dropped by reason",
            &["set", "stage", "reason", "documents", "bytes"],
            &[false, false, false, true, true],
            dropped.collect(),
        ),
        section(
            "training tokens by tier",
            &["set", "tier", "documents", "tokens"],
            &[false, false, true, true],
            tiers.collect(),
        ),
        section(
            "training tokens by terms",
            &["terms", "state", "basis", "documents", "tokens"],
            &[false, false, false, true, true],
            terms.collect(),
        ),
        section(
            "sources",
            &["set", "source", "read", "kept", "tokens"],
            &[false, false, true, true, true],
            sources.collect(),
        ),
        section(
            "tokenizers",
            &["tokenizer", "digest", "vocabulary", "sets"],
            &[false, false, true, true],
            tokenizers.collect(),
        ),
        section(
            "weights",
            &["model", "subject", "id", "assurance", "steps", "signatures", "files root"],
            &[false, false, false, false, true, false, false],
            artifacts.collect(),
        ),
        section(
            "exposure of the weights",
            &["artifact", "kind", "set", "terms", "state", "documents", "tokens", "at most"],
            &[false, false, false, false, false, true, true, true],
            exposure.collect(),
        ),
        format!("{}\n", report.trust),
    ]
    .concat()
}
