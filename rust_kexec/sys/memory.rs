// SPDX-License-Identifier: GPL-2.0

//! The memory of this kernel.

use super::bindings;
use kernel::page::PAGE_SIZE;

/// The memory that the kernel's allocators have, used or not, in bytes.
pub(crate) fn total() -> u64 {
    // SAFETY: Reads a variable.
    let pages = unsafe { bindings::rust_kexec_ram_pages() };
    (pages * PAGE_SIZE) as u64
}

/// How much of it could be had without swapping, in bytes: MemAvailable of /proc/meminfo.
pub(crate) fn available() -> u64 {
    // SAFETY: Reads counters.
    let pages = unsafe { bindings::si_mem_available() };
    u64::try_from(pages).unwrap_or(0) * PAGE_SIZE as u64
}

/// Whether the machine encrypts it.
pub(crate) fn is_encrypted() -> bool {
    // SAFETY: Reads a variable that is constant after boot.
    unsafe { bindings::rust_kexec_memory_is_encrypted() }
}
