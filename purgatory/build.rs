// SPDX-License-Identifier: GPL-2.0

//! Passes the linker script and the options that make one flat, position-independent blob.

fn main() {
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
