// SPDX-License-Identifier: GPL-2.0

//! `completions rkdump SHELL` prints what completes the program's command line. `make deb` packs it.

#[allow(
    dead_code,
    reason = "completions are made of the definition; nothing is parsed here"
)]
#[path = "../src/arguments.rs"]
mod arguments;

use std::io;

use clap::CommandFactory;

use arguments::Arguments;

fn main() -> io::Result<()> {
    let (program, shell) = manual::wanted()?;
    manual::complete(Arguments::command(), &program, shell);
    Ok(())
}
