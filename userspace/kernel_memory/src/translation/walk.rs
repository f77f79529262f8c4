// SPDX-License-Identifier: GPL-2.0

//! The kernel's address space, and the way through its page tables.

use dumpfile::memory::{
    MemoryError,
    PhysicalMemory, //
};
use kexec_core::types::elf::Architecture;

use crate::vmcoreinfo::Vmcoreinfo;

use super::{
    arm64,
    entry::Entry,
    error::TranslationError,
    geometry::{
        Format,
        Geometry, //
    },
    x86_64, //
};

/// The kernel's address space.
#[derive(Clone, Debug)]
pub struct Translation {
    pub(super) geometry: Geometry,
    /// Physical address of the top table.
    root: u64,
    /// The linear map, where VMCOREINFO says where it is.
    linear: Option<arm64::Linear>,
}

/// The entry at which a walk ended.
pub(super) struct Found {
    /// The number of bits of an address below those that led here.
    pub(super) shift: u32,
    /// Physical address of the first byte that the entry maps, if it maps any.
    pub(super) physical: Option<u64>,
}

impl Translation {
    /// The address space of a kernel that describes itself so.
    pub fn new(info: &Vmcoreinfo, architecture: Architecture) -> Result<Self, TranslationError> {
        let (shape, format, linear) = match architecture {
            Architecture::X86_64 => {
                let (shape, format) = x86_64::shape(info)?;
                (shape, Format::X86_64(format), None)
            }
            Architecture::Arm64 => {
                let (shape, format, linear) = arm64::shape(info)?;
                (shape, Format::Arm64(format), Some(linear))
            }
        };
        Ok(Self {
            geometry: Geometry::new(&shape, format),
            root: shape.root,
            linear,
        })
    }

    /// The physical address of the kernel's top page table.
    pub fn root(&self) -> u64 {
        self.root
    }

    /// The physical address of what is at a virtual one.
    pub fn physical<M: PhysicalMemory>(
        &self,
        memory: &M,
        address: u64,
    ) -> Result<u64, TranslationError> {
        let address = self.geometry.untagged(address);
        let found = self.walk(address, |_, table, index| {
            let mut entry = [0; 8];
            memory.read(table.saturating_add(index * 8), &mut entry)?;
            Ok(u64::from_le_bytes(entry))
        });
        match found {
            Ok(Found {
                shift,
                physical: Some(physical),
            }) => Ok(physical + (address & ((1 << shift) - 1))),
            Ok(_) => Err(TranslationError::Unmapped(address)),
            // Where the tables are damaged, the linear map does without them.
            Err(error @ (TranslationError::Table(..) | TranslationError::Malformed { .. })) => self
                .linear
                .and_then(|linear| linear.physical(address))
                .ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// Fills a buffer with what is at a virtual address.
    pub fn read<M: PhysicalMemory>(
        &self,
        memory: &M,
        mut address: u64,
        mut buffer: &mut [u8],
    ) -> Result<(), TranslationError> {
        let page = 1 << self.geometry.page_shift;
        while !buffer.is_empty() {
            let physical = self.physical(memory, address)?;
            let len = buffer.len().min((page - address % page) as usize);
            let (now, later) = buffer.split_at_mut(len);
            memory
                .read(physical, now)
                .map_err(|error| TranslationError::Memory(address, error))?;
            buffer = later;
            // Past the last address is 0, which is none of the kernel's.
            address = address.wrapping_add(len as u64);
        }
        Ok(())
    }

    /// Walks down to the entry that maps an address, or that says that nothing does.
    ///
    /// Each level looks at another part of the address, so that a walk has no more steps than there
    /// are levels, whatever the tables point to.
    pub(super) fn walk(
        &self,
        address: u64,
        mut entry: impl FnMut(usize, u64, u64) -> Result<u64, MemoryError>,
    ) -> Result<Found, TranslationError> {
        if !self.geometry.has(address) {
            return Err(TranslationError::NotKernel(address));
        }
        let mut table = self.root;
        for (level, part) in self.geometry.levels().iter().enumerate() {
            let raw = entry(level, table, part.index(address))
                .map_err(|error| TranslationError::Table(address, error))?;
            let physical = match self.geometry.entry(raw, part.shift) {
                Entry::Table(next) => {
                    table = next;
                    continue;
                }
                Entry::Leaf(physical) => Some(physical),
                Entry::Nothing => None,
                Entry::Malformed => {
                    return Err(TranslationError::Malformed {
                        address,
                        entry: raw,
                    })
                }
            };
            return Ok(Found {
                shift: part.shift,
                physical,
            });
        }
        // The last level has no entry that is a table.
        Err(TranslationError::Unmapped(address))
    }
}
