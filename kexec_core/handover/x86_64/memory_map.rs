// SPDX-License-Identifier: GPL-2.0

//! The memory map of the capture kernel: the memory that it may use, and the firmware's tables.
//!
//! The map is written into boot_params entry by entry and kept nowhere else, because 128 entries
//! are a good part of a kernel stack.

use super::boot_params::{
    BootParams,
    MemoryType, //
};
use crate::{
    handover::UsableMemory,
    types::ranges::{
        CapacityError,
        Range,
        RangeList, //
    }, //
};

/// Most separate pieces of usable memory.
pub const RAM_PIECES_MAX: usize = 32;

/// The memory that firmware and real-mode code use.
const FIRST_MIB: Range = match Range::new(0, 1 << 20) {
    Some(low) => low,
    None => Range::ALL,
};

/// The capture kernel's memory map, under construction in boot_params.
///
/// The capture kernel may use the memory that is meant for it, and the RAM below 1 MiB. It may not use the
/// elfcorehdr, which has to stay as it is, and the memory of firmware.
#[derive(Debug)]
pub struct MemoryMap<'a, 'page> {
    params: &'a mut BootParams<'page>,
    ram: RangeList<RAM_PIECES_MAX>,
}

impl<'a, 'page> MemoryMap<'a, 'page> {
    /// Starts a map. Only the part of `system_ram` below 1 MiB is used.
    pub fn new(
        params: &'a mut BootParams<'page>,
        system_ram: &[Range],
        usable: UsableMemory<'_>,
        elfcorehdr: Range,
    ) -> Result<Self, CapacityError> {
        let mut ram = RangeList::new();
        for range in system_ram {
            if let Some(low) = range.intersection(&FIRST_MIB) {
                ram.push(low)?;
            }
        }
        for range in usable.iter() {
            ram.push(*range)?;
        }
        ram.subtract(elfcorehdr)?;
        Ok(Self { params, ram })
    }

    /// Adds memory that must not be used as RAM.
    pub fn add(&mut self, ranges: &[Range], memory_type: MemoryType) -> Result<(), CapacityError> {
        for range in ranges {
            self.ram.subtract(*range)?;
            self.params.push_memory(*range, memory_type)?;
        }
        Ok(())
    }

    /// Adds the usable memory. Call this last, when all other memory was added.
    pub fn finish(self) -> Result<(), CapacityError> {
        for range in &self.ram {
            self.params.push_memory(*range, MemoryType::Ram)?;
        }
        Ok(())
    }
}
