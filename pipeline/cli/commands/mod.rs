//! What each command does: settings in, library called, result out. One file for each group.

mod audit;
mod build;
mod policy;
mod publish;
mod query;
mod sign;
mod torch;
mod train;
mod verify;
mod withdrawal;

use std::path::Path;

use manifests::trust::Trust;
use pipeline::query::Folder;

use crate::args::{Command, KeysCommand, PolicyCommand, TrainCommand};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::Output;
use crate::settings::GateSettings;

/// Runs a command.
pub(crate) fn run(command: Command, output: &Output) -> Outcome<Exit> {
    match command {
        Command::Build(args) => build::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Inspect(args) => query::inspect(&args, output),
        Command::Query(args) => query::query(&args, output),
        Command::Audit(args) => audit::run(&args, output),
        Command::Publish(args) => publish::run(&args, output),
        Command::Policy(PolicyCommand::Check(args)) => policy::check(&args, output),
        Command::Keys(KeysCommand::Generate { out }) => sign::generate(&out, output),
        Command::Sign(args) => sign::sign(&args, output),
        Command::Trust(command) => sign::trust(command, output),
        Command::Train(TrainCommand::Plan(args)) => train::plan(&args, output),
        Command::Train(TrainCommand::Launch(args)) => train::launch(&args, output),
        Command::Train(TrainCommand::Anchor(args)) => torch::pass(&["train", "anchor"], &args),
        Command::Train(TrainCommand::Expert(args)) => torch::pass(&["train", "expert"], &args),
        Command::Withdraw(args) => withdrawal::withdraw(&args, output),
        Command::Impact(args) => withdrawal::impact_of(&args, output),
        Command::Rebuild(args) => withdrawal::rebuild(&args, output),
        Command::Merge(args) => torch::pass(&["merge"], &args),
        Command::Generate(args) => torch::pass(&["generate"], &args),
        Command::Eval(args) => torch::pass(&["eval"], &args),
    }
}

/// Opens a folder under the trust file, when one was given, and says in words how far that goes.
fn open(dir: &Path, settings: &GateSettings) -> Outcome<(Folder, Option<Trust>, String)> {
    let trust = settings.open_trust()?;
    let bound = trust.as_ref().map(|t| (t, settings.as_of));
    let words = pipeline::verify::trust_words(bound);
    Ok((Folder::open(dir, bound)?, trust, words))
}
