//! What each command does: settings in, library called, result out. One file for each group.

mod audit;
mod build;
mod export;
mod inspect;
mod license;
mod notice;
mod policy;
mod prove;
mod publish;
mod query;
mod sign;
mod torch;
mod train;
mod verify;
mod withdrawal;

use std::path::Path;

use manifests::store::write_atomic;
use manifests::trust::Trust;
use pipeline::query::Folder;

use crate::args::{Command, KeysCommand, LicenseCommand, PolicyCommand, TrainCommand};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::settings::GateSettings;

/// Runs a command.
pub(crate) fn run(command: Command, output: &Output) -> Outcome<Exit> {
    match command {
        Command::Build(args) => build::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Inspect(args) => inspect::run(&args, output),
        Command::Query(args) => query::query(&args, output),
        Command::Audit(args) => audit::run(&args, output),
        Command::Publish(args) => publish::run(&args, output),
        Command::Export(args) => export::run(&args, output),
        Command::Notice(args) => notice::run(&args, output),
        Command::Prove(args) => prove::prove(&args, output),
        Command::VerifyProof(args) => prove::verify(&args, output),
        Command::Policy(PolicyCommand::Check(args)) => policy::check(&args, output),
        Command::Policy(PolicyCommand::Explain(args)) => policy::explain(&args, output),
        Command::Policy(PolicyCommand::Diff(args)) => policy::diff(&args, output),
        Command::Policy(PolicyCommand::Elect(args)) => policy::elect(&args, output),
        Command::License(LicenseCommand::Identify(args)) => license::identify(&args, output),
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

/// Writes a report where none of another kind is: a file that does not have the mark stays.
fn replace(out: &Path, text: &str, mark: &str) -> Outcome<()> {
    let folder = out.parent().filter(|f| !f.as_os_str().is_empty());
    match std::fs::read(out) {
        Ok(old) if !old.windows(mark.len()).take(4096).any(|w| w == mark.as_bytes()) => {
            let what = format!("`{}` is there and is no report of this kind", out.display());
            return Err(Failure::usage(what, "name another file, or remove this one yourself"));
        }
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(pipeline::Error::io(out, e).into()),
        Ok(_) | Err(_) => {}
    }
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|e| pipeline::Error::io(folder, e))?;
    }
    Ok(write_atomic(out, text.as_bytes())?)
}
