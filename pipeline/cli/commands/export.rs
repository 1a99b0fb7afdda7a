//! `flexmix export`.

use pipeline::audit::thousands;
use pipeline::interchange::{ExportOptions, ExportReport, Target, export};

use crate::args::{ExportArgs, ExportTarget};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{Output, grid};
use crate::settings::GateSettings;

pub(super) fn run(args: &ExportArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let gate = settings.open_gate(&args.policy)?;
    let options = ExportOptions {
        dir: args.dir.clone(),
        out: args.out.clone(),
        target: match args.to {
            ExportTarget::Dolma => Target::Dolma,
            ExportTarget::Npy => Target::Npy,
            ExportTarget::Megatron => Target::Megatron,
            ExportTarget::Datatrove => Target::Datatrove,
        },
        sets: args.sets.iter().cloned().collect(),
        closed: args.closed,
        held_out: args.held_out,
        shuffle: args.shuffle,
        file_tokens: args.file_tokens,
    };
    let report = export(&options, &gate)?;
    output.report(args.format, &report, text)?;
    output.say(&format!("wrote {}", args.out.display()));
    Ok(Exit::Done)
}

fn text(report: &ExportReport) -> String {
    let demo = if report.demo { "DEMO: made with throw-away keys. Nobody vouches for this.\n" } else { "" };
    let bytes = thousands(report.files.iter().map(|f| f.length).sum());
    let mut text = format!("{demo}exported for {}: {} files, {bytes} bytes\n\n", report.target, report.files.len());
    let rows = report.sets.iter().flat_map(|set| {
        set.licenses.iter().map(|l| {
            let counts = [l.documents, l.rows, l.tokens].map(thousands);
            [vec![set.set.to_string(), l.license.clone()], counts.to_vec()].concat()
        })
    });
    let names = ["set", "license", "documents", "with copies", "tokens"].map(str::to_owned);
    text += &grid(&names, &rows.collect::<Vec<_>>(), &[false, false, true, true, true]);
    if !report.left_out.is_empty() {
        let rows = report.left_out.iter().map(|l| {
            let counts = [l.documents, l.tokens].map(thousands);
            [vec![l.set.to_string(), l.license.clone()], counts.to_vec(), vec![l.reasons.join(", ")]].concat()
        });
        let names = ["set", "left out", "documents", "tokens", "why"].map(str::to_owned);
        text += &format!("\n{}", grid(&names, &rows.collect::<Vec<_>>(), &[false, false, true, true, false]));
    }
    text
}
