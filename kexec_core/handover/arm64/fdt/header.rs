// SPDX-License-Identifier: GPL-2.0

//! The header of a flattened device tree, and the numbers that its blocks are made of (Devicetree
//! Specification v0.4, chapter 5).

use core::mem::{
    offset_of,
    size_of, //
};

use crate::types::bytes::{
    read_be_u32,
    to_usize,
    write, //
};

/// [`Header::magic`].
pub const MAGIC: u32 = 0xd00d_feed;
/// The version of the format that is read and written.
pub const VERSION: u32 = 17;
/// The oldest version that a reader of [`VERSION`] is compatible with.
pub const LAST_COMP_VERSION: u32 = 16;

/// Token: a node starts; its name follows.
pub const BEGIN_NODE: u32 = 1;
/// Token: a node ends.
pub const END_NODE: u32 = 2;
/// Token: a property; its length, its name's offset and its value follow.
pub const PROP: u32 = 3;
/// Token: to be skipped.
pub const NOP: u32 = 4;
/// Token: the structure block ends.
pub const END: u32 = 9;

/// Length and alignment of a token.
pub const TOKEN_LEN: usize = 4;
/// Length of an entry of the memory reservation block: a 64-bit address and a 64-bit size.
pub const RESERVATION_LEN: usize = 16;
/// The deepest nesting of nodes that the kernel reads.
pub const DEPTH_MAX: usize = 64;
/// Longest name of a node or a property. The specification allows far less.
pub const NAME_LEN_MAX: usize = 1024;

/// The header. In memory, all fields are big-endian.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: u32,
    /// Length of the header and all blocks.
    pub totalsize: u32,
    /// Offset of the structure block.
    pub off_dt_struct: u32,
    /// Offset of the strings block.
    pub off_dt_strings: u32,
    /// Offset of the memory reservation block.
    pub off_mem_rsvmap: u32,
    /// Version of the format.
    pub version: u32,
    /// The oldest version that this one is compatible with.
    pub last_comp_version: u32,
    /// Physical ID of the boot CPU.
    pub boot_cpuid_phys: u32,
    /// Length of the strings block.
    pub size_dt_strings: u32,
    /// Length of the structure block.
    pub size_dt_struct: u32,
}

/// Length of a [`Header`].
pub const HEADER_LEN: usize = size_of::<Header>();

const _: () = {
    assert!(HEADER_LEN == 40);
    assert!(offset_of!(Header, totalsize) == 4);
    assert!(offset_of!(Header, off_mem_rsvmap) == 16);
    assert!(offset_of!(Header, boot_cpuid_phys) == 28);
    assert!(offset_of!(Header, size_dt_struct) == 36);
};

impl Header {
    /// Reads the header at the start of `bytes`, without checking it.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let field = |offset| read_be_u32(bytes, offset);
        Some(Self {
            magic: field(offset_of!(Self, magic))?,
            totalsize: field(offset_of!(Self, totalsize))?,
            off_dt_struct: field(offset_of!(Self, off_dt_struct))?,
            off_dt_strings: field(offset_of!(Self, off_dt_strings))?,
            off_mem_rsvmap: field(offset_of!(Self, off_mem_rsvmap))?,
            version: field(offset_of!(Self, version))?,
            last_comp_version: field(offset_of!(Self, last_comp_version))?,
            boot_cpuid_phys: field(offset_of!(Self, boot_cpuid_phys))?,
            size_dt_strings: field(offset_of!(Self, size_dt_strings))?,
            size_dt_struct: field(offset_of!(Self, size_dt_struct))?,
        })
    }

    /// Where the last block ends. The length of the memory reservations is not in the header: where
    /// they come last, this is the end of the tree.
    pub(super) fn end_of_blocks(&self) -> usize {
        let end = |offset: u32, len| to_usize(offset.into()).saturating_add(to_usize(len));
        let structure = end(self.off_dt_struct, self.size_dt_struct.into());
        let strings = end(self.off_dt_strings, self.size_dt_strings.into());
        let others = structure.max(strings);
        match to_usize(self.off_mem_rsvmap.into()) < others {
            true => others,
            false => to_usize(self.totalsize.into()),
        }
    }

    /// Encodes the header as it is in memory.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        for (offset, field) in [
            (offset_of!(Self, magic), self.magic),
            (offset_of!(Self, totalsize), self.totalsize),
            (offset_of!(Self, off_dt_struct), self.off_dt_struct),
            (offset_of!(Self, off_dt_strings), self.off_dt_strings),
            (offset_of!(Self, off_mem_rsvmap), self.off_mem_rsvmap),
            (offset_of!(Self, version), self.version),
            (offset_of!(Self, last_comp_version), self.last_comp_version),
            (offset_of!(Self, boot_cpuid_phys), self.boot_cpuid_phys),
            (offset_of!(Self, size_dt_strings), self.size_dt_strings),
            (offset_of!(Self, size_dt_struct), self.size_dt_struct),
        ] {
            write(&mut out, offset, &field.to_be_bytes());
        }
        out
    }
}
