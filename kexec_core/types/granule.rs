// SPDX-License-Identifier: GPL-2.0

//! The page sizes of arm64, and the translation tables that go with each (Arm Architecture
//! Reference Manual for A-profile, D8.2 "Translation process").

use core::mem::size_of;

/// The number of bits of an address that are translated.
pub(crate) const ADDRESS_BITS: u32 = 48;
/// First address that cannot be mapped.
pub(crate) const ADDRESS_LIMIT: u64 = 1 << ADDRESS_BITS;
/// Length of a descriptor.
pub(crate) const ENTRY_LEN: u64 = size_of::<Entry>() as u64;
const ENTRY_SHIFT: u32 = ENTRY_LEN.trailing_zeros();

/// A descriptor in a table of any level.
pub type Entry = u64;

const _: () = assert!(ENTRY_LEN == 8);

/// A page size, and the tables that go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granule {
    /// Pages of 4 KiB, blocks of 2 MiB, four levels.
    Kib4,
    /// Pages of 16 KiB, blocks of 32 MiB, four levels.
    Kib16,
    /// Pages of 64 KiB, blocks of 512 MiB, three levels.
    Kib64,
}

impl Granule {
    pub(crate) const fn page_shift(self) -> u32 {
        match self {
            Self::Kib4 => 12,
            Self::Kib16 => 14,
            Self::Kib64 => 16,
        }
    }

    /// The number of bits of an address that a table translates, on any level but the top one.
    pub(crate) const fn level_bits(self) -> u32 {
        self.page_shift() - ENTRY_SHIFT
    }

    /// log2 of the length that an entry of the last level but one maps.
    pub(crate) const fn block_shift(self) -> u32 {
        self.page_shift() + self.level_bits()
    }

    /// log2 of the length that an entry of the top table maps. Where fewer bits are left than a
    /// table translates, only the first entries of the top table are used.
    pub(crate) const fn top_shift(self) -> u32 {
        self.top_shift_for(ADDRESS_BITS)
    }

    /// [`Self::top_shift`] for addresses of `address_bits` bits, which are more than those of a
    /// page.
    pub(crate) const fn top_shift_for(self, address_bits: u32) -> u32 {
        let upper_bits = address_bits
            .saturating_sub(1)
            .saturating_sub(self.page_shift());
        self.page_shift() + upper_bits / self.level_bits() * self.level_bits()
    }

    /// The number of neighbouring entries that share a contiguous hint: of pages, or of blocks.
    pub(crate) const fn contiguous(self, pages: bool) -> usize {
        match (self, pages) {
            (Self::Kib4, _) => 16,
            (Self::Kib16, true) => 128,
            (Self::Kib16, false) | (Self::Kib64, _) => 32,
        }
    }

    /// Length of a page, and of a table.
    pub const fn page_len(self) -> u64 {
        1 << self.page_shift()
    }

    /// Length of the block that one entry of the last level but one maps.
    pub const fn block_len(self) -> u64 {
        1 << self.block_shift()
    }

    /// Entries in a table.
    pub const fn entries(self) -> usize {
        1 << self.level_bits()
    }

    /// The number of levels of tables.
    pub const fn levels(self) -> u32 {
        (self.top_shift() - self.page_shift()) / self.level_bits() + 1
    }

    /// TCR_EL1.TG0 for this page size, to be shifted by 14.
    pub const fn tg0(self) -> u64 {
        match self {
            Self::Kib4 => 0,
            Self::Kib64 => 1,
            Self::Kib16 => 2,
        }
    }

    /// The bits of a descriptor that hold an address.
    pub(crate) const fn address_mask(self) -> u64 {
        (ADDRESS_LIMIT - 1) & !(self.page_len() - 1)
    }

    pub(crate) const fn entry_index(self, address: u64, shift: u32) -> usize {
        address.wrapping_shr(shift) as usize & (self.entries() - 1)
    }
}

const _: () = {
    assert!(Granule::Kib4.levels() == 4 && Granule::Kib4.block_len() == 2 << 20);
    assert!(Granule::Kib16.levels() == 4 && Granule::Kib16.block_len() == 32 << 20);
    assert!(Granule::Kib64.levels() == 3 && Granule::Kib64.block_len() == 512 << 20);
    assert!(Granule::Kib4.top_shift() == 39);
    assert!(Granule::Kib16.top_shift() == 47);
    assert!(Granule::Kib64.top_shift() == 42);
};
