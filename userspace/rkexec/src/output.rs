// SPDX-License-Identifier: GPL-2.0

//! How reports are written, for people and as JSON.

use std::{
    fmt,
    io::{
        self,
        Write, //
    }, //
};

use serde::{
    Serialize,
    Serializer, //
};

use crate::failure::Failure;

/// An address, in hexadecimal everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub u64);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A number of bytes in the largest unit that leaves no fraction, as crashkernel= takes it.
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, shift) = match self.0.trailing_zeros() {
            _ if self.0 == 0 => ("bytes", 0),
            30.. => ("GiB", 30),
            20.. => ("MiB", 20),
            10.. => ("KiB", 10),
            _ => ("bytes", 0),
        };
        write!(f, "{} {unit}", self.0 >> shift)
    }
}

/// Bytes as digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a report to standard output.
pub fn print(report: &(impl Serialize + fmt::Display), json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = if json {
        serde_json::to_string_pretty(report)
            .map_err(io::Error::from)
            .and_then(|text| writeln!(out, "{text}"))
    } else {
        write!(out, "{report}")
    };
    written
        .and_then(|()| out.flush())
        .map_err(|error| Failure::from_io("cannot write the report", &error))
}
