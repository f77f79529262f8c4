// SPDX-License-Identifier: GPL-2.0

//! The segments of the loaded image.

use crate::types::digest::{
    Checked,
    DIGEST_LEN, //
};
use core::mem::{
    offset_of,
    size_of, //
};

/// Most segments that there is room for in the status.
pub const SEGMENTS_MAX: usize = 16;

/// The kind of a segment of the loaded image. The number is the one in [`SegmentRecord::kind`] and
/// in the purgatory's table.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// The capture kernel.
    Kernel = 1,
    /// The initial RAM disk.
    Initrd = 2,
    /// The x86 zero page with the command line after it.
    BootParams = 3,
    /// The ELF core header that `elfcorehdr=` names.
    Elfcorehdr = 4,
    /// The purgatory's code, stack and page tables.
    Purgatory = 5,
    /// The table of digests that the purgatory compares.
    PurgatoryTable = 6,
    /// The flattened device tree.
    DeviceTree = 7,
}

impl SegmentKind {
    /// Every kind, in the order of the numbers.
    pub const ALL: [Self; 7] = [
        Self::Kernel,
        Self::Initrd,
        Self::BootParams,
        Self::Elfcorehdr,
        Self::Purgatory,
        Self::PurgatoryTable,
        Self::DeviceTree,
    ];

    /// The number of kinds. An image has one segment of each at most.
    pub const COUNT: usize = Self::ALL.len();

    /// The kind with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }

    /// Whether the purgatory checks such a segment. The module checks the others before it jumps: the
    /// purgatory, which writes to its own memory, and the purgatory's table. Every image has both.
    pub const fn is_checked_by_purgatory(self) -> bool {
        !matches!(self, Self::Purgatory | Self::PurgatoryTable)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::BootParams => "boot_params",
            Self::Elfcorehdr => "elfcorehdr",
            Self::Purgatory => "purgatory",
            Self::PurgatoryTable => "purgatory table",
            Self::DeviceTree => "device tree",
        }
    }
}

/// One segment of the loaded image.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentRecord {
    /// A [`SegmentKind`]'s number.
    pub kind: u32,
    /// [`crate::types::digest::Algorithm`] of the digest, as a number; 0 where none is checked.
    pub algorithm: u32,
    /// Physical address.
    pub start: u64,
    /// Bytes that were copied there; the digest covers these.
    pub file_len: u64,
    /// Bytes that the segment owns, `file_len` or more; the rest is zeroed.
    pub memory_len: u64,
    /// The digest of the first `file_len` bytes; zeros where none is checked.
    pub digest: [u8; DIGEST_LEN],
}

impl SegmentRecord {
    /// The range that the digest covers, with the digest.
    pub fn checked(&self) -> Checked {
        Checked {
            start: self.start,
            len: self.file_len,
            kind: self.kind,
            algorithm: self.algorithm,
            digest: self.digest,
        }
    }
}

const _: () = {
    assert!(SegmentKind::COUNT <= SEGMENTS_MAX);
    assert!(size_of::<SegmentRecord>() == 64);
    assert!(offset_of!(SegmentRecord, digest) == 32);
};
