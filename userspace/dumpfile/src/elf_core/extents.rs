// SPDX-License-Identifier: GPL-2.0

//! Which part of the memory is where in the file.

use std::ops::Range;

use kexec_core::types::elf::ProgramHeader;

use super::error::ElfCoreError;

/// A piece of memory that lies in one piece in the file.
#[derive(Clone, Debug)]
struct Extent {
    addresses: Range<u64>,
    offset: u64,
}

/// Pieces of memory in ascending order, of which no two overlap.
#[derive(Clone, Debug, Default)]
pub struct Extents {
    extents: Vec<Extent>,
}

impl Extents {
    /// What is in a file of `file_len` bytes, and how much of what the segments promise is not.
    ///
    /// Segments may overlap: that with the kernel's image is in another one as well.
    pub fn new(segments: &[ProgramHeader], file_len: u64) -> Result<(Self, u64), ElfCoreError> {
        let mut loads = Vec::new();
        let mut lost = 0_u64;
        for segment in segments {
            let (address, len) = (segment.physical_address, segment.file_len);
            if address.checked_add(len).is_none() {
                return Err(ElfCoreError::Address { address, len });
            }
            let there = len.min(file_len.saturating_sub(segment.offset));
            lost = lost.saturating_add(len - there);
            loads.push(Extent {
                addresses: address..address + there,
                offset: segment.offset,
            });
        }
        // Of those that begin at the same address the longest comes first, and the others vanish.
        loads.sort_by_key(|load| (load.addresses.start, u64::MAX - load.addresses.end));
        let mut extents: Vec<Extent> = Vec::new();
        for load in loads {
            let end = extents.last().map_or(0, |last| last.addresses.end);
            let start = load.addresses.start.max(end);
            if start < load.addresses.end {
                extents.push(Extent {
                    addresses: start..load.addresses.end,
                    offset: load.offset + (start - load.addresses.start),
                });
            }
        }
        Ok((Self { extents }, lost))
    }

    /// The offset in the file of what is at an address, and how many bytes there are from there on.
    pub fn find(&self, address: u64) -> Option<(u64, u64)> {
        let next = self
            .extents
            .partition_point(|extent| extent.addresses.end <= address);
        let extent = self.extents.get(next)?;
        let inside = address.checked_sub(extent.addresses.start)?;
        Some((extent.offset + inside, extent.addresses.end - address))
    }

    /// The addresses in ascending order.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.extents.iter().map(|extent| extent.addresses.clone())
    }
}
