// SPDX-License-Identifier: GPL-2.0

//! Changes to the running kernel's own translation tables: its map of all RAM can be made read-only
//! or writable, and be split into smaller pieces.
//!
//! Layout: Arm Architecture Reference Manual for A-profile, D8.3 "Translation table descriptor
//! formats" and D8.7 "Other descriptor fields".

use core::fmt;

use super::page_tables::{
    CONTIGUOUS,
    KIND_BLOCK,
    KIND_MASK,
    KIND_TABLE, //
};
use crate::types::granule::{
    Entry,
    Granule,
    ENTRY_LEN, //
};

/// AP\[2\]: no writes.
const READ_ONLY: u64 = 1 << 7;
/// DBM: the first write clears AP\[2\] by itself. Linux sets it for all memory that is writable.
const DIRTY_BIT_MODIFIER: u64 = 1 << 51;

// TCR_EL1: how many bits of an upper address are not translated, and the page size of that half.
const T1SZ_SHIFT: u32 = 16;
const T1SZ_MASK: u64 = 0x3f;
const TG1_SHIFT: u32 = 30;
const TG1_MASK: u64 = 3;

/// The bits of TTBR1_EL1 that hold an address; the highest ones hold an ASID, the lowest flags.
const TTBR_ADDRESS: u64 = 0x0000_ffff_ffff_ffc0;

/// Most entries that have one contiguous hint.
pub const GROUP_MAX: usize = 128;

/// Why memory cannot be changed in the kernel's map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelMapError {
    /// TCR_EL1 has no valid page size.
    PageSize {
        /// The field TG1.
        tg1: u64,
    },
    /// The address is not mapped.
    NotMapped {
        /// The address that was looked up.
        address: u64,
    },
    /// The entry is in the top table, which the kernel keeps read-only.
    TopTable {
        /// The address that was looked up.
        address: u64,
    },
}

impl fmt::Display for KernelMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PageSize { tg1 } => {
                write!(f, "TCR_EL1.TG1 is {tg1}, which is no page size")
            }
            Self::NotMapped { address } => {
                write!(f, "the kernel does not map {address:#x}")
            }
            Self::TopTable { address } => write!(
                f,
                "{address:#x} is mapped by the kernel's top table itself, which is read-only"
            ),
        }
    }
}

/// The tables of the upper half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelMap {
    granule: Granule,
    address_bits: u32,
    top_table: u64,
}

/// Neighbouring entries that have to be changed together: one, or all that share a contiguous hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// First address that the unit maps.
    pub start: u64,
    /// Physical address of the first entry.
    pub entries: u64,
    /// The number of entries.
    pub count: usize,
    /// log2 of the length that each entry maps.
    pub shift: u32,
}

impl Unit {
    /// The number of bytes that the unit maps.
    pub const fn len(&self) -> u64 {
        (self.count as u64).wrapping_shl(self.shift)
    }

    /// Whether the unit maps nothing, which is never the case.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// First address after the unit.
    pub const fn end(&self) -> u64 {
        self.start.saturating_add(self.len())
    }

    /// Whether the unit maps memory on both sides of an address.
    pub const fn straddles(&self, address: u64) -> bool {
        self.start < address && address < self.end()
    }

    /// The number of the entry that maps an address, which the unit holds.
    pub const fn index(&self, address: u64) -> usize {
        address.saturating_sub(self.start).wrapping_shr(self.shift) as usize
    }
}

impl KernelMap {
    /// The map that these values of TTBR1_EL1 and TCR_EL1 describe.
    pub fn new(ttbr1: u64, tcr: u64) -> Result<Self, KernelMapError> {
        // TG0 has other numbers for the same sizes.
        let granule = match (tcr >> TG1_SHIFT) & TG1_MASK {
            1 => Granule::Kib16,
            2 => Granule::Kib4,
            3 => Granule::Kib64,
            tg1 => return Err(KernelMapError::PageSize { tg1 }),
        };
        let untranslated = (tcr >> T1SZ_SHIFT) & T1SZ_MASK;
        Ok(Self {
            granule,
            address_bits: 64_u32.saturating_sub(untranslated as u32),
            top_table: ttbr1 & TTBR_ADDRESS,
        })
    }

    /// Page size of the kernel.
    pub fn granule(&self) -> Granule {
        self.granule
    }

    /// The unit that maps an address. `read` reads the entry at a physical address.
    pub fn unit(&self, address: u64, read: impl Fn(u64) -> Entry) -> Result<Unit, KernelMapError> {
        let granule = self.granule;
        let translated = address & 1_u64.wrapping_shl(self.address_bits).wrapping_sub(1);
        let mut table = self.top_table;
        let mut shift = granule.top_shift_for(self.address_bits);
        let mut index = translated.wrapping_shr(shift);
        loop {
            let place = table.saturating_add(index.saturating_mul(ENTRY_LEN));
            let entry = read(place);
            match (entry & KIND_MASK, shift == granule.page_shift()) {
                (KIND_TABLE, false) => {}
                (KIND_TABLE, true) | (KIND_BLOCK, false) => {
                    if table == self.top_table {
                        return Err(KernelMapError::TopTable { address });
                    }
                    return Ok(self.unit_of(address, place, entry, shift));
                }
                _ => return Err(KernelMapError::NotMapped { address }),
            }
            table = entry & granule.address_mask();
            shift = shift.saturating_sub(granule.level_bits());
            index = granule.entry_index(translated, shift) as u64;
        }
    }

    /// The unit that an entry found at `place` belongs to.
    fn unit_of(&self, address: u64, place: u64, entry: Entry, shift: u32) -> Unit {
        let count = match entry & CONTIGUOUS {
            0 => 1,
            _ => self.granule.contiguous(shift == self.granule.page_shift()),
        };
        let len = (count as u64).wrapping_shl(shift);
        Unit {
            start: address & !len.wrapping_sub(1),
            entries: place & !(count as u64).saturating_mul(ENTRY_LEN).wrapping_sub(1),
            count,
            shift,
        }
    }

    /// Fills a table with entries of the next level that map the same memory as a block entry.
    pub fn split(&self, block: Entry, shift: u32, table: &mut [Entry]) {
        let piece_shift = shift.saturating_sub(self.granule.level_bits());
        let kind = match piece_shift == self.granule.page_shift() {
            true => KIND_TABLE,
            false => KIND_BLOCK,
        };
        let first = without_hint(block) & !KIND_MASK | kind;
        for (entry, number) in table.iter_mut().zip(0_u64..) {
            *entry = first.wrapping_add(number.wrapping_shl(piece_shift));
        }
    }
}

/// The entry without the contiguous hint.
pub const fn without_hint(entry: Entry) -> Entry {
    entry & !CONTIGUOUS
}

/// The entry that leads to a table at this physical address.
pub const fn table_entry(address: u64) -> Entry {
    address | KIND_TABLE
}

/// The entry with writes forbidden.
pub const fn read_only(entry: Entry) -> Entry {
    entry & !DIRTY_BIT_MODIFIER | READ_ONLY
}

/// The entry with writes allowed.
pub const fn writable(entry: Entry) -> Entry {
    entry & !READ_ONLY | DIRTY_BIT_MODIFIER
}
