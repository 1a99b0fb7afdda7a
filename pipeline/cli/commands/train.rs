//! `flexmix train plan` and `flexmix train launch`.

use crate::args::{LaunchArgs, PlanArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

pub(super) fn plan(args: &PlanArgs, output: &Output) -> Outcome<Exit> {
    let _ = (args, output);
    Err(Failure::usage("`train plan` is not wired yet", "wait"))
}

pub(super) fn launch(args: &LaunchArgs, output: &Output) -> Outcome<Exit> {
    let torch = super::torch::find()?;
    let progress = crate::progress::listener(output);
    let code = pipeline::launch::launch(&torch, &args.plan, &args.arguments, args.jobs.get(), progress.as_ref())?;
    Ok(Exit::of_child(code))
}
