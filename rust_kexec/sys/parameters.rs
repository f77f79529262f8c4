// SPDX-License-Identifier: GPL-2.0

//! The module's parameters, as insmod got them.

use super::bindings;
use crate::compat::prelude::*;
use core::ffi::CStr;

/// `exclude=`; empty where it was not given.
pub(crate) fn exclude() -> &'static [u8] {
    // SAFETY: Reads a variable that is written before the module's init runs, and never again.
    let text = unsafe { bindings::rust_kexec_exclude() };
    if text.is_null() {
        return b"";
    }
    // SAFETY: The kernel keeps the string, with its NUL, as long as the module.
    unsafe { CStr::from_char_ptr(text) }.to_bytes()
}
