// SPDX-License-Identifier: GPL-2.0

//! `watcher`, the first process of a guest of `rkexec estimate --measure`.
//!
//! As the first process it starts the one that watches, asks the kernel to tell that one of requests to
//! reboot, and becomes the initrd's own first program, with the arguments and the environment that the
//! kernel gave. So that is process 1, as without us.

mod parameters;
mod processes;
mod reading;
mod rest;
mod system_calls;
mod watching;

use std::{
    env::{
        self,
        ArgsOs, //
    },
    io::{
        self,
        BufRead,
        BufReader,
        Write, //
    },
    os::{
        fd::AsRawFd,
        unix::process::CommandExt, //
    },
    process::{
        self,
        Command,
        ExitCode,
        Stdio, //
    }, //
};

use watcher::{
    DIRECTORY,
    PROGRAM, //
};

/// The name of our other processes. The @ is what systemd leaves alone when it ends all others.
const NAME: &str = "@rkexec-watcher";
/// The first argument of the process that watches.
const WATCH: &str = "watch";
/// The first argument of the one that reads the dump.
const READ: &str = "read";

fn main() -> ExitCode {
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_default();
    let result = if name == NAME {
        match arguments.next() {
            Some(role) if role == WATCH => watching::watch(),
            Some(role) if role == READ => reading::read(arguments.next()),
            _ => Err("it has no role".into()),
        }
    } else if process::id() == 1 {
        become_init(arguments).map_err(|error| error.to_string())
    } else {
        Err(
            "this program belongs into the guests of rkexec estimate --measure, as their \
             first process"
                .into(),
        )
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("rkexec watcher: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the process that watches, and becomes the initrd's own first program.
fn become_init(arguments: ArgsOs) -> io::Result<()> {
    let mut watching = Command::new(format!("/{DIRECTORY}/{PROGRAM}"))
        .arg0(NAME)
        .arg(WATCH)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // After the other process was started, whose own request to reboot nobody is to hold up.
    let requests = system_calls::hold_ending().ok();
    let number = requests.as_ref().map_or(-1, AsRawFd::as_raw_fd);
    if let Some(mut stdin) = watching.stdin.take() {
        writeln!(stdin, "{number}")?;
    }
    let mut init = String::new();
    if let Some(stdout) = watching.stdout.take() {
        BufReader::new(stdout).read_line(&mut init)?;
    }
    let error = Command::new(init.trim_end()).args(arguments).exec();
    Err(io::Error::new(
        error.kind(),
        format!(
            "the initrd's own first program {} cannot be started: {error}",
            init.trim_end()
        ),
    ))
}
