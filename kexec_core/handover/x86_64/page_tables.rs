// SPDX-License-Identifier: GPL-2.0

//! The page tables of the jump, on which the purgatory runs.
//!
//! The lower half maps memory at its physical addresses, with 2 MiB pages: all memory that the
//! purgatory and the first code of the capture kernel access. The upper half is that of the running
//! kernel, so that the instruction after the switch is still mapped. Layout: Intel SDM volume 3,
//! "4-Level Paging and 5-Level Paging".

use core::fmt;

use crate::{
    handover::identity_map::{
        self,
        OutOfTables,
        Places, //
    },
    types::{
        errno::Errno,
        ranges::Range, //
    }, //
};

/// Entries in a table of any level.
pub const ENTRIES: usize = 512;
/// Bytes in a table of any level.
pub const TABLE_LEN: u64 = 4096;

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const LARGE: u64 = 1 << 7;
const ADDRESS_MASK: u64 = 0x000f_ffff_ffff_f000;
const LARGE_PAGE_LEN: u64 = 2 << 20;
/// log2 of the length that an entry of the page directory maps, which is the lowest table of an identity map.
const DIRECTORY_SHIFT: u32 = 21;
/// log2 of the length of a page, which an entry of a page table maps.
const PAGE_SHIFT: u32 = 12;
const LEVEL_BITS: u32 = 9;

/// One page table.
pub type Table = [u64; ENTRIES];

const _: () = assert!(core::mem::size_of::<Table>() as u64 == TABLE_LEN);

/// Why page tables could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageTableError {
    /// There are too few tables.
    OutOfTables(OutOfTables),
    /// An address that an identity map cannot hold.
    NotCanonical(Range),
    /// Something else is mapped at this address.
    InUse(u64),
}

impl From<OutOfTables> for PageTableError {
    fn from(error: OutOfTables) -> Self {
        Self::OutOfTables(error)
    }
}

impl PageTableError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::OutOfTables(error) => error.errno(),
            Self::NotCanonical(_) | Self::InUse(_) => Errno::AddrNotAvail,
        }
    }
}

impl fmt::Display for PageTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfTables(error) => error.fmt(f),
            Self::NotCanonical(range) => write!(
                f,
                "the crash region {range} reaches into addresses that the lower half of the \
                 address space cannot map: reserve it lower with crashkernel=size@offset"
            ),
            Self::InUse(address) => identity_map::in_use(*address, f),
        }
    }
}

/// The number of levels of the running kernel's page tables (CR4.LA57). Writing CR3 does not change
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Levels {
    /// 48-bit addresses.
    Four,
    /// 57-bit addresses.
    Five,
}

impl Levels {
    const fn top_shift(self) -> u32 {
        match self {
            Self::Four => 39,
            Self::Five => 48,
        }
    }

    /// First address after the lower half.
    const fn lower_half_end(self) -> u64 {
        1 << (self.top_shift() + LEVEL_BITS - 1)
    }
}

/// `range`, extended to whole large pages.
pub fn large_pages(range: Range) -> Range {
    match range.is_empty() {
        true => range,
        false => range.align_outward(LARGE_PAGE_LEN).unwrap_or(range),
    }
}

/// The number of tables that an identity map of all `ranges` needs, with the top one. The ranges
/// are in ascending order.
pub fn tables_needed(ranges: &[Range], levels: Levels) -> u64 {
    let mut needed = 1_u64;
    let mut shift = levels.top_shift();
    while shift > DIRECTORY_SHIFT {
        // The first entry of this level's tables that none of the ranges before reaches.
        let mut free = 0;
        for range in ranges.iter().filter(|range| !range.is_empty()) {
            let last = range.end().saturating_sub(1) >> shift;
            let first = (range.start() >> shift).max(free);
            let end = last.saturating_add(1);
            needed = needed.saturating_add(end.saturating_sub(first));
            free = free.max(end);
        }
        shift -= LEVEL_BITS;
    }
    needed
}

/// An address that no memory of an ordinary machine has: where it is mapped besides, from here on.
pub const WINDOW: u64 = 1 << 46;

/// The addresses of the window on an image that is copied to `place`.
pub const fn window(place: Range) -> Option<Range> {
    match place.start().checked_add(WINDOW) {
        Some(start) => Range::from_start_len(start, place.len()),
        None => None,
    }
}

/// How many tables map `place`, the window on what is copied there, and one page anywhere; at least so many.
/// `place` consists of large pages.
pub fn tables_for_window(place: Range, levels: Levels) -> u64 {
    let page = Range::from_start_len(0, TABLE_LEN).unwrap_or_default();
    let window = window(place).unwrap_or_default();
    let of = |range| tables_needed(&[range], levels);
    let page_tables = large_pages(window).len() / LARGE_PAGE_LEN;
    of(place)
        .saturating_add(of(page))
        .saturating_add(of(window))
        .saturating_add(page_tables)
}

/// An identity map under construction. Beside it, pages can be mapped at other addresses than their own.
pub struct IdentityMap<'a> {
    tables: &'a mut [Table],
    used: usize,
    places: Places<'a>,
    levels: Levels,
}

impl<'a> IdentityMap<'a> {
    /// Starts an empty map whose top table is the first of `tables`, which will lie at physical
    /// address `base` and must be zeroed.
    pub fn new(tables: &'a mut [Table], base: u64, levels: Levels) -> Result<Self, PageTableError> {
        Self::at(tables, Places::From(base), levels)
    }

    /// The same, where each table will lie at the physical address with its index in `addresses`, which has
    /// one for each.
    pub fn scattered(
        tables: &'a mut [Table],
        addresses: &'a [u64],
        levels: Levels,
    ) -> Result<Self, PageTableError> {
        let count = tables.len().min(addresses.len());
        let tables = tables.get_mut(..count).unwrap_or_default();
        Self::at(tables, Places::Each(addresses), levels)
    }

    fn at(
        tables: &'a mut [Table],
        places: Places<'a>,
        levels: Levels,
    ) -> Result<Self, PageTableError> {
        if tables.is_empty() {
            return Err(OutOfTables { available: 0 }.into());
        }
        Ok(Self {
            tables,
            used: 1,
            places,
            levels,
        })
    }

    /// Copies the upper half of the running kernel's top table.
    pub fn copy_upper_half(&mut self, running: &Table) {
        if let Some(top) = self.tables.first_mut() {
            let upper = top.iter_mut().zip(running).skip(ENTRIES / 2);
            upper.for_each(|(to, from)| *to = *from);
        }
    }

    /// Maps `range`, extended to 2 MiB boundaries, writable and executable.
    ///
    /// The CPU keeps to the memory types of the first MiB nevertheless (Intel SDM volume 3, "Large
    /// Page Size Considerations").
    pub fn map(&mut self, range: Range) -> Result<(), PageTableError> {
        if range.end() > self.levels.lower_half_end() {
            return Err(PageTableError::NotCanonical(range));
        }
        let range = large_pages(range);
        let mut address = range.start();
        while address < range.end() {
            self.map_large_page(address)?;
            address += LARGE_PAGE_LEN;
        }
        Ok(())
    }

    /// Maps pages at the physical addresses in `pages` one after the other from `address` on, writable.
    pub fn map_pages(&mut self, address: u64, pages: &[u64]) -> Result<(), PageTableError> {
        let len = TABLE_LEN.saturating_mul(pages.len() as u64);
        let range = Range::from_start_len(address, len);
        let range = range.ok_or(PageTableError::NotCanonical(Range::ALL))?;
        if range.end() > self.levels.lower_half_end() {
            return Err(PageTableError::NotCanonical(range));
        }
        let mut table = None;
        for (address, page) in (range.start()..range.end())
            .step_by(1 << PAGE_SHIFT)
            .zip(pages)
        {
            let index = entry_index(address, PAGE_SHIFT);
            let found = match table.filter(|_| index != 0) {
                Some(table) => table,
                None => self.table_of(address, PAGE_SHIFT)?,
            };
            table = Some(found);
            self.set_once(found, index, page | WRITABLE | PRESENT, address)?;
        }
        Ok(())
    }

    fn map_large_page(&mut self, address: u64) -> Result<(), PageTableError> {
        let table = self.table_of(address, DIRECTORY_SHIFT)?;
        let index = entry_index(address, DIRECTORY_SHIFT);
        self.set_once(table, index, address | LARGE | WRITABLE | PRESENT, address)
    }

    /// The number of the table whose entries map `1 << wanted` bytes each. It is made if there is none yet.
    fn table_of(&mut self, address: u64, wanted: u32) -> Result<usize, PageTableError> {
        let mut table = 0;
        let mut shift = self.levels.top_shift();
        while shift > wanted {
            let index = entry_index(address, shift);
            table = self.descend(table, index, address)?;
            shift -= LEVEL_BITS;
        }
        Ok(table)
    }

    /// The number of the table that an entry for `address` points to. It is made if there is none yet.
    fn descend(
        &mut self,
        table: usize,
        index: usize,
        address: u64,
    ) -> Result<usize, PageTableError> {
        let entry = self.tables.get(table).and_then(|table| table.get(index));
        if let Some(entry) = entry.filter(|entry| **entry & PRESENT != 0) {
            if entry & LARGE != 0 {
                return Err(PageTableError::InUse(address));
            }
            let found = self.places.table(entry & ADDRESS_MASK, TABLE_LEN);
            return Ok(found.ok_or(self.out_of_tables())?);
        }
        let next = self.used;
        let place = self.places.address(next, TABLE_LEN);
        let place = place.filter(|_| next < self.tables.len());
        let place = place.ok_or(self.out_of_tables())?;
        self.used = next.saturating_add(1);
        self.set(table, index, place | WRITABLE | PRESENT)?;
        Ok(next)
    }

    /// Sets an entry for `address`, unless it has another value.
    fn set_once(
        &mut self,
        table: usize,
        index: usize,
        value: u64,
        address: u64,
    ) -> Result<(), PageTableError> {
        let entry = self.tables.get(table).and_then(|table| table.get(index));
        match entry {
            Some(found) if found & PRESENT != 0 && *found != value => {
                Err(PageTableError::InUse(address))
            }
            _ => self.set(table, index, value),
        }
    }

    fn set(&mut self, table: usize, index: usize, value: u64) -> Result<(), PageTableError> {
        let error = self.out_of_tables();
        let entry = self.tables.get_mut(table).and_then(|t| t.get_mut(index));
        *entry.ok_or(error)? = value;
        Ok(())
    }

    fn out_of_tables(&self) -> OutOfTables {
        OutOfTables {
            available: self.tables.len(),
        }
    }
}

const fn entry_index(address: u64, shift: u32) -> usize {
    address.wrapping_shr(shift) as usize & (ENTRIES - 1)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{
        vec,
        vec::Vec, //
    };

    const BASE: u64 = 0x3f00_0000;

    /// The physical address that the CPU would find for a virtual one.
    fn translate(tables: &[Table], levels: Levels, address: u64) -> Option<u64> {
        translate_at(tables, Places::From(BASE), levels, address)
    }

    fn translate_at(
        tables: &[Table],
        places: Places<'_>,
        levels: Levels,
        address: u64,
    ) -> Option<u64> {
        let mut table = 0;
        let mut shift = levels.top_shift();
        loop {
            let entry = tables[table][entry_index(address, shift)];
            if entry & PRESENT == 0 {
                return None;
            }
            if shift == PAGE_SHIFT || entry & LARGE != 0 {
                assert!(shift <= DIRECTORY_SHIFT);
                return Some((entry & ADDRESS_MASK) + (address & ((1 << shift) - 1)));
            }
            table = places.table(entry & ADDRESS_MASK, TABLE_LEN).unwrap();
            shift -= LEVEL_BITS;
        }
    }

    fn mapped(ranges: &[Range], levels: Levels) -> Vec<Table> {
        let mut tables = vec![[0; ENTRIES]; tables_needed(ranges, levels) as usize];
        let mut map = IdentityMap::new(&mut tables, BASE, levels).unwrap();
        for range in ranges {
            map.map(*range).unwrap();
        }
        assert_eq!(map.used, tables.len());
        tables
    }

    #[test]
    fn a_region_maps_to_itself_and_nothing_else_is_mapped() {
        for levels in [Levels::Four, Levels::Five] {
            for range in [
                Range::new(0x3000_0000, 0x4000_0000).unwrap(),
                // Across a 1 GiB and across a 512 GiB boundary.
                Range::new(0xf000_0000, 0x1_1000_0000).unwrap(),
                Range::new(0x7f_f000_0000, 0x80_1000_0000).unwrap(),
            ] {
                let tables = mapped(&[range], levels);
                for address in [range.start(), range.start() + 0x12345, range.end() - 1] {
                    assert_eq!(translate(&tables, levels, address), Some(address));
                }
                assert_eq!(translate(&tables, levels, range.start() - 1), None);
                assert_eq!(translate(&tables, levels, range.end()), None);
            }
        }
    }

    #[test]
    fn a_region_off_the_large_page_boundary_is_covered() {
        let range = Range::new(0x3000_1000, 0x3fff_f000).unwrap();
        let tables = mapped(&[range], Levels::Four);
        assert_eq!(
            translate(&tables, Levels::Four, 0x3000_1000),
            Some(0x3000_1000)
        );
        assert_eq!(
            translate(&tables, Levels::Four, 0x3fff_efff),
            Some(0x3fff_efff)
        );
    }

    #[test]
    fn ranges_share_tables_and_each_is_mapped() {
        for levels in [Levels::Four, Levels::Five] {
            for ranges in [
                // Below 1 GiB all share one page directory, and two are in one large page.
                &[
                    (0, 1 << 20),
                    (0x20_0800, 0x1ff_f000),
                    (0x1ff_f000, 0x300_0000),
                ][..],
                // The second is in the last table of the first, the third in one of its own.
                &[
                    (0, 0x4000_1000),
                    (0x4ff0_0000, 0x5000_0000),
                    (0x80_0000_0000, 0x80_0000_1000),
                ],
                // A range that encloses another, and an empty one.
                &[
                    (0, 0x1_0000_0000),
                    (0x1000, 0x2000),
                    (0x2_0000_1000, 0x2_0000_1000),
                ],
            ] {
                let ranges: Vec<_> = ranges
                    .iter()
                    .map(|(start, end)| Range::new(*start, *end).unwrap())
                    .collect();
                let tables = mapped(&ranges, levels);
                for range in ranges.iter().filter(|range| !range.is_empty()) {
                    for address in [range.start(), range.end() - 1] {
                        assert_eq!(translate(&tables, levels, address), Some(address));
                    }
                }
            }
        }
    }

    #[test]
    fn a_window_shows_pages_in_their_order_beside_the_place_that_they_are_copied_to() {
        for levels in [Levels::Four, Levels::Five] {
            // The last one ends where the addresses of the window need another table of each level.
            for (place, code) in [
                ((0x1000_0000, 0x1060_0000), 0x7_0000_3000),
                ((0x1000_0000, 0x1060_0000), 0x1fff_f000),
                ((0x7fc0_0000, 0x8040_0000), 0x3f_ffff_f000),
                ((0xffa0_0000, 0x1_0000_0000), 0x1000),
            ] {
                let place = Range::new(place.0, place.1).unwrap();
                let code = Range::from_start_len(code, 0x1000).unwrap();
                let count = tables_for_window(place, levels) as usize;
                // Neither the tables nor the pages follow each other.
                let addresses: Vec<u64> = (0..count as u64).map(|i| (i * 7 + 1) << 14).collect();
                let pages = (0..place.len() / TABLE_LEN).map(|i| (1 << 32) + ((i * 5) << 13));
                let pages: Vec<u64> = pages.collect();
                let window = window(place).unwrap();
                let mut tables = vec![[0; ENTRIES]; count];
                let mut map = IdentityMap::scattered(&mut tables, &addresses, levels).unwrap();
                map.map(place).unwrap();
                map.map(code).unwrap();
                map.map_pages(window.start(), &pages).unwrap();
                let of = |address| translate_at(&tables, Places::Each(&addresses), levels, address);
                for (page, at) in pages.iter().zip((window.start()..).step_by(0x1000)) {
                    assert_eq!(of(at + 0x123), Some(page + 0x123));
                }
                assert_eq!((of(window.start() - 1), of(window.end())), (None, None));
                for identical in [place.start(), place.end() - 1, code.start()] {
                    assert_eq!(of(identical), Some(identical));
                }
            }
        }
    }

    #[test]
    fn an_address_that_is_mapped_is_not_mapped_otherwise() {
        let place = Range::new(0x1000_0000, 0x1040_0000).unwrap();
        let mut tables = vec![[0; ENTRIES]; 20];
        let mut map = IdentityMap::new(&mut tables, BASE, Levels::Four).unwrap();
        map.map(place).unwrap();
        map.map(place).unwrap();
        let start = place.start();
        assert_eq!(
            map.map_pages(start, &[0x5000]),
            Err(PageTableError::InUse(start))
        );
        map.map_pages(0x5000_0000, &[0x5000]).unwrap();
        map.map_pages(0x5000_0000, &[0x5000]).unwrap();
        for refused in [
            map.map_pages(0x5000_0000, &[0x6000]),
            map.map(Range::new(0x5000_0000, 0x5000_1000).unwrap()),
        ] {
            assert_eq!(refused, Err(PageTableError::InUse(0x5000_0000)));
        }
        let high = map.map_pages((1 << 47) - 0x1000, &[0, 0x1000]);
        assert!(matches!(high, Err(PageTableError::NotCanonical(_))));
    }

    #[test]
    fn only_the_upper_half_is_copied() {
        let mut tables = vec![[0; ENTRIES]; 1];
        let mut map = IdentityMap::new(&mut tables, BASE, Levels::Four).unwrap();
        map.copy_upper_half(&[7; ENTRIES]);
        assert_eq!(tables[0][..ENTRIES / 2], [0; ENTRIES / 2]);
        assert_eq!(tables[0][ENTRIES / 2..], [7; ENTRIES / 2]);
    }

    #[test]
    fn too_few_tables_and_too_high_a_region_are_refused() {
        let range = Range::new(0x3000_0000, 0x4000_0000).unwrap();
        let mut tables = vec![[0; ENTRIES]; 2];
        let mut map = IdentityMap::new(&mut tables, BASE, Levels::Four).unwrap();
        assert_eq!(map.map(range), Err(OutOfTables { available: 2 }.into()));
        let high = Range::new(1 << 47, (1 << 47) + 1).unwrap();
        assert_eq!(map.map(high), Err(PageTableError::NotCanonical(high)));
    }
}
