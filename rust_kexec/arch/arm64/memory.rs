// SPDX-License-Identifier: GPL-2.0

//! The place of the running kernel's text.

use crate::sys::bindings;
use kexec_core::{
    contiguous::Limits,
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
