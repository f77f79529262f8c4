// SPDX-License-Identifier: GPL-2.0

//! `device-request load KERNEL`, `device-request unload` and `device-request status` ask the module
//! as an rkexec of another version would: with a structure that is `--shorter BYTES` or `--longer
//! BYTES` than ours, and with `--behind BYTE` in what is beyond ours.
//!
//! A refusal prints the module's sentence, if there is one, and the errno, and exits with 1.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::ExitCode;

use guest::arguments::{number, required};
use guest::device_request::{self, Length};
use guest::report::{conclude, print_line, Failure};
use lexopt::Arg::{Long, Value};

fn main() -> ExitCode {
    conclude("device-request", run())
}

fn run() -> Result<(), Failure> {
    let (mut length, mut values) = (Length::default(), Vec::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("shorter") => length.shorter = number(&mut parser)? as usize,
            Long("longer") => length.longer = number(&mut parser)? as usize,
            Long("behind") => length.behind = number(&mut parser)? as u8,
            Value(value) => values.push(value),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let mut values = values.into_iter();
    let request = required(values.next(), "load, unload or status")?;
    match request.to_str() {
        Some("load") => {
            let path = PathBuf::from(required(values.next(), "KERNEL")?);
            let kernel = File::open(&path).map_err(|error| {
                Failure::io(format_args!("cannot open {}", path.display()), &error)
            })?;
            device_request::load(kernel.as_raw_fd(), &length)
        }
        Some("unload") => device_request::unload(&length),
        Some("status") => print_line(&device_request::status(&length)?),
        _ => Err(Failure::new("give load KERNEL, unload or status")),
    }
}
