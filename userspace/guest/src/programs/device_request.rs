// SPDX-License-Identifier: GPL-2.0

//! `device-request load KERNEL`, `device-request unload` and `device-request status` ask the module
//! as an rkexec of another version would: with a structure that is `--shorter BYTES` or `--longer
//! BYTES` than ours, and with `--beyond BYTE` in what is beyond ours.
//!
//! With `--command-line FILE --command-line-len BYTES` a load has a command line that is the start of
//! FILE, mapped: the module has to wait for it in the middle of the request. With `--initrd FILE` it has
//! an initrd.
//!
//! A refusal prints the module's sentence, if there is one, and the errno, and exits with 1.

use std::{
    num::NonZeroUsize,
    path::{
        Path,
        PathBuf, //
    },
    process::ExitCode, //
};

use guest::{
    arguments::{
        number,
        open,
        required, //
    },
    device_request::{
        self,
        Length, //
    },
    file_mapping::FileMapping,
    report::{
        conclude,
        print_line,
        Failure, //
    }, //
};
use lexopt::Arg::{
    Long,
    Value, //
};

pub fn main() -> ExitCode {
    conclude("device-request", run())
}

fn run() -> Result<(), Failure> {
    let (mut length, mut values) = (Length::default(), Vec::new());
    let (mut command_line, mut command_line_len, mut initrd) = (None, None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("shorter") => length.shorter = number(&mut parser)? as usize,
            Long("longer") => length.longer = number(&mut parser)? as usize,
            Long("beyond") => length.beyond = number(&mut parser)? as u8,
            Long("command-line") => command_line = Some(PathBuf::from(parser.value()?)),
            Long("command-line-len") => command_line_len = Some(number(&mut parser)?),
            Long("initrd") => initrd = Some(PathBuf::from(parser.value()?)),
            Value(value) => values.push(value),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let mut values = values.into_iter();
    let request = required(values.next(), "load, unload or status")?;
    match request.to_str() {
        Some("load") => {
            let path = PathBuf::from(required(values.next(), "KERNEL")?);
            let kernel = open(&path)?;
            let initrd = initrd.as_deref().map(open).transpose()?;
            let command_line = match (command_line, command_line_len) {
                (Some(path), Some(len)) => Some(map(&path, len)?),
                _ => None,
            };
            device_request::load(&kernel, initrd.as_ref(), command_line.as_ref(), &length)
        }
        Some("unload") => device_request::unload(&length),
        Some("status") => print_line(&device_request::status(&length)?),
        _ => Err(Failure::new("give load KERNEL, unload or status")),
    }
}

fn map(path: &Path, len: u64) -> Result<FileMapping, Failure> {
    let len = usize::try_from(len).ok().and_then(NonZeroUsize::new);
    let len = len.ok_or_else(|| Failure::new("a command line has a length"))?;
    // SAFETY: Tests give the disk, which nobody writes to meanwhile.
    unsafe { FileMapping::of_path(path, len) }
}
