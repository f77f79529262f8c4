// SPDX-License-Identifier: GPL-2.0

//! The headers of a PE file: their layouts, and the architectures that they can name (Microsoft,
//! "PE Format").

use core::mem::{
    offset_of,
    size_of, //
};

/// The first two bytes of the file.
pub const DOS_MAGIC: [u8; 2] = *b"MZ";
/// Length of the MS-DOS header.
pub const DOS_HEADER_LEN: usize = 64;
/// Offset of the field in the MS-DOS header that has the offset of [`PE_MAGIC`].
pub const PE_OFFSET: usize = 0x3c;
/// The magic number before the COFF header.
pub const PE_MAGIC: u32 = u32::from_le_bytes(*b"PE\0\0");

/// [`PE_MAGIC`] and the COFF header.
#[repr(C)]
struct CoffHeader {
    magic: u32,
    machine: u16,
    number_of_sections: u16,
    time_date_stamp: u32,
    pointer_to_symbol_table: u32,
    number_of_symbols: u32,
    size_of_optional_header: u16,
    characteristics: u16,
}

/// The optional header with 64-bit addresses, without its data directories.
#[repr(C)]
struct OptionalHeader64 {
    magic: u16,
    linker_version: [u8; 2],
    size_of_code: u32,
    size_of_initialized_data: u32,
    size_of_uninitialized_data: u32,
    address_of_entry_point: u32,
    base_of_code: u32,
    image_base: u64,
    section_alignment: u32,
    file_alignment: u32,
    versions: [u16; 6],
    win32_version_value: u32,
    size_of_image: u32,
    size_of_headers: u32,
    check_sum: u32,
    subsystem: u16,
    dll_characteristics: u16,
    stack_and_heap: [u64; 4],
    loader_flags: u32,
    number_of_rva_and_sizes: u32,
}

/// The optional header with 32-bit addresses, without its data directories.
#[repr(C)]
struct OptionalHeader32 {
    magic: u16,
    linker_version: [u8; 2],
    size_of_code: u32,
    size_of_initialized_data: u32,
    size_of_uninitialized_data: u32,
    address_of_entry_point: u32,
    base_of_code: u32,
    base_of_data: u32,
    image_base: u32,
    section_alignment: u32,
    file_alignment: u32,
    versions: [u16; 6],
    win32_version_value: u32,
    size_of_image: u32,
    size_of_headers: u32,
    check_sum: u32,
    subsystem: u16,
    dll_characteristics: u16,
    stack_and_heap: [u32; 4],
    loader_flags: u32,
    number_of_rva_and_sizes: u32,
}

/// Length of the COFF header with the magic number before it.
pub const COFF_HEADER_LEN: usize = size_of::<CoffHeader>();
/// Offset of the machine, counted from the magic number.
pub const MACHINE: usize = offset_of!(CoffHeader, machine);
/// Offset of the number of sections, counted from the magic number.
pub const NUMBER_OF_SECTIONS: usize = offset_of!(CoffHeader, number_of_sections);
/// Offset of the optional header's length, counted from the magic number.
pub const SIZE_OF_OPTIONAL_HEADER: usize = offset_of!(CoffHeader, size_of_optional_header);
/// Offset of the length of all headers in either optional header.
pub const SIZE_OF_HEADERS: usize = offset_of!(OptionalHeader64, size_of_headers);
/// Offset of the checksum in either optional header.
pub const CHECK_SUM: usize = offset_of!(OptionalHeader64, check_sum);
/// Length of the checksum.
pub const CHECK_SUM_LEN: usize = 4;
/// Length of a data directory: an address and a length.
pub const DATA_DIRECTORY_LEN: usize = 8;
/// The index of the data directory of the certificate table.
pub const CERTIFICATE_DIRECTORY: usize = 4;

const _: () = {
    assert!(COFF_HEADER_LEN == 24);
    assert!(MACHINE == 4);
    assert!(NUMBER_OF_SECTIONS == 6);
    assert!(SIZE_OF_OPTIONAL_HEADER == 20);
    assert!(size_of::<OptionalHeader64>() == 112);
    assert!(size_of::<OptionalHeader32>() == 96);
    assert!(SIZE_OF_HEADERS == 60);
    assert!(SIZE_OF_HEADERS == offset_of!(OptionalHeader32, size_of_headers));
    assert!(CHECK_SUM == 64);
    assert!(CHECK_SUM == offset_of!(OptionalHeader32, check_sum));
    assert!(offset_of!(OptionalHeader64, number_of_rva_and_sizes) == 108);
    assert!(offset_of!(OptionalHeader32, number_of_rva_and_sizes) == 92);
};

/// The two forms of the optional header.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// PE32: addresses have 32 bits.
    Bits32 = 0x10b,
    /// PE32+: addresses have 64 bits.
    Bits64 = 0x20b,
}

impl Addresses {
    /// The form with this magic number.
    pub(super) fn from_magic(magic: u16) -> Option<Self> {
        [Self::Bits32, Self::Bits64]
            .into_iter()
            .find(|form| *form as u16 == magic)
    }

    /// Length of the optional header without its data directories.
    pub const fn header_len(self) -> usize {
        match self {
            Self::Bits32 => size_of::<OptionalHeader32>(),
            Self::Bits64 => size_of::<OptionalHeader64>(),
        }
    }

    /// Offset of the number of data directories in the optional header.
    pub const fn number_of_rva_and_sizes(self) -> usize {
        match self {
            Self::Bits32 => offset_of!(OptionalHeader32, number_of_rva_and_sizes),
            Self::Bits64 => offset_of!(OptionalHeader64, number_of_rva_and_sizes),
        }
    }
}

/// The architectures that EFI programs are made for (the COFF header's field Machine).
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeMachine {
    /// 32-bit x86.
    I386 = 0x14c,
    /// 32-bit ARM.
    Arm = 0x1c2,
    /// RISC-V with 64 bits.
    Riscv64 = 0x5064,
    /// LoongArch with 64 bits.
    Loongarch64 = 0x6264,
    /// x86_64.
    X86_64 = 0x8664,
    /// arm64.
    Arm64 = 0xaa64,
}

impl PeMachine {
    /// The architecture with this number.
    pub fn from_number(number: u16) -> Option<Self> {
        [
            Self::I386,
            Self::Arm,
            Self::Riscv64,
            Self::Loongarch64,
            Self::X86_64,
            Self::Arm64,
        ]
        .into_iter()
        .find(|machine| *machine as u16 == number)
    }

    /// The name in the kernel.
    pub const fn name(self) -> &'static str {
        match self {
            Self::I386 => "x86 with 32 bits",
            Self::Arm => "arm with 32 bits",
            Self::Riscv64 => "riscv64",
            Self::Loongarch64 => "loongarch64",
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}
