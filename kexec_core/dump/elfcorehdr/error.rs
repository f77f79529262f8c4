// SPDX-License-Identifier: GPL-2.0

//! The limits of an elfcorehdr, and the errors of writing or reading one.

use core::fmt;

use crate::types::{
    elf::{
        Architecture,
        ET_CORE,
        EV_CURRENT,
        HEADER_LEN,
        IDENT,
        PN_XNUM,
        PROGRAM_HEADER_LEN,
        PT_LOAD,
        PT_NOTE, //
    },
    errno::Errno,
    size::Size, //
};

/// Most program headers in an elfcorehdr: 8192 CPUs and as many pieces of memory.
pub const PROGRAM_HEADERS_MAX: usize = 16384;

// That number fits into `e_phnum`.
const _: () = assert!(PROGRAM_HEADERS_MAX < PN_XNUM as usize);

/// Longest memory of one PT_NOTE that is accepted, in bytes.
pub const NOTES_LEN_MAX: u64 = 1 << 20;

/// Longest memory of all PT_NOTEs together that is accepted, in bytes. The registers of 8192 CPUs
/// take 4 MiB. The capture kernel keeps a copy of all notes, so the length has to be bounded.
pub const NOTES_TOTAL_MAX: u64 = 16 << 20;

/// The end of the physical addresses that x86_64 and arm64 can have.
pub const PHYSICAL_END: u64 = 1 << 52;

/// Why an elfcorehdr cannot be written, or is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfcorehdrError {
    /// There are more program headers than an elfcorehdr can have.
    TooMany {
        /// The number of program headers.
        count: usize,
    },
    /// The buffer has no room.
    Buffer {
        /// Length of the elfcorehdr.
        needed: usize,
        /// Length of the buffer.
        len: usize,
    },
    /// The elfcorehdr ends early.
    Truncated {
        /// Length that it should have.
        needed: usize,
        /// Length that is there.
        len: usize,
    },
    /// The elfcorehdr is not a 64-bit little-endian ELF file.
    Ident {
        /// The first bytes.
        found: [u8; IDENT.len()],
    },
    /// The elfcorehdr is not that of a core file.
    Type {
        /// `e_type`.
        found: u16,
    },
    /// The elfcorehdr is of another architecture.
    Architecture {
        /// `e_machine`.
        found: u16,
        /// The architecture that it should be of.
        expected: Architecture,
    },
    /// The version or the length of the ELF header is unknown.
    Version {
        /// `e_version`.
        version: u32,
        /// `e_ehsize`.
        header_len: u16,
    },
    /// The program headers have another place or another length than expected.
    ProgramHeaders {
        /// `e_phoff`.
        offset: u64,
        /// `e_phentsize`.
        len: u16,
    },
    /// There are no notes, so there are no registers.
    NoNotes,
    /// The notes are longer than any machine needs.
    NotesTooLong {
        /// Index of the program header that exceeds the limit.
        index: usize,
    },
    /// A program header is neither a note nor memory, or a note comes after memory.
    UnexpectedType {
        /// Index of the program header.
        index: usize,
        /// `p_type`.
        found: u32,
    },
    /// A program header has an impossible size, or its memory is not physical memory.
    Extent {
        /// Index of the program header.
        index: usize,
        /// `p_offset`.
        offset: u64,
        /// `p_filesz`.
        file_len: u64,
        /// `p_memsz`.
        memory_len: u64,
    },
    /// A program header's contents are not at its physical address.
    OffsetNotAddress {
        /// Index of the program header.
        index: usize,
        /// `p_offset`.
        offset: u64,
        /// `p_paddr`.
        physical_address: u64,
    },
    /// A piece of memory has a virtual address in common with another, is out of order, or wraps.
    VirtualAddress {
        /// Index of the program header.
        index: usize,
        /// The virtual address of the piece.
        virtual_address: u64,
        /// The length of the piece.
        len: u64,
    },
}

impl ElfcorehdrError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Buffer { .. } => Errno::NoMem,
            _ => Errno::Inval,
        }
    }
}

impl fmt::Display for ElfcorehdrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooMany { count } => write!(
                f,
                "the elfcorehdr would have {count} program headers, but \
                 {PROGRAM_HEADERS_MAX} are possible"
            ),
            Self::Buffer { needed, len } => write!(
                f,
                "the elfcorehdr needs {needed:#x} bytes, but there is room for {len:#x}"
            ),
            Self::Truncated { needed, len } => write!(
                f,
                "the elfcorehdr has {len:#x} bytes, but should have {needed:#x}"
            ),
            Self::Ident { found } => write!(
                f,
                "the elfcorehdr starts with {found:02x?}, not {IDENT:02x?}: elfcorehdr= \
                 is wrong, or the header was overwritten"
            ),
            Self::Type { found } => write!(
                f,
                "the elfcorehdr has type {found}, not {ET_CORE} (core file)"
            ),
            Self::Architecture { found, expected } => write!(
                f,
                "the elfcorehdr is of machine {found}, not {} ({})",
                expected.e_machine(),
                expected.name()
            ),
            Self::Version {
                version,
                header_len,
            } => write!(
                f,
                "the elfcorehdr has version {version} and {header_len} bytes, not version \
                 {EV_CURRENT} and {HEADER_LEN} bytes"
            ),
            Self::ProgramHeaders { offset, len } => write!(
                f,
                "the elfcorehdr has program headers of {len} bytes at {offset:#x}, not of \
                 {PROGRAM_HEADER_LEN} at {HEADER_LEN:#x}"
            ),
            Self::NoNotes => write!(f, "the elfcorehdr names no notes"),
            Self::NotesTooLong { index } => write!(
                f,
                "program header {index} of the elfcorehdr brings the notes to more than the \
                 {} that are believed",
                Size(NOTES_TOTAL_MAX)
            ),
            Self::UnexpectedType { index, found } => write!(
                f,
                "program header {index} of the elfcorehdr has type {found}: PT_NOTEs \
                 ({PT_NOTE}) and after them PT_LOADs ({PT_LOAD}) are possible"
            ),
            Self::Extent {
                index,
                offset,
                file_len,
                memory_len,
            } => write!(
                f,
                "program header {index} of the elfcorehdr has an impossible extent: {file_len:#x} \
                 of {memory_len:#x} bytes at {offset:#x}"
            ),
            Self::OffsetNotAddress {
                index,
                offset,
                physical_address,
            } => write!(
                f,
                "program header {index} of the elfcorehdr has the offset {offset:#x} and the \
                 physical address {physical_address:#x}, which should be equal"
            ),
            Self::VirtualAddress {
                index,
                virtual_address,
                len,
            } => write!(
                f,
                "program header {index} of the elfcorehdr has {len:#x} bytes at the virtual \
                 address {virtual_address:#x}, which overlap another one's, are out of order or \
                 leave the address space"
            ),
        }
    }
}
