// SPDX-License-Identifier: GPL-2.0

//! `spin --cpu N [--seed S]`: spins on CPU N with known values in the callee-saved registers.
//!
//! Before that it prints one line:
//!
//! ```json
//! {"pid":7,"cpu":1,"registers":{"rbx":"0x…",…},"rip_start":"0x…","rip_end":"0x…"}
//! ```
//!
//! `rip_start` and `rip_end` are the ends of the loop's addresses, the second one exclusive.

use std::process::ExitCode;

use guest::{
    arguments::{
        number,
        required, //
    },
    hex::Hex,
    report::{
        conclude,
        print_line,
        Failure, //
    },
    spin, //
};
use lexopt::Arg::Long;
use nix::{
    sched::{
        sched_setaffinity,
        CpuSet, //
    },
    unistd::{
        getpid,
        Pid, //
    }, //
};
use serde::Serialize;
use serde_json::{
    Map,
    Value, //
};

#[derive(Serialize)]
struct Ready {
    pid: i32,
    cpu: usize,
    registers: Map<String, Value>,
    rip_start: Hex,
    rip_end: Hex,
}

pub fn main() -> ExitCode {
    conclude("spin", run())
}

fn run() -> Result<(), Failure> {
    let (mut cpu, mut seed) = (None, 0);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("cpu") => cpu = Some(number(&mut parser)?),
            Long("seed") => seed = number(&mut parser)?,
            _ => return Err(argument.unexpected().into()),
        }
    }
    let cpu = required(cpu, "--cpu")?;
    let cpu = usize::try_from(cpu).map_err(|_| Failure::new(format!("there is no CPU {cpu}")))?;
    pin(cpu)?;

    let values = spin::values(seed);
    let range = spin::loop_range();
    print_line(&Ready {
        pid: getpid().as_raw(),
        cpu,
        registers: spin::REGISTERS
            .iter()
            .zip(values)
            .map(|(name, value)| (name.to_string(), Hex(value).to_string().into()))
            .collect(),
        rip_start: Hex(range.start as u64),
        rip_end: Hex(range.end as u64),
    })?;
    spin::spin(&values)
}

fn pin(cpu: usize) -> Result<(), Failure> {
    let mut set = CpuSet::new();
    set.set(cpu)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(|errno| Failure::errno(format_args!("cannot run on CPU {cpu}"), errno))
}
