// SPDX-License-Identifier: GPL-2.0

//! Puts the program `watcher` into `rkexec`, if RKEXEC_WATCHER names it. scripts/userspace does; without it
//! `rkexec estimate --measure` asks for the file.

use std::{
    env,
    error::Error,
    fs,
    path::Path, //
};

fn main() -> Result<(), Box<dyn Error>> {
    const VARIABLE: &str = "RKEXEC_WATCHER";
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let program = match env::var_os(VARIABLE) {
        Some(path) => {
            println!("cargo::rerun-if-changed={}", path.to_string_lossy());
            fs::read(path)?
        }
        None => Vec::new(),
    };
    let directory = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&directory).join("watcher"), program)?;
    Ok(())
}
