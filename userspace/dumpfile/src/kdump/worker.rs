// SPDX-License-Identifier: GPL-2.0

//! What one thread has to write pages: a compressor, a view of memory, and a batch.

use std::{
    fmt,
    io,
    sync::atomic::Ordering, //
};

use kexec_core::dump::kdump_compressed::layout::PageDescriptor;

use super::{
    batch::{
        settle,
        Batch, //
    },
    writer::Writer, //
};
use crate::{
    codec::Compressor,
    memory::PhysicalMemory,
    order::Run,
    page,
    target::Target,
    view::View, //
};

/// How many words of uniform pages are remembered.
const REPEATS: usize = 8;

/// Writes pages into a file, beside other workers.
pub struct Worker<'a, M: PhysicalMemory, T> {
    writer: &'a Writer<T>,
    view: View<'a, M>,
    compressor: Box<dyn Compressor>,
    batch: Batch,
    /// Words that pages consisted of, with where such a page is. The oldest comes first.
    repeats: Vec<(u64, PageDescriptor)>,
    pages: u64,
    shared: u64,
    lost: u64,
}

impl<M: PhysicalMemory, T> fmt::Debug for Worker<'_, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl<'a, M: PhysicalMemory, T: Target> Worker<'a, M, T> {
    pub(super) fn new(writer: &'a Writer<T>, memory: &'a M) -> Self {
        let page_len = writer.page_len();
        Self {
            writer,
            view: View::new(memory, page_len),
            compressor: writer.codec.compressor(writer.level, page_len),
            batch: Batch::new(page_len),
            repeats: Vec::with_capacity(REPEATS),
            pages: 0,
            shared: 0,
            lost: 0,
        }
    }

    /// Writes the pages of runs, of which the file's part has all. An error is one of the target: pages that
    /// cannot be read are counted, and are missing in the file.
    pub fn write(&mut self, runs: &[Run]) -> io::Result<()> {
        for (at, run) in runs.iter().enumerate() {
            let places = self.writer.places(run).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a run of frames is in another part of the dump",
                )
            })?;
            for (frame, index) in run.frames.clone().zip(places) {
                let descriptor = self.page(frame, &runs[at..]);
                self.batch.describe(index, &descriptor);
                if self.batch.is_full() {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Compresses a page, unless it is there already.
    fn page(&mut self, frame: u64, runs: &[Run]) -> PageDescriptor {
        let Ok(page) = self.view.page(frame, runs) else {
            self.lost += 1;
            return PageDescriptor::default();
        };
        self.pages += 1;
        let flags = self.writer.codec.flag();
        let Some(word) = page::uniform(page) else {
            return self.batch.add(page, &mut *self.compressor, flags);
        };
        if word == 0 {
            self.shared += 1;
            return self.writer.zeros();
        }
        if let Some((_, descriptor)) = self.repeats.iter().find(|(known, _)| *known == word) {
            self.shared += 1;
            return *descriptor;
        }
        let descriptor = self.batch.add(page, &mut *self.compressor, flags);
        if self.repeats.len() == REPEATS {
            self.repeats.remove(0);
        }
        self.repeats.push((word, descriptor));
        descriptor
    }

    /// Writes what was not written yet.
    pub fn flush(&mut self) -> io::Result<()> {
        let writer = self.writer;
        let offset = writer.take_room(self.batch.len());
        self.batch
            .write(&writer.target, offset, writer.descriptors())?;
        for (_, descriptor) in &mut self.repeats {
            settle(descriptor, offset);
        }
        let counts = &writer.counts;
        for (counter, count) in [
            (&counts.pages, &mut self.pages),
            (&counts.shared, &mut self.shared),
            (&counts.lost, &mut self.lost),
        ] {
            counter.fetch_add(std::mem::take(count), Ordering::Relaxed);
        }
        Ok(())
    }
}
