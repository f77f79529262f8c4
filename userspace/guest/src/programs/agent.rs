// SPDX-License-Identifier: GPL-2.0

//! `agent`: answers the host's requests, as [`guest::agent`] describes, until the guest ends.

use std::{
    convert::Infallible,
    io::BufReader,
    process::ExitCode, //
};

use guest::{
    agent::{
        converse,
        kernel::Hello,
        port, //
    },
    report::{
        conclude,
        Failure, //
    }, //
};

pub fn main() -> ExitCode {
    conclude("agent", run().map(|never| match never {}))
}

fn run() -> Result<Infallible, Failure> {
    let port = port::open(port::NAME, port::PATIENCE)?;
    let mut requests = BufReader::new(&port);
    loop {
        // It returns when the host hangs up. The next hello waits until the host is back.
        converse(&mut requests, &port, &Hello::new()?)
            .map_err(|error| Failure::io("the port to the host failed", &error))?;
    }
}
