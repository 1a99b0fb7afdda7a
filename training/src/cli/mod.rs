//! The program's commands and exit codes: 0 done, 1 policy said no or verification failed, 2 usage or configuration,
//! 3 input or storage failure, 70 a bug of ours, 75 stopped at a checkpoint.

mod args;
mod commands;
mod devices;
mod progress;

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use clap::Parser as _;
use training::Error;

use args::{Cli, Format};

/// libtorch's threads wait for each other in a loop, by default for milliseconds: where another program wants the
/// core too, a step takes several times as long. The library that does it reads its setting before
/// `main`, so the program replaces itself by itself with a short wait, unless the user chose one.
fn wait_briefly() {
    let chosen = ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"].iter().any(|name| std::env::var_os(name).is_some());
    if let (false, Ok(program)) = (chosen, std::env::current_exe()) {
        let mut again = Command::new(program);
        // This returns only when it fails; then the default is kept.
        drop(again.args(std::env::args_os().skip(1)).env("GOMP_SPINCOUNT", SPINS).exec());
    }
}

/// Turns of the waiting loop, some microseconds.
const SPINS: &str = "2000";

pub(crate) fn main() -> ExitCode {
    wait_briefly();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures and go to stdout.
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    let format = cli.format();
    match std::panic::catch_unwind(|| commands::run(cli)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            report(&error, format);
            ExitCode::from(code(&error))
        }
        Err(_) => {
            drop(writeln!(std::io::stderr(), "error: a bug in flexmix-torch, please report it with the lines above"));
            ExitCode::from(70)
        }
    }
}

fn report(error: &Error, format: Format) {
    let mut causes = Vec::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    if matches!(format, Format::Json) {
        let value = serde_json::json!({
            "schema": "flexmix/error/v1", "exit": code(error), "error": error.to_string(),
            "causes": causes, "hint": error.hint(),
        });
        say(&value.to_string());
    }
    let mut err = std::io::stderr().lock();
    drop(writeln!(err, "error: {error}"));
    for cause in causes {
        drop(writeln!(err, "  caused by: {cause}"));
    }
    if let Some(hint) = error.hint() {
        drop(writeln!(err, "hint: {hint}"));
    }
}

/// Prints a line of output; a reader who left is no failure.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// The one place where errors become exit codes.
fn code(error: &Error) -> u8 {
    match error {
        Error::Denied(_) | Error::Unverified { .. } => 1,
        // A stamp or index that breaks its own laws is a failed check, as in `flexmix`.
        Error::Manifests(manifests::Error::Contract(_)) => 1,
        Error::Manifests(inner) if inner.is_verification() => 1,
        Error::Usage(_) | Error::TooFewDocuments { .. } | Error::NoRow { .. } | Error::NotFinite { .. } => 2,
        Error::Manifests(manifests::Error::Invalid { .. } | manifests::Error::Malformed { .. }) => 2,
        Error::Io { .. } | Error::Format { .. } | Error::Manifests(manifests::Error::Io { .. }) => 3,
        Error::Stopped { .. } => 75,
        _ => 70,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_documented_codes() {
        let path = std::path::Path::new("x");
        assert_eq!(code(&Error::Denied("no".into())), 1);
        assert_eq!(code(&Error::unverified(path, "digest")), 1);
        assert_eq!(code(&manifests::Error::verification(path, "digest").into()), 1);
        assert_eq!(code(&Error::Usage("flag".into())), 2);
        assert_eq!(code(&manifests::Error::malformed("plan", path, "line 1").into()), 2);
        assert_eq!(code(&Error::io(path, std::io::ErrorKind::NotFound.into())), 3);
        assert_eq!(code(&Error::Shim("broken".into())), 70);
        assert_eq!(code(&Error::Stopped { step: 1, steps: 2 }), 75);
    }
}
