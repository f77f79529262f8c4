// SPDX-License-Identifier: GPL-2.0

//! x86_64's page tables (Intel SDM volume 3A, chapter 5; AMD APM volume 2, chapter 5).

use crate::vmcoreinfo::{
    optional,
    Vmcoreinfo, //
};

use super::{
    entry::{
        Entry,
        Shape, //
    },
    error::TranslationError, //
};

const PAGE_SHIFT: u32 = 12;

/// Where the kernel image is linked to (`__START_KERNEL_map`); `phys_base` is what is there.
const IMAGE_MAP: u64 = 0xffff_ffff_8000_0000;

/// The entry maps something, or names a table.
const PRESENT: u64 = 1 << 0;
/// The entry of an upper level maps memory.
const LARGE: u64 = 1 << 7;
/// The address in an entry.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The levels whose entries may map memory: of 1 GiB, 2 MiB and 4 KiB.
const LEAVES: [u32; 3] = [30, 21, PAGE_SHIFT];

/// How entries are read.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The bit in an address that says that the memory is encrypted.
    sme_mask: u64,
}

impl Format {
    /// What an entry says at the level that looks at the bits from `shift` on.
    pub fn entry(self, entry: u64, shift: u32) -> Entry {
        if entry & PRESENT == 0 {
            return Entry::Nothing;
        }
        let address = entry & ADDRESS & !self.sme_mask;
        // In an entry of the last level, the bit is one of the memory's type.
        if shift != PAGE_SHIFT && entry & LARGE == 0 {
            Entry::Table(address)
        } else if LEAVES.contains(&shift) {
            // Below the address of a large page is a bit of its memory's type.
            Entry::Leaf(address & !((1 << shift) - 1))
        } else {
            Entry::Malformed
        }
    }
}

/// The tables of a kernel that describes itself so.
pub fn shape(info: &Vmcoreinfo) -> Result<(Shape, Format), TranslationError> {
    let root = match optional(info.symbol("init_top_pgt"))? {
        Some(root) => root,
        None => info.symbol("swapper_pg_dir")?,
    };
    let phys_base = info.unsigned_number("phys_base")?;
    // With 4 levels addresses have 48 bits, with 5 they have 57; the highest is the kernel's sign.
    let address_bits = match optional(info.number("pgtable_l5_enabled"))? {
        None | Some(0) => 48,
        Some(_) => 57,
    };
    let sme_mask = optional(info.unsigned_number("sme_mask"))?.unwrap_or(0);
    Ok((
        Shape {
            page_shift: PAGE_SHIFT,
            address_bits,
            first: u64::MAX << (address_bits - 1),
            root: root.wrapping_sub(IMAGE_MAP).wrapping_add(phys_base) & ADDRESS & !sme_mask,
        },
        Format { sme_mask },
    ))
}
