//! `flexmix verify`.

use pipeline::verify::{Outcome as Ended, VerifyReport, verify};

use crate::args::VerifyArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::Output;
use crate::settings::GateSettings;

pub(super) fn run(args: &VerifyArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let trust = settings.open_trust()?;
    let records = settings.has_records.then_some((settings.records.as_path(), &settings.memory));
    let report = verify(&args.dir, trust.as_ref().map(|t| (t, settings.as_of)), records)?;
    output.report(args.format, &report, text)?;
    Ok(if report.ok { Exit::Done } else { Exit::Denied })
}

/// Failures one by one, then the count.
pub(crate) fn text(report: &VerifyReport) -> String {
    let mut text = String::new();
    for check in report.checks.iter().filter(|c| c.outcome == Ended::Failed) {
        text.push_str(&format!("FAILED {}: {}: {}\n", check.file, check.check, check.detail));
    }
    for check in report.checks.iter().filter(|c| c.outcome == Ended::Skipped && c.check != "signature") {
        text.push_str(&format!("not checked {}: {}: {}\n", check.file, check.check, check.detail));
    }
    let word = if report.ok { "verified" } else { "NOT verified" };
    text.push_str(&format!(
        "{word}: {} checks passed, {} failed, {} could not be made\n",
        report.passed, report.failed, report.skipped
    ));
    text.push_str(&format!("{}\n", report.trust));
    text
}
