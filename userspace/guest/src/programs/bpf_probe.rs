// SPDX-License-Identifier: GPL-2.0

//! `bpf-probe FUNCTION`: a BPF program counts how often a function of the kernel is entered.
//!
//! When it does, the program prints one line, `{"pid":7}`, and stays.

use std::{
    ffi::CString,
    os::unix::ffi::OsStringExt,
    process::ExitCode, //
};

use guest::{
    bpf_probe::Probe,
    report::{
        conclude,
        print_line,
        Failure, //
    }, //
};
use lexopt::Arg::Value;
use nix::unistd::{
    getpid,
    pause, //
};
use serde::Serialize;

#[derive(Serialize)]
struct Ready {
    pid: i32,
}

pub fn main() -> ExitCode {
    conclude("bpf-probe", run())
}

fn run() -> Result<(), Failure> {
    let mut function = None;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(value) if function.is_none() => function = Some(value),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let function = function.ok_or_else(|| Failure::new("give the name of a function"))?;
    let function = CString::new(function.into_vec())
        .map_err(|_| Failure::new("the function's name holds a NUL"))?;
    let _probe = Probe::at(&function)?;
    print_line(&Ready {
        pid: getpid().as_raw(),
    })?;
    loop {
        pause();
    }
}
