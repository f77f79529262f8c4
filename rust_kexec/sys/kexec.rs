// SPDX-License-Identifier: GPL-2.0

//! The kernel's own kexec: what it permits, whether it is at work, and whether it has an image.

use super::bindings;
use super::file::Mount;
use crate::compat::prelude::*;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::error::to_result;

/// Whether the functions that the kernel does not export were found.
static FOUND: AtomicBool = AtomicBool::new(false);

/// Looks for the functions that the kernel does not export.
pub(crate) fn find() -> Result {
    // SAFETY: Asks the kernel where functions are, and has static calls lead there.
    to_result(unsafe { bindings::rust_kexec_find_kexec() })?;
    FOUND.store(true, Ordering::Release);
    Ok(())
}

/// What kexec_load_permitted() says to the caller's loading or unloading of a crash image: whether
/// kernel.kexec_load_disabled and kernel.kexec_load_limit_panic allow it. It counts for the limit.
/// None where the function was not found.
pub(crate) fn load_permitted() -> Option<bool> {
    match FOUND.load(Ordering::Acquire) {
        // SAFETY: Asks about the current process and two variables; it may sleep, as a system call
        // may.
        true => Some(unsafe { bindings::rust_kexec_kexec_load_permitted() }),
        false => None,
    }
}

/// Whether nobody loads or unloads an image, or changes the reserved region, at this moment: nobody
/// holds kexec's lock.
pub(crate) fn is_idle() -> bool {
    // SAFETY: Reads the region's size, if it gets the lock.
    unsafe { bindings::rust_kexec_kexec_is_idle() }
}

/// Whether it has a crash image.
pub(crate) fn has_image() -> bool {
    // SAFETY: Reads a pointer of the kernel's.
    unsafe { bindings::rust_kexec_kernel_image_loaded() }
}

/// Whether kernel.kexec_load_disabled is set.
pub(crate) fn load_is_disabled() -> bool {
    let mut text = [0; 8];
    let path = c"sys/kernel/kexec_load_disabled";
    Mount::proc().is_ok_and(|proc| {
        let text = proc.read(path, &mut text).unwrap_or_default();
        text.first() == Some(&b'1')
    })
}
