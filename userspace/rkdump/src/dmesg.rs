// SPDX-License-Identifier: GPL-2.0

//! The kernel's log, out of a dump.

use std::io::{
    self,
    BufWriter,
    Write, //
};

use kernel_memory::log::{
    Log,
    Style, //
};

use crate::{
    dump::Dump,
    failure::Failure, //
};

/// How much of a log there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Records that were written.
    pub records: u64,
    /// Records that are damaged, or not in the dump.
    pub lost: u64,
}

/// Which records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// All that there are.
    All,
    /// Those since the log was last cleared, as by `dmesg --clear`.
    SinceCleared,
}

/// Writes the log of the kernel that was dumped, as one of these programs does.
pub fn write(
    dump: &Dump,
    records: Records,
    style: Style,
    out: impl Write,
    name: &str,
) -> Result<Written, Failure> {
    let translation = dump.translation()?;
    let read = |address, buffer: &mut [u8]| translation.read(&dump.core, address, buffer);
    let found = Log::find(&dump.vmcoreinfo, read).and_then(|log| match records {
        Records::All => Ok(log),
        Records::SinceCleared => log.since_cleared(&dump.vmcoreinfo),
    });
    let mut log = found.map_err(|error| Failure::new(format!("{}: {error}", dump.name())))?;
    let failed =
        |error: io::Error| Failure::from_io(format_args!("cannot write the log to {name}"), &error);
    let mut out = BufWriter::new(out);
    let mut records = 0;
    for record in log.by_ref() {
        record.write(&mut out, style).map_err(failed)?;
        records += 1;
    }
    out.flush().map_err(failed)?;
    Ok(Written {
        records,
        lost: log.lost(),
    })
}
