// SPDX-License-Identifier: GPL-2.0

//! What is common to the page tables of all architectures.

/// What an entry of a page table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The physical address of a table of the next level.
    Table(u64),
    /// The physical address of what is mapped.
    Leaf(u64),
    /// Nothing is mapped.
    Nothing,
    /// It is none that the architecture knows.
    Malformed,
}

/// What VMCOREINFO says of a kernel's tables.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The number of bits of an offset into a page.
    pub page_shift: u32,
    /// The number of bits of an address that the tables look at, the offset included.
    pub address_bits: u32,
    /// The first address that is translated.
    pub first: u64,
    /// Physical address of the top table.
    pub root: u64,
}
