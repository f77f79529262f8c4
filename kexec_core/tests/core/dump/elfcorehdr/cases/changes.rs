// SPDX-License-Identifier: GPL-2.0

//! Changes to a good elfcorehdr.

use kexec_core::types::elf::{
    HEADER_LEN,
    PROGRAM_HEADER_LEN, //
};
use Change::{
    Byte,
    Cut,
    Field,
    Fill,
    Half,
    Word, //
};

use crate::fixture::put;

// Program headers of the good elfcorehdr: three PT_NOTEs, then the kernel's text and two PT_LOADs.
pub const NOTE: usize = 0;

pub const LOAD: usize = 3;

pub const RAM: usize = 4;

pub const LAST: usize = 5;

// Fields of a program header.
pub const TYPE: usize = 0;

pub const FLAGS: usize = 4;

pub const OFFSET: usize = 8;

pub const VADDR: usize = 16;

pub const PADDR: usize = 24;

pub const FILESZ: usize = 32;

pub const MEMSZ: usize = 40;

pub const ALIGN: usize = 48;

/// A change to a good elfcorehdr.
#[derive(Clone, Copy)]
pub enum Change {
    /// A byte of the ELF header.
    Byte(usize, u8),
    /// Two bytes of the ELF header.
    Half(usize, u16),
    /// Four bytes of the ELF header.
    Word(usize, u32),
    /// A field of a program header; the first two are four bytes long, the others eight.
    Field(usize, usize, u64),
    /// The elfcorehdr ends here.
    Cut(usize),
    /// All is this byte.
    Fill(u8),
}

impl Change {
    pub fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Byte(offset, value) => bytes[offset] = value,
            Half(offset, value) => put(bytes, offset, &value.to_le_bytes()),
            Word(offset, value) => put(bytes, offset, &value.to_le_bytes()),
            Field(index, field, value) => {
                let len = if field < OFFSET { 4 } else { 8 };
                let offset = HEADER_LEN + index * PROGRAM_HEADER_LEN + field;
                put(bytes, offset, &value.to_le_bytes()[..len]);
            }
            Cut(len) => bytes.truncate(len),
            Fill(value) => bytes.fill(value),
        }
    }
}

/// A piece of memory, all of whose fields agree.
pub fn piece(index: usize, start: u64, len: u64, virtual_address: u64) -> Vec<Change> {
    vec![
        Field(index, OFFSET, start),
        Field(index, PADDR, start),
        Field(index, VADDR, virtual_address),
        Field(index, FILESZ, len),
        Field(index, MEMSZ, len),
    ]
}
