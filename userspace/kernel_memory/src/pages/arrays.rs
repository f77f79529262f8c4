// SPDX-License-Identifier: GPL-2.0

//! Where the kernel has its page structs: in one array in its virtual memory (`vmemmap`), or in one
//! for each section of memory.

use std::ops::Range;

use dumpfile::memory::PhysicalMemory;

use crate::{
    translation::{
        Translation,
        TranslationError, //
    },
    vmcoreinfo::{
        optional,
        Vmcoreinfo, //
    },
};

use super::{
    error::PagesError,
    sections::Sections, //
};

/// The sizes that a page struct can have. It is 64 bytes in most kernels.
const SIZES: Range<usize> = 32..257;

/// The kernel's arrays of page structs.
#[derive(Clone, Debug)]
pub struct PageArrays {
    size: usize,
    map: Map,
}

#[derive(Clone, Debug)]
enum Map {
    /// The address of frame 0's struct, whether or not there is one.
    Whole(u64),
    /// By sections.
    Sections(Sections),
}

/// Frames whose structs are in one array.
#[derive(Debug)]
pub struct Array {
    /// The frames.
    pub frames: Range<u64>,
    /// The virtual address of the first one's struct; nothing where there are no structs.
    pub address: Result<Option<u64>, TranslationError>,
}

impl PageArrays {
    /// The arrays of a kernel that describes itself so.
    pub fn new(info: &Vmcoreinfo) -> Result<Self, PagesError> {
        let size = info.size("page")?;
        if !SIZES.contains(&size) || size % 8 != 0 {
            return Err(PagesError::Number {
                name: "SIZE(page)",
                value: size as u64,
            });
        }
        let map = match optional(info.symbol("vmemmap"))? {
            Some(base) => Map::Whole(base),
            None => Map::Sections(Sections::new(info)?),
        };
        Ok(Self { size, map })
    }

    /// The length of a page struct.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The array that has the structs of the first of some frames, and of how many of them.
    pub fn array<M: PhysicalMemory>(
        &self,
        memory: &M,
        translation: &Translation,
        frames: Range<u64>,
    ) -> Array {
        let Range { start, end } = frames;
        let (end, base) = match &self.map {
            Map::Whole(base) => (end, Ok(Some(*base))),
            Map::Sections(sections) => (
                sections.end(start).min(end),
                sections.base(memory, translation, start),
            ),
        };
        Array {
            frames: start..end,
            address: base.map(|base| base.and_then(|base| self.at(base, start))),
        }
    }

    /// The frame whose struct is at a virtual address, given that of another frame in the same array.
    pub fn frame(&self, address: u64, (other, at): (u64, u64)) -> Option<u64> {
        let size = self.size as u64;
        // Frames of the same array lie before and after the other one.
        let distance = at.abs_diff(address);
        if distance % size != 0 {
            return None;
        }
        match at < address {
            true => other.checked_add(distance / size),
            false => other.checked_sub(distance / size),
        }
    }

    /// The address of a frame's struct in an array that would begin at `base`. Nothing where it would
    /// be outside of the kernel's half.
    fn at(&self, base: u64, frame: u64) -> Option<u64> {
        let address = base.wrapping_add(frame.checked_mul(self.size as u64)?);
        // Whatever the base wraps to, the structs are the kernel's.
        (address >> 63 == 1).then_some(address)
    }
}
