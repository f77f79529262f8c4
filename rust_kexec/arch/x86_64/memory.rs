// SPDX-License-Identifier: GPL-2.0

//! The place of the running kernel's text, and the memory that the capture kernel may use.

use crate::{
    refusal::Refusal,
    sys::iomem, //
};
use kernel::bindings;
use kexec_core::{
    contiguous::{
        Limits,
        PIECES_MAX, //
    },
    handover::x86_64::{
        boot_params::{
            BootParams,
            MemoryType, //
        },
        memory_map::MemoryMap, //
    },
    types::ranges::Range, //
};

/// The names that /proc/iomem has for the first and the last part of the kernel.
pub(crate) const KERNEL_ENTRIES: (&str, &str) = ("Kernel code", "Kernel bss");

/// Where the kernel's text is mapped (Documentation/arch/x86/x86_64/mm.rst).
const START_KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;
/// The first MiB is the capture kernel's to use, so it is no part of the dump.
pub(super) const LOW_MEMORY: Range = match Range::new(0, 1 << 20) {
    Some(low) => low,
    None => Range::ALL,
};

/// Where the kernel's own mapping has a physical address of its image.
pub(crate) fn kernel_mapping(address: u64) -> u64 {
    // SAFETY: Set once, early in boot.
    let physical_base = unsafe { bindings::phys_base } as u64;
    address
        .wrapping_sub(physical_base)
        .wrapping_add(START_KERNEL_MAP)
}

/// Memory that is not part of the dump besides the crash regions.
pub(crate) fn excluded_from_dump() -> Option<Range> {
    Some(LOW_MEMORY)
}

/// What a capture kernel can be given of this kernel's memory: above what devices of ISA reach, and below
/// 4 GiB, because it needs some there for DMA.
pub(crate) fn limits(_ram: &[Range]) -> Limits {
    const WITHIN: Range = match Range::new(16 << 20, 4 << 30) {
        Some(within) => within,
        None => Range::ALL,
    };
    Limits {
        within: WITHIN,
        pieces: PIECES_MAX,
    }
}

/// Tells the capture kernel what memory it may use: the crash regions without the
/// elfcorehdr, the first MiB, and what ACPI needs.
pub(super) fn set_memory_map(
    params: &mut BootParams<'_>,
    crash_regions: &[Range],
    elfcorehdr: Range,
) -> Result<(), Refusal> {
    let system_ram = iomem::system_ram()?;
    let mut map = MemoryMap::new(params, &system_ram, crash_regions, elfcorehdr)?;
    for (description, memory_type) in [
        (bindings::IORES_DESC_ACPI_TABLES, MemoryType::Acpi),
        (bindings::IORES_DESC_ACPI_NV_STORAGE, MemoryType::Nvs),
        (bindings::IORES_DESC_RESERVED, MemoryType::Reserved),
    ] {
        map.add(&iomem::described(description)?, memory_type)?;
    }
    Ok(map.finish()?)
}
