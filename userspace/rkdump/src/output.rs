// SPDX-License-Identifier: GPL-2.0

//! How reports are written, for people and as JSON.

use std::{
    fmt,
    io::{
        self,
        Write, //
    }, //
};

use serde::Serialize;

use crate::failure::Failure;

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
