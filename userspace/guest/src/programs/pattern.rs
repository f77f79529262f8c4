// SPDX-License-Identifier: GPL-2.0

//! `pattern --seed N [--below ADDR] [--above ADDR] [--high ADDR] --pages COUNT`: holds COUNT
//! pages of known contents in each asked part of physical memory, as [`guest::pattern`] says.
//!
//! When they are filled it prints one line and sleeps until it is killed:
//!
//! ```json
//! {"pid":7,"seed":1,"page_size":4096,"pages":[{"class":"below","physical":"0x…"},…]}
//! ```

use std::process::ExitCode;

use guest::{
    arguments::{
        number,
        required, //
    },
    pattern::{
        hold,
        Held,
        Wanted, //
    },
    report::{
        conclude,
        print_line,
        Failure, //
    }, //
};
use lexopt::Arg::Long;
use nix::unistd::{
    getpid,
    pause, //
};
use serde::Serialize;

#[derive(Serialize)]
struct Ready<'a> {
    pid: i32,
    #[serde(flatten)]
    held: &'a Held,
}

pub fn main() -> ExitCode {
    conclude("pattern", run())
}

fn run() -> Result<(), Failure> {
    let (mut seed, mut pages) = (None, None);
    let mut wanted = Wanted::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seed") => seed = Some(number(&mut parser)?),
            Long("pages") => pages = Some(number(&mut parser)?),
            Long("below") => wanted.below = Some(number(&mut parser)?),
            Long("above") => wanted.above = Some(number(&mut parser)?),
            Long("high") => wanted.high = Some(number(&mut parser)?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    if wanted.below.or(wanted.above).or(wanted.high).is_none() {
        return Err(Failure::new(
            "give --below, --above or --high with an address",
        ));
    }
    let pages = required(pages, "--pages")?;
    wanted.pages = usize::try_from(pages)
        .map_err(|_| Failure::new(format!("{pages} pages are more than any memory has")))?;
    let held = hold(wanted, required(seed, "--seed")?)?;
    print_line(&Ready {
        pid: getpid().as_raw(),
        held: &held,
    })?;
    loop {
        pause();
    }
}
