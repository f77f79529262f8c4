// SPDX-License-Identifier: GPL-2.0

//! Prints the manual page rkdump(8). scripts/manual writes it.

#[allow(
    dead_code,
    reason = "the page is made of the definition; nothing is parsed here"
)]
#[path = "../src/arguments.rs"]
mod arguments;

use std::io;

use clap::CommandFactory;

use arguments::Arguments;

fn main() -> io::Result<()> {
    let page = manual::page(
        Arguments::command(),
        include_str!("manual/description.8"),
        include_str!("manual/sections.8"),
    )?;
    print!("{page}");
    Ok(())
}
