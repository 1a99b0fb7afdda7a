//! Folders as values: read whole, copied, compared, and harmed in one byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file beneath a folder: relative path → bytes.
pub(crate) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|e| panic!("{}: {e}", next.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Copies a folder with everything in it; no file is shared with the original.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    for (name, bytes) in contents(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// The files that two folders do not have in common, byte for byte.
pub(crate) fn differences(left: &Path, right: &Path) -> Vec<String> {
    let (left, right) = (contents(left), contents(right));
    let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    names.into_iter().filter(|name| left.get(*name) != right.get(*name)).cloned().collect()
}

/// The files of two corpora that are not the same, but for the records, which are not of the build, and `timings.json`,
/// which tells of the machine.
pub(crate) fn corpus_differences(left: &Path, right: &Path) -> Vec<String> {
    let is_built = |name: &String| !name.starts_with("records/") && name != "timings.json";
    differences(left, right).into_iter().filter(is_built).collect()
}

/// Flips the lowest bit of the byte at `at`, counted round the end of the file.
pub(crate) fn flip_byte(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let length = bytes.len();
    bytes[at % length] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A small generator, so that what tests draw at random is the same in every run.
pub(crate) fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
