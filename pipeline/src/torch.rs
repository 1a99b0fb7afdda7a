//! Finding and running `flexmix-torch`, the program with libtorch in it. Knows its name and exit code, and nothing of
//! what it does: arguments go to it unchanged.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program's name.
pub const PROGRAM: &str = "flexmix-torch";

/// Why `flexmix-torch` was not run, or how it ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TorchError {
    /// It is nowhere.
    #[error("`{PROGRAM}` was not found: not named by FLEXMIX_TORCH, not beside `flexmix`, not on PATH")]
    Missing,
    /// FLEXMIX_TORCH names something that is no program.
    #[error("FLEXMIX_TORCH names `{}`, which is not a file", .0.display())]
    NotAProgram(PathBuf),
    /// It could not be started.
    #[error("cannot run `{}`", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It does not say which build it is.
    #[error("`{}` does not answer `--version` as `{PROGRAM}` does: {said}", path.display())]
    NotOurs {
        /// The program.
        path: PathBuf,
        /// What it said.
        said: String,
    },
    /// It reads and writes other records than we do.
    #[error("`{}` has contract {theirs}, and this `flexmix` has {ours}: they do not read each other's records", path.display())]
    OtherContract {
        /// The program.
        path: PathBuf,
        /// Its contract id.
        theirs: String,
        /// Ours.
        ours: String,
    },
    /// A job ended with this code.
    #[error("`{job}` ended with exit code {code}")]
    Failed {
        /// The job.
        job: String,
        /// Its exit code.
        code: i32,
    },
}

impl TorchError {
    /// The way out.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing => Some(
                "build it with `make flexmix-torch` (this sets up libtorch), or name it: FLEXMIX_TORCH=/path/to/flexmix-torch",
            ),
            Self::NotAProgram(_) => Some("let FLEXMIX_TORCH name the program, or unset it"),
            Self::NotOurs { .. } | Self::OtherContract { .. } => {
                Some("build both programs from one checkout: `make all`")
            }
            Self::Start { .. } => Some("is it executable, and can it find libtorch? try `flexmix-torch --version`"),
            Self::Failed { .. } => None,
        }
    }
}

/// Where to look for the program.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The value of FLEXMIX_TORCH.
    pub named: Option<OsString>,
    /// The running `flexmix`.
    pub beside: Option<PathBuf>,
    /// The value of PATH.
    pub path: Option<OsString>,
}

/// A `flexmix-torch` that shares our records.
#[derive(Clone, Debug)]
pub struct Torch {
    path: PathBuf,
}

impl Torch {
    /// Finds the program and checks that it reads and writes the same records as we do.
    ///
    /// # Errors
    /// [`TorchError`]; no job was run.
    pub fn find(search: &Search) -> Result<Self, TorchError> {
        let torch = Self { path: locate(search)? };
        torch.check(manifests::build::CONTRACT)?;
        Ok(torch)
    }

    /// The program.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs it to its end with our own standard streams; gives its exit code.
    ///
    /// # Errors
    /// [`TorchError::Start`].
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<i32, TorchError> {
        let status = Command::new(&self.path).args(arguments).status().map_err(|e| self.start(e))?;
        // Killed by a signal: as shells report it.
        Ok(status.code().unwrap_or_else(|| 128 + signal(status)))
    }

    fn start(&self, source: std::io::Error) -> TorchError {
        TorchError::Start { path: self.path.clone(), source }
    }

    /// `flexmix-torch 0.1.0 (contract 0123456789abcdef, build …)`.
    fn check(&self, ours: &str) -> Result<(), TorchError> {
        let output =
            Command::new(&self.path).arg("--version").stdin(Stdio::null()).output().map_err(|e| self.start(e))?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let (is_ours, theirs) = (said.starts_with(PROGRAM), contract_in(&said));
        let Some(theirs) = theirs.filter(|_| is_ours && output.status.success()) else {
            let errors = String::from_utf8_lossy(&output.stderr);
            let said = if said.is_empty() { errors.lines().next().unwrap_or("nothing").to_owned() } else { said };
            return Err(TorchError::NotOurs { path: self.path.clone(), said });
        };
        if theirs == ours {
            return Ok(());
        }
        Err(TorchError::OtherContract { path: self.path.clone(), theirs: theirs.to_owned(), ours: ours.to_owned() })
    }
}

#[cfg(unix)]
fn signal(status: std::process::ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)
}

#[cfg(not(unix))]
fn signal(_status: std::process::ExitStatus) -> i32 {
    0
}

/// The id behind the word `contract`.
fn contract_in(version: &str) -> Option<&str> {
    let rest = version.split_once("contract ")?.1;
    let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    Some(&rest[..end]).filter(|id| !id.is_empty())
}

fn locate(search: &Search) -> Result<PathBuf, TorchError> {
    if let Some(named) = search.named.as_ref().filter(|n| !n.is_empty()) {
        let path = PathBuf::from(named);
        return if path.is_file() { Ok(path) } else { Err(TorchError::NotAProgram(path)) };
    }
    let beside = search.beside.as_ref().map(|own| own.with_file_name(PROGRAM));
    let on_path = search.path.iter().flat_map(std::env::split_paths).map(|folder| folder.join(PROGRAM));
    beside.into_iter().chain(on_path).find(|path| path.is_file()).ok_or(TorchError::Missing)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(folder: &Path, version: &str) -> PathBuf {
        let path = folder.join(PROGRAM);
        std::fs::write(&path, format!("#!/bin/sh\necho '{version}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn named_before_beside_before_path() {
        let (beside, on_path) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut search = Search {
            named: None,
            beside: Some(beside.path().join("flexmix")),
            path: Some(on_path.path().as_os_str().to_owned()),
        };
        assert!(matches!(locate(&search), Err(TorchError::Missing)));
        let third = program(on_path.path(), "x");
        assert_eq!(locate(&search).unwrap(), third);
        let second = program(beside.path(), "x");
        assert_eq!(locate(&search).unwrap(), second);
        search.named = Some("/nowhere/flexmix-torch".into());
        assert!(matches!(locate(&search), Err(TorchError::NotAProgram(_))));
        search.named = Some(third.clone().into_os_string());
        assert_eq!(locate(&search).unwrap(), third);
    }

    #[test]
    fn a_program_of_another_contract_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = program(folder.path(), "flexmix-torch 0.1.0 (contract 00aa, build 1)");
        let torch = Torch { path };
        torch.check("00aa").unwrap();
        let error = torch.check("00bb").unwrap_err();
        assert!(error.to_string().contains("contract 00aa"), "{error}");
        let path = program(folder.path(), "something else");
        assert!(matches!(Torch { path }.check("00aa"), Err(TorchError::NotOurs { .. })));
    }
}
