// SPDX-License-Identifier: GPL-2.0

//! Nothing in the crate can panic: on the crash path that would be a crash within the crash.

use std::{
    path::Path,
    process::Command, //
};

use object::{
    read::elf::ElfFile64,
    Object,
    ObjectSymbol, //
};

/// Compiles the crate as Kbuild does (optimised, overflow checked) and looks for calls of the
/// functions that panic in the core library. The names are those of `core`'s modules and functions.
///
/// Operations that could panic are fine where the compiler sees that they never do. Where it does not,
/// `objdump -drC` on the object file shows which function calls the panic.
#[test]
fn the_compiled_crate_calls_no_panic() {
    const PANICS: [&str; 5] = [
        "panicking",
        "unwrap_failed",
        "expect_failed",
        "slice_index",
        "len_mismatch",
    ];

    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("kexec_core.rs");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kexec_core.o");
    let status = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args(["--crate-type=lib", "--edition=2021", "--emit=obj"])
        .args(["-Copt-level=2", "-Cpanic=abort", "-Ccodegen-units=1"])
        .args(["-Coverflow-checks=y", "-Cdebug-assertions=n"])
        .arg("-o")
        .arg(&out)
        .arg(source)
        .status()
        .expect("rustc cannot be started");
    assert!(status.success());

    let bytes = std::fs::read(&out).unwrap();
    let file = ElfFile64::<object::LittleEndian>::parse(&*bytes).unwrap();
    let names: Vec<&str> = file
        .symbols()
        .filter(|symbol| symbol.is_undefined())
        .filter_map(|symbol| symbol.name().ok())
        .collect();
    assert!(
        names.iter().any(|name| name.contains("core")),
        "no symbols of core were found"
    );
    let panics: Vec<_> = names
        .iter()
        .filter(|name| PANICS.iter().any(|panic| name.contains(panic)))
        .collect();
    assert!(panics.is_empty(), "{} can panic: {panics:?}", out.display());
}
