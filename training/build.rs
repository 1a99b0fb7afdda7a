//! Compiles `shim/shim.cpp` against the headers in LIBTORCH and bakes that folder's `lib` into the programs'
//! run path, so that they start without LD_LIBRARY_PATH. It also records the build id.
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-changed=shim/shim.cpp");
    println!("cargo:rerun-if-changed=build.rs");
    let Some(libtorch) = env::var_os("LIBTORCH").map(PathBuf::from) else {
        // Cargo shows this as an error and fails the build.
        println!("cargo::error=LIBTORCH is not set (hint: export LIBTORCH=$(python3 training/libtorch.py))");
        return;
    };
    let include = libtorch.join("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .pic(true)
        .opt_level(3)
        .flag("-w")
        .flag("-ffp-contract=off")
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .file("shim/shim.cpp")
        .compile("flexmix_shim");
    let lib = libtorch.join("lib");
    println!("cargo:rustc-link-search=native={}", lib.display());
    for name in ["torch_cpu", "c10"] {
        println!("cargo:rustc-link-lib={name}");
    }
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    println!("cargo:rustc-env=FLEXMIX_TORCH_BUILD={}", build_id());
}

/// FNV-1a over the sources that decide what the program computes: ours, the contract's and the lock file.
fn build_id() -> String {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = vec![root.join("../Cargo.lock")];
    for folder in ["src", "shim", "../manifests/src"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for path in &files {
        println!("cargo:rerun-if-changed={}", path.display());
        for byte in fs::read(path).unwrap_or_default() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
