// SPDX-License-Identifier: GPL-2.0

//! Passes the linker script and the options that make one flat, position-independent blob.

use std::path::Path;

/// On arm64, sha2 (0.11) finds the CPU's features by the crate cpufeatures (0.3), which depends on the
/// crate libc (0.2). That one names these libraries to the linker. Nothing in them is used: the one
/// function that is called, getauxval(), is in src/arm64/features.rs.
const UNUSED_LIBRARIES: [&str; 8] = ["c", "m", "rt", "pthread", "util", "dl", "gcc_s", "gcc"];

fn main() {
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for library in UNUSED_LIBRARIES {
        let archive = Path::new(&out).join(format!("lib{library}.a"));
        std::fs::write(archive, "!<arch>\n").expect("OUT_DIR is writable");
    }
    println!("cargo:rustc-link-search=native={out}");
    let directory = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo:rerun-if-changed=purgatory.ld");
    for argument in [
        &format!("--script={directory}/purgatory.ld"),
        "-static",
        "-pie",
        "--no-dynamic-linker",
        "--gc-sections",
        "--orphan-handling=error",
        "-z",
        "norelro",
        "--build-id=none",
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
