//! `flexmix audit`.

use manifests::store::write_atomic;
use pipeline::audit::{Answer, AuditReport, audit, page};

use crate::args::AuditArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::Output;
use crate::settings::GateSettings;

pub(super) fn run(args: &AuditArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let gate = args.policy.as_ref().map(|policy| settings.open_gate(policy)).transpose()?;
    let (folder, _trust, words) = super::open(&args.dir, &settings)?;
    let report = audit(&folder, gate.as_ref(), words)?;
    if let Some(out) = &args.html {
        if let Some(folder) = out.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| pipeline::Error::io(folder, e))?;
        }
        write_atomic(out, page(&report).as_bytes())?;
        output.say(&format!("wrote {}", out.display()));
    }
    output.report(args.format, &report, AuditReport::to_text)?;
    Ok(match report.verdicts.map(|v| v.answer) {
        Some(Answer::No) => Exit::Denied,
        Some(Answer::Yes | Answer::InPart) | None => Exit::Done,
    })
}
