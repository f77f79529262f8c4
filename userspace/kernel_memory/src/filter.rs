// SPDX-License-Identifier: GPL-2.0

//! Which page frames are worth a place in a dump.
//!
//! A level leaves out what makedumpfile's does, but for these, in which the kernel's source says
//! otherwise (include/linux/page-flags.h, mm/memory-failure.c of Linux 6.12 and 7.3):
//!
//! - A page's type is the highest byte of its word. The others are the owner's, and makedumpfile
//!   compares them as well.
//! - Pages of a type are no page cache and no process's memory, whatever their struct seems to say
//!   besides: its other words are the owner's. Page tables are of a type. Compressed memory
//!   (zsmalloc) and the guards of debug_pagealloc= are kept with them, as makedumpfile keeps them.
//! - Reserved pages are kept whatever their struct says besides: the kernel image is of these.
//! - A defective page is left out of a larger page too. Of a page of hugetlbfs all is left out,
//!   because its first struct speaks for all.
//! - Since Linux 7.1 a page that is not the first of a larger one is known as such.
//!
//! Pages of zeros are not looked for here: whoever writes a page finds out.
//!
//! Free pages that a CPU keeps for itself are the kernel's here as they are there, because no struct
//! says that they are free.
//!
//! A pass takes five page tables, and windows of at most 4 MiB that are mapped where the dump can
//! be. Its result takes 32 bytes for each run of frames that are kept (tests/large_memory.rs): 16 in
//! the list of all, and 16 in that of what is saved first. A machine with 24 GiB that had compiled
//! for 20 hours had 62,000 runs at level 31.

mod class;
mod facts;
mod layout;
mod level;
mod page;
mod scan;
mod selection;
mod unused_vmemmap;

use std::ops::Range;

use dumpfile::{
    frames::Frames,
    memory::PhysicalMemory, //
};

use crate::{
    pages::PageArrays,
    translation::Translation,
    vmcoreinfo::Vmcoreinfo, //
};

pub use self::{
    class::Class,
    layout::FilterError,
    level::{
        Level,
        LevelError, //
    },
    selection::{
        Counts,
        Selection, //
    },
};

use self::{
    facts::Facts,
    layout::Layout,
    scan::Scan,
    unused_vmemmap::UnusedVmemmap, //
};

/// The logarithm of the smallest number of frames in a chunk: that many have page structs of 2 MiB.
const CHUNK_SHIFT_MIN: u32 = 15;

/// Finds out what page frames are for, by the kernel's page structs.
#[derive(Clone, Debug)]
pub struct Filter {
    facts: Facts,
}

impl Filter {
    /// The filter for a kernel that describes itself so.
    pub fn new(
        info: &Vmcoreinfo,
        translation: Translation,
        level: Level,
    ) -> Result<Self, FilterError> {
        let arrays = PageArrays::new(info)?;
        let layout = Layout::new(info, arrays.size())?;
        Ok(Self {
            facts: Facts {
                translation,
                arrays,
                layout,
                level,
                page_shift: info.page_shift()?,
            },
        })
    }

    /// Cuts the memory that a dump has into chunks, which may be judged in any order and by several
    /// threads. Frames that the kernel treats as one may be in several.
    pub fn chunks<'a>(&self, ram: &'a Frames) -> impl Iterator<Item = Range<u64>> + 'a {
        // No block of free frames lies in two chunks: its size is a power of two, and its place a
        // multiple of that.
        let shift = CHUNK_SHIFT_MIN.max(self.facts.layout.free_order_max());
        let mut next = 0;
        ram.runs().flat_map(move |run| {
            let first = (run.start >> shift).max(next);
            let last = (run.end - 1) >> shift;
            next = last + 1;
            (first..next).map(move |chunk| chunk << shift..(chunk + 1) << shift)
        })
    }

    /// Judges the frames of `ram` that are in a chunk.
    ///
    /// A frame of which nothing can be found out is kept.
    pub fn judge<M: PhysicalMemory>(
        &self,
        memory: &M,
        ram: &Frames,
        chunk: Range<u64>,
    ) -> Selection {
        Scan::new(&self.facts, memory).run(ram, chunk)
    }

    /// Judges all frames, in one thread.
    pub fn judge_all<M: PhysicalMemory>(&self, memory: &M, ram: &Frames) -> Selection {
        let mut all = Selection::default();
        for chunk in self.chunks(ram) {
            all.append(&self.judge(memory, ram, chunk));
        }
        all
    }

    /// The frames that hold nothing but page structs of frames which are not kept, as
    /// `--exclude-unused-vmemmap` leaves them out. Tools that go through all page structs then miss
    /// some.
    pub fn unused_vmemmap<M: PhysicalMemory>(
        &self,
        memory: &M,
        ram: &Frames,
        kept: &Frames,
    ) -> Frames {
        let mut unused = UnusedVmemmap::new(&self.facts, memory, kept);
        // Holes in memory have structs as well, where they are smaller than what a page of the map of
        // structs is for.
        if let Some(last) = self.chunks(ram).last() {
            unused.look_at(0..last.end);
        }
        unused.frames()
    }
}

#[cfg(test)]
mod tests;
