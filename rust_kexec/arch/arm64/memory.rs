// SPDX-License-Identifier: GPL-2.0

//! The place of the running kernel's text.

use crate::sys::bindings;
use kexec_core::types::ranges::Range;

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
