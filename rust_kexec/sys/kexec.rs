// SPDX-License-Identifier: GPL-2.0

//! The kernel's own kexec: whether it is at work, and whether it has an image.

use crate::compat::prelude::*;
use kernel::error::to_result;
use kernel::ffi::c_int;

extern "C" {
    fn rust_kexec_find_kexec() -> c_int;
    fn rust_kexec_kexec_is_idle() -> bool;
    fn rust_kexec_kernel_image_loaded() -> bool;
}

/// Looks for the functions that the kernel does not export.
pub(crate) fn find() -> Result {
    // SAFETY: Asks the kernel where functions are, and has static calls lead there.
    to_result(unsafe { rust_kexec_find_kexec() })
}

/// Whether nobody loads or unloads an image, or changes the reserved region, at this moment: nobody
/// holds kexec's lock.
pub(crate) fn is_idle() -> bool {
    // SAFETY: Reads the region's size, if it gets the lock.
    unsafe { rust_kexec_kexec_is_idle() }
}

/// Whether it has a crash image.
pub(crate) fn has_image() -> bool {
    // SAFETY: Reads a pointer of the kernel's.
    unsafe { rust_kexec_kernel_image_loaded() }
}
