// SPDX-License-Identifier: GPL-2.0

//! `without-capability CAP -- argv...`: executes a program that lacks one capability.
//!
//! The capability leaves every set, the bounding set too, so that root does not get it back by
//! the execution.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{
        Command,
        ExitCode, //
    }, //
};

use caps::{
    CapSet,
    Capability, //
};
use guest::report::{
    conclude,
    Failure, //
};
use lexopt::Arg::Value;

/// The order matters: the bounding set needs CAP_SETPCAP while it is still effective, and the
/// effective set must stay within the permitted one.
const SETS: [CapSet; 5] = [
    CapSet::Bounding,
    CapSet::Ambient,
    CapSet::Inheritable,
    CapSet::Effective,
    CapSet::Permitted,
];

pub fn main() -> ExitCode {
    conclude("without-capability", run())
}

fn run() -> Result<(), Failure> {
    const USAGE: &str = "give CAP -- PROGRAM [ARGUMENT...]";
    let mut parser = lexopt::Parser::from_env();
    let name = match parser.next()? {
        Some(Value(name)) => name.to_string_lossy().into_owned(),
        _ => return Err(Failure::new(USAGE)),
    };
    let capability: Capability = name
        .parse()
        .map_err(|_| Failure::new(format!("{name} is no capability; one is CAP_SYS_BOOT")))?;
    // Everything after the capability is the program's, options too.
    let mut arguments = parser.raw_args()?;
    arguments.next_if(|argument| argument == "--");
    let program = arguments.next().ok_or_else(|| Failure::new(USAGE))?;

    for set in SETS {
        caps::drop(None, set, capability).map_err(|error| {
            Failure::new(format!("cannot drop {capability} from {set:?}: {error}"))
        })?;
    }
    let error = Command::new(&program).args(arguments).exec();
    let what = format!("cannot execute {}", Path::new(&program).display());
    Err(Failure::io(what, &error))
}
