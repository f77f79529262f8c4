// SPDX-License-Identifier: GPL-2.0

//! The writers of both formats, as one.

use std::io;

use dumpfile::{
    elf_core::ElfCore,
    elf_dump,
    kdump,
    order::Run,
    target::Target, //
};

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Saved {
    /// The length of the file.
    pub bytes: u64,
    /// Pages that took no room, because they are equal to others.
    pub shared: u64,
    /// Pages that could not be read.
    pub lost: u64,
}

/// A file that is being written.
pub trait FileWriter: Sync {
    /// What a thread writes pages by.
    type Worker<'a>: PageWriter
    where
        Self: 'a;

    /// Something that a thread writes the dump's pages by.
    fn worker<'a>(&'a self, memory: &'a ElfCore) -> Self::Worker<'a>;

    /// Marks the file as complete.
    fn finish(self) -> io::Result<Saved>;
}

/// What a thread writes pages by.
pub trait PageWriter {
    /// Writes the pages of some runs.
    fn write(&mut self, runs: &[Run]) -> io::Result<()>;

    /// Writes what was not written yet.
    fn flush(&mut self) -> io::Result<()>;
}

impl<T: Target> FileWriter for kdump::writer::Writer<T> {
    type Worker<'a>
        = kdump::worker::Worker<'a, ElfCore, T>
    where
        T: 'a;

    fn worker<'a>(&'a self, memory: &'a ElfCore) -> Self::Worker<'a> {
        self.worker(memory)
    }

    fn finish(self) -> io::Result<Saved> {
        self.finish().map(|written| Saved {
            bytes: written.len,
            shared: written.shared,
            lost: written.lost,
        })
    }
}

impl<T: Target> PageWriter for kdump::worker::Worker<'_, ElfCore, T> {
    fn write(&mut self, runs: &[Run]) -> io::Result<()> {
        self.write(runs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl<T: Target> FileWriter for elf_dump::writer::Writer<T> {
    type Worker<'a>
        = elf_dump::writer::Worker<'a, ElfCore, T>
    where
        T: 'a;

    fn worker<'a>(&'a self, memory: &'a ElfCore) -> Self::Worker<'a> {
        self.worker(memory)
    }

    fn finish(self) -> io::Result<Saved> {
        self.finish().map(|written| Saved {
            bytes: written.len,
            shared: written.zeros,
            lost: written.lost,
        })
    }
}

impl<T: Target> PageWriter for elf_dump::writer::Worker<'_, ElfCore, T> {
    fn write(&mut self, runs: &[Run]) -> io::Result<()> {
        self.write(runs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush()
    }
}
