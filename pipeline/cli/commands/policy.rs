//! `flexmix policy …`.

use std::path::Path;

use manifests::policy::{Policy, RuleRef};
use manifests::store::{read_capped, write_new};
use pipeline::policy::{DiffReport, DocumentReport, ExpertReport, OnReport, Rehearsal};
use pipeline::query::Folder;
use serde::Serialize;

use crate::args::{DiffArgs, ElectArgs, ExplainArgs, GateArgs, PolicyCheckArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::settings::GateSettings;

/// What a policy says, by line.
#[derive(Serialize)]
struct PolicyReport {
    schema: &'static str,
    file: String,
    id: String,
    version: u64,
    digest: String,
    act: &'static str,
    purpose: String,
    places: Vec<String>,
    from: String,
    until: String,
    demo: bool,
    rules: Vec<RuleRef>,
}

/// Opens policies, signed or drafts, and the folder that they are held against, under one trust file.
fn open<const N: usize>(gate: &GateArgs, dir: &Path, policies: [&Path; N]) -> Outcome<([Rehearsal; N], Folder)> {
    let settings = GateSettings::resolve(gate, dir);
    let opened: Vec<Rehearsal> = policies.iter().map(|p| settings.rehearse(p)).collect::<Outcome<_>>()?;
    let (folder, _trust, _words) = super::open(dir, &settings)?;
    let opened = <[Rehearsal; N]>::try_from(opened).map_err(|_| Failure::Output("policies were lost".to_owned()))?;
    Ok((opened, folder))
}

pub(super) fn explain(args: &ExplainArgs, output: &Output) -> Outcome<Exit> {
    let ([policy], folder) = open(&args.gate, &args.dir, [&args.policy])?;
    match (&args.document, &args.expert) {
        (Some(id), _) => {
            let report = pipeline::policy::document(&policy, &folder, id)?;
            output.report(args.format, &report, DocumentReport::to_text)?;
        }
        (None, expert) => {
            let id = expert.as_deref().unwrap_or("anchor");
            let report = pipeline::policy::expert(&policy, &folder, id, args.model.as_deref())?;
            output.report(args.format, &report, ExpertReport::to_text)?;
        }
    }
    Ok(Exit::Done)
}

pub(super) fn diff(args: &DiffArgs, output: &Output) -> Outcome<Exit> {
    let ([first, second], folder) = open(&args.gate, &args.on, [&args.first, &args.second])?;
    let report = pipeline::policy::diff(&first, &second, &folder)?;
    output.report(args.format, &report, DiffReport::to_text)?;
    Ok(if args.expect_same && !report.is_same() { Exit::Denied } else { Exit::Done })
}

pub(super) fn elect(args: &ElectArgs, output: &Output) -> Outcome<Exit> {
    let ([policy], folder) = open(&args.gate, &args.on, [&args.policy])?;
    let report = pipeline::policy::elect(&policy, &folder)?;
    // Looked at before anything is written: a draft that somebody works on, or that is signed, is never changed.
    for draft in &report.drafts {
        let file = args.out.join(format!("{}.toml", draft.id));
        if file.try_exists().map_err(|e| pipeline::Error::io(&file, e))? {
            let what = format!("`{}` exists, and a draft is never written over it", file.display());
            return Err(Failure::usage(what, "name another folder with `--out`, or move the file away"));
        }
    }
    if !report.drafts.is_empty() {
        std::fs::create_dir_all(&args.out).map_err(|e| pipeline::Error::io(&args.out, e))?;
    }
    for draft in &report.drafts {
        write_new(&args.out.join(format!("{}.toml", draft.id)), draft.toml.as_bytes(), 0o644)?;
    }
    output.report(args.format, &report, |r| r.to_text(&args.out.display().to_string()))?;
    Ok(Exit::Done)
}

pub(super) fn check(args: &PolicyCheckArgs, output: &Output) -> Outcome<Exit> {
    if let Some(dir) = &args.on {
        let ([policy], folder) = open(&args.gate, dir, [&args.file])?;
        let report = pipeline::policy::on(&policy, &folder)?;
        output.report(args.format, &report, OnReport::to_text)?;
        return Ok(Exit::Done);
    }
    let bytes = read_capped(&args.file, 1 << 20)?;
    let policy = Policy::parse(&args.file, &bytes)?;
    let report = PolicyReport {
        schema: "flexmix/policy-report/v1",
        rules: policy.rules(),
        file: policy.file,
        id: policy.id,
        version: policy.version,
        digest: policy.digest.to_string(),
        act: policy.act.as_str(),
        purpose: policy.purpose,
        places: policy.places,
        from: policy.valid.0.to_string(),
        until: policy.valid.1.to_string(),
        demo: policy.demo,
    };
    output.report(args.format, &report, text)?;
    Ok(Exit::Done)
}

fn text(report: &PolicyReport) -> String {
    let demo = if report.demo { " DEMO" } else { "" };
    let mut text = format!(
        "policy {} v{}{demo}: act {}, purpose {}, in {}, {} to {}\n{}\n",
        report.id,
        report.version,
        report.act,
        report.purpose,
        report.places.join(" and "),
        report.from,
        report.until,
        report.digest
    );
    for rule in &report.rules {
        text.push_str(&format!("  {}:{} {} \"{}\"\n", report.file, rule.line, rule.key, rule.value));
    }
    text + "everything else is denied\n"
}
