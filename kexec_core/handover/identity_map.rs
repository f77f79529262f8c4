// SPDX-License-Identifier: GPL-2.0

//! What the identity maps of both architectures have in common.

use core::fmt;

use crate::types::errno::Errno;

/// An identity map needs more page tables than the caller gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfTables {
    /// The number of page tables.
    pub available: usize,
}

impl OutOfTables {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::NoMem
    }
}

impl fmt::Display for OutOfTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the identity map of the crash region needs more than the {} page tables planned for \
             it: reserve one contiguous region with crashkernel=",
            self.available
        )
    }
}

/// Says that something else is mapped at an address.
pub(crate) fn in_use(address: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "two things were to be mapped at {address:#x} when the image is copied to its place: report this, with \
         /proc/iomem"
    )
}

/// Where the tables of a map lie in physical memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Places<'a> {
    /// One after the other from this address on.
    From(u64),
    /// Each at an address of its own.
    Each(&'a [u64]),
}

impl Places<'_> {
    /// The address of the table with this number, where tables have `table_len` bytes.
    pub(crate) fn address(&self, table: usize, table_len: u64) -> Option<u64> {
        match self {
            Self::From(base) => base.checked_add(table_len.checked_mul(table as u64)?),
            Self::Each(addresses) => addresses.get(table).copied(),
        }
    }

    /// The number of the table at this address.
    pub(crate) fn table(&self, address: u64, table_len: u64) -> Option<usize> {
        match self {
            Self::From(base) => {
                let offset = address.checked_sub(*base)?;
                usize::try_from(offset.checked_div(table_len)?).ok()
            }
            Self::Each(addresses) => addresses.iter().position(|found| *found == address),
        }
    }
}
