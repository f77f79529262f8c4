// SPDX-License-Identifier: GPL-2.0

//! Random bytes from the kernel.

use kernel::ffi::c_void;

extern "C" {
    fn get_random_bytes(buffer: *mut c_void, len: usize);
    fn rng_is_initialized() -> bool;
}

/// Whether the kernel has gathered enough to make them unpredictable.
pub(crate) fn is_unpredictable() -> bool {
    // SAFETY: Reads a flag.
    unsafe { rng_is_initialized() }
}

/// Fills `bytes`.
pub(crate) fn fill(bytes: &mut [u8]) {
    // SAFETY: The buffer is writable in its whole length.
    unsafe { get_random_bytes(bytes.as_mut_ptr().cast(), bytes.len()) }
}
