// SPDX-License-Identifier: GPL-2.0

//! The page tables of the jump, on which the purgatory runs.
//!
//! They map memory at its physical addresses, for TTBR0 with addresses of 48 bits (T0SZ 16) and the
//! page size in TCR. Layout: Arm Architecture Reference Manual for A-profile, D8.3 "Translation
//! table descriptor formats".

use core::fmt;

use crate::{
    handover::identity_map::OutOfTables,
    types::{
        errno::Errno,
        granule::{
            Entry,
            Granule,
            ADDRESS_BITS,
            ADDRESS_LIMIT,
            ENTRY_LEN, //
        },
        ranges::Range, //
    }, //
};

/// TCR_EL1.T0SZ for [`IdentityMap`].
pub const T0SZ: u64 = 64 - ADDRESS_BITS as u64;

/// The bits that tell the kind of a descriptor.
pub(super) const KIND_MASK: u64 = 3;
pub(super) const KIND_BLOCK: u64 = 1;
/// A table, or in a table of the last level a page.
pub(super) const KIND_TABLE: u64 = 3;
/// The contiguous hint: the neighbouring entries map neighbouring memory in the same way.
pub(super) const CONTIGUOUS: u64 = 1 << 52;

/// Why page tables could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageTableError {
    /// There are too few tables.
    OutOfTables(OutOfTables),
    /// An address that the map cannot hold.
    TooHigh(Range),
    /// The tables do not start at a page.
    Base {
        /// The address of the first table.
        base: u64,
        /// Length of a page.
        page_len: u64,
    },
    /// The attributes have bits that are not attributes.
    Attributes {
        /// The bits that are wrong.
        bits: u64,
    },
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
            Self::TooHigh(_) => Errno::AddrNotAvail,
            Self::Base { .. } | Self::Attributes { .. } => Errno::Inval,
        }
    }
}

impl fmt::Display for PageTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfTables(error) => error.fmt(f),
            Self::TooHigh(range) => write!(
                f,
                "the range {range} is to be mapped, but the map ends at {ADDRESS_LIMIT:#x}: \
                 reserve lower with crashkernel=size@offset"
            ),
            Self::Base { base, page_len } => write!(
                f,
                "the page tables are to lie at {base:#x}, but a multiple of the page size \
                 {page_len:#x} below {ADDRESS_LIMIT:#x} is needed"
            ),
            Self::Attributes { bits } => write!(
                f,
                "the attributes of a mapping have the bits {bits:#x}, which belong to its address \
                 or to the contiguous hint"
            ),
        }
    }
}

/// The number of tables that an identity map of `range` needs, with the top one. Where one map has
/// several ranges, each range but the first needs one table less, because the top one is shared.
pub fn tables_needed(range: Range, granule: Granule) -> u64 {
    let mut needed = 1_u64;
    if range.is_empty() {
        return needed;
    }
    let last = range.end().saturating_sub(1);
    let mut shift = granule.top_shift();
    while shift > granule.block_shift() {
        let further = (last >> shift).saturating_sub(range.start() >> shift);
        needed = needed.saturating_add(further).saturating_add(1);
        shift = shift.saturating_sub(granule.level_bits());
    }
    // Only the blocks at both ends can have pages that are not mapped.
    let range = range.align_outward(granule.page_len()).unwrap_or(range);
    let block_of = |address: u64| address >> granule.block_shift();
    let is_cut = |address: u64| address & (granule.block_len() - 1) != 0;
    let (start_cut, end_cut) = (is_cut(range.start()), is_cut(range.end()));
    let same_block = block_of(range.start()) == block_of(last);
    needed
        .saturating_add(start_cut.into())
        .saturating_add((end_cut && !(start_cut && same_block)).into())
}

/// An identity map under construction, in tables that follow each other in memory.
pub struct IdentityMap<'a> {
    tables: &'a mut [Entry],
    used: usize,
    base: u64,
    granule: Granule,
}

impl<'a> IdentityMap<'a> {
    /// Starts an empty map. `tables` will lie at physical address `base`, the top table first,
    /// and must be zeroed.
    pub fn new(
        tables: &'a mut [Entry],
        base: u64,
        granule: Granule,
    ) -> Result<Self, PageTableError> {
        let page_len = granule.page_len();
        let len = (tables.len() as u64).saturating_mul(ENTRY_LEN);
        let end = base.saturating_add(len);
        if base & (page_len - 1) != 0 || end > ADDRESS_LIMIT {
            return Err(PageTableError::Base { base, page_len });
        }
        let map = Self {
            tables,
            used: 1,
            base,
            granule,
        };
        match map.available() {
            0 => Err(map.out_of_tables().into()),
            _ => Ok(map),
        }
    }

    /// Maps `range`, extended to whole pages. Blocks are used where they fit.
    ///
    /// `attributes` are the bits of a descriptor other than the address and the two bits for its
    /// kind. Memory that an earlier call has mapped keeps its attributes.
    pub fn map(&mut self, range: Range, attributes: u64) -> Result<(), PageTableError> {
        let granule = self.granule;
        let bits = attributes & (granule.address_mask() | CONTIGUOUS);
        if bits != 0 {
            return Err(PageTableError::Attributes { bits });
        }
        let attributes = attributes & !KIND_MASK;
        if range.end() > ADDRESS_LIMIT {
            return Err(PageTableError::TooHigh(range));
        }
        let range = range
            .align_outward(granule.page_len())
            .ok_or(PageTableError::TooHigh(range))?;
        let mut address = range.start();
        while address < range.end() {
            let block = Range::from_start_len(address, granule.block_len())
                .filter(|block| block.start() & (granule.block_len() - 1) == 0)
                .filter(|block| range.encloses(block));
            let mapped = match block {
                Some(_) => self.map_block(address, attributes)?,
                None => self.map_page(address, attributes)?,
            };
            address = address.saturating_add(mapped);
        }
        Ok(())
    }

    /// Maps a block, or the first page in it if pages of it are mapped already. Returns the length
    /// that was mapped.
    fn map_block(&mut self, address: u64, attributes: u64) -> Result<u64, PageTableError> {
        let granule = self.granule;
        let table = self.find_table(address, granule.block_shift())?;
        let index = granule.entry_index(address, granule.block_shift());
        match self.entry(table, index)? & KIND_MASK {
            KIND_TABLE => return self.map_page(address, attributes),
            KIND_BLOCK => {}
            _ => self.set(table, index, address | attributes | KIND_BLOCK)?,
        }
        Ok(granule.block_len())
    }

    fn map_page(&mut self, address: u64, attributes: u64) -> Result<u64, PageTableError> {
        let granule = self.granule;
        let table = self.find_table(address, granule.block_shift())?;
        let index = granule.entry_index(address, granule.block_shift());
        if self.entry(table, index)? & KIND_MASK != KIND_BLOCK {
            let table = self.descend(table, index)?;
            let index = granule.entry_index(address, granule.page_shift());
            if self.entry(table, index)? == 0 {
                self.set(table, index, address | attributes | KIND_TABLE)?;
            }
        }
        Ok(granule.page_len())
    }

    /// The number of the table whose entries map `1 << wanted` bytes. It is made if there is none
    /// yet. Blocks are on that level only, so none is met on the way down.
    fn find_table(&mut self, address: u64, wanted: u32) -> Result<usize, PageTableError> {
        let granule = self.granule;
        let mut table = 0;
        let mut shift = granule.top_shift();
        while shift > wanted {
            table = self.descend(table, granule.entry_index(address, shift))?;
            shift = shift.saturating_sub(granule.level_bits());
        }
        Ok(table)
    }

    /// The number of the table that an entry points to. It is made if there is none yet.
    fn descend(&mut self, table: usize, index: usize) -> Result<usize, PageTableError> {
        let granule = self.granule;
        let entry = self.entry(table, index)?;
        if entry & KIND_MASK == KIND_TABLE {
            let offset = (entry & granule.address_mask()).wrapping_sub(self.base);
            return Ok((offset >> granule.page_shift()) as usize);
        }
        let next = self.used;
        if next >= self.available() {
            return Err(self.out_of_tables().into());
        }
        self.used = next.saturating_add(1);
        // `new` has checked that all tables lie below the limit, so no address of theirs wraps.
        let address = self
            .base
            .wrapping_add(granule.page_len().wrapping_mul(next as u64));
        self.set(table, index, address | KIND_TABLE)?;
        Ok(next)
    }

    fn place(&mut self, table: usize, index: usize) -> Option<&mut Entry> {
        let first = table.checked_mul(self.granule.entries())?;
        self.tables.get_mut(first.checked_add(index)?)
    }

    fn entry(&mut self, table: usize, index: usize) -> Result<Entry, OutOfTables> {
        let error = self.out_of_tables();
        self.place(table, index).map(|entry| *entry).ok_or(error)
    }

    fn set(&mut self, table: usize, index: usize, value: Entry) -> Result<(), OutOfTables> {
        let error = self.out_of_tables();
        *self.place(table, index).ok_or(error)? = value;
        Ok(())
    }

    /// The number of tables.
    fn available(&self) -> usize {
        self.tables.len() >> self.granule.level_bits()
    }

    fn out_of_tables(&self) -> OutOfTables {
        OutOfTables {
            available: self.available(),
        }
    }
}
