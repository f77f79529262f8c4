// SPDX-License-Identifier: GPL-2.0

//! What core files of kernels have beyond what is common to ELF files.

use std::ops::Range;

use kexec_core::types::elf::HEADER_LEN;

/// A piece of memory that had virtual addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The physical addresses.
    pub addresses: Range<u64>,
    /// The virtual address of the first.
    pub virtual_address: u64,
}

/// Offset in `Elf64_Ehdr` of `e_shoff`.
const E_SHOFF: usize = 40;
/// Offset in `Elf64_Ehdr` of `e_flags`.
const E_FLAGS: usize = 48;
/// Offset in `Elf64_Ehdr` of `e_shentsize`.
const E_SHENTSIZE: usize = 58;
/// Offset in `Elf64_Ehdr` of `e_shnum`.
const E_SHNUM: usize = 60;

// e_ident has 16 bytes, e_type and e_machine 2 each, e_version 4, e_entry and e_phoff 8 each; after
// e_flags come six fields of 2 bytes, of which these are the fourth and the fifth.
const _: () = {
    assert!(E_SHOFF == 16 + 2 * 2 + 4 + 2 * 8);
    assert!(E_FLAGS == E_SHOFF + 8);
    assert!(E_SHENTSIZE == E_FLAGS + 4 + 3 * 2);
    assert!(E_SHNUM == E_SHENTSIZE + 2);
    assert!(HEADER_LEN == E_FLAGS + 4 + 6 * 2);
};

/// The bit in `e_flags` of a file whose writer did not come to its end (makedumpfile's `DUMP_ELF_INCOMPLETE`).
pub const E_FLAGS_INCOMPLETE: u32 = 1;

/// Length of `Elf64_Shdr`.
pub const SECTION_HEADER_LEN: usize = 64;
/// Offset in `Elf64_Shdr` of `sh_info`, which has the number of program headers if `e_phnum` is
/// `PN_XNUM`.
const SH_INFO: usize = 44;

// sh_name and sh_type have 4 bytes, sh_flags, sh_addr, sh_offset and sh_size 8 each, sh_link 4; after
// it come sh_addralign and sh_entsize of 8.
const _: () = assert!(SH_INFO == 2 * 4 + 4 * 8 + 4 && SECTION_HEADER_LEN == SH_INFO + 4 + 2 * 8);

/// `e_shoff` of a header.
pub fn section_headers_offset(header: &[u8; HEADER_LEN]) -> u64 {
    u64::from_le_bytes(field(header, E_SHOFF))
}

/// `e_flags` of a header.
pub fn flags(header: &[u8; HEADER_LEN]) -> u32 {
    u32::from_le_bytes(field(header, E_FLAGS))
}

/// Sets `e_flags` of a header.
pub fn set_flags(header: &mut [u8; HEADER_LEN], flags: u32) {
    header[E_FLAGS..E_FLAGS + 4].copy_from_slice(&flags.to_le_bytes());
}

/// Says in a header that there is one section header, at an offset.
pub fn set_section_header(header: &mut [u8; HEADER_LEN], offset: u64) {
    header[E_SHOFF..E_SHOFF + 8].copy_from_slice(&offset.to_le_bytes());
    header[E_SHENTSIZE..E_SHENTSIZE + 2]
        .copy_from_slice(&(SECTION_HEADER_LEN as u16).to_le_bytes());
    header[E_SHNUM..E_SHNUM + 2].copy_from_slice(&1_u16.to_le_bytes());
}

/// The first section header of a file with `count` program headers, which is all zeros but for that.
pub fn section_header(count: u32) -> [u8; SECTION_HEADER_LEN] {
    let mut bytes = [0; SECTION_HEADER_LEN];
    bytes[SH_INFO..SH_INFO + 4].copy_from_slice(&count.to_le_bytes());
    bytes
}

/// `sh_info` of a section header.
pub fn sh_info(section_header: &[u8; SECTION_HEADER_LEN]) -> u32 {
    u32::from_le_bytes(field(section_header, SH_INFO))
}

/// The bytes of a field, whose place is a constant within the structure.
fn field<const N: usize>(structure: &[u8], offset: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&structure[offset..offset + N]);
    bytes
}
