// SPDX-License-Identifier: GPL-2.0

//! Whether an x86_64 kernel can be entered: the conditions, and why one is refused.

use core::fmt;

use crate::types::{
    errno::Errno,
    ranges::Range,
    size::Size, //
};

/// The end of the memory that 32-bit code can address.
pub(super) const FOUR_GIB: u64 = 1 << 32;

/// Why an image does not suit the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// The kernel cannot be entered with 5-level paging.
    FiveLevelPaging,
    /// The kernel has to be entered with 4-level paging, and the region is not where the mode can be
    /// changed.
    FiveLevelAbove4G {
        /// The region.
        region: Range,
    },
    /// The kernel was linked to an address that no page starts at.
    Unaligned {
        /// The address.
        start: u64,
        /// The alignment that is needed.
        alignment: u64,
    },
    /// The region is partly above 4 GiB and the kernel cannot be there.
    Above4G {
        /// The region.
        region: Range,
    },
    /// The kernel does not fit into the region.
    TooBig {
        /// The memory that the kernel needs.
        init_size: u64,
        /// The alignment of its address.
        alignment: u64,
        /// The range in which it can lie.
        limit: Range,
        /// The region.
        region: Range,
    },
}

impl VerifyError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::TooBig { .. } => Errno::AddrNotAvail,
            _ => Errno::NoExec,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FiveLevelPaging => write!(
                f,
                "this machine runs with 5-level paging, which the kernel cannot be entered with \
                 (XLF_5LEVEL is not set): use a newer capture kernel, or boot with no5lvl"
            ),
            Self::FiveLevelAbove4G { region } => write!(
                f,
                "this machine runs with 5-level paging, a vmlinux does not tell whether it can be \
                 entered with it, and the crash region {region} ends above 4 GiB, where the mode \
                 cannot be changed: give the bzImage, which tells, reserve below with crashkernel= \
                 without ,high, or boot with no5lvl"
            ),
            Self::Unaligned { start, alignment } => write!(
                f,
                "the kernel was linked to {start:#x}, but needs a multiple of {alignment:#x}: give \
                 the vmlinux as the kernel's build made it"
            ),
            Self::Above4G { region } => write!(
                f,
                "the crash region {region} ends above 4 GiB, where the kernel cannot be loaded \
                 (XLF_CAN_BE_LOADED_ABOVE_4G is not set): use a newer capture kernel, or reserve \
                 below with crashkernel= without ,high"
            ),
            Self::TooBig {
                init_size,
                alignment,
                limit,
                region,
            } => {
                write!(
                    f,
                    "the kernel needs {} at a multiple of {alignment:#x}",
                    Size(init_size)
                )?;
                if limit.start() > region.start() {
                    write!(f, " from {:#x} on", limit.start())?;
                }
                write!(
                    f,
                    ", but the crash region {region} has {}: reserve more with crashkernel=",
                    Size(region.len())
                )
            }
        }
    }
}

/// The conditions under which an image is entered: the running machine's paging, and the crash
/// region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryConditions {
    /// Whether the processor has 5-level paging switched on (CR4.LA57).
    pub five_level_paging: bool,
    /// The region that was reserved for the capture kernel.
    pub region: Range,
}
