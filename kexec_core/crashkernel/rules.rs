// SPDX-License-Identifier: GPL-2.0

//! What the reservation depends on, other than the memory.

use crate::types::elf::Architecture;

/// What kernels differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether `,cma` is known: from 6.17 on.
    pub knows_cma: bool,
    /// What a region's address is a multiple of (CRASH_ALIGN).
    pub alignment: u64,
    /// The end of the memory that a region comes from at first (CRASH_ADDR_LOW_MAX): 4 GiB, or on some
    /// arm64 machines what all devices can reach; all memory (`high_max`) in an arm64 kernel without
    /// ZONE_DMA and ZONE_DMA32.
    pub low_max: u64,
    /// The end of the memory that a region may come from at all (CRASH_ADDR_HIGH_MAX).
    pub high_max: u64,
    /// The size of a second, low region where none is given (DEFAULT_CRASH_KERNEL_LOW_SIZE).
    pub low_len: u64,
}

impl Rules {
    /// The rules of a version, such as 6 and 12.
    ///
    /// On x86_64 those of a kernel whose swiotlb has its usual size; on arm64 those of a machine whose
    /// devices reach all of the first 4 GiB.
    pub const fn of(architecture: Architecture, major: u32, minor: u32) -> Self {
        let knows_cma = major > 6 || (major == 6 && minor >= 17);
        match architecture {
            Architecture::X86_64 => Self {
                knows_cma,
                alignment: 16 << 20,
                low_max: 4 << 30,
                high_max: 64 << 40,
                low_len: 256 << 20,
            },
            Architecture::Arm64 => Self {
                knows_cma,
                alignment: 2 << 20,
                low_max: 4 << 30,
                high_max: 1 << 52,
                low_len: 128 << 20,
            },
        }
    }
}
