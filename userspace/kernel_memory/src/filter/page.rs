// SPDX-License-Identifier: GPL-2.0

//! What one page struct says.

use super::{
    class::Class,
    layout::Layout, //
};

/// In `mapping`: the page is a process's, and in no file (`FOLIO_MAPPING_ANON`).
const ANONYMOUS: u64 = 1 << 0;
/// In the compound word: the page is no compound page's first.
const TAIL: u64 = 1 << 0;
/// In the flags of a compound page's second page: the order of the compound page.
const ORDER: u64 = 0xff;
/// The flags of a struct that was never written to (`PAGE_POISON_PATTERN`).
const NEVER_WRITTEN: u64 = u64::MAX;

/// The largest order of a compound page: 16 GiB of pages of 64 KiB, and some more.
const COMPOUND_ORDER_MAX: u32 = 24;
/// A mask from this address on has no bit that a page struct's address there could have: the
/// kernel's page structs end 1 GiB below the end of addresses, if not before.
const MASKS: u64 = 0xffff_ffff_c000_0000;

/// A page struct.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    layout: &'a Layout,
    bytes: &'a [u8],
}

/// The address of the struct of a compound page's first page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// It is this.
    Address(u64),
    /// It has these bits of the address of any other page's struct (Linux 7.1, `compound_info`).
    Mask(u64),
}

impl Head {
    /// The address, for one of the compound page's structs.
    pub fn address(self, of: u64) -> u64 {
        match self {
            Self::Address(address) => address,
            Self::Mask(mask) => of & mask,
        }
    }
}

impl<'a> Page<'a> {
    /// The struct in `bytes`, which are as many as the layout was checked against.
    pub fn new(layout: &'a Layout, bytes: &'a [u8]) -> Self {
        Self { layout, bytes }
    }

    fn word(&self, offset: usize) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[offset..offset + 8]);
        u64::from_le_bytes(word)
    }

    fn type_word(&self) -> u32 {
        let mut word = [0; 4];
        let offset = self.layout.type_word;
        word.copy_from_slice(&self.bytes[offset..offset + 4]);
        u32::from_le_bytes(word)
    }

    fn flags(&self) -> u64 {
        self.word(self.layout.flags)
    }

    /// The compound page that this is a page of, but for its first.
    pub fn head(&self) -> Option<Head> {
        let word = self.word(self.layout.compound);
        if word & TAIL == 0 || self.flags() == NEVER_WRITTEN {
            return None;
        }
        let word = word - TAIL;
        // A mask is ones and then zeros.
        let is_mask = word >= MASKS && word.leading_ones() + word.trailing_zeros() == u64::BITS;
        Some(if is_mask {
            Head::Mask(word)
        } else {
            Head::Address(word)
        })
    }

    /// Whether this seems to be a compound page's first.
    pub fn may_be_head(&self) -> bool {
        self.flags() & self.layout.head != 0 && self.flags() != NEVER_WRITTEN
    }

    /// The order of the compound page of which this is the second.
    pub fn compound_order(&self) -> Option<u32> {
        let order = (self.flags() & ORDER) as u32;
        (1..=COMPOUND_ORDER_MAX).contains(&order).then_some(order)
    }

    /// Whether the hardware reported the page as defective.
    pub fn is_hwpoison(&self) -> bool {
        let flags = self.flags();
        flags & self.layout.hwpoison != 0 && flags != NEVER_WRITTEN
    }

    /// The order of the block of which this is the first page, if it is a block of no compound page.
    pub fn block_order(&self, class: Class) -> Option<u32> {
        let order = match class {
            Class::Free => self.word(self.layout.private),
            // There are none of another order.
            Class::Unaccepted => u64::from(self.layout.free_order_max()),
            _ => 0,
        };
        (order <= u64::from(self.layout.free_order_max())).then_some(order as u32)
    }

    /// What the page is for, if it is not a compound page's other than its first.
    ///
    /// Types come before what else a struct says: in a struct of some type, the other words are its
    /// owner's.
    pub fn class(&self) -> Class {
        let Layout {
            lru,
            has_private,
            swap_cache,
            reserved,
            buddy,
            slab,
            hugetlb,
            table,
            offline,
            unaccepted,
            ..
        } = self.layout;
        let flags = self.flags();
        let word = self.type_word();
        let is = |known: &Option<super::layout::PageType>| known.is_some_and(|it| it.is(word));
        if flags == NEVER_WRITTEN {
            return Class::Unknown;
        }
        if is(offline) {
            return Class::Offline;
        }
        // Whatever else it seems to be: the kernel image is reserved.
        if flags & reserved != 0 {
            return Class::Reserved;
        }
        if slab.is(word) {
            return Class::Slab;
        }
        if buddy.is(word) {
            return Class::Free;
        }
        if is(unaccepted) {
            return Class::Unaccepted;
        }
        if is(table) {
            return Class::Table;
        }
        if hugetlb.is(word) {
            return Class::Hugetlb;
        }
        if self.layout.has_type(word) {
            return Class::Kernel;
        }
        if self.word(self.layout.mapping) & ANONYMOUS != 0 {
            return Class::Anonymous;
        }
        if flags & lru != 0 || flags & swap_cache == *swap_cache {
            return if flags & has_private != 0 {
                Class::PrivateCache
            } else {
                Class::Cache
            };
        }
        Class::Kernel
    }
}
