// SPDX-License-Identifier: GPL-2.0

//! libFuzzer around the target that `RUST_KEXEC_FUZZ_TARGET` names.

#![no_main]

use std::sync::LazyLock;

use fuzz::{
    Target,
    TARGETS, //
};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("RUST_KEXEC_FUZZ_TARGET").unwrap_or_default();
    let target = TARGETS.iter().find(|target| target.name == name);
    target.unwrap_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("set RUST_KEXEC_FUZZ_TARGET to one of: {}", names.join(" "));
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| (TARGET.run)(input));
