// SPDX-License-Identifier: GPL-2.0

//! Where the page structs of a section of memory are, in a kernel without a virtual map of them
//! (`CONFIG_SPARSEMEM_VMEMMAP=n`).

use dumpfile::memory::PhysicalMemory;

use crate::{
    translation::{
        Translation,
        TranslationError, //
    },
    vmcoreinfo::Vmcoreinfo, //
};

use super::error::PagesError;

/// The section has page structs (`SECTION_HAS_MEM_MAP`).
const HAS_MAP: u64 = 1 << 1;

/// `mem_section`: a table of tables of sections, or one table of all.
#[derive(Clone, Debug)]
pub struct Sections {
    table: u64,
    /// The number of sections in a table of the second level; nothing where there is one table.
    in_table: Option<u64>,
    /// The number of sections that there may be.
    count: u64,
    /// Length of `struct mem_section`.
    section_size: u64,
    /// Offset of the word that has the address of the page structs.
    map_offset: u64,
    /// The logarithm of the number of frames in a section.
    frames_shift: u32,
}

impl Sections {
    /// The sections of a kernel that describes itself so.
    pub fn new(info: &Vmcoreinfo) -> Result<Self, PagesError> {
        let bits = |name| info.unsigned_number(name);
        let section_bits = bits("SECTION_SIZE_BITS")?;
        let memory_bits = bits("MAX_PHYSMEM_BITS")?;
        let page_shift = info.page_shift()?;
        if !(u64::from(page_shift)..48).contains(&section_bits) {
            return Err(PagesError::Number {
                name: "NUMBER(SECTION_SIZE_BITS)",
                value: section_bits,
            });
        }
        if !(section_bits..=56).contains(&memory_bits) {
            return Err(PagesError::Number {
                name: "NUMBER(MAX_PHYSMEM_BITS)",
                value: memory_bits,
            });
        }
        let section_size = info.size("mem_section")? as u64;
        let count = 1 << (memory_bits - section_bits);
        // The one table of all sections has as many elements as there are sections.
        let in_table = match info.length("mem_section")? {
            length if length == count => None,
            _ => Some(((1 << page_shift) / section_size).max(1)),
        };
        Ok(Self {
            table: info.symbol("mem_section")?,
            in_table,
            count,
            section_size,
            map_offset: info.offset("mem_section.section_mem_map")? as u64,
            frames_shift: section_bits as u32 - page_shift,
        })
    }

    /// The first frame after the section that a frame is in.
    pub fn end(&self, frame: u64) -> u64 {
        ((frame >> self.frames_shift) + 1).saturating_mul(1 << self.frames_shift)
    }

    /// Where the page struct of frame 0 would be, if the structs of a frame's section went on to it.
    /// Nothing where the section has none.
    pub fn base<M: PhysicalMemory>(
        &self,
        memory: &M,
        translation: &Translation,
        frame: u64,
    ) -> Result<Option<u64>, TranslationError> {
        let number = frame >> self.frames_shift;
        if number >= self.count {
            return Ok(None);
        }
        let word = |address| {
            let mut word = [0; 8];
            translation.read(memory, address, &mut word)?;
            Ok::<_, TranslationError>(u64::from_le_bytes(word))
        };
        // The kernel would not be where a sum wraps; such an address is none of its.
        let (table, index) = match self.in_table {
            None => (self.table, number),
            Some(in_table) => {
                let pointer = self.table.wrapping_add(number / in_table * 8);
                (word(pointer)?, number % in_table)
            }
        };
        if table == 0 {
            return Ok(None);
        }
        let section = table.wrapping_add(index.wrapping_mul(self.section_size));
        let map = word(section.wrapping_add(self.map_offset))?;
        // Flags are where the address has zeros: it is that of a section's structs, less a multiple
        // of the number of them.
        let flags = (1 << self.frames_shift.min(12)) - 1;
        Ok((map & HAS_MAP != 0).then_some(map & !flags))
    }
}
