//! Tools of the npm registry in the user's cache, at exact versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder in whose `node_modules` the packages are, installed once under `name`. Nothing is skipped in silence:
/// without a registry FLEXMIX_OFFLINE must say so.
pub(crate) fn npm(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| Path::new(&std::env::var_os("HOME").unwrap()).join(".cache"));
    let tools = cache.join("flexmix/tools");
    let folder = tools.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    fs::create_dir_all(&tools).unwrap();
    let making = tempfile::tempdir_in(&tools).unwrap();
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).args(packages);
    let installed = npm.current_dir(making.path()).output();
    if !installed.as_ref().is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("FLEXMIX_OFFLINE").is_some(), "set FLEXMIX_OFFLINE to go without: {installed:?}");
        return None;
    }
    // Another test may have been faster; then its copy is the one.
    if fs::rename(making.path(), &folder).is_ok() {
        _ = making.keep();
    }
    Some(folder)
}
