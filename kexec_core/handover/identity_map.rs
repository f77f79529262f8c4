// SPDX-License-Identifier: GPL-2.0

//! The error that the identity maps of both architectures have in common.

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
