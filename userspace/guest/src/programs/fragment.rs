// SPDX-License-Identifier: GPL-2.0

//! `fragment --every MIB --leave MIB`: scatters memory that cannot be moved, one pipe's pages in each MIB
//! of memory, as far as all but LEAVE MiB of the memory go; and in each MIB of the files that are in memory.
//!
//! A pipe's pages are the kernel's own: nothing moves them. They are allocated until memory is short,
//! then most are given back. The kernel moves a file's page as well, but not while a pipe has it. When that is
//! done it prints one line and sleeps until it is killed:
//!
//! ```json
//! {"pid":7,"pipes":70}
//! ```

use std::{
    fs::{
        self,
        File, //
    },
    io,
    os::{
        fd::OwnedFd,
        unix::fs::MetadataExt, //
    },
    path::Path,
    process::ExitCode, //
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
    }, //
};
use lexopt::Arg::Long;
use nix::{
    fcntl::{
        splice,
        OFlag,
        SpliceFFlags, //
    },
    sys::resource::{
        setrlimit,
        Resource, //
    },
    unistd::{
        getpid,
        pause,
        pipe2,
        write, //
    }, //
};
use serde::Serialize;

/// The limit of open files that fs.nr_open allows.
const FILES_MAX: u64 = 1 << 20;

#[derive(Serialize)]
struct Ready {
    pid: i32,
    pipes: usize,
}

/// A pipe that is full.
struct Full {
    _ends: (OwnedFd, OwnedFd),
    len: u64,
}

pub fn main() -> ExitCode {
    conclude("fragment", run())
}

fn run() -> Result<(), Failure> {
    let (mut every, mut leave) = (None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("every") => every = Some(number(&mut parser)?),
            Long("leave") => leave = Some(number(&mut parser)?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let every = required(every, "--every")? << 20;
    let leave = required(leave, "--leave")? << 20;
    setrlimit(Resource::RLIMIT_NOFILE, FILES_MAX, FILES_MAX)
        .map_err(|errno| Failure::errno("cannot open so many files", errno))?;

    let root = Path::new("/");
    let mut holding = Holding {
        every,
        device: fs::metadata(root)
            .map_err(|error| Failure::io("cannot look at /", &error))?
            .dev(),
        until_next: 0,
        pipes: Vec::new(),
    };
    let failed = |error| Failure::io("cannot hold the pages of files", &error);
    holding.hold_files(root).map_err(failed)?;

    let mut pipes = Vec::new();
    while free()? > leave {
        pipes.push(fill()?);
    }
    // Pipes that were filled one after the other lie side by side, more or less.
    let mut len = 0;
    pipes.retain(|pipe: &Full| {
        let before = len / every;
        len += pipe.len;
        before != len / every
    });
    print_line(&Ready {
        pid: getpid().as_raw(),
        pipes: pipes.len() + holding.pipes.len(),
    })?;
    loop {
        pause();
    }
}

/// Pages of files that are in memory because their file system is, one in each `every` bytes of them.
struct Holding {
    every: u64,
    /// The file system.
    device: u64,
    /// So many bytes of files come before the next page that is held.
    until_next: u64,
    pipes: Vec<(OwnedFd, OwnedFd)>,
}

impl Holding {
    /// Holds pages of all files in a directory.
    fn hold_files(&mut self, directory: &Path) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let found = fs::symlink_metadata(&path)?;
            if found.dev() != self.device {
                continue;
            }
            if found.is_dir() {
                self.hold_files(&path)?;
            } else if found.is_file() {
                self.hold_file(&path, found.len())?;
            }
        }
        Ok(())
    }

    /// Holds pages of one file of `len` bytes.
    fn hold_file(&mut self, path: &Path, len: u64) -> io::Result<()> {
        let file = File::open(path)?;
        let mut at = self.until_next;
        while at < len {
            let (reader, writer) = pipe2(OFlag::O_NONBLOCK)?;
            let mut offset = at.try_into().map_err(io::Error::other)?;
            splice(
                &file,
                Some(&mut offset),
                &writer,
                None,
                1,
                SpliceFFlags::empty(),
            )?;
            self.pipes.push((reader, writer));
            at += self.every;
        }
        self.until_next = at - len;
        Ok(())
    }
}

/// A pipe with as much in it as it takes.
fn fill() -> Result<Full, Failure> {
    let failed = |errno| Failure::errno("cannot fill a pipe", errno);
    let (reader, writer) = pipe2(OFlag::O_NONBLOCK).map_err(failed)?;
    let mut len = 0;
    while let Ok(written) = write(&writer, &[0; 64 << 10]) {
        len += written as u64;
    }
    Ok(Full {
        _ends: (reader, writer),
        len,
    })
}

/// Memory that nobody uses, in bytes.
fn free() -> Result<u64, Failure> {
    let text = fs::read_to_string("/proc/meminfo")
        .map_err(|error| Failure::io("cannot read /proc/meminfo", &error))?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemFree:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib << 10)
        .ok_or_else(|| Failure::new("/proc/meminfo has no line MemFree"))
}
