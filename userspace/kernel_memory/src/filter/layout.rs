// SPDX-License-Identifier: GPL-2.0

//! Where a page struct has what the filter looks at, and what it means, by VMCOREINFO
//! (kernel/vmcore_info.c; include/linux/page-flags.h).

use std::fmt;

use crate::{
    pages::PagesError,
    vmcoreinfo::{
        optional,
        Vmcoreinfo,
        VmcoreinfoError, //
    }, //
};

/// The largest number of lists of free blocks. The kernels of arm64 have up to 14.
const FREE_ORDERS_MAX: u64 = 24;

/// A page's type is the highest byte of the word that otherwise counts its mappings, since Linux
/// 6.12. The others belong to the page's owner.
const TYPE_MASK: u32 = 0xff << 24;
/// The first and the last type.
const TYPES: std::ops::RangeInclusive<u32> = 0xf0..=0xfe;
/// The type of page tables (`PGTY_table`), which VMCOREINFO does not have.
const TABLE: u32 = 0xf2 << 24;

/// How pages of a type are told from others.
#[derive(Clone, Copy, Debug)]
pub struct PageType {
    mask: u32,
    value: u32,
}

impl PageType {
    /// A type by its value in VMCOREINFO.
    fn new(value: i64) -> Self {
        // The kernel prints the word as a signed one.
        let value = value as u32;
        let mask = if value & !TYPE_MASK == 0 {
            TYPE_MASK
        } else {
            // Before 6.12, a bit of the word was zero.
            u32::MAX
        };
        Self { mask, value }
    }

    /// Whether the word says that the page is of this type.
    pub fn is(self, word: u32) -> bool {
        word & self.mask == self.value
    }
}

/// Where a page struct has what the filter looks at.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Offset of the flags.
    pub flags: usize,
    /// Offset of the pointer to what maps the page.
    pub mapping: usize,
    /// Offset of the word of which bit 0 says that the page is no compound page's first.
    pub compound: usize,
    /// Offset of the word with the page's type.
    pub type_word: usize,
    /// Offset of the word with the order of a block of free pages.
    pub private: usize,
    /// Flag: on a list of pages that may be reclaimed.
    pub lru: u64,
    /// Flag: the file system has data of its own.
    pub has_private: u64,
    /// Flags: in the swap cache.
    pub swap_cache: u64,
    /// Flag: defective; 0 where the kernel knows none.
    pub hwpoison: u64,
    /// Flag: reserved.
    pub reserved: u64,
    /// Flag: the first page of a compound one.
    pub head: u64,
    /// Type: the first page of a free block.
    pub buddy: PageType,
    /// Type: slab.
    pub slab: PageType,
    /// Type: the first page of a huge one.
    pub hugetlb: PageType,
    /// Type: page tables, where types are bytes.
    pub table: Option<PageType>,
    /// Type: offline, where the kernel knows it.
    pub offline: Option<PageType>,
    /// Type: the first page of an unaccepted block, where the kernel knows it.
    pub unaccepted: Option<PageType>,
    /// Whether types are bytes.
    has_type_bytes: bool,
    /// The number of lists of free blocks.
    free_orders: u32,
}

impl Layout {
    /// The layout of a kernel that describes itself so, with page structs of `size` bytes.
    pub fn new(info: &Vmcoreinfo, size: usize) -> Result<Self, FilterError> {
        let offset = |name: &'static str, len: usize| match info.offset(name)? {
            offset if offset % len == 0 && offset + len <= size => Ok(offset),
            offset => Err(FilterError::Offset { name, offset, size }),
        };
        let page_type = |name| info.number(name).map(PageType::new);
        // Linux 7.1 renamed it, because it no longer has a pointer in every kernel.
        let compound = match optional(info.offset("page.compound_head"))? {
            Some(_) => offset("page.compound_head", 8)?,
            None => offset("page.compound_info", 8)?,
        };
        let free_orders = info.length("zone.free_area")?;
        if !(1..=FREE_ORDERS_MAX).contains(&free_orders) {
            return Err(FilterError::FreeOrders(free_orders));
        }
        let has_private = info.bit("PG_private")?;
        let buddy = page_type("PAGE_BUDDY_MAPCOUNT_VALUE")?;
        let has_type_bytes = buddy.mask == TYPE_MASK;
        Ok(Self {
            flags: offset("page.flags", 8)?,
            mapping: offset("page.mapping", 8)?,
            compound,
            type_word: offset("page._mapcount", 4)?,
            private: offset("page.private", 8)?,
            lru: info.bit("PG_lru")?,
            has_private,
            swap_cache: info.bit("PG_swapcache")? | info.bit("PG_swapbacked")?,
            hwpoison: optional(info.bit("PG_hwpoison"))?.unwrap_or(0),
            // It stands before PG_private in the kernel's list, and VMCOREINFO does not have it.
            reserved: has_private >> 1,
            head: info.unsigned_number("PG_head_mask")?,
            buddy,
            slab: page_type("PAGE_SLAB_MAPCOUNT_VALUE")?,
            hugetlb: page_type("PAGE_HUGETLB_MAPCOUNT_VALUE")?,
            table: has_type_bytes.then(|| PageType::new(i64::from(TABLE))),
            offline: optional(page_type("PAGE_OFFLINE_MAPCOUNT_VALUE"))?,
            unaccepted: optional(page_type("PAGE_UNACCEPTED_MAPCOUNT_VALUE"))?,
            has_type_bytes,
            free_orders: free_orders as u32,
        })
    }

    /// The logarithm of the number of pages in the largest free block.
    pub fn free_order_max(&self) -> u32 {
        self.free_orders - 1
    }

    /// Whether the word has some type, known here or not.
    pub fn has_type(&self, word: u32) -> bool {
        self.has_type_bytes && TYPES.contains(&(word >> 24))
    }
}

/// Why there can be no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// VMCOREINFO does not say what is needed.
    Vmcoreinfo(VmcoreinfoError),
    /// The page structs cannot be found.
    Pages(PagesError),
    /// A member is not in the struct.
    Offset {
        /// The member's name.
        name: &'static str,
        /// Its offset.
        offset: usize,
        /// The struct's length.
        size: usize,
    },
    /// The number of lists of free blocks is none that a kernel has.
    FreeOrders(u64),
}

impl From<VmcoreinfoError> for FilterError {
    fn from(error: VmcoreinfoError) -> Self {
        Self::Vmcoreinfo(error)
    }
}

impl From<PagesError> for FilterError {
    fn from(error: PagesError) -> Self {
        Self::Pages(error)
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vmcoreinfo(error) => write!(
                f,
                "what the pages hold cannot be told: {error}. Kernels have what is needed since \
                 Linux 6.10"
            ),
            Self::Pages(error) => write!(f, "what the pages hold cannot be told: {error}"),
            Self::Offset { name, offset, size } => write!(
                f,
                "the kernel's VMCOREINFO says OFFSET({name})={offset}, which is no place in \
                 SIZE(page)={size}"
            ),
            Self::FreeOrders(orders) => write!(
                f,
                "the kernel's VMCOREINFO says LENGTH(zone.free_area)={orders}, which has to be \
                 between 1 and {FREE_ORDERS_MAX}"
            ),
        }
    }
}

impl std::error::Error for FilterError {}
