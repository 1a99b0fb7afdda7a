//! `flexmix policy check`.

use manifests::policy::{Policy, RuleRef};
use manifests::store::read_capped;
use serde::Serialize;

use crate::args::PolicyCheckArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::Output;

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

pub(super) fn check(args: &PolicyCheckArgs, output: &Output) -> Outcome<Exit> {
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
