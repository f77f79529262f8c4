// SPDX-License-Identifier: GPL-2.0

//! The page tables of the jump, on which the purgatory runs.
//!
//! They map memory at its physical addresses, for TTBR0 with addresses of 48 bits (T0SZ 16) and the
//! page size in TCR. The relocator's have a window besides. Layout: Arm Architecture Reference Manual for
//! A-profile, D8.3 "Translation table descriptor formats".

use core::fmt;

use crate::{
    handover::identity_map::{
        self,
        OutOfTables,
        Places, //
    },
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
            Self::TooHigh(_) | Self::InUse(_) => Errno::AddrNotAvail,
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
            Self::InUse(address) => identity_map::in_use(*address, f),
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

/// The highest bit of an address.
const HALF: u64 = 1 << (ADDRESS_BITS - 1);

/// The addresses of the window on an image that is copied to `place`: in the half in which that is not.
pub const fn window(place: Range) -> Option<Range> {
    Range::from_start_len(place.start() ^ HALF, place.len())
}

/// How many tables map `place`, the window on what is copied there, and one page anywhere; at least so many.
pub fn tables_for_window(place: Range, granule: Granule) -> u64 {
    let page = Range::from_start_len(0, granule.page_len()).unwrap_or_default();
    let window = window(place).unwrap_or_default();
    let blocks = window.align_outward(granule.block_len());
    let last_level = blocks.unwrap_or(window).len() / granule.block_len();
    [place, page, window]
        .into_iter()
        .fold(last_level, |sum, range| {
            sum.saturating_add(tables_needed(range, granule))
        })
}

/// An identity map under construction. Beside it, pages can be mapped at other addresses than their own.
pub struct IdentityMap<'a> {
    tables: &'a mut [Entry],
    used: usize,
    places: Places<'a>,
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
        Self::at(tables, Places::From(base), granule)
    }

    /// The same, where each table will lie at the physical address with its index in `addresses`, which has
    /// one for each.
    pub fn scattered(
        tables: &'a mut [Entry],
        addresses: &'a [u64],
        granule: Granule,
    ) -> Result<Self, PageTableError> {
        let page_len = granule.page_len();
        let is_wrong = |base: &u64| base & (page_len - 1) != 0 || *base >= ADDRESS_LIMIT;
        if let Some(base) = addresses.iter().copied().find(is_wrong) {
            return Err(PageTableError::Base { base, page_len });
        }
        let entries = addresses.len().saturating_mul(granule.entries());
        let count = tables.len().min(entries);
        let tables = tables.get_mut(..count).unwrap_or_default();
        Self::at(tables, Places::Each(addresses), granule)
    }

    fn at(
        tables: &'a mut [Entry],
        places: Places<'a>,
        granule: Granule,
    ) -> Result<Self, PageTableError> {
        let map = Self {
            tables,
            used: 1,
            places,
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
        let attributes = self.checked(attributes)?;
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

    /// Maps pages at the physical addresses in `pages` one after the other from `address` on, which is a
    /// multiple of their length.
    pub fn map_pages(
        &mut self,
        address: u64,
        pages: &[u64],
        attributes: u64,
    ) -> Result<(), PageTableError> {
        let granule = self.granule;
        let attributes = self.checked(attributes)?;
        let len = granule.page_len().saturating_mul(pages.len() as u64);
        let range = Range::from_start_len(address, len);
        let range = range.filter(|range| range.end() <= ADDRESS_LIMIT);
        let range = range.ok_or(PageTableError::TooHigh(Range::ALL))?;
        let mut last_level = None;
        let addresses = (range.start()..range.end()).step_by(1 << granule.page_shift());
        for (address, page) in addresses.zip(pages) {
            let index = granule.entry_index(address, granule.page_shift());
            let table = match last_level.filter(|_| index != 0) {
                Some(table) => table,
                None => {
                    let table = self.find_table(address, granule.block_shift())?;
                    let index = granule.entry_index(address, granule.block_shift());
                    if self.entry(table, index)? & KIND_MASK == KIND_BLOCK {
                        return Err(PageTableError::InUse(address));
                    }
                    self.descend(table, index)?
                }
            };
            last_level = Some(table);
            let value = page | attributes | KIND_TABLE;
            let found = self.entry(table, index)?;
            if found != 0 && found != value {
                return Err(PageTableError::InUse(address));
            }
            self.set(table, index, value)?;
        }
        Ok(())
    }

    /// Attributes without the kind of an entry, if they are nothing but attributes.
    fn checked(&self, attributes: u64) -> Result<u64, PageTableError> {
        match attributes & (self.granule.address_mask() | CONTIGUOUS) {
            0 => Ok(attributes & !KIND_MASK),
            bits => Err(PageTableError::Attributes { bits }),
        }
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
            let address = entry & granule.address_mask();
            let found = self.places.table(address, granule.page_len());
            return Ok(found.ok_or(self.out_of_tables())?);
        }
        let next = self.used;
        let address = self.places.address(next, granule.page_len());
        let address = address.filter(|_| next < self.available());
        let address = address.ok_or(self.out_of_tables())?;
        self.used = next.saturating_add(1);
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
