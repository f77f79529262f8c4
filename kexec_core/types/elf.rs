// SPDX-License-Identifier: GPL-2.0

//! The ELF structures that core files and kernels are made of, 64-bit and little-endian.

use crate::types::bytes::{
    read_u16,
    read_u32,
    read_u64,
    write, //
};

/// Length of `Elf64_Ehdr`.
pub const HEADER_LEN: usize = 64;
/// Length of `Elf64_Phdr`.
pub const PROGRAM_HEADER_LEN: usize = 56;

/// The first seven bytes: magic number, 64-bit, little-endian, version 1.
pub const IDENT: [u8; 7] = [0x7f, b'E', b'L', b'F', 2, 1, 1];
/// `e_type` of a program that is linked to fixed addresses.
pub const ET_EXEC: u16 = 2;
/// `e_type` of a program that can be relocated.
pub const ET_DYN: u16 = 3;
/// `e_type` of a core file.
pub const ET_CORE: u16 = 4;
/// `e_version`.
pub const EV_CURRENT: u32 = 1;
/// `p_type` of memory contents.
pub const PT_LOAD: u32 = 1;
/// `p_type` of notes.
pub const PT_NOTE: u32 = 4;
/// `p_flags` of memory that can be read, written and executed.
pub const PF_RWX: u32 = 7;
/// The smallest number of program headers that `e_phnum` cannot hold.
pub const PN_XNUM: u16 = 0xffff;

/// The architectures whose files are handled here, with their `e_machine`.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// `EM_X86_64`.
    X86_64 = 62,
    /// `EM_AARCH64`.
    Arm64 = 183,
}

impl Architecture {
    /// The architecture with this `e_machine`.
    pub fn from_e_machine(e_machine: u16) -> Option<Self> {
        [Self::X86_64, Self::Arm64]
            .into_iter()
            .find(|known| *known as u16 == e_machine)
    }

    /// The number in `e_machine`.
    pub const fn e_machine(self) -> u16 {
        self as u16
    }

    /// The name that ELF tools show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }
}

// Offsets in `Elf64_Ehdr`; fields without a use here are left out.
const E_TYPE: usize = 16;
const E_MACHINE: usize = 18;
const E_VERSION: usize = 20;
const E_ENTRY: usize = 24;
const E_PHOFF: usize = 32;
const E_EHSIZE: usize = 52;
const E_PHENTSIZE: usize = 54;
const E_PHNUM: usize = 56;

const _: () = {
    // e_entry, e_phoff and e_shoff are 8 bytes each, e_flags 4. Three more 2-byte fields follow
    // e_phnum and end the header.
    assert!(E_ENTRY == E_VERSION + 4);
    assert!(E_PHOFF == E_ENTRY + 8);
    assert!(E_EHSIZE == E_PHOFF + 8 + 8 + 4);
    assert!(HEADER_LEN == E_PHNUM + 2 + 3 * 2);
};

/// The fields of `Elf64_Ehdr` that differ between files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The bytes of `e_ident` that have a meaning.
    pub ident: [u8; IDENT.len()],
    /// `e_type`.
    pub elf_type: u16,
    /// `e_machine`.
    pub machine: u16,
    /// `e_version`.
    pub version: u32,
    /// `e_ehsize`.
    pub header_len: u16,
    /// `e_entry`; 0 in a core file.
    pub entry: u64,
    /// `e_phoff`.
    pub program_headers_offset: u64,
    /// `e_phentsize`.
    pub program_header_len: u16,
    /// `e_phnum`.
    pub program_headers: u16,
}

impl Header {
    /// The header of a core file. The program headers follow at once.
    pub fn core(machine: u16, program_headers: u16) -> Self {
        Self {
            ident: IDENT,
            elf_type: ET_CORE,
            machine,
            version: EV_CURRENT,
            header_len: HEADER_LEN as u16,
            entry: 0,
            program_headers_offset: HEADER_LEN as u64,
            program_header_len: PROGRAM_HEADER_LEN as u16,
            program_headers,
        }
    }

    /// The header as the file has it.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        write(&mut bytes, 0, &self.ident);
        write(&mut bytes, E_TYPE, &self.elf_type.to_le_bytes());
        write(&mut bytes, E_MACHINE, &self.machine.to_le_bytes());
        write(&mut bytes, E_VERSION, &self.version.to_le_bytes());
        write(&mut bytes, E_ENTRY, &self.entry.to_le_bytes());
        write(
            &mut bytes,
            E_PHOFF,
            &self.program_headers_offset.to_le_bytes(),
        );
        write(&mut bytes, E_EHSIZE, &self.header_len.to_le_bytes());
        write(
            &mut bytes,
            E_PHENTSIZE,
            &self.program_header_len.to_le_bytes(),
        );
        write(&mut bytes, E_PHNUM, &self.program_headers.to_le_bytes());
        bytes
    }

    /// Reads the header at the start of `bytes`, if they are enough for one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEADER_LEN)?;
        Some(Self {
            ident: bytes.first_chunk().copied()?,
            elf_type: read_u16(bytes, E_TYPE)?,
            machine: read_u16(bytes, E_MACHINE)?,
            version: read_u32(bytes, E_VERSION)?,
            header_len: read_u16(bytes, E_EHSIZE)?,
            entry: read_u64(bytes, E_ENTRY)?,
            program_headers_offset: read_u64(bytes, E_PHOFF)?,
            program_header_len: read_u16(bytes, E_PHENTSIZE)?,
            program_headers: read_u16(bytes, E_PHNUM)?,
        })
    }
}

// Offsets in `Elf64_Phdr`.
const P_TYPE: usize = 0;
const P_FLAGS: usize = 4;
const P_OFFSET: usize = 8;
const P_VADDR: usize = 16;
const P_PADDR: usize = 24;
const P_FILESZ: usize = 32;
const P_MEMSZ: usize = 40;
const P_ALIGN: usize = 48;

const _: () = assert!(PROGRAM_HEADER_LEN == P_ALIGN + 8);

/// `Elf64_Phdr`: a piece of the dump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramHeader {
    /// `p_type`.
    pub segment_type: u32,
    /// `p_flags`.
    pub flags: u32,
    /// `p_offset`.
    pub offset: u64,
    /// `p_vaddr`.
    pub virtual_address: u64,
    /// `p_paddr`.
    pub physical_address: u64,
    /// `p_filesz`.
    pub file_len: u64,
    /// `p_memsz`.
    pub memory_len: u64,
    /// `p_align`.
    pub alignment: u64,
}

impl ProgramHeader {
    /// The program header as the file has it.
    pub fn encode(&self) -> [u8; PROGRAM_HEADER_LEN] {
        let mut bytes = [0; PROGRAM_HEADER_LEN];
        write(&mut bytes, P_TYPE, &self.segment_type.to_le_bytes());
        write(&mut bytes, P_FLAGS, &self.flags.to_le_bytes());
        write(&mut bytes, P_OFFSET, &self.offset.to_le_bytes());
        write(&mut bytes, P_VADDR, &self.virtual_address.to_le_bytes());
        write(&mut bytes, P_PADDR, &self.physical_address.to_le_bytes());
        write(&mut bytes, P_FILESZ, &self.file_len.to_le_bytes());
        write(&mut bytes, P_MEMSZ, &self.memory_len.to_le_bytes());
        write(&mut bytes, P_ALIGN, &self.alignment.to_le_bytes());
        bytes
    }

    /// Reads the program header at the start of `bytes`, if they are enough for one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..PROGRAM_HEADER_LEN)?;
        Some(Self {
            segment_type: read_u32(bytes, P_TYPE)?,
            flags: read_u32(bytes, P_FLAGS)?,
            offset: read_u64(bytes, P_OFFSET)?,
            virtual_address: read_u64(bytes, P_VADDR)?,
            physical_address: read_u64(bytes, P_PADDR)?,
            file_len: read_u64(bytes, P_FILESZ)?,
            memory_len: read_u64(bytes, P_MEMSZ)?,
            alignment: read_u64(bytes, P_ALIGN)?,
        })
    }
}
