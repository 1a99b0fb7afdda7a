//! Replays the kept corpora of fuzz targets under a normal test: each file in a bound of memory, no panic.

use std::fs;
use std::path::Path;

/// The most memory by which one small file may raise the process's peak, in KiB.
const MOST_KIB: u64 = 128 << 10;

/// The peak of the process's resident memory, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Gives every kept file of every target to its function; the file at fault is named by whatever fails.
pub(crate) fn replay<F: Fn(&[u8])>(targets: &[(&str, F)]) {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus");
    for (name, run) in targets {
        let entries = fs::read_dir(top.join(name)).map(|dir| dir.flatten().map(|e| e.path()).collect::<Vec<_>>());
        let mut files = entries.unwrap_or_default();
        files.sort();
        assert!(!files.is_empty(), "target `{name}` keeps no corpus");
        // What is built once, tables and keys, is no file's.
        run(b"warm\nup");
        for file in files {
            let Ok(bytes) = fs::read(&file) else { panic!("{} cannot be read", file.display()) };
            let before = peak();
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&bytes)));
            assert!(ended.is_ok(), "{} is neither read nor refused", file.display());
            let more = peak() - before;
            assert!(more <= MOST_KIB, "{}: {} bytes took {more} KiB", file.display(), bytes.len());
        }
    }
    // Readers of folders are given one of this process's own.
    _ = fs::remove_dir_all(std::env::temp_dir().join(format!("flexmix-fuzz-{}", std::process::id())));
}
