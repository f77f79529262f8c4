// SPDX-License-Identifier: GPL-2.0

//! `kexec-load --at ADDRESS [--from FILE | --32-bits]` loads a crash image of the kernel's own, one
//! page at a physical address, and `kexec-load --unload` drops it.
//!
//! The page is the first one of FILE, mapped, so that the kernel has to wait for it while it copies
//! it; or it is zeros. A refusal prints the errno and exits with 1.

use std::{
    path::PathBuf,
    process::ExitCode, //
};

use guest::{
    arguments::{
        number,
        required, //
    },
    file_mapping::FileMapping,
    kexec_segments,
    report::{
        conclude,
        Failure, //
    }, //
};
use lexopt::Arg::Long;

pub fn main() -> ExitCode {
    conclude("kexec-load", run())
}

fn run() -> Result<(), Failure> {
    let (mut unload, mut bits_32, mut address, mut from) = (false, false, None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("unload") => unload = true,
            Long("32-bits") => bits_32 = true,
            Long("at") => address = Some(number(&mut parser)?),
            Long("from") => from = Some(PathBuf::from(parser.value()?)),
            _ => return Err(argument.unexpected().into()),
        }
    }
    if unload {
        return kexec_segments::unload()
            .map_err(|error| Failure::io("cannot unload the kernel's own crash image", &error));
    }
    let address = required(address, "--at")?;
    let file = match from {
        // SAFETY: Tests give the disk, which nobody writes to meanwhile.
        Some(path) => Some(unsafe { FileMapping::of_path(&path, kexec_segments::PAGE) }?),
        None => None,
    };
    match bits_32 {
        true => kexec_segments::load_as_32_bits(address),
        false => kexec_segments::load(address, file.as_ref()),
    }
    .map_err(|error| Failure::io("cannot load a crash image of the kernel's own", &error))
}
