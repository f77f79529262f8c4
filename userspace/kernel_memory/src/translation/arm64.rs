// SPDX-License-Identifier: GPL-2.0

//! arm64's page tables (Arm ARM, D8 "The AArch64 Virtual Memory System Architecture").

use crate::vmcoreinfo::Vmcoreinfo;

use super::{
    entry::{
        Entry,
        Shape, //
    },
    error::TranslationError, //
};

/// The entry maps something, or names a table.
const VALID: u64 = 1 << 0;
/// The entry names a table or, at the last level, maps a page.
const TABLE: u64 = 1 << 1;

/// The smallest and the largest number of bits of an address that the kernel is built for.
const ADDRESS_BITS: std::ops::RangeInclusive<u64> = 36..=52;

/// How entries are read.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    page_shift: u32,
    /// Whether entries have addresses of 52 bits in the way of small pages (FEAT_LPA2).
    lpa2: bool,
}

impl Format {
    /// What an entry says at the level that looks at the bits from `shift` on.
    ///
    /// An entry that is marked as one of a contiguous group has an address of its own.
    pub fn entry(self, entry: u64, shift: u32) -> Entry {
        if entry & VALID == 0 {
            return Entry::Nothing;
        }
        let address = self.address(entry);
        let is_last = shift == self.page_shift;
        match (entry & TABLE != 0, is_last) {
            (true, false) => Entry::Table(address),
            (true, true) => Entry::Leaf(address),
            (false, _) if self.has_blocks(shift) => Entry::Leaf(address & !((1 << shift) - 1)),
            (false, _) => Entry::Malformed,
        }
    }

    /// The address in an entry of any level.
    fn address(self, entry: u64) -> u64 {
        let bits = |high: u32, low: u32| entry & (u64::MAX >> (63 - high)) & (u64::MAX << low);
        match (self.page_shift, self.lpa2) {
            // Without 52 bits of a physical address, bits 15 to 12 are zero.
            (16, _) => bits(47, 16) | bits(15, 12) << 36,
            (page_shift, true) => bits(49, page_shift) | bits(9, 8) << 42,
            // Bits 9 and 8 are the memory's shareability.
            (page_shift, false) => bits(47, page_shift),
        }
    }

    /// Whether entries of a level may map memory: 2 MiB and 1 GiB with pages of 4 KiB, 32 MiB with
    /// 16 KiB, 512 MiB with 64 KiB, and a level more where addresses may have 52 bits.
    fn has_blocks(self, shift: u32) -> bool {
        match (self.page_shift, shift) {
            (12, 21 | 30) | (14, 25) | (16, 29 | 42) => true,
            (12, 39) | (14, 36) => self.lpa2,
            _ => false,
        }
    }
}

/// The kernel's linear map of all memory.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// Its first address.
    start: u64,
    /// The first address after it.
    end: u64,
    /// The physical address of `start`. Where the hardware has fewer bits of an address than the
    /// kernel was built for, it is below 0.
    physical: u64,
}

impl Linear {
    /// The physical address of what is at a virtual one, if that is in the linear map.
    pub fn physical(self, address: u64) -> Option<u64> {
        (self.start..self.end)
            .contains(&address)
            .then(|| (address - self.start).wrapping_add(self.physical))
    }
}

/// The address without its tag, which KASAN puts into the highest byte.
pub fn untagged(address: u64) -> u64 {
    if address & 1 << 55 != 0 {
        address | 0xff << 56
    } else {
        address
    }
}

/// The tables of a kernel that describes itself so, and its linear map.
pub fn shape(info: &Vmcoreinfo) -> Result<(Shape, Format, Linear), TranslationError> {
    let page_shift = info.page_shift()?;
    let built_bits = checked_bits("VA_BITS", info.unsigned_number("VA_BITS")?)?;
    let t1sz = info.unsigned_number("TCR_EL1_T1SZ")?;
    let used_bits = checked_bits("64 - TCR_EL1_T1SZ", 64_u64.wrapping_sub(t1sz))?;
    // With pages of 64 KiB, the kernel's top table keeps the size that it was built with, and the
    // hardware is shown the end of it. With smaller ones a kernel of 52 bits leaves out a level.
    let address_bits = if page_shift == 16 {
        built_bits
    } else {
        used_bits
    };
    let lpa2 = page_shift < 16 && used_bits > 48;
    let root = untagged(info.symbol("swapper_pg_dir")?)
        .wrapping_sub(info.unsigned_number("kimage_voffset")?);
    let linear = Linear {
        start: u64::MAX << built_bits,
        end: u64::MAX << (smallest_bits(built_bits, page_shift) - 1),
        physical: info.unsigned_number("PHYS_OFFSET")?,
    };
    Ok((
        Shape {
            page_shift,
            address_bits,
            first: u64::MAX << used_bits,
            root,
        },
        Format { page_shift, lpa2 },
        linear,
    ))
}

fn checked_bits(name: &'static str, value: u64) -> Result<u32, TranslationError> {
    if ADDRESS_BITS.contains(&value) {
        Ok(value as u32)
    } else {
        Err(TranslationError::Number {
            name,
            value,
            range: "between 36 and 52",
        })
    }
}

/// The number of bits that a kernel makes do with where the hardware has no 52 (`VA_BITS_MIN`).
fn smallest_bits(built: u32, page_shift: u32) -> u32 {
    match (built, page_shift) {
        (49.., 14) => 47,
        (49.., _) => 48,
        (built, _) => built,
    }
}
