// SPDX-License-Identifier: GPL-2.0

//! `rkexec estimate --measure`: the least memory with which a guest reads the dump to its end.
//!
//! Each boot is that of a capture kernel, without one that crashes before it: the memory above the size that
//! is tried is the crashed kernel's, with an elfcorehdr. A program that is added to the initrd watches, see
//! the crate `watcher`.

mod archive;
mod boot;
mod command_line;
mod layout;
mod memory_file;
mod outcome;
mod qemu;
mod report;
mod search;

use std::{
    env,
    fs::File,
    io::{
        self,
        Read, //
    }, //
};

use kexec_core::{
    image::x86_64::kernel::Kernel as X86Kernel,
    types::elf::Architecture, //
};
use watcher::account::Token;

use crate::{
    arguments::EstimateRequest,
    failure::Failure,
    initrd,
    inspect::{
        read,
        Kernel, //
    }, //
};
use boot::Boot;
use command_line::first_program;
use memory_file::MemoryFile;
pub use report::Report;
use report::Try;

/// Where the program that watches is installed, for guests of this machine's architecture. It is not in `rkexec`,
/// which is copied into initrds.
const WATCHER: &str = "/usr/libexec/rkexec/watcher";

/// What is booted.
pub struct Guest<'a> {
    /// The kernel, unpacked.
    pub kernel: &'a [u8],
    /// Its headers.
    pub headers: &'a Kernel<'a>,
    /// The packed initrd.
    pub initrd: &'a [u8],
    /// What is in it.
    pub files: &'a initrd::Measured,
    /// Its command line.
    pub command_line: &'a [u8],
    /// The machine's CPUs.
    pub cpus: u64,
}

/// Boots the guest with less and less memory, beginning with `start` bytes. With `floor` bytes it cannot work.
pub fn measure(
    guest: &Guest<'_>,
    request: &EstimateRequest,
    start: u64,
    floor: u64,
) -> Result<Report, Failure> {
    let architecture = guest.headers.machine();
    if let Kernel::X86_64(X86Kernel::Vmlinux(_)) = guest.headers {
        return Err(Failure::new(
            "QEMU starts no vmlinux: give the bzImage that was made of it",
        ));
    }
    let command_line = guest.command_line;
    let init = first_program(command_line);
    if guest.files.files.find(init.as_bytes()).is_none() {
        return Err(Failure::new(format!(
            "the initrd has no {init}, which the kernel would start: without it the kernel looks for a root \
             file system on this machine's disks, which the guest has not"
        )));
    }
    let program = watcher(request, architecture)?;
    let initrd = archive::with_watcher(guest.initrd, &program);
    let boot = Boot {
        qemu: qemu::Qemu::find(request.measure.qemu.as_deref(), architecture)?,
        kernel: MemoryFile::new("kernel", guest.kernel)?,
        initrd: MemoryFile::new("initrd", &initrd)?,
        initrd_len: initrd.len() as u64,
        token: token()?,
        cpus: guest.cpus,
        command_line: command_line::Line {
            architecture,
            given: command_line,
            init: &init,
            service: request.measure.service.as_deref(),
            tool_len: request.dump_tool,
            max: guest.headers.command_line_max() as usize,
        },
        bound: request.measure.bound(),
    };
    let mut tries: Vec<Try> = Vec::new();
    let least = search::least(start, floor, |len| {
        let (outcome, console) = boot.with(len)?;
        let found = Try::new(len, outcome);
        eprintln!("rkexec: {found}");
        if request.measure.verbose {
            eprintln!("{console}");
        }
        let suffices = found.suffices;
        tries.push(found);
        Ok::<_, Failure>(suffices)
    })?;
    match least {
        Some(least) => Ok(Report::new(tries, least, program.len() as u64)),
        None => Err(Failure::new(match tries.last() {
            Some(last) => format!(
                "even {} MiB were not enough: {}; --verbose shows what the guest printed",
                last.mib(),
                last.sentence
            ),
            None => "nothing was tried".into(),
        })),
    }
}

/// The program that watches: the one that is asked for, beside this program, or installed.
fn watcher(request: &EstimateRequest, architecture: Architecture) -> Result<Vec<u8>, Failure> {
    const WHAT: &str = "program that watches";
    if let Some(path) = &request.measure.watcher {
        return read(WHAT, path);
    }
    let own = match cfg!(target_arch = "x86_64") {
        true => Architecture::X86_64,
        false => Architecture::Arm64,
    };
    let beside = env::current_exe().map(|program| program.with_file_name("watcher"));
    let mut places = [beside.ok(), Some(WATCHER.into())].into_iter().flatten();
    match places.find(|place| own == architecture && place.is_file()) {
        Some(place) => read(WHAT, &place),
        None => Err(Failure::new(format!(
            "there is no program that watches an initrd of {} beside rkexec, nor {WATCHER}: build it by `make \
             rkexec` for that architecture, and give build/bin/ARCH/watcher with --watcher",
            qemu::name(architecture)
        ))),
    }
}

/// Tells what the watcher writes in this run from everything else.
fn token() -> Result<Token, Failure> {
    const FILE: &str = "/dev/urandom";
    let mut token = Token::default();
    let read = |mut file: File| file.read_exact(&mut token);
    let result: io::Result<()> = File::open(FILE).and_then(read);
    result.map_err(|error| Failure::from_io(format_args!("cannot read {FILE}"), &error))?;
    Ok(token)
}
