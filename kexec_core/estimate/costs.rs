// SPDX-License-Identifier: GPL-2.0

//! What no file tells: measured figures, rounded up. docs/memory.md names the kernels, which have pages of
//! 4 KiB.

use crate::types::elf::Architecture;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// The length of a `struct page`.
pub(super) const PAGE_STRUCTURE_LEN: u64 = 64;
/// What is loaded besides kernel and initrd: elfcorehdr, boot parameters or device tree, purgatory.
pub(super) const TABLES_LEN: u64 = MIB;
/// The node and the name of a file.
pub(super) const FILE_LEN: u64 = KIB;
/// The part of memory that the allocator does not give to programs, and what it has in small pieces.
pub(super) const RESERVE_LEN: u64 = 4 * MIB;

/// The log's bytes and the descriptors of its records, for each byte that `log_buf_len=` asks for: 5.25 in
/// 7.3.
pub(super) const LOG_FACTOR: u64 = 6;

/// The figures of an architecture.
pub(super) struct Costs {
    /// For each CPU that there could be.
    pub(super) possible_cpu: u64,
    /// For each CPU that runs.
    pub(super) started_cpu: u64,
    /// What a kernel takes when it sets itself up.
    kernel: u64,
    /// The same, for each MiB of the kernel: a larger one has more to set up.
    kernel_share: u64,
    /// The memory that one piece of the page structures is for (SECTION_SIZE_BITS).
    pub(super) section: u64,
    /// Pieces of memory far from the region: below 1 MiB on x86_64.
    pub(super) other_sections: u64,
}

impl Costs {
    pub(super) const fn of(architecture: Architecture, page_len: u64) -> Self {
        match architecture {
            Architecture::X86_64 => Self {
                possible_cpu: 512 * KIB,
                started_cpu: MIB,
                kernel: 5 * MIB,
                kernel_share: 192 * KIB,
                section: 128 * MIB,
                other_sections: 1,
            },
            Architecture::Arm64 => Self {
                possible_cpu: 512 * KIB,
                started_cpu: MIB,
                kernel: 5 * MIB + 512 * KIB,
                kernel_share: 192 * KIB,
                section: match page_len > 16 * KIB {
                    true => 512 * MIB,
                    false => 128 * MIB,
                },
                other_sections: 0,
            },
        }
    }

    /// What a kernel of this length takes when it sets itself up.
    pub(super) fn set_up(&self, kernel_len: u64) -> u64 {
        (kernel_len >> 20)
            .saturating_mul(self.kernel_share)
            .saturating_add(self.kernel)
    }
}
