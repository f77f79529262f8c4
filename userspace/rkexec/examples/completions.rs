// SPDX-License-Identifier: GPL-2.0

//! `completions rkexec|kexec SHELL` prints what completes that command line. `make deb` packs it.

#[allow(
    dead_code,
    reason = "completions are made of the definition; nothing is parsed here"
)]
#[path = "../src/arguments.rs"]
mod arguments;
#[allow(dead_code, reason = "as above")]
#[path = "../src/kexec/options.rs"]
mod options;

use std::io;

use clap::{
    Arg,
    Command,
    CommandFactory,
    ValueHint, //
};

use arguments::Arguments;
use options::{
    Answer,
    Known,
    OPTIONS, //
};

fn main() -> io::Result<()> {
    let (program, shell) = manual::wanted()?;
    let command = match &program[..] {
        "kexec" => kexec(),
        _ => Arguments::command(),
    };
    manual::complete(command, &program, shell);
    Ok(())
}

/// The options that `kexec` does or takes.
fn kexec() -> Command {
    let taken = OPTIONS
        .iter()
        .filter(|known| !matches!(known.answer, Answer::Refuse(_)));
    Command::new("kexec")
        .disable_help_flag(true)
        .args(taken.map(argument))
        .arg(Arg::new("KERNEL").value_hint(ValueHint::FilePath))
}

fn argument(known: &Known) -> Arg {
    let mut argument = Arg::new(known.name).long(known.name);
    if let Some(letter) = known.letter {
        argument = argument.short(letter);
    }
    if let Answer::Do(words) = known.answer {
        argument = argument.help(words);
    }
    match known.value {
        Some(value) => argument.value_name(value).value_hint(match value {
            "FILE" => ValueHint::FilePath,
            _ => ValueHint::Other,
        }),
        None => argument.num_args(0),
    }
}
