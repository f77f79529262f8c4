// SPDX-License-Identifier: GPL-2.0

//! `kexec-file-load KERNEL INITRD CMDLINE` loads the kernel's own crash image, and
//! `kexec-file-load --unload` drops it.
//!
//! A refusal prints the errno and exits with 1.

use std::{
    ffi::{
        CString,
        OsString, //
    },
    os::{
        fd::AsFd,
        unix::ffi::OsStringExt, //
    },
    path::Path,
    process::ExitCode, //
};

use guest::{
    arguments::open,
    kexec_file,
    report::{
        conclude,
        Failure, //
    }, //
};
use lexopt::Arg::{
    Long,
    Value, //
};

pub fn main() -> ExitCode {
    conclude("kexec-file-load", run())
}

fn run() -> Result<(), Failure> {
    let (mut unload, mut values) = (false, Vec::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("unload") => unload = true,
            Value(value) => values.push(value),
            _ => return Err(argument.unexpected().into()),
        }
    }
    if unload {
        if !values.is_empty() {
            return Err(Failure::new("--unload takes no files"));
        }
        return kexec_file::unload()
            .map_err(|error| Failure::io("cannot unload the kernel's own crash image", &error));
    }
    match <[OsString; 3]>::try_from(values) {
        Ok([kernel, initrd, command_line]) => {
            load(Path::new(&kernel), Path::new(&initrd), command_line)
        }
        Err(_) => Err(Failure::new("give KERNEL INITRD CMDLINE, or --unload")),
    }
}

fn load(kernel: &Path, initrd: &Path, command_line: OsString) -> Result<(), Failure> {
    let command_line = CString::new(command_line.into_vec())
        .map_err(|_| Failure::new("the command line holds a NUL"))?;
    let (kernel, initrd) = (open(kernel)?, open(initrd)?);
    kexec_file::load(kernel.as_fd(), initrd.as_fd(), &command_line)
        .map_err(|error| Failure::io("cannot load the kernel's own crash image", &error))
}
