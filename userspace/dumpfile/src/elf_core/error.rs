// SPDX-License-Identifier: GPL-2.0

//! Why an ELF core file cannot be read.

use std::{
    fmt,
    io, //
};

use kexec_core::types::elf::PROGRAM_HEADER_LEN;

/// Why an ELF core file cannot be read.
#[derive(Debug)]
pub enum ElfCoreError {
    /// The file cannot be read.
    Io(io::Error),
    /// It does not begin as an ELF file of 64 bits, little-endian.
    NotElf,
    /// It is an ELF file, but no core.
    NotCore(u16),
    /// It is of a machine that is not handled here.
    Machine(u16),
    /// Its program headers have another length than those of the format.
    ProgramHeaderLen(u16),
    /// Its program headers are not in the file.
    ProgramHeadersPastEnd {
        /// Where they should be.
        offset: u64,
        /// How many there should be.
        count: u64,
    },
    /// Its notes are not in the file.
    NotesPastEnd {
        /// Where they should be.
        offset: u64,
        /// Their length.
        len: u64,
    },
    /// Its notes are longer than those of any machine.
    NotesLen(u64),
    /// A piece of memory goes beyond the last address.
    Address {
        /// Where it begins.
        address: u64,
        /// Its length.
        len: u64,
    },
}

impl fmt::Display for ElfCoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the dump cannot be read: {error}"),
            Self::NotElf => write!(
                f,
                "the file is no ELF file of 64 bits, little-endian, which dumps of x86_64 and arm64 are"
            ),
            Self::NotCore(elf_type) => write!(
                f,
                "the file is an ELF file of type {elf_type}, and no core file: give /proc/vmcore, or \
                 a copy of it"
            ),
            Self::Machine(machine) => write!(
                f,
                "the dump is of a machine with the number {machine}; those of x86_64 (62) and arm64 \
                 (183) are read"
            ),
            Self::ProgramHeaderLen(len) => write!(
                f,
                "the dump says that its program headers have {len} bytes, but they have \
                 {PROGRAM_HEADER_LEN}: it was damaged"
            ),
            Self::ProgramHeadersPastEnd { offset, count } => write!(
                f,
                "the dump ends before its {count} program headers at offset {offset:#x}: it was cut \
                 off or damaged"
            ),
            Self::NotesPastEnd { offset, len } => write!(
                f,
                "the dump ends before its notes, {len:#x} bytes at offset {offset:#x}: it was cut off \
                 or damaged"
            ),
            Self::NotesLen(len) => write!(
                f,
                "the dump says that it has {len:#x} bytes of notes, which is more than any machine's: \
                 it was damaged"
            ),
            Self::Address { address, len } => write!(
                f,
                "the dump says that it has {len:#x} bytes of memory at {address:#x}, which goes beyond \
                 the last address: it was damaged"
            ),
        }
    }
}

impl std::error::Error for ElfCoreError {}
