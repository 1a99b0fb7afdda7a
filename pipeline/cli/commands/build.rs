//! `flexmix build`.

use pipeline::audit::thousands;
use pipeline::build::{BuildOptions, BuildReport};
use pipeline::ranks::Ranks;
use pipeline::run::build;

use crate::args::BuildArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{Output, grid};
use crate::settings::GateSettings;

pub(super) fn run(args: &BuildArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.out);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let options = BuildOptions {
        recipe: args.recipe.clone(),
        out: args.out.clone(),
        key: args.key.clone(),
        inputs: args.inputs.clone(),
        threads: args.threads.map_or_else(cores, usize::from),
        resume: args.resume,
        secret: args.secret.clone(),
        keep_excluded: args.keep_excluded,
        trust: settings.trust,
        records: settings.records,
        as_of: settings.as_of,
        memory: settings.memory,
        ranks: Ranks::new(args.rank, args.world)?,
    };
    let progress = crate::progress::listener(output);
    let report = build(&options, progress.as_ref());
    // The bar ends before the result or the error is written under it.
    drop(progress);
    output.report(args.format, &report?, text)?;
    Ok(Exit::Done)
}

fn text(report: &BuildReport) -> String {
    let names = ["set", "read", "kept", "held out", "dropped", "manifest"].map(str::to_owned);
    let line = |(set, funnel): (&manifests::id::SetName, &manifests::manifest::Funnel)| {
        let counts = [funnel.read, funnel.kept, funnel.held_out, funnel.dropped.values().sum()].map(thousands);
        // A set that lost everything has no manifest.
        let digest = report.manifests.get(set).map_or_else(|| "none".to_owned(), ToString::to_string);
        std::iter::once(set.to_string()).chain(counts).chain([digest]).collect()
    };
    let lines: Vec<Vec<String>> = report.sets.iter().map(line).collect();
    let warnings = report.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect::<String>();
    grid(&names, &lines, &[false, true, true, true, true, false]) + &warnings
}
