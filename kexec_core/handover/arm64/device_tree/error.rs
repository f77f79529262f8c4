// SPDX-License-Identifier: GPL-2.0

//! The errors of making the capture kernel's device tree.

use core::fmt;

use super::chosen::{
    REGIONS_MAX,
    TREE_LEN_MAX,
    USABLE_MEMORY_RANGE, //
};
use crate::{
    handover::arm64::fdt::{
        Cells,
        FdtError, //
    },
    types::{
        bytes::to_u64,
        errno::Errno,
        ranges::Range,
        size::Size, //
    }, //
};

/// Why the capture kernel's device tree cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceTreeError {
    /// The running kernel's cannot be read.
    Fdt(FdtError),
    /// The one that is given in its place cannot be read.
    Given(FdtError),
    /// It names firmware's tables otherwise than the running kernel's does.
    OtherFirmware {
        /// The property.
        property: &'static str,
    },
    /// It lacks memory that the running kernel's has.
    MemoryMissing {
        /// The memory.
        range: Range,
    },
    /// It has memory that the running kernel's has not.
    MemoryAdded {
        /// The memory.
        range: Range,
    },
    /// It does not reserve what the running kernel's reserves.
    Unreserved {
        /// The memory.
        range: Range,
    },
    /// Addresses or sizes have neither one cell nor two.
    Cells(Cells),
    /// An address or a length does not fit into the cells that the tree has for it.
    TooHigh {
        /// The property that it is for.
        property: &'static str,
        /// The range.
        range: Range,
    },
    /// There are no usable ranges, or too many.
    UsableCount {
        /// The number of ranges.
        count: usize,
    },
    /// The elfcorehdr or the initrd is not in usable memory.
    Unusable {
        /// The property that would name its place.
        property: &'static str,
        /// The place of the elfcorehdr or of the initrd.
        range: Range,
    },
    /// The command line has a NUL.
    BootArgs {
        /// The offset of the NUL.
        offset: usize,
    },
    /// The result is longer than a kernel reads.
    TooLong {
        /// The length of the tree.
        len: usize,
    },
    /// The buffer has no room.
    Buffer {
        /// Room that is needed.
        needed: usize,
        /// Length of the buffer.
        len: usize,
    },
}

/// What helps where a tree was not made for this machine.
const START_FROM: &str = "change a copy of /sys/firmware/fdt";

impl DeviceTreeError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Fdt(error) | Self::Given(error) => error.errno(),
            Self::Buffer { .. } => Errno::NoMem,
            _ => Errno::Inval,
        }
    }
}

impl From<FdtError> for DeviceTreeError {
    fn from(error: FdtError) -> Self {
        Self::Fdt(error)
    }
}

impl fmt::Display for DeviceTreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Fdt(error) => error.fmt(f),
            Self::Given(error) => write!(f, "the file of the device tree: {error}"),
            Self::OtherFirmware { property } => write!(
                f,
                "the device tree's {property} is not that of the running kernel's, by which UEFI is found: \
                 {START_FROM}"
            ),
            Self::MemoryMissing { range } => write!(
                f,
                "the device tree has no memory at {range}, where the running kernel's has some, mostly from \
                 the boot loader: {START_FROM}"
            ),
            Self::MemoryAdded { range } => write!(
                f,
                "the device tree has memory at {range}, where the running kernel's has none: {START_FROM}"
            ),
            Self::Unreserved { range } => write!(
                f,
                "the device tree does not reserve {range}, as the running kernel's does, which firmware may \
                 use: {START_FROM}"
            ),
            Self::Cells(Cells { address, size }) => write!(
                f,
                "the device tree's root has {address} #address-cells and {size} #size-cells, but \
                 one or two of each are needed: the tree is damaged"
            ),
            Self::TooHigh { property, range } => write!(
                f,
                "{property} has to tell of {range}, but the cells of the device tree's root hold \
                 32 bits: reserve below 4 GiB with crashkernel=size@offset"
            ),
            Self::UsableCount { count } => write!(
                f,
                "{USABLE_MEMORY_RANGE} is to tell of {count} ranges, but from 1 to {REGIONS_MAX} \
                 can be told"
            ),
            Self::Unusable { property, range } => write!(
                f,
                "{property} is to tell of {range}, which is not in the crash region"
            ),
            Self::BootArgs { offset } => write!(
                f,
                "the command line has a NUL at offset {offset}, where the kernel would end it"
            ),
            Self::TooLong { len } => write!(
                f,
                "the capture kernel's device tree would have {}, but a kernel reads {} at most",
                Size(to_u64(len)),
                Size(to_u64(TREE_LEN_MAX))
            ),
            Self::Buffer { needed, len } => write!(
                f,
                "the capture kernel's device tree needs {needed} bytes, but there is room for {len}"
            ),
        }
    }
}
