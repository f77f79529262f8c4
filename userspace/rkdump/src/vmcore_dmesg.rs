// SPDX-License-Identifier: GPL-2.0

//! `rkdump dmesg`, and the program under the name `vmcore-dmesg`.

use std::{
    ffi::OsString,
    io, //
};

use kernel_memory::log::Style;

use crate::{
    arguments::DmesgRequest,
    dmesg::{
        self,
        Records, //
    },
    dump::Dump,
    failure::Failure,
    target::file, //
};

/// Writes the log, as `rkdump dmesg`.
pub fn write(request: &DmesgRequest, style: Style) -> Result<(), Failure> {
    // What cannot be read is found out before a file is made.
    let dump = Dump::open(&request.vmcore, false)?;
    dump.translation()?;
    let written = match &request.file {
        Some(path) => {
            let file = file::create(path, request.force)?;
            let written = dmesg::write(
                &dump,
                Records::All,
                style,
                &file,
                &path.display().to_string(),
            )?;
            file.sync_all().map_err(|error| {
                Failure::from_io(format_args!("cannot write {}", path.display()), &error)
            })?;
            written
        }
        None => dmesg::write(
            &dump,
            Records::All,
            style,
            io::stdout().lock(),
            "standard output",
        )?,
    };
    if written.lost > 0 {
        eprintln!(
            "rkdump: {} records of the log are damaged or not in the dump; {} were written",
            written.lost, written.records
        );
    }
    Ok(())
}

/// Runs as `vmcore-dmesg VMCORE`. The code is 0, or 1 where there is no log.
pub fn run(words: Vec<OsString>) -> u8 {
    let vmcore = match words.as_slice() {
        [vmcore] => vmcore,
        _ => {
            eprintln!("usage: vmcore-dmesg VMCORE");
            return 1;
        }
    };
    let request = DmesgRequest {
        vmcore: vmcore.into(),
        file: None,
        force: false,
    };
    match write(&request, Style::VmcoreDmesg) {
        Ok(()) => 0,
        Err(failure) => {
            eprintln!("vmcore-dmesg: {failure}");
            1
        }
    }
}
