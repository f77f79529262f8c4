// SPDX-License-Identifier: GPL-2.0

//! C strings, with the kernel's own character type.

use core::ffi::CStr;
use kernel::ffi::c_char;

/// What the `kernel` crate adds to [`CStr`].
pub(crate) trait CStrExt {
    /// The string at `ptr`.
    ///
    /// # Safety
    ///
    /// As [`CStr::from_ptr`].
    unsafe fn from_char_ptr<'a>(ptr: *const c_char) -> &'a Self;

    /// Its first character, and with it the whole string for C.
    fn as_char_ptr(&self) -> *const c_char;
}

impl CStrExt for CStr {
    unsafe fn from_char_ptr<'a>(ptr: *const c_char) -> &'a Self {
        // SAFETY: By this function's contract.
        unsafe { Self::from_ptr(ptr.cast()) }
    }

    fn as_char_ptr(&self) -> *const c_char {
        self.as_ptr().cast()
    }
}
