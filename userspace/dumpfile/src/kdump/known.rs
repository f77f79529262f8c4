// SPDX-License-Identifier: GPL-2.0

//! Pages that are in the file already. What is equal to one of them is not written again.
//!
//! There are more than one expects: copies of files, programs that were forked, what an initrd was
//! unpacked from, poison. As many are remembered as have room in a table of a fixed length.

use std::sync::Mutex;

use kexec_core::dump::kdump_compressed::layout::PageDescriptor;

/// The length of a table is that of this many entries.
const ENTRIES: usize = 8 << 10;
/// Threads that look for different pages seldom wait for each other.
const SHARDS: usize = 16;
/// The entries of a worker for the pages that it has not written yet.
const LOCAL: usize = 128;

/// A page that is in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its digest. A page with the same may still be another one.
    pub digest: u64,
    /// A frame that has it.
    pub frame: u64,
    /// Where it is; without an offset there is no page.
    pub descriptor: PageDescriptor,
}

/// An entry in little memory: from the highest bit on, the offset in the file, the length and whether the
/// page is compressed, and the frame and the digest's highest bits. Without an offset there is none.
type Packed = [u64; 2];

/// The bits of a length, which is that of a page at most.
const LEN_BITS: u32 = 17;
/// The bits of a digest that the place in the table does not tell.
const TAG_BITS: u32 = 24;

fn tag(digest: u64) -> u64 {
    digest >> (u64::BITS - TAG_BITS)
}

/// `None` where the file or the memory is larger than there are bits for.
fn pack(entry: &Entry) -> Option<Packed> {
    let PageDescriptor { offset, len, flags } = entry.descriptor;
    let fits = |number: u64, bits: u32| number >> (u64::BITS - bits) == 0;
    (fits(offset, LEN_BITS + 1) && fits(entry.frame, TAG_BITS)).then(|| {
        let page = u64::from(len) << 1 | u64::from(flags != 0);
        [
            offset << (LEN_BITS + 1) | page,
            entry.frame << TAG_BITS | tag(entry.digest),
        ]
    })
}

/// The entry, if it may be of a page with this digest. `flag` is that of compressed pages.
fn unpack([place, page]: Packed, digest: u64, flag: u32) -> Option<Entry> {
    let offset = place >> (LEN_BITS + 1);
    let is_it = offset != 0 && page & ((1 << TAG_BITS) - 1) == tag(digest);
    is_it.then_some(Entry {
        digest,
        frame: page >> TAG_BITS,
        descriptor: PageDescriptor {
            offset,
            len: (place >> 1) as u32 & ((1 << LEN_BITS) - 1),
            flags: match place & 1 {
                0 => 0,
                _ => flag,
            },
        },
    })
}

/// The pages that are in the file, for all workers.
#[derive(Debug)]
pub struct Known {
    shards: Vec<Mutex<Vec<Packed>>>,
    flag: u32,
}

impl Known {
    /// None yet, in a file whose compressed pages have this flag.
    pub fn new(flag: u32) -> Self {
        let shard = || Mutex::new(vec![Packed::default(); ENTRIES / SHARDS]);
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            flag,
        }
    }

    /// The page with this digest.
    pub fn find(&self, digest: u64) -> Option<Entry> {
        // A thread that panicked has left no half of an entry that anyone could tell.
        let shard = self.shards[digest as usize % SHARDS].lock().ok()?;
        let packed = shard[digest as usize / SHARDS % shard.len()];
        unpack(packed, digest, self.flag)
    }

    /// Remembers a page, in the place of another.
    pub fn insert(&self, entry: &Entry) {
        let digest = entry.digest as usize;
        let Some(packed) = pack(entry) else {
            return;
        };
        if let Ok(mut shard) = self.shards[digest % SHARDS].lock() {
            let place = digest / SHARDS % shard.len();
            shard[place] = packed;
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

#[cfg(test)]
mod tests {
    use kexec_core::dump::kdump_compressed::layout::COMPRESSED_ZSTD;
    use proptest::prelude::*;

    use super::*;

    fn entry(digest: u64, frame: u64, offset: u64, len: u32, is_compressed: bool) -> Entry {
        let flags = if is_compressed { COMPRESSED_ZSTD } else { 0 };
        let descriptor = PageDescriptor { offset, len, flags };
        Entry {
            digest,
            frame,
            descriptor,
        }
    }

    proptest! {
        #[test]
        fn a_page_is_found_as_it_was_remembered(
            digest: u64,
            frame in 0_u64..1 << 40,
            offset in 1_u64..1 << 46,
            len in 1_u32..=64 << 10,
            is_compressed: bool,
        ) {
            let known = Known::new(COMPRESSED_ZSTD);
            let entry = entry(digest, frame, offset, len, is_compressed);
            prop_assert_eq!(known.find(digest), None);
            known.insert(&entry);
            prop_assert_eq!(known.find(digest), Some(entry));
            // The highest bit is one that its place does not tell.
            prop_assert_eq!(known.find(digest ^ 1 << 63), None);
        }
    }

    #[test]
    fn what_there_are_no_bits_for_is_not_remembered() {
        let known = Known::new(COMPRESSED_ZSTD);
        known.insert(&entry(7, 1 << 40, 4096, 100, true));
        known.insert(&entry(7, 1, 1 << 46, 100, true));
        assert_eq!(known.find(7), None);
        let last = entry(7, (1 << 40) - 1, (1 << 46) - 1, 100, true);
        known.insert(&last);
        assert_eq!(known.find(7), Some(last));
    }
}
