// SPDX-License-Identifier: GPL-2.0

//! `vmcore`: reads a dump in the capture kernel.
//!
//! - `vmcore compare --ours FILE --theirs FILE --seed N --requests N`: asks the same of both files
//!   and prints what was compared, or the first difference.
//! - `vmcore time FILE --read BYTES|--map BYTES [--readers N] [--offset BYTES] [--limit BYTES]`:
//!   goes through the dump, or a part of it, once and prints how long that took.
//! - `vmcore bytes FILE --offset BYTES --len BYTES`: prints a part as it is read and as it is
//!   mapped.
//! - `vmcore extents FILE`: prints where data and holes start.
//! - `vmcore hold FILE [--offset BYTES] [--len BYTES]`: maps a part, says so, and keeps it until it
//!   is killed.
//! - `vmcore churn FILE [--offset BYTES] [--len BYTES]`: says so, and until it is killed, whenever
//!   the file is there, maps a part, keeps it for a moment and unmaps it.

use std::{
    hint::black_box,
    num::NonZeroUsize,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::Duration, //
};

use guest::{
    arguments::{
        number,
        required, //
    },
    report::{
        conclude,
        print_line,
        Failure, //
    },
    vmcore::{
        compare::compare,
        timing::{
            measure,
            Method, //
        },
        Dump, //
    }, //
};
use lexopt::{
    Arg::{
        Long,
        Value, //
    },
    Parser,
    ValueExt, //
};
use nix::{
    sys::mman::MapFlags,
    unistd::{
        getpid,
        pause, //
    }, //
};
use serde_json::json;

pub fn main() -> ExitCode {
    conclude("vmcore", run())
}

fn run() -> Result<(), Failure> {
    let mut parser = Parser::from_env();
    let Some(Value(command)) = parser.next()? else {
        return Err(Failure::new(
            "give compare, time, bytes, extents, hold or churn",
        ));
    };
    match command.string()?.as_str() {
        "compare" => compare_files(parser),
        "time" => time(parser),
        "bytes" => bytes(parser),
        "extents" => extents(parser),
        "hold" => hold(parser),
        "churn" => churn(parser),
        other => Err(Failure::new(format!("there is no command {other}"))),
    }
}

fn compare_files(mut parser: Parser) -> Result<(), Failure> {
    let (mut ours, mut theirs, mut seed, mut requests) = (None, None, None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("ours") => ours = Some(PathBuf::from(parser.value()?)),
            Long("theirs") => theirs = Some(PathBuf::from(parser.value()?)),
            Long("seed") => seed = Some(number(&mut parser)?),
            Long("requests") => requests = Some(number(&mut parser)?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let ours = Dump::open(&required(ours, "--ours")?)?;
    let theirs = Dump::open(&required(theirs, "--theirs")?)?;
    let (seed, requests) = (required(seed, "--seed")?, required(requests, "--requests")?);
    print_line(&compare(&ours, &theirs, seed, requests)?)
}

fn time(mut parser: Parser) -> Result<(), Failure> {
    let (mut file, mut method) = (None, None);
    let (mut readers, mut offset, mut limit) = (NonZeroUsize::MIN, 0, u64::MAX);
    while let Some(argument) = parser.next()? {
        match argument {
            Value(path) => file = Some(PathBuf::from(path)),
            Long("read") => method = Some(Method::Read(count(&mut parser)?)),
            Long("map") => method = Some(Method::Map(count(&mut parser)?)),
            Long("readers") => readers = count(&mut parser)?,
            Long("offset") => offset = number(&mut parser)?,
            Long("limit") => limit = number(&mut parser)?,
            _ => return Err(argument.unexpected().into()),
        }
    }
    let dump = Dump::open(&required(file, "the file")?)?;
    let method = required(method, "--read or --map")?;
    print_line(&measure(&dump, method, readers, offset, limit)?)
}

/// A part of a dump, by its options.
struct Part {
    file: PathBuf,
    offset: u64,
    len: NonZeroUsize,
}

fn part(mut parser: Parser) -> Result<Part, Failure> {
    let (mut file, mut offset, mut len) = (None, 0, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Value(path) => file = Some(PathBuf::from(path)),
            Long("offset") => offset = number(&mut parser)?,
            Long("len") => len = Some(count(&mut parser)?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    Ok(Part {
        file: required(file, "the file")?,
        offset,
        len: required(len, "--len")?,
    })
}

fn bytes(parser: Parser) -> Result<(), Failure> {
    let Part { file, offset, len } = part(parser)?;
    let dump = Dump::open(&file)?;
    let mut buffer = vec![0; len.get()];
    let read = dump
        .read(&mut buffer, offset)
        .map_err(|errno| Failure::errno("cannot read the dump", errno))?;
    let mapping = dump
        .map(offset, len, MapFlags::MAP_PRIVATE)
        .map_err(|errno| Failure::errno("cannot map the dump", errno))?;
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    print_line(&json!({"read": hex(&buffer[..read]), "mapped": hex(mapping.bytes())}))
}

fn extents(mut parser: Parser) -> Result<(), Failure> {
    let file = match parser.next()? {
        Some(Value(path)) => PathBuf::from(path),
        _ => return Err(Failure::new("the file is missing")),
    };
    print_line(&json!({"extents": Dump::open(&file)?.extents()?}))
}

fn hold(parser: Parser) -> Result<(), Failure> {
    let Part { file, offset, len } = part(parser)?;
    let dump = Dump::open(&file)?;
    let mapping = dump
        .map(offset, len, MapFlags::MAP_SHARED)
        .map_err(|errno| Failure::errno("cannot map the dump", errno))?;
    drop(dump);
    let first = mapping.bytes().first().copied().unwrap_or_default();
    print_line(&json!({"pid": getpid().as_raw(), "first_byte": first}))?;
    loop {
        pause();
    }
}

/// How long `churn` keeps what it has mapped: longer than it takes to remove a module, which can be
/// begun in half the time.
const MOMENT: Duration = Duration::from_millis(100);

fn churn(parser: Parser) -> Result<(), Failure> {
    let Part { file, offset, len } = part(parser)?;
    print_line(&json!({"pid": getpid().as_raw()}))?;
    loop {
        // The file comes and goes with the module.
        let Ok(dump) = Dump::open(&file) else {
            continue;
        };
        while let Ok(mapping) = dump.map(offset, len, MapFlags::MAP_SHARED) {
            thread::sleep(MOMENT);
            let bytes = mapping.bytes();
            black_box((bytes.first(), bytes.last()));
            drop(mapping);
            thread::sleep(MOMENT / 2);
        }
    }
}

/// The number after an option, which must not be 0.
fn count(parser: &mut Parser) -> Result<NonZeroUsize, Failure> {
    let given = number(parser)?;
    usize::try_from(given)
        .ok()
        .and_then(NonZeroUsize::new)
        .ok_or_else(|| Failure::new(format!("{given} is no count")))
}
