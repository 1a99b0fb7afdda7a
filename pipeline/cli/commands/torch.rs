//! Commands that `flexmix-torch` carries out: it is found, checked and run, and its exit code is ours.

use std::ffi::OsString;

use pipeline::torch::{Search, Torch};

use crate::args::PassArgs;
use crate::exit::Exit;
use crate::failure::Outcome;

/// Finds the program as the environment says.
pub(super) fn find() -> Outcome<Torch> {
    let search = Search {
        named: std::env::var_os("FLEXMIX_TORCH"),
        beside: std::env::current_exe().ok(),
        path: std::env::var_os("PATH"),
    };
    Ok(Torch::find(&search)?)
}

/// Hands a command over unchanged.
pub(super) fn pass(command: &[&str], args: &PassArgs) -> Outcome<Exit> {
    let words = command.iter().map(OsString::from).chain(args.arguments.iter().cloned());
    Ok(Exit::of_child(find()?.run(words)?))
}
