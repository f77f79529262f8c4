// SPDX-License-Identifier: GPL-2.0

//! What the program does and says, with dumps that are made for it.

mod core;
mod devices;
#[path = "../golden/mod.rs"]
mod golden;
mod makedumpfile;
mod save;
mod trouble;
mod usage;

use std::{
    path::{
        Path,
        PathBuf, //
    },
    process::{
        Command,
        Output, //
    }, //
};

/// The program, under its own name.
pub fn rkdump() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rkdump"))
}

/// Runs the program.
pub fn run(arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Output {
    let mut command = rkdump();
    command.args(arguments.iter().map(|argument| argument.as_ref()));
    command.output().expect("rkdump runs")
}

/// The program under another name.
pub fn named(directory: &Path, name: &str) -> PathBuf {
    let link = directory.join(name);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rkdump"), &link).expect("a link can be made");
    link
}

/// What it said.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it wrote.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
