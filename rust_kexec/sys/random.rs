// SPDX-License-Identifier: GPL-2.0

//! Random bytes from the kernel.

use super::bindings;

/// Whether the kernel has gathered enough to make them unpredictable.
pub(crate) fn is_unpredictable() -> bool {
    // SAFETY: Reads a flag.
    unsafe { bindings::rng_is_initialized() }
}

/// Fills `bytes`.
pub(crate) fn fill(bytes: &mut [u8]) {
    // SAFETY: The buffer is writable in its whole length.
    unsafe { bindings::get_random_bytes(bytes.as_mut_ptr().cast(), bytes.len()) }
}
