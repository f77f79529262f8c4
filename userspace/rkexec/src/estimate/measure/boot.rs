// SPDX-License-Identifier: GPL-2.0

//! One boot of a guest.

use std::{
    ffi::OsStr,
    os::unix::{
        ffi::OsStrExt,
        process::CommandExt, //
    },
    process::{
        Child,
        Command,
        Stdio, //
    },
    thread,
    time::{
        Duration,
        Instant, //
    }, //
};

use nix::sys::{
    prctl::set_pdeathsig,
    signal::Signal, //
};
use watcher::account::{
    Account,
    Token,
    PAGE_LEN, //
};

use super::{
    command_line::Line,
    layout::Layout,
    memory_file::MemoryFile,
    outcome::{
        has_stopped,
        Outcome, //
    },
    qemu::Qemu, //
};
use crate::failure::Failure;

/// How often the guest is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What all boots have in common.
pub struct Boot<'a> {
    /// What executes the guest.
    pub qemu: Qemu,
    /// The kernel's file.
    pub kernel: MemoryFile,
    /// The initrd, with the program that watches.
    pub initrd: MemoryFile,
    /// Its length.
    pub initrd_len: u64,
    /// What accounts begin with.
    pub token: Token,
    /// The machine's CPUs.
    pub cpus: u64,
    /// The parts of the command line.
    pub command_line: Line<'a>,
    /// The longest that a boot may take.
    pub bound: Duration,
}

impl Boot<'_> {
    /// Boots with so many bytes for the capture kernel. Returns what became of it, and what the guest printed.
    pub fn with(&self, len: u64) -> Result<(Outcome, String), Failure> {
        let architecture = self.command_line.architecture;
        let Some(layout) = Layout::new(architecture, len, self.initrd_len) else {
            return Ok((Outcome::NoRoom, String::new()));
        };
        let (elfcorehdr, notes) = layout.headers()?;
        let memory = MemoryFile::new("memory", &[])?;
        let console = MemoryFile::new("console", &[])?;
        let words = MemoryFile::new("QEMU's words", &[])?;
        let elfcorehdr = (
            MemoryFile::new("elfcorehdr", &elfcorehdr)?,
            layout.elfcorehdr,
        );
        let notes = (MemoryFile::new("notes", &notes)?, layout.notes.start());
        let line = self.command_line.of(&layout, &self.token)?;

        let total_len = layout.total_len;
        let mut command = Command::new(&self.qemu.program);
        command
            .args(self.qemu.machine(self.cpus))
            .args(["-m", &format!("{}M", total_len >> 20), "-object"])
            .arg(format!(
                "memory-backend-file,id=ram,size={total_len},share=on,mem-path={}",
                memory.path()
            ))
            .args(["-kernel", &self.kernel.path()])
            .args(["-initrd", &self.initrd.path()])
            .arg("-append")
            .arg(OsStr::from_bytes(&line))
            .args(["-serial", &format!("file:{}", console.path())]);
        for (file, address) in [&elfcorehdr, &notes] {
            let path = file.path();
            command.arg("-device");
            command.arg(format!("loader,file={path},addr={address:#x},force-raw=on"));
        }
        command
            .stdin(Stdio::null())
            .stdout(words.stdio()?)
            .stderr(words.stdio()?);
        let ended = self.run(&mut command, &console)?;
        let console = console.text();
        let outcome = match ended {
            Ended::ByItself => {
                let mut last: Option<Account> = None;
                memory.for_each(PAGE_LEN, |page| {
                    let found = Account::decode(page, &self.token);
                    let newer = found.filter(|found| {
                        last.as_ref()
                            .is_none_or(|last| last.sequence < found.sequence)
                    });
                    if newer.is_some() {
                        last = newer;
                    }
                });
                Outcome::of(last, &console)
            }
            Ended::Badly => {
                let words = words.text();
                return Err(Failure::new(format!(
                    "{} could not run the guest: {}",
                    self.qemu.program.display(),
                    words.trim().replace('\n', "; ")
                )));
            }
            Ended::Stopped => Outcome::of(None, &console),
            Ended::TooLate => Outcome::too_late(self.bound, &console),
        };
        Ok((outcome, console))
    }

    /// Runs QEMU until it ends, or has to be ended.
    fn run(&self, command: &mut Command, console: &MemoryFile) -> Result<Ended, Failure> {
        let not_longer_than_we = || set_pdeathsig(Signal::SIGKILL).map_err(Into::into);
        // SAFETY: Between fork and exec, in the child, this makes one system call, prctl(2), and allocates
        // nothing: nix makes no more of it, and an Errno becomes an io::Error without the heap.
        let command = unsafe { command.pre_exec(not_longer_than_we) };
        let unable = |error: &std::io::Error| {
            let program = self.qemu.program.display();
            Failure::from_io(format_args!("cannot run {program}"), error)
        };
        let mut child = Kill(command.spawn().map_err(|error| unable(&error))?);
        let start = Instant::now();
        loop {
            if let Some(status) = child.0.try_wait().map_err(|error| unable(&error))? {
                return Ok(match status.success() {
                    true => Ended::ByItself,
                    false => Ended::Badly,
                });
            }
            if has_stopped(&console.text()) {
                return Ok(Ended::Stopped);
            }
            if start.elapsed() > self.bound {
                return Ok(Ended::TooLate);
            }
            thread::sleep(LOOK);
        }
    }
}

/// How QEMU ended.
enum Ended {
    ByItself,
    Badly,
    /// The guest halted and would have stayed so.
    Stopped,
    TooLate,
}

/// A process that ends with this.
struct Kill(Child);

impl Drop for Kill {
    fn drop(&mut self) {
        // It may have ended before.
        let _: std::io::Result<_> = self.0.kill();
        let _: std::io::Result<_> = self.0.wait();
    }
}
