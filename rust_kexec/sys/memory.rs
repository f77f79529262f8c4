// SPDX-License-Identifier: GPL-2.0

//! How much memory this kernel has.

extern "C" {
    fn rust_kexec_total_memory() -> u64;
}

/// The memory that the kernel's allocators have, used or not, in bytes.
pub(crate) fn total() -> u64 {
    // SAFETY: Reads a variable.
    unsafe { rust_kexec_total_memory() }
}
