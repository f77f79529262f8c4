// SPDX-License-Identifier: GPL-2.0

//! Where the page tables themselves are, without which a dump has no addresses.

use std::collections::BTreeSet;

use dumpfile::{
    frames::Frames,
    memory::PhysicalMemory, //
};

use super::{
    entry::Entry,
    walk::Translation, //
};

/// More tables than this are not looked for. A kernel that maps all its memory by single pages has one for
/// 512 of them.
const TABLES_MAX: usize = 1 << 16;

impl Translation {
    /// The frames of the kernel's page tables, as far as they can be read.
    pub fn tables<M: PhysicalMemory>(&self, memory: &M) -> Frames {
        let page_shift = self.geometry.page_shift;
        let levels = self.geometry.levels();
        let mut found = BTreeSet::from([self.root()]);
        let mut tables = found.clone();
        for (level, part) in levels.iter().enumerate() {
            // The last level has no tables below it.
            if level + 1 == levels.len() {
                break;
            }
            let mut below = BTreeSet::new();
            let mut entries = vec![0; part.table_len()];
            for table in tables {
                if memory.read(table, &mut entries).is_err() {
                    continue;
                }
                for entry in entries.chunks_exact(8) {
                    let entry = entry.try_into().map_or(0, u64::from_le_bytes);
                    if let Entry::Table(next) = self.geometry.entry(entry, part.shift) {
                        // A table that is found twice, as in a loop, is looked at once.
                        if found.len() < TABLES_MAX && found.insert(next) {
                            below.insert(next);
                        }
                    }
                }
            }
            tables = below;
        }
        // A table can be smaller than a page.
        let frame = |table: &u64| table >> page_shift..(table >> page_shift).saturating_add(1);
        found.iter().map(frame).collect()
    }
}
