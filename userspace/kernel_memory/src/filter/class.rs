// SPDX-License-Identifier: GPL-2.0

//! What a page frame is for.

use super::level::Level;

/// What a page frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// The kernel's, for none of the purposes below.
    Kernel,
    /// The kernel image and what it was given at boot (`PG_reserved`).
    Reserved,
    /// Objects of the slab allocator.
    Slab,
    /// Page tables.
    Table,
    /// It has no page struct, or the struct cannot be read.
    Unknown,
    /// The page cache.
    Cache,
    /// The page cache, with data of the file system's.
    PrivateCache,
    /// The memory of processes that is in no file.
    Anonymous,
    /// Huge pages of hugetlbfs.
    Hugetlb,
    /// Nobody's.
    Free,
    /// Nobody's, and not yet accepted by a confidential virtual machine.
    Unaccepted,
    /// The hardware reported it as defective; reading it can stop the machine.
    Hwpoison,
    /// The hypervisor or a driver has it; reading it may fail.
    Offline,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Kernel,
        Self::Reserved,
        Self::Slab,
        Self::Table,
        Self::Unknown,
        Self::Cache,
        Self::PrivateCache,
        Self::Anonymous,
        Self::Hugetlb,
        Self::Free,
        Self::Unaccepted,
        Self::Hwpoison,
        Self::Offline,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Reserved => "reserved",
            Self::Slab => "slab",
            Self::Table => "page tables",
            Self::Unknown => "unknown",
            Self::Cache => "page cache",
            Self::PrivateCache => "page cache, private",
            Self::Anonymous => "anonymous",
            Self::Hugetlb => "hugetlb",
            Self::Free => "free",
            Self::Unaccepted => "unaccepted",
            Self::Hwpoison => "hwpoison",
            Self::Offline => "offline",
        }
    }

    /// Whether a dump of a level has frames of this class.
    pub fn is_kept(self, level: Level) -> bool {
        match self {
            Self::Kernel | Self::Reserved | Self::Slab | Self::Table | Self::Unknown => true,
            Self::Cache => !level.has(Level::CACHE | Level::PRIVATE_CACHE),
            Self::PrivateCache => !level.has(Level::PRIVATE_CACHE),
            Self::Anonymous | Self::Hugetlb => !level.has(Level::USER),
            Self::Free | Self::Unaccepted => !level.has(Level::FREE),
            Self::Hwpoison | Self::Offline => false,
        }
    }
}

// Counts have a place for each.
const _: () = {
    let mut at = 0;
    while at < Class::ALL.len() {
        assert!(Class::ALL[at] as usize == at);
        at += 1;
    }
};
