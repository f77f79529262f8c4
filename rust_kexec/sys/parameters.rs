// SPDX-License-Identifier: GPL-2.0

//! The module's parameters, as insmod got them.

use crate::compat::prelude::*;
use core::ffi::CStr;
use kernel::ffi::c_char;

extern "C" {
    fn rust_kexec_exclude() -> *const c_char;
}

/// `exclude=`; empty where it was not given.
pub(crate) fn exclude() -> &'static [u8] {
    // SAFETY: Reads a variable that is written before the module's init runs, and never again.
    let text = unsafe { rust_kexec_exclude() };
    if text.is_null() {
        return b"";
    }
    // SAFETY: The kernel keeps the string, with its NUL, as long as the module.
    unsafe { CStr::from_char_ptr(text) }.to_bytes()
}
