//! `flexmix-torch`: trains, merges and runs models. Parses flags, shows progress and maps errors to exit codes;
//! everything else is the library's.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
