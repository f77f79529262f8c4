// SPDX-License-Identifier: GPL-2.0

//! UEFI firmware, as the running kernel's `struct efi` has it.

#[cfg(CONFIG_EFI)]
use crate::sys::bindings;

/// What the kernel knows of the firmware.
pub(super) struct KernelsEfi {
    /// The address of ACPI's root pointer, 0 where there is none.
    pub(super) acpi_rsdp: u64,
    /// The firmware's services, where the kernel uses them.
    pub(super) services: Option<KernelsServices>,
}

/// What another kernel needs to use the services.
pub(super) struct KernelsServices {
    /// The address of the SMBIOS table, 0 where there is none.
    pub(super) smbios: u64,
    /// The firmware's memory map, as an array of descriptors.
    pub(super) memory_map: &'static [u8],
    /// The length of a descriptor in bytes.
    pub(super) descriptor_len: u32,
}

/// Nothing, where the kernel cannot be started by such firmware.
#[cfg(not(CONFIG_EFI))]
pub(super) fn read() -> KernelsEfi {
    KernelsEfi {
        acpi_rsdp: 0,
        services: None,
    }
}

/// Reads the kernel's variables. They are zeros and none where it was not started by such firmware.
#[cfg(CONFIG_EFI)]
pub(super) fn read() -> KernelsEfi {
    // SAFETY: Reads variables that are constant after boot.
    let (acpi20, acpi) = unsafe {
        (
            bindings::rust_kexec_efi_acpi20(),
            bindings::rust_kexec_efi_acpi(),
        )
    };
    KernelsEfi {
        acpi_rsdp: table(acpi20).or(table(acpi)).unwrap_or(0),
        services: services(),
    }
}

/// A table's address, if there is such a table.
#[cfg(CONFIG_EFI)]
fn table(address: usize) -> Option<u64> {
    const EFI_INVALID_TABLE_ADDR: usize = usize::MAX;
    (address != EFI_INVALID_TABLE_ADDR).then_some(address as u64)
}

#[cfg(CONFIG_EFI)]
fn services() -> Option<KernelsServices> {
    // A kernel on firmware of 32 bits cannot hand its services on.
    let needed = [
        bindings::EFI_RUNTIME_SERVICES,
        bindings::EFI_MEMMAP,
        bindings::EFI_64BIT,
    ];
    let is_there = |feature: &u32| {
        // SAFETY: Reads a variable that is constant after boot.
        unsafe { bindings::rust_kexec_efi_enabled(*feature as kernel::ffi::c_int) }
    };
    if !needed.iter().all(is_there) {
        return None;
    }
    // SAFETY: The kernel keeps its map of the firmware's memory from boot on, unchanged.
    let map = unsafe { &*bindings::rust_kexec_efi_memory_map() };
    if map.map.is_null() {
        return None;
    }
    let len = (map.nr_map as usize).checked_mul(map.desc_size)?;
    Some(KernelsServices {
        // SAFETY: Reads a variable that is constant after boot.
        smbios: table(unsafe { bindings::rust_kexec_efi_smbios() }).unwrap_or(0),
        // SAFETY: As above: so many bytes.
        memory_map: unsafe { core::slice::from_raw_parts(map.map.cast(), len) },
        descriptor_len: map.desc_size as u32,
    })
}
