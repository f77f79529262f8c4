// SPDX-License-Identifier: GPL-2.0

//! `rkdump format`, `list` and `extract`: a device before and after a dump.

use std::{
    fmt,
    io::{
        self,
        Write, //
    },
    os::fd::AsFd,
    path::Path, //
};

use dumpfile::target::Target;
use serde::Serialize;

use crate::{
    arguments::{
        ExtractRequest,
        FormatRequest,
        ListRequest, //
    },
    clock::Moment,
    device::{
        self,
        header::{
            Header,
            State, //
        },
        Device, //
    },
    failure::Failure,
    output,
    target::file::FileTarget, //
};

/// How much is copied at a time.
const PIECE_LEN: usize = 1 << 20;

/// Prepares a device.
pub fn format(request: &FormatRequest) -> Result<(), Failure> {
    let device = Device::open(&request.device, true)?;
    let room = device::prepare(&device, request.force)?;
    println!(
        "{} is prepared, with room for a dump of {} MiB.",
        request.device.display(),
        room >> 20
    );
    Ok(())
}

/// What is on a device.
#[derive(Serialize)]
struct Contents {
    device: String,
    state: State,
    room: u64,
    length: u64,
    release: String,
    begun: Option<String>,
    finished: Option<String>,
}

impl Contents {
    fn new(device: &Device, header: &Header) -> Self {
        let moment =
            |seconds: u64| (seconds > 0).then(|| Moment::from_seconds(seconds).to_string());
        Self {
            device: device.path().display().to_string(),
            state: header.state,
            room: header.room(),
            length: header.dump_len,
            release: header.release.clone(),
            begun: moment(header.begun),
            finished: moment(header.finished),
        }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: &str| writeln!(f, "{name:<10} {value}");
        line("device", &self.device)?;
        line("room", &format!("{} MiB", self.room >> 20))?;
        match self.state {
            State::Empty => return line("dump", "none"),
            State::Incomplete => line("dump", "incomplete")?,
            State::Complete => line("dump", "complete")?,
        }
        line("length", &format!("{} bytes", self.length))?;
        line("release", &self.release)?;
        line("begun", self.begun.as_deref().unwrap_or("unknown"))?;
        match &self.finished {
            Some(finished) => line("finished", finished),
            None => Ok(()),
        }
    }
}

/// Shows what is on a device.
pub fn list(request: &ListRequest) -> Result<(), Failure> {
    let device = Device::open(&request.device, false)?;
    let header = device.header()?;
    output::print(&Contents::new(&device, &header), request.json)
}

/// Copies the dump from a device.
pub fn extract(request: &ExtractRequest) -> Result<(), Failure> {
    let device = Device::open(&request.device, false)?;
    let header = device.header()?;
    if header.state == State::Empty {
        return Err(Failure::new(format!(
            "{} has no dump",
            request.device.display()
        )));
    }
    if request.file == Path::new("-") {
        let out = io::stdout().as_fd().try_clone_to_owned();
        let out = out
            .map(std::fs::File::from)
            .map_err(|error| Failure::from_io("cannot write to standard output", &error))?;
        copy(&device, &header, "standard output", |_, bytes| {
            (&out).write_all(bytes)
        })?;
    } else {
        let file = FileTarget::create(&request.file, request.force, None)?;
        let name = request.file.display().to_string();
        copy(&device, &header, &name, |offset, bytes| {
            file.write_at(offset, bytes)
        })?;
        file.sync()
            .map_err(|error| Failure::from_io(format_args!("cannot write {name}"), &error))?;
    }
    match header.state {
        State::Incomplete => Err(Failure::new(format!(
            "{} has an incomplete dump, of which all that there is was copied",
            request.device.display()
        ))
        .leaves_a_part()),
        _ => Ok(()),
    }
}

/// Hands all of a dump to `write`, piece by piece.
fn copy(
    device: &Device,
    header: &Header,
    name: &str,
    write: impl Fn(u64, &[u8]) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut piece = vec![0; PIECE_LEN];
    let mut offset = 0;
    while offset < header.dump_len {
        let read = device
            .read_at(header, &mut piece, offset)
            .map_err(|error| {
                let what = format!("cannot read {}", device.path().display());
                Failure::from_io(what, &error)
            })?;
        if read == 0 {
            return Err(Failure::new(format!(
                "{} ends within the dump, of which {offset} bytes were copied",
                device.path().display()
            ))
            .leaves_a_part());
        }
        write(offset, &piece[..read])
            .map_err(|error| Failure::from_io(format_args!("cannot write {name}"), &error))?;
        offset += read as u64;
    }
    Ok(())
}
