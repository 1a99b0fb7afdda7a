//! `flexmix inspect`.

use pipeline::html;
use pipeline::inspect::{InspectReport, KIND, Story, inspect, page, story};

use super::replace;
use crate::args::InspectArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::Output;
use crate::settings::GateSettings;

pub(super) fn run(args: &InspectArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let (folder, _trust, words) = super::open(&args.dir, &settings)?;
    if let Some(id) = &args.document {
        output.report(args.format, &story(&folder, words, id)?, Story::to_text)?;
        return Ok(Exit::Done);
    }
    let report = inspect(&folder, words, args.samples)?;
    if let Some(out) = &args.html {
        replace(out, &page(&report, &folder.name()), &html::mark(KIND))?;
        output.say(&format!("wrote {}", out.display()));
    }
    output.report(args.format, &report, InspectReport::to_text)?;
    Ok(Exit::Done)
}
