// SPDX-License-Identifier: GPL-2.0

//! kdump-compressed files, which makedumpfile writes with `-c`, `-l`, `-p` and `-z`.
//!
//! The file begins with `struct disk_dump_header`, `struct kdump_sub_header` and the notes. Then come
//! two bitmaps, one bit for each frame: of those that there are, and of those that were kept. Then comes
//! a descriptor for each frame that was kept, in the order of the frames, and then what they point to, in
//! any order.

use std::ops::Range;

use kexec_core::dump::kdump_compressed::layout::{
    Utsname,
    HEADER_BLOCKS,
    KDUMP_SUB_HEADER_LEN,
    PAGE_DESCRIPTOR_LEN,
    UTSNAME_FIELD_LEN, //
};

use crate::{
    codec::Codec,
    frames::Frames, //
};

mod batch;
mod bitmap;
pub mod error;
mod known;
pub mod parts;
mod ranks;
pub mod reader;
pub mod reassemble;
mod shared;
pub mod worker;
pub mod writer;

/// What a file says of the dump that it holds.
#[derive(Clone, Debug)]
pub struct Description {
    /// `struct new_utsname` of the kernel: see [`utsname`].
    pub utsname: Utsname,
    /// The length of a page.
    pub page_len: u32,
    /// `phys_base` of x86_64: how far the kernel's image is from where it was linked to.
    pub phys_base: u64,
    /// The dump level, as makedumpfile's `-d`.
    pub dump_level: u32,
    /// The time of the crash: seconds and microseconds.
    pub timestamp: [u64; 2],
    /// The number of CPUs.
    pub cpus: u32,
    /// How pages are compressed, where that makes them shorter.
    pub codec: Codec,
    /// The level, or the codec's own.
    pub level: Option<i32>,
    /// All notes.
    pub notes: Vec<u8>,
    /// The frames of this file, if it is one of several that hold the dump together: see [`parts`].
    pub part: Option<Range<u64>>,
    /// Whether page structures of excluded pages were left out.
    pub excluded_vmemmap: bool,
}

/// `struct new_utsname` with these strings: sysname, nodename, release, version, machine, domainname. What
/// is too long is cut.
pub fn utsname(strings: [&[u8]; 6]) -> Utsname {
    let mut utsname: Utsname = [[0; UTSNAME_FIELD_LEN]; 6];
    for (field, string) in utsname.iter_mut().zip(strings) {
        let len = string.len().min(UTSNAME_FIELD_LEN - 1);
        field[..len].copy_from_slice(&string[..len]);
    }
    utsname
}

/// Where things are in a file.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    page_len: u64,
    /// Blocks with the sub-header and the notes.
    sub_header_blocks: u64,
    /// Blocks of one bitmap.
    bitmap_blocks: u64,
    /// The number of descriptors.
    descriptors: u64,
}

impl Geometry {
    fn new(description: &Description, memory: &Frames, descriptors: u64) -> Self {
        let page_len = u64::from(description.page_len);
        Self {
            page_len,
            sub_header_blocks: Self::sub_header_blocks(&description.notes, page_len),
            bitmap_blocks: memory.end().div_ceil(8).div_ceil(page_len),
            descriptors,
        }
    }

    /// The blocks that the sub-header needs with these notes.
    fn sub_header_blocks(notes: &[u8], page_len: u64) -> u64 {
        ((KDUMP_SUB_HEADER_LEN + notes.len()) as u64).div_ceil(page_len)
    }

    /// The offset of the notes.
    fn notes(&self) -> u64 {
        HEADER_BLOCKS * self.page_len + KDUMP_SUB_HEADER_LEN as u64
    }

    /// The offset of the bitmap of the frames that there are.
    fn memory_bitmap(&self) -> u64 {
        (HEADER_BLOCKS + self.sub_header_blocks) * self.page_len
    }

    /// The offset of the bitmap of the frames that were kept.
    fn kept_bitmap(&self) -> u64 {
        self.memory_bitmap() + self.bitmap_blocks * self.page_len
    }

    /// The offset of the descriptors.
    fn descriptors(&self) -> u64 {
        self.kept_bitmap() + self.bitmap_blocks * self.page_len
    }

    /// The offset of what is after the descriptors.
    fn data(&self) -> u64 {
        self.descriptors() + self.descriptors * PAGE_DESCRIPTOR_LEN as u64
    }
}
