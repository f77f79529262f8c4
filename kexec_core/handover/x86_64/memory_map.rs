// SPDX-License-Identifier: GPL-2.0

//! The memory map that the capture kernel is given: what it may use, and where the firmware's
//! tables are.
//!
//! The map is written into boot_params entry by entry and kept nowhere else, because 128 entries
//! are a good part of a kernel stack.

use super::boot_params::{BootParams, MemoryType};
use crate::types::ranges::{CapacityError, Range, RangeList};

/// Most separate pieces of usable memory.
pub const RAM_PIECES_MAX: usize = 32;

/// The memory that firmware and real-mode code know.
const FIRST_MIB: Range = match Range::new(0, 1 << 20) {
    Some(low) => low,
    None => Range::ALL,
};

/// The capture kernel's memory map, under construction in boot_params.
///
/// Usable are the crash regions and the RAM below 1 MiB, but for the ELF core header, which the
/// capture kernel must find as it was, and what firmware has for itself.
#[derive(Debug)]
pub struct MemoryMap<'a, 'page> {
    params: &'a mut BootParams<'page>,
    ram: RangeList<RAM_PIECES_MAX>,
}

impl<'a, 'page> MemoryMap<'a, 'page> {
    /// Starts a map. Of `system_ram` only what is below 1 MiB is taken.
    pub fn new(
        params: &'a mut BootParams<'page>,
        system_ram: &[Range],
        crash_regions: &[Range],
        elfcorehdr: Range,
    ) -> Result<Self, CapacityError> {
        let mut ram = RangeList::new();
        for range in system_ram {
            if let Some(low) = range.intersection(&FIRST_MIB) {
                ram.push(low)?;
            }
        }
        for region in crash_regions {
            ram.push(*region)?;
        }
        ram.subtract(elfcorehdr)?;
        Ok(Self { params, ram })
    }

    /// Adds memory that is not to be used as RAM.
    pub fn add(&mut self, ranges: &[Range], memory_type: MemoryType) -> Result<(), CapacityError> {
        for range in ranges {
            self.ram.subtract(*range)?;
            self.params.push_memory(*range, memory_type)?;
        }
        Ok(())
    }

    /// Adds the usable memory, now that it is known what is to be left out.
    pub fn finish(self) -> Result<(), CapacityError> {
        for range in &self.ram {
            self.params.push_memory(*range, MemoryType::Ram)?;
        }
        Ok(())
    }
}
