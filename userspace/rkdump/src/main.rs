// SPDX-License-Identifier: GPL-2.0

//! `rkdump` saves the memory of a crashed kernel: it leaves out the pages that nobody looks at, compresses the
//! others on all CPUs, and writes them to a file, a directory, a block device or a pipe.
//!
//! Under the name `makedumpfile` or `vmcore-dmesg` it has the options, messages and exit codes of that program.
//! A failure is printed on standard error as `rkdump: <a sentence> (<errno>)`.
//!
//! # Exit status
//!
//! | | |
//! |---|---|
//! | 0 | done |
//! | 1 | refused or failed; there is no dump |
//! | 2 | wrong usage |
//! | 3 | a part of the dump was saved, which can be opened and is marked as incomplete |

mod arguments;
mod clock;
mod device;
mod dmesg;
mod dump;
mod failure;
mod makedumpfile;
mod output;
mod progress;
mod save;
mod signals;
mod storage;
mod target;
mod usage;
mod verify;
mod vmcore_dmesg;

use std::{
    env,
    ffi::OsString,
    path::Path,
    process::ExitCode, //
};

use clap::Parser;
use kernel_memory::log::Style;

use arguments::{
    Arguments,
    Command, //
};
use failure::Failure;
use save::Job;

/// Exit status when there is no dump.
const FAILED: u8 = 1;
/// Exit status when there is a part of one.
const INCOMPLETE: u8 = 3;

fn main() -> ExitCode {
    let mut words = env::args_os();
    let program = words.next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or_default();
    let code = match program.to_str() {
        Some("makedumpfile") => makedumpfile::run(words.collect::<Vec<OsString>>()),
        Some("vmcore-dmesg") => vmcore_dmesg::run(words.collect()),
        _ => run(),
    };
    ExitCode::from(code)
}

fn run() -> u8 {
    match perform(Arguments::parse().command) {
        Ok(()) => 0,
        Err(failure) => {
            eprintln!("rkdump: {failure}");
            match failure.is_incomplete() {
                true => INCOMPLETE,
                false => FAILED,
            }
        }
    }
}

fn perform(command: Command) -> Result<(), Failure> {
    match command {
        Command::Save(request) => {
            signals::wait_for_them();
            let job = Job::from(&request);
            let outcome = save::save(&job)?;
            match job.is_to_stdout() {
                // It has the dump.
                true => eprint!("{outcome}"),
                false => output::print(&outcome, request.json)?,
            }
            Ok(())
        }
        Command::Verify(request) => verify::verify(&request),
        Command::Format(request) => storage::format(&request),
        Command::List(request) => storage::list(&request),
        Command::Extract(request) => storage::extract(&request),
        Command::Dmesg(request) => vmcore_dmesg::write(&request, Style::Makedumpfile),
    }
}
