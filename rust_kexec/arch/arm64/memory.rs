// SPDX-License-Identifier: GPL-2.0

//! The place of the running kernel's text.

use super::handover;
use crate::{
    compat::prelude::*,
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::bindings, //
};
use kexec_core::{
    contiguous::Limits,
    handover::arm64::{
        device_tree::DeviceTreeError,
        fdt::Fdt,
        memory::{
            self,
            Reserved, //
        }, //
    },
    types::ranges::Range, //
};

/// The names that /proc/iomem has for the first and the last part of the kernel.
pub(crate) const KERNEL_ENTRIES: (&str, &str) = ("Kernel code", "Kernel data");

/// Where the kernel's own mapping has a physical address of its image.
pub(crate) fn kernel_mapping(address: u64) -> u64 {
    // SAFETY: Set once, early in boot.
    address.wrapping_add(unsafe { bindings::kimage_voffset })
}

/// Memory that is not part of the dump besides the crash regions.
pub(crate) fn excluded_from_dump() -> Option<Range> {
    None
}

/// How many ranges of `linux,usable-memory-range` a kernel reads, in 6.12 (drivers/of/fdt.c).
const USABLE_RANGES_MAX: usize = 2;

/// What a capture kernel can be given of this kernel's memory: what is below 4 GiB, because it needs some
/// there for DMA. Where no RAM is there, devices reach other RAM.
pub(crate) fn limits(ram: &[Range]) -> Limits {
    const LOW: Range = match Range::new(0, 4 << 30) {
        Some(low) => low,
        None => Range::ALL,
    };
    Limits {
        within: match ram.iter().any(|piece| piece.overlaps(&LOW)) {
            true => LOW,
            false => Range::ALL,
        },
        pieces: USABLE_RANGES_MAX,
    }
}

/// What firmware says of this machine's memory, whatever the kernel made of that.
pub(crate) struct FirmwareMemory {
    ram: KVec<Range>,
    reserved: KVec<Reserved>,
}

impl FirmwareMemory {
    /// Reads the device tree.
    pub(crate) fn read() -> Result<Self, Refusal> {
        let tree = handover::running_tree()?;
        let tree = Fdt::parse(&tree).map_err(DeviceTreeError::from)?;
        let (mut ram, mut reserved) = (KVec::new(), KVec::new());
        for range in memory::ram(&tree) {
            ram.push(range, GFP_KERNEL)?;
        }
        for range in memory::reserved(&tree) {
            reserved.push(range, GFP_KERNEL)?;
        }
        Ok(Self { ram, reserved })
    }

    /// What it calls RAM.
    pub(crate) fn ram(&self) -> &[Range] {
        &self.ram
    }

    /// Refuses memory that it keeps for itself, or for a device.
    pub(crate) fn check_is_free(&self, range: Range) -> Result<(), RegionError> {
        let mut touched = self.reserved.iter();
        // What one node has reserved is taken as a whole, or in part.
        let in_the_way = touched.find(|reserved| {
            reserved.range.overlaps(&range)
                && !(reserved.is_free && reserved.range.encloses(&range))
        });
        match in_the_way {
            Some(reserved) => Err(RegionError::ForFirmware {
                range,
                reserved: reserved.range,
            }),
            None => Ok(()),
        }
    }
}
