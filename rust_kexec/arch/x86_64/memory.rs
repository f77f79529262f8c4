// SPDX-License-Identifier: GPL-2.0

//! The place of the running kernel's text, and the memory that the capture kernel may use.

use crate::{
    compat::prelude::*,
    refusal::{
        MachineError,
        Refusal,
        RegionError, //
    },
    sys::{
        file::Mount,
        iomem, //
    }, //
};
use kernel::bindings;
use kexec_core::{
    contiguous::{
        Limits,
        PIECES_MAX, //
    },
    handover::{
        x86_64::{
            boot_params::{
                self,
                BootParams,
                MemoryType,
                BOOT_PARAMS_LEN, //
            },
            memory_map::MemoryMap, //
        },
        UsableMemory, //
    },
    types::ranges::{
        without,
        Range, //
    }, //
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

/// Without them nobody knows this machine's memory.
pub(super) const NO_BOOT_PARAMS: MachineError = MachineError::Missing {
    what: "the boot loader's map of this machine's memory, /sys/kernel/boot_params/data,",
    remedy: "use a kernel with CONFIG_SYSFS",
};

/// What firmware says of this machine's memory, whatever the kernel made of that.
pub(crate) struct FirmwareMemory {
    ram: KVec<Range>,
}

impl FirmwareMemory {
    /// Reads what the boot loader has told the kernel.
    pub(crate) fn read() -> Result<Self, Refusal> {
        let mut bytes = KVVec::new();
        bytes.extend_with(BOOT_PARAMS_LEN, 0, GFP_KERNEL)?;
        let sysfs = Mount::sysfs();
        sysfs
            .and_then(|sysfs| {
                sysfs
                    .read(c"kernel/boot_params/data", &mut bytes)
                    .map(|_| ())
            })
            .map_err(|_| NO_BOOT_PARAMS)?;
        let mut ram = KVec::new();
        for range in boot_params::firmware_ram(&bytes) {
            ram.push(range, GFP_KERNEL)?;
        }
        Ok(Self { ram })
    }

    /// What it calls RAM.
    pub(crate) fn ram(&self) -> &[Range] {
        &self.ram
    }

    /// Refuses memory that it keeps for itself. What it does not call RAM is none of that.
    pub(crate) fn check_is_free(&self, _range: Range) -> Result<(), RegionError> {
        Ok(())
    }
}

/// Tells the capture kernel what memory it may use: what is meant for it without the elfcorehdr, the
/// first MiB, and what ACPI needs.
pub(super) fn set_memory_map(
    params: &mut BootParams<'_>,
    usable: UsableMemory<'_>,
    elfcorehdr: Range,
) -> Result<(), Refusal> {
    let system_ram = iomem::system_ram()?;
    let mut map = MemoryMap::new(params, &system_ram, usable, elfcorehdr)?;
    for (description, memory_type) in [
        (bindings::IORES_DESC_ACPI_TABLES, MemoryType::Acpi),
        (bindings::IORES_DESC_ACPI_NV_STORAGE, MemoryType::Nvs),
        (bindings::IORES_DESC_RESERVED, MemoryType::Reserved),
    ] {
        // What this kernel was told to leave alone, and is the capture kernel's, is reserved to this one.
        let described = iomem::described(description)?;
        for range in without(described.iter().copied(), usable.regions) {
            map.add(&[range], memory_type)?;
        }
    }
    Ok(map.finish()?)
}
