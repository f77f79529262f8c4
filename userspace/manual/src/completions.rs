// SPDX-License-Identifier: GPL-2.0

//! Completions for shells.

use std::{
    env,
    io, //
};

use clap::Command;
use clap_complete::{
    generate,
    Shell, //
};

/// The program and the shell that the arguments of this process name.
pub fn wanted() -> io::Result<(String, Shell)> {
    let usage = || io::Error::other("give the name of the program and that of a shell");
    let mut words = env::args().skip(1);
    let program = words.next().ok_or_else(usage)?;
    let shell = words.next().and_then(|shell| shell.parse().ok());
    Ok((program, shell.ok_or_else(usage)?))
}

/// Prints what completes the command line of `program`.
pub fn complete(mut command: Command, program: &str, shell: Shell) {
    generate(shell, &mut command, program, &mut io::stdout());
}
