//! The programs under test as processes: found by the environment, run to their end, their words kept.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The program that an environment variable names.
fn named(variable: &str) -> PathBuf {
    let Some(path) = std::env::var_os(variable).map(PathBuf::from) else {
        panic!("{variable} must name the program under test; `make test-whole` builds it and sets the variable");
    };
    assert!(path.is_file(), "{variable} names `{}`, which is no file; `make test-whole` builds it", path.display());
    path.canonicalize().unwrap()
}

/// The path of `flexmix`.
pub(crate) fn flexmix_program() -> PathBuf {
    named("FLEXMIX")
}

/// The path of `flexmix-torch`.
pub(crate) fn torch_program() -> PathBuf {
    named("FLEXMIX_TORCH")
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What was run, for messages.
    pub command: String,
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
        Self {
            command: format!("{command:?}"),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Demands an exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        let Self { command, code: found, stdout, stderr } = &self;
        assert_eq!(*found, code, "exit code of {command}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        self
    }

    /// Everything that was said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{}: {e}\n{}", self.command, self.said()))
    }
}

/// A program's surroundings: no colour, no log, and no memory of what other tests signed, which rollbacks turn on.
pub(crate) fn quiet(command: &mut Command) -> &mut Command {
    command.env("NO_COLOR", "1").env("FLEXMIX_MEMORY", "off").env_remove("RUST_LOG")
}

/// Runs `flexmix`. Words come without colour and progress.
pub(crate) fn flexmix<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ended {
    let mut command = Command::new(flexmix_program());
    Ended::of(quiet(command.args(arguments)))
}
