// SPDX-License-Identifier: GPL-2.0

//! The shape of page tables: how many levels, which bits of an address each looks at, and what its
//! entries mean.

use super::{
    arm64,
    entry::{
        Entry,
        Shape, //
    },
    x86_64, //
};

/// The largest number of levels.
pub const LEVELS_MAX: usize = 5;

/// How entries are read.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// Those of x86_64.
    X86_64(x86_64::Format),
    /// Those of arm64.
    Arm64(arm64::Format),
}

/// The bits of an address that a level looks at.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The lowest of them.
    pub shift: u32,
    /// How many they are.
    bits: u32,
}

impl Part {
    /// The number of the entry for an address.
    pub fn index(self, address: u64) -> u64 {
        (address >> self.shift) & ((1 << self.bits) - 1)
    }

    /// The length of the table in bytes.
    pub fn table_len(self) -> usize {
        8 << self.bits
    }
}

/// The shape of a kernel's page tables.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// The number of bits of an offset into a page.
    pub page_shift: u32,
    /// The first address that is translated.
    pub first: u64,
    levels: [Part; LEVELS_MAX],
    count: usize,
    format: Format,
}

impl Geometry {
    /// The levels that it takes to look at all bits of an address, which are at most
    /// [`LEVELS_MAX`]: who made the shape has checked that.
    pub fn new(shape: &Shape, format: Format) -> Self {
        let Shape {
            page_shift,
            address_bits,
            first,
            ..
        } = *shape;
        // A table of a page has this many bits of an index.
        let bits = page_shift - 3;
        let count = (address_bits - page_shift).div_ceil(bits);
        let mut levels = [Part { shift: 0, bits: 0 }; LEVELS_MAX];
        for (level, above_last) in levels.iter_mut().zip((0..count).rev()) {
            let shift = page_shift + above_last * bits;
            *level = Part {
                shift,
                bits: bits.min(address_bits - shift),
            };
        }
        Self {
            page_shift,
            first,
            levels,
            count: count as usize,
            format,
        }
    }

    /// Whether an address is one of those that the tables translate.
    pub fn has(&self, address: u64) -> bool {
        address >= self.first
    }

    /// The address without what the kernel's software has put into bits that do not count.
    pub fn untagged(&self, address: u64) -> u64 {
        match self.format {
            Format::X86_64(_) => address,
            Format::Arm64(_) => arm64::untagged(address),
        }
    }

    /// What each level looks at, from the top on.
    pub fn levels(&self) -> &[Part] {
        &self.levels[..self.count]
    }

    /// What an entry says at the level that looks at the bits from `shift` on.
    pub fn entry(&self, entry: u64, shift: u32) -> Entry {
        match self.format {
            Format::X86_64(format) => format.entry(entry, shift),
            Format::Arm64(format) => format.entry(entry, shift),
        }
    }
}
