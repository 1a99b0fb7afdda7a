//! The exit codes, and the one mapping to them. docs/exit-codes.md has the same table.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; skipped records and excluded experts included |
//! | 1 | policy said no, or verification failed |
//! | 2 | usage or configuration |
//! | 3 | input or storage failure |
//! | 70 | a bug of flexmix |
//! | 75 | stopped at a checkpoint: run again |

use std::process::ExitCode;

use pipeline::torch::TorchError;

use crate::failure::Failure;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0.
    Done,
    /// 1.
    Denied,
    /// 2.
    Usage,
    /// 3.
    Input,
    /// 70, `EX_SOFTWARE`.
    Bug,
    /// 75, `EX_TEMPFAIL`.
    Checkpoint,
    /// Whatever `flexmix-torch` said: it has the same codes.
    Passed(u8),
}

impl Exit {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Denied => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Bug => 70,
            Self::Checkpoint => 75,
            Self::Passed(code) => code,
        }
    }

    /// The exit code of a failure.
    pub(crate) fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Usage { .. } => Self::Usage,
            Failure::Run(error) => Self::of_run(error),
            Failure::Torch(error) => Self::of_torch(error),
            Failure::Output(_) => Self::Input,
        }
    }

    fn of_run(error: &pipeline::Error) -> Self {
        use pipeline::Error;
        match error {
            Error::Recipe { .. } | Error::Usage { .. } => Self::Usage,
            Error::Record(record) => Self::of_record(record),
            Error::Refused { .. } => Self::Denied,
            Error::Unbalanced(_) | Error::Bug(_) => Self::Bug,
            // Io, Source, Tokenizer, Engine, Parquet, and what is added later: something outside of us failed.
            _ => Self::Input,
        }
    }

    fn of_record(error: &manifests::Error) -> Self {
        use manifests::Error;
        match error {
            Error::Verification { .. } | Error::Contract(_) => Self::Denied,
            Error::Invalid { .. } => Self::Usage,
            // Files that people write; the others are written by programs.
            Error::Malformed { path, .. } if path.extension().is_none_or(|e| e != "json") => Self::Usage,
            Error::Malformed { .. } => Self::Denied,
            _ => Self::Input,
        }
    }

    fn of_torch(error: &TorchError) -> Self {
        match error {
            TorchError::Failed { code, .. } => Self::of_child(*code),
            // Missing, no program, not ours, another contract: what the machine offers does not do.
            _ => Self::Input,
        }
    }

    /// The exit code of `flexmix-torch`, passed on; 0 is done.
    pub(crate) fn of_child(code: i32) -> Self {
        match u8::try_from(code) {
            Ok(0) => Self::Done,
            Ok(75) => Self::Checkpoint,
            Ok(code) => Self::Passed(code),
            Err(_) => Self::Bug,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Prints what clap found wrong, or the help that was asked for.
pub(crate) fn of_clap(error: &clap::Error) -> ExitCode {
    // A closed pipe is all that can go wrong here, and it is quiet.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// A panic is a bug of ours: it says so, and how to report it, instead of a bare trace.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let text = info.payload_as_str().unwrap_or("no message");
        let lines = format!(
            "error: a bug of flexmix{place}: {text}\n  \
             hint: nothing that is published is harmed; please report this with the command and `flexmix --version`\n"
        );
        crate::output::to_stderr(&lines);
    }));
}
