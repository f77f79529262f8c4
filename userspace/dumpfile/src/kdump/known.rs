// SPDX-License-Identifier: GPL-2.0

//! Pages that are in the file already. What is equal to one of them is not written again.
//!
//! There are more than one expects: copies of files, programs that were forked, what an initrd was
//! unpacked from, poison. As many are remembered as have room in a table of a fixed length.

use std::sync::Mutex;

use kexec_core::dump::kdump_compressed::layout::PageDescriptor;

/// The length of a table is that of this many entries.
const ENTRIES: usize = 32 << 10;
/// Threads that look for different pages seldom wait for each other.
const SHARDS: usize = 16;
/// The entries of a worker for the pages that it has not written yet.
const LOCAL: usize = 1 << 10;

/// A page that is in the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    /// Its digest. A page with the same may still be another one.
    pub digest: u64,
    /// A frame that has it.
    pub frame: u64,
    /// Where it is; without an offset there is no page.
    pub descriptor: PageDescriptor,
}

/// The pages that are in the file, for all workers.
#[derive(Debug)]
pub struct Known {
    shards: Vec<Mutex<Vec<Entry>>>,
}

impl Default for Known {
    fn default() -> Self {
        let shard = || Mutex::new(vec![Entry::default(); ENTRIES / SHARDS]);
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
        }
    }
}

impl Known {
    /// The page with this digest.
    pub fn find(&self, digest: u64) -> Option<Entry> {
        // A thread that panicked has left no half of an entry that anyone could tell.
        let shard = self.shards[digest as usize % SHARDS].lock().ok()?;
        let entry = shard[digest as usize / SHARDS % shard.len()];
        (entry.digest == digest && entry.descriptor.offset != 0).then_some(entry)
    }

    /// Remembers a page, in the place of another.
    pub fn insert(&self, entry: &Entry) {
        let digest = entry.digest as usize;
        if let Ok(mut shard) = self.shards[digest % SHARDS].lock() {
            let place = digest / SHARDS % shard.len();
            shard[place] = *entry;
        }
    }
}

/// The pages that a worker has not written yet.
#[derive(Debug)]
pub struct Waiting {
    entries: Vec<Entry>,
    /// The places of those that are in use.
    used: Vec<usize>,
}

impl Waiting {
    /// None yet.
    pub fn new() -> Self {
        Self {
            entries: vec![Entry::default(); LOCAL],
            used: Vec::with_capacity(LOCAL),
        }
    }

    /// The page with this digest.
    pub fn find(&self, digest: u64) -> Option<Entry> {
        let entry = self.entries[digest as usize % LOCAL];
        (entry.digest == digest && entry.descriptor.offset != 0).then_some(entry)
    }

    /// Remembers a page, unless its place is taken.
    pub fn insert(&mut self, entry: Entry) {
        let place = entry.digest as usize % LOCAL;
        if self.entries[place].descriptor.offset == 0 {
            self.entries[place] = entry;
            self.used.push(place);
        }
    }

    /// Takes out all pages.
    pub fn drain(&mut self) -> impl Iterator<Item = Entry> + '_ {
        let entries = &mut self.entries;
        self.used
            .drain(..)
            .map(|place| std::mem::take(&mut entries[place]))
    }
}
