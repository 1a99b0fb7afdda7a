//! `flexmix build`.

use crate::args::BuildArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

pub(super) fn run(args: &BuildArgs, output: &Output) -> Outcome<Exit> {
    let _ = (args, output);
    Err(Failure::usage("`build` is not wired yet", "wait"))
}
