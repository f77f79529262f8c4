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
    known::{
        Entry,
        Waiting, //
    },
    shared::Shared, //
};
use crate::{
    codec::Compressor,
    memory::PhysicalMemory,
    order::Run,
    page,
    target::Target,
    view::View, //
};

/// Writes pages into a file, beside other workers.
pub struct Worker<'a, M: PhysicalMemory, T> {
    file: &'a Shared<T>,
    view: View<'a, M>,
    compressor: Box<dyn Compressor>,
    batch: Batch,
    /// The pages in the batch.
    waiting: Waiting,
    memory: &'a M,
    /// Room for a page that another is compared with.
    other: Vec<u8>,
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
    pub(super) fn new(file: &'a Shared<T>, memory: &'a M) -> Self {
        let page_len = file.page_len();
        Self {
            file,
            view: View::new(memory, page_len),
            compressor: file.codec.compressor(file.level, page_len),
            batch: Batch::new(page_len),
            waiting: Waiting::new(),
            memory,
            other: vec![0; page_len],
            pages: 0,
            shared: 0,
            lost: 0,
        }
    }

    /// Writes the pages of runs, of which the file's part has all. An error is one of the target: pages that
    /// cannot be read are counted, and are missing in the file.
    pub fn write(&mut self, runs: &[Run]) -> io::Result<()> {
        for (at, run) in runs.iter().enumerate() {
            let places = self.file.places(run).ok_or_else(|| {
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
        if page::uniform(page) == Some(0) {
            self.shared += 1;
            return self.file.zeros();
        }
        let digest = page::digest(page);
        let known = self.waiting.find(digest);
        if let Some(known) = known.or_else(|| self.file.known.find(digest)) {
            // Only what is equal byte for byte is the same page.
            let address = known.frame.saturating_mul(page.len() as u64);
            let is_there = self.memory.read_frame(address, &mut self.other).is_ok();
            if is_there && self.other == page {
                self.shared += 1;
                return known.descriptor;
            }
        }
        let flags = self.file.codec.flag();
        let descriptor = self.batch.add(page, &mut *self.compressor, flags);
        self.waiting.insert(Entry {
            digest,
            frame,
            descriptor,
        });
        descriptor
    }

    /// Writes what was not written yet.
    pub fn flush(&mut self) -> io::Result<()> {
        let file = self.file;
        let offset = file.take_room(self.batch.len());
        self.batch.write(&file.target, offset, file.descriptors())?;
        // Other workers may point to the pages as soon as they are there.
        for mut entry in self.waiting.drain() {
            settle(&mut entry.descriptor, offset);
            file.known.insert(&entry);
        }
        let counts = &file.counts;
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
