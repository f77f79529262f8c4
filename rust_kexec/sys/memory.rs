// SPDX-License-Identifier: GPL-2.0

//! What memory this kernel has.

use super::bindings;

/// The memory that the kernel's allocators have, used or not, in bytes.
pub(crate) fn total() -> u64 {
    // SAFETY: Reads a variable.
    unsafe { bindings::rust_kexec_total_memory() }
}

/// Whether the machine encrypts it.
pub(crate) fn is_encrypted() -> bool {
    // SAFETY: Reads a variable that is constant after boot.
    unsafe { bindings::rust_kexec_memory_is_encrypted() }
}
