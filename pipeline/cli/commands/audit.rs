//! `flexmix audit`.

use std::path::Path;

use pipeline::audit::{Answer, Ask, AuditReport, KIND, Places, audit, page};
use pipeline::html;
use pipeline::notice;
use pipeline::query::Folder;

use super::replace;
use crate::args::AuditArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::Output;
use crate::settings::GateSettings;

pub(super) fn run(args: &AuditArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let gate = args.policy.as_ref().map(|policy| settings.open_gate(policy)).transpose()?;
    let (folder, trust, words) = super::open(&args.dir, &settings)?;
    let bound = trust.as_ref().map(|t| (t, settings.as_of));
    let beside = folder.corpus_beside(args.corpus.as_deref(), bound)?;
    let ask = gate.as_ref().zip(args.policy.as_ref()).map(|(gate, policy)| Ask {
        gate,
        places: Places { policy, records: &settings.records },
        beside: beside.as_ref(),
    });
    let report = audit(&folder, ask, words)?;
    let answer = report.verdicts.as_ref().map(|v| v.answer);
    if let Some(out) = args.notice.as_ref().filter(|_| answer != Some(Answer::No)) {
        write_notice(out, &folder, ask, &report, output)?;
    }
    if let Some(out) = &args.html {
        let link = args.notice.as_ref().filter(|n| n.is_file()).and_then(|n| beside_of(n, out));
        replace(out, &page(&report, link.as_deref()), &html::mark(KIND))?;
        output.say(&format!("wrote {}", out.display()));
    }
    output.report(args.format, &report, AuditReport::to_text)?;
    Ok(match answer {
        Some(Answer::No) => Exit::Denied,
        Some(Answer::Yes | Answer::InPart) | None => Exit::Done,
    })
}

fn write_notice(
    out: &Path,
    folder: &Folder,
    ask: Option<Ask<'_>>,
    report: &AuditReport,
    output: &Output,
) -> Outcome<()> {
    let owed = notice::Ask { gate: ask.map(|a| a.gate), sets: &[], beside: ask.and_then(|a| a.beside) };
    let owed = notice::notice(folder, owed, report.trust.clone())?;
    replace(out, &owed.to_text(), notice::MARK)?;
    output.say(&format!("wrote {}", out.display()));
    Ok(())
}

/// How a page names a file: by its name when both lie in one folder; else it is not linked.
fn beside_of(file: &Path, page: &Path) -> Option<String> {
    let folder = |path: &Path| path.parent().map(Path::to_path_buf);
    (folder(file) == folder(page)).then(|| file.file_name().map(|n| n.to_string_lossy().into_owned())).flatten()
}
