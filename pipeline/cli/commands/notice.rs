//! `flexmix notice`.

use pipeline::notice::{Ask, MARK, Notice, notice};
use pipeline::words::counted;

use super::replace;
use crate::args::{Format, NoticeArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::settings::GateSettings;

pub(super) fn run(args: &NoticeArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let gate = args.policy.as_ref().map(|policy| settings.open_gate(policy)).transpose()?;
    let (folder, trust, words) = super::open(&args.dir, &settings)?;
    let beside = folder.corpus_beside(args.corpus.as_deref(), trust.as_ref().map(|t| (t, settings.as_of)))?;
    let ask = Ask { gate: gate.as_ref(), sets: &args.sets, beside: beside.as_ref() };
    let owed = notice(&folder, ask, words)?;
    match (&args.out, args.format) {
        (None, format) => output.report(format, &owed, Notice::to_text)?,
        (Some(out), Format::Human) => replace(out, &owed.to_text(), MARK)?,
        (Some(out), Format::Json) => {
            let json =
                serde_json::to_string_pretty(&owed).map_err(|e| Failure::Output(format!("cannot write JSON: {e}")))?;
            replace(out, &(json + "\n"), owed.schema)?;
        }
    }
    if let Some(out) = &args.out {
        output.say(&format!("wrote {}", out.display()));
    }
    let unknown = owed.unknown();
    if unknown > 0 || !owed.unknowns.is_empty() {
        output.say(&format!("not known for {}: the NOTICE lists them", counted(unknown, "document")));
    }
    Ok(Exit::Done)
}
