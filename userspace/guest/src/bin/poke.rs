// SPDX-License-Identifier: GPL-2.0

//! `poke --physical ADDR --xor BYTE`: flips bits of one byte of physical memory.
//!
//! It checks that memory took the change and prints `{"physical":"0x…","old":"0x…","new":"0x…"}`.

use std::process::ExitCode;

use guest::arguments::{number, required};
use guest::hex::Hex;
use guest::physical::PhysicalByte;
use guest::report::{conclude, print_line, Failure};
use lexopt::Arg::Long;
use serde::Serialize;

#[derive(Serialize)]
struct Poked {
    physical: Hex,
    old: Hex,
    new: Hex,
}

fn main() -> ExitCode {
    conclude("poke", run())
}

fn run() -> Result<(), Failure> {
    let (mut physical, mut xor) = (None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("physical") => physical = Some(number(&mut parser)?),
            Long("xor") => xor = Some(number(&mut parser)?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let physical = required(physical, "--physical")?;
    let mask = match u8::try_from(required(xor, "--xor")?) {
        Ok(mask) if mask != 0 => mask,
        _ => {
            return Err(Failure::new(
                "--xor takes the bits of one byte, 0x01 to 0xff",
            ))
        }
    };
    let (old, new) = PhysicalByte::open(physical)?.flip(mask)?;
    print_line(&Poked {
        physical: Hex(physical),
        old: Hex(old.into()),
        new: Hex(new.into()),
    })
}
