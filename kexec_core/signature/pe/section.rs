// SPDX-License-Identifier: GPL-2.0

//! The section table, which has the place of each section in the file and in memory.

use core::{
    fmt::{
        self,
        Write, //
    },
    mem::{
        offset_of,
        size_of, //
    },
    ops::Range, //
};

use crate::types::bytes::read_u32;

/// A section's entry in the table.
#[repr(C)]
struct SectionHeader {
    name: [u8; 8],
    virtual_size: u32,
    virtual_address: u32,
    size_of_raw_data: u32,
    pointer_to_raw_data: u32,
    pointer_to_relocations: u32,
    pointer_to_line_numbers: u32,
    number_of_relocations: u16,
    number_of_line_numbers: u16,
    characteristics: u32,
}

/// Length of a section's entry in the table.
pub const SECTION_HEADER_LEN: usize = size_of::<SectionHeader>();

const VIRTUAL_SIZE: usize = offset_of!(SectionHeader, virtual_size);
const SIZE_OF_RAW_DATA: usize = offset_of!(SectionHeader, size_of_raw_data);
const POINTER_TO_RAW_DATA: usize = offset_of!(SectionHeader, pointer_to_raw_data);

const _: () = {
    assert!(SECTION_HEADER_LEN == 40);
    assert!(VIRTUAL_SIZE == 8);
    assert!(SIZE_OF_RAW_DATA == 16);
    assert!(POINTER_TO_RAW_DATA == 20);
};

/// A section's name, padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionName([u8; 8]);

impl SectionName {
    /// The name without its padding.
    pub fn as_bytes(&self) -> &[u8] {
        let len = self.0.iter().position(|byte| *byte == 0);
        self.0.get(..len.unwrap_or(self.0.len())).unwrap_or(&self.0)
    }
}

impl fmt::Display for SectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.as_bytes() {
            match byte {
                b' '..=b'~' => f.write_char(char::from(*byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        Ok(())
    }
}

/// A section, as the table describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    name: SectionName,
    virtual_size: u32,
    raw_len: u32,
    raw_offset: u32,
}

impl Section {
    /// The section's name.
    pub fn name(&self) -> SectionName {
        self.name
    }

    /// The section's length in memory. The file can pad it to a greater length.
    pub fn virtual_size(&self) -> u32 {
        self.virtual_size
    }

    /// The place of the section's contents in the file. Empty if it has none.
    pub fn raw(&self) -> Range<u64> {
        let start = u64::from(self.raw_offset);
        start..start + u64::from(self.raw_len)
    }
}

/// The sections of this table.
pub(super) fn sections(table: &[u8]) -> impl Iterator<Item = Section> + '_ {
    table.chunks_exact(SECTION_HEADER_LEN).filter_map(|header| {
        Some(Section {
            name: SectionName(header.first_chunk().copied()?),
            virtual_size: read_u32(header, VIRTUAL_SIZE)?,
            raw_len: read_u32(header, SIZE_OF_RAW_DATA)?,
            raw_offset: read_u32(header, POINTER_TO_RAW_DATA)?,
        })
    })
}
