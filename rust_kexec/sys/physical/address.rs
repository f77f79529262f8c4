// SPDX-License-Identifier: GPL-2.0

//! Addresses of the kernel's own memory, in its map of all RAM.

use crate::sys::bindings;

/// The physical address of kmalloc()ed memory.
pub(crate) fn address_of(bytes: &[u8]) -> u64 {
    address(bytes.as_ptr())
}

/// The physical address of a byte in the direct map: virt_to_phys().
pub(crate) fn address(of: *const u8) -> u64 {
    // SAFETY: Pure arithmetic on an address of the direct map.
    unsafe { bindings::rust_kexec_virt_to_phys(of.cast()) }
}

/// The address at which the direct map of all RAM has this physical address, whether or not there is
/// memory: phys_to_virt().
pub(crate) fn direct_map_address(address: u64) -> *mut u8 {
    // SAFETY: Pure arithmetic.
    unsafe { bindings::rust_kexec_phys_to_virt(address).cast() }
}
