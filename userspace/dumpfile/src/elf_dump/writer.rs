// SPDX-License-Identifier: GPL-2.0

//! The writer of an ELF core file, and what each thread has to write pages.

use std::{
    fmt,
    io,
    sync::atomic::{
        AtomicU64,
        Ordering, //
    }, //
};

use super::{
    headers,
    layout::{
        Description,
        Layout, //
    }, //
};
use crate::{
    frames::Frames,
    memory::PhysicalMemory,
    order::Run,
    page,
    target::Target,
    view::View, //
};

/// How many bytes are written at a time.
const BUFFER_LEN: usize = 1 << 20;

/// A file that is being written. Until [`Writer::finish`] it is marked as incomplete.
#[derive(Debug)]
pub struct Writer<T> {
    target: T,
    description: Description,
    layout: Layout,
    /// Pages that are not zeros.
    pages: AtomicU64,
    zeros: AtomicU64,
    lost: AtomicU64,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The length of the file.
    pub len: u64,
    /// The pages that were kept.
    pub pages: u64,
    /// Those of them that are zeros, and were not written.
    pub zeros: u64,
    /// Pages that could not be read, and are zeros in the file.
    pub lost: u64,
}

impl<T: Target> Writer<T> {
    /// Writes everything that precedes the pages: `memory` are the frames that the machine has, `kept` those
    /// of them that the dump has.
    pub fn start(
        target: T,
        description: Description,
        memory: &Frames,
        kept: &Frames,
    ) -> io::Result<Self> {
        let layout = Layout::new(&description, memory, kept);
        // Pages of zeros are not written, nor is what lies between kept pages. Before the header, so that a file
        // which has one is as long as that says, whenever its writer is killed.
        target.clear(layout.data(), layout.len() - layout.data())?;
        headers::write(&target, &description, &layout)?;
        Ok(Self {
            target,
            description,
            layout,
            pages: AtomicU64::new(0),
            zeros: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        })
    }

    /// Something that writes pages of this memory. Each thread has its own.
    pub fn worker<'a, M: PhysicalMemory>(&'a self, memory: &'a M) -> Worker<'a, M, T> {
        Worker {
            writer: self,
            view: View::new(memory, self.layout.page_len as usize),
            buffer: Vec::with_capacity(BUFFER_LEN),
            offset: 0,
        }
    }

    /// Marks the file as complete, if no page was lost. All workers have finished.
    pub fn finish(self) -> io::Result<Written> {
        let zeros = self.zeros.load(Ordering::Relaxed);
        let written = Written {
            len: self.layout.len(),
            pages: self.pages.load(Ordering::Relaxed) + zeros,
            zeros,
            lost: self.lost.load(Ordering::Relaxed),
        };
        self.target.sync()?;
        if written.lost == 0 {
            let header = headers::header(&self.description, &self.layout, true);
            self.target.write_at(0, &header)?;
            self.target.sync()?;
        }
        Ok(written)
    }
}

/// Writes pages into a file, beside other workers.
pub struct Worker<'a, M: PhysicalMemory, T> {
    writer: &'a Writer<T>,
    view: View<'a, M>,
    /// Pages that lie beside each other, and the offset of the first.
    buffer: Vec<u8>,
    offset: u64,
}

impl<M: PhysicalMemory, T> fmt::Debug for Worker<'_, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl<M: PhysicalMemory, T: Target> Worker<'_, M, T> {
    /// Writes the pages of runs. An error is one of the target: pages that cannot be read are counted, and
    /// are zeros in the file.
    pub fn write(&mut self, runs: &[Run]) -> io::Result<()> {
        for (at, run) in runs.iter().enumerate() {
            for frame in run.frames.clone() {
                self.page(frame, &runs[at..])?;
            }
        }
        Ok(())
    }

    fn page(&mut self, frame: u64, runs: &[Run]) -> io::Result<()> {
        let layout = &self.writer.layout;
        let piece = layout.find(frame).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "a frame is not among those of the dump",
            )
        })?;
        let offset = piece.offset + (frame - piece.frames.start) * layout.page_len;
        if self.offset + self.buffer.len() as u64 != offset || self.buffer.len() >= BUFFER_LEN {
            self.flush()?;
            self.offset = offset;
        }
        // The last page is written in any case, so that the file is as long as it says.
        let is_last = offset + layout.page_len == layout.len();
        let counter = match self.view.page(frame, runs) {
            Ok(page) if page::uniform(page) == Some(0) && !is_last => &self.writer.zeros,
            Ok(page) => {
                self.buffer.extend(page);
                &self.writer.pages
            }
            Err(_) => &self.writer.lost,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Writes what was not written yet.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.writer.target.write_at(self.offset, &self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}
