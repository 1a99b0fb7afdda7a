//! The `flexmix` program: reads the command line, calls the library, writes results to standard output and everything
//! else to standard error, and turns whatever happened into one of six exit codes (`exit.rs`).

mod args;
mod commands;
mod exit;
mod failure;
mod output;
mod progress;
mod settings;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::exit::Exit;
use crate::output::Output;

/// Version, contract and build: two programs with one contract read each other's records.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (build ", env!("FLEXMIX_BUILD"), ")");

fn main() -> ExitCode {
    exit::install_panic_hook();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::of_clap(&error),
    };
    start_log();
    let output = Output::new(cli.global);
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| commands::run(cli.command, &output)));
    let exit = match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            let exit = Exit::of(&failure);
            if asks_for_json(std::env::args()) {
                // What a program would read for a result, it reads for an error; people have theirs beside.
                let _ = output.data(&failure.to_json(exit));
            }
            failure.render();
            exit
        }
        // The hook has said what happened.
        Err(_) => Exit::Bug,
    };
    exit.into()
}

/// Whether `--format json` was typed, before any `--` that hands words on.
fn asks_for_json(typed: impl Iterator<Item = String>) -> bool {
    let words: Vec<String> = typed.take_while(|word| word != "--").collect();
    words.iter().any(|word| word == "--format=json") || words.windows(2).any(|pair| pair == ["--format", "json"])
}

/// Log lines go to standard error, as RUST_LOG asks; warnings otherwise.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // Nobody else sets a log in this program; if somebody did, theirs stays.
    let _ = log.try_init();
}
