// SPDX-License-Identifier: GPL-2.0

//! Where the running kernel's text lies, and what memory the capture kernel may use.

use crate::compat::prelude::*;
use crate::refusal::Refusal;
use crate::sys::{file, iomem, physical};
use kernel::bindings;
use kexec_core::elfcorehdr::Load;
use kexec_core::ranges::Range;
use kexec_core::x86::boot_params::BootParams;
use kexec_core::x86::memory_map::{MemoryMap, MemoryType};

/// Where the kernel's text is mapped (Documentation/arch/x86/x86_64/mm.rst).
const START_KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;
/// The first MiB is the capture kernel's to use, so it is no part of the dump.
const LOW_MEMORY: Range = match Range::new(0, 1 << 20) {
    Some(range) => range,
    None => Range::ALL,
};
/// Enough for the text of /proc/iomem on machines with thousands of entries.
const IOMEM_TEXT_LEN: usize = 512 << 10;

/// The kernel's text and data: its physical range, and where it is mapped.
pub(crate) fn kernel_text() -> Result<Load, Refusal> {
    const MISSING: Refusal = Refusal::Missing {
        what: "the kernel's own addresses in /proc/iomem",
        remedy: "mount proc on /proc",
    };
    let mut text = VVec::new();
    text.extend_with(IOMEM_TEXT_LEN, 0, GFP_KERNEL)?;
    let text = file::read_path(c"/proc/iomem", &mut text).map_err(|_| MISSING)?;
    let code = kexec_core::iomem::find(text, "Kernel code").ok_or(MISSING)?;
    let bss = kexec_core::iomem::find(text, "Kernel bss").ok_or(MISSING)?;
    let memory = Range::new(code.start(), bss.end()).ok_or(MISSING)?;
    // SAFETY: Set once, early in boot.
    let physical_base = unsafe { bindings::phys_base } as u64;
    Ok(Load {
        virtual_address: memory
            .start()
            .wrapping_sub(physical_base)
            .wrapping_add(START_KERNEL_MAP),
        memory,
    })
}

/// Where the direct map has an address of RAM.
pub(crate) fn direct_map(address: u64) -> u64 {
    physical::direct_map_address(address) as u64
}

/// Memory that is not part of the dump besides the crash regions.
pub(crate) fn excluded_from_dump() -> Range {
    LOW_MEMORY
}

/// Tells the capture kernel what memory it may use: the crash regions without the ELF core
/// header, the first MiB, and what ACPI needs.
pub(super) fn set_memory_map(
    params: &mut BootParams<'_>,
    crash_regions: &[Range],
    elfcorehdr: Range,
) -> Result<(), Refusal> {
    let system_ram = iomem::ranges(iomem::Kind::SystemRam)?;
    let mut map = MemoryMap::new(params, &system_ram, crash_regions, elfcorehdr)?;
    for (kind, memory_type) in [
        (iomem::Kind::AcpiTables, MemoryType::Acpi),
        (iomem::Kind::AcpiNonVolatile, MemoryType::Nvs),
        (iomem::Kind::Reserved, MemoryType::Reserved),
    ] {
        map.add(&iomem::ranges(kind)?, memory_type)?;
    }
    Ok(map.finish()?)
}
