// SPDX-License-Identifier: GPL-2.0

//! The kdump-compressed format, which makedumpfile writes with `-c`, `-l`, `-p` and `-z`: its
//! structures, and the way to the notes.
//!
//! The file begins with a block that has `struct disk_dump_header`. `struct kdump_sub_header` begins
//! the next block. From version 4 on it says where the notes of the ELF dump are that was
//! compressed. makedumpfile's `diskdump_mod.h` defines both structures, and its `IMPLEMENTATION` the
//! format. Numbers are those of the machine that wrote the file; here that is one of 64 bits,
//! little-endian.

pub mod layout;

use core::fmt;

use crate::{
    dump::kdump_compressed::layout::{
        BLOCK_SIZE,
        HEADER_VERSION,
        OFFSET_NOTE,
        SIGNATURE,
        SIZE_NOTE, //
    },
    types::bytes::{
        read_u32,
        read_u64, //
    }, //
};

/// The first version whose files have the notes.
const VERSION_WITH_NOTES: u32 = 4;

/// Lengths that blocks can have: those of pages.
const BLOCK_LEN_MIN: u32 = 4 << 10;
const BLOCK_LEN_MAX: u32 = 64 << 10;

/// Length of what is read of `struct disk_dump_header`.
pub const HEADER_LEN: usize = BLOCK_SIZE + 4;

/// Length of what is read of `struct kdump_sub_header`.
pub const SUB_HEADER_LEN: usize = SIZE_NOTE + 8;

/// Why the notes of such a file cannot be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KdumpCompressedError {
    /// It is of a version without notes.
    Version(u32),
    /// Its blocks have a length that pages do not have.
    BlockLen(u32),
    /// It ends before its notes.
    Short {
        /// The length that was needed.
        needed: usize,
        /// Its length.
        len: usize,
    },
    /// There are no notes in it.
    NoNotes,
}

impl fmt::Display for KdumpCompressedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(
                f,
                "the file is kdump-compressed in version {version}, which keeps no notes: from \
                 version {VERSION_WITH_NOTES} on it does"
            ),
            Self::BlockLen(len) => write!(
                f,
                "the file is kdump-compressed, with blocks of {len} bytes, which is no length of a \
                 page: it was damaged, or written on another kind of machine"
            ),
            Self::Short { needed, len } => write!(
                f,
                "the file is kdump-compressed, and ends after {len} of the {needed} bytes of a \
                 header: it was cut off"
            ),
            Self::NoNotes => write!(
                f,
                "the file is kdump-compressed, and has no notes: the dump that it was made from had \
                 none"
            ),
        }
    }
}

/// The header at the start of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    block_len: u32,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its offset in the file.
    pub offset: u64,
    /// Its length.
    pub len: u64,
}

impl Header {
    /// Reads the header at the start of a file; `None` for a file of another format.
    pub fn parse(file: &[u8]) -> Result<Option<Self>, KdumpCompressedError> {
        if !file.starts_with(&SIGNATURE) {
            return Ok(None);
        }
        let short = KdumpCompressedError::Short {
            needed: HEADER_LEN,
            len: file.len(),
        };
        let version = read_u32(file, HEADER_VERSION).ok_or(short)?;
        let block_len = read_u32(file, BLOCK_SIZE).ok_or(short)?;
        if version < VERSION_WITH_NOTES {
            return Err(KdumpCompressedError::Version(version));
        }
        let is_page_len = block_len.is_power_of_two();
        match is_page_len && (BLOCK_LEN_MIN..=BLOCK_LEN_MAX).contains(&block_len) {
            true => Ok(Some(Self { block_len })),
            false => Err(KdumpCompressedError::BlockLen(block_len)),
        }
    }

    /// The offset in the file of `struct kdump_sub_header`.
    pub fn sub_header_offset(&self) -> u64 {
        self.block_len.into()
    }
}

/// Where the notes are, by the bytes of `struct kdump_sub_header`.
pub fn notes(sub_header: &[u8]) -> Result<Extent, KdumpCompressedError> {
    let short = KdumpCompressedError::Short {
        needed: SUB_HEADER_LEN,
        len: sub_header.len(),
    };
    let offset = read_u64(sub_header, OFFSET_NOTE).ok_or(short)?;
    let len = read_u64(sub_header, SIZE_NOTE).ok_or(short)?;
    match offset == 0 || len == 0 {
        true => Err(KdumpCompressedError::NoNotes),
        false => Ok(Extent { offset, len }),
    }
}
