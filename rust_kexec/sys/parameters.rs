// SPDX-License-Identifier: GPL-2.0

//! The parameters of the module: what insmod gets, and what sysfs shows.

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

/// The parameter `signatures=`, which root can change while the module is loaded.
pub(crate) trait SignaturesParameter {
    /// Sets it, at the module's load or through sysfs.
    fn set(name: &[u8]) -> Result;

    /// Its value.
    fn get() -> &'static str;
}

/// Has the kernel set and get `signatures=` by a type's [`SignaturesParameter`]. Once in the module: C
/// knows the functions by their names.
macro_rules! signatures {
    ($parameter:ty) => {
        /// # Safety
        ///
        /// `value` must be readable for `len` bytes.
        #[no_mangle]
        unsafe extern "C" fn rust_kexec_set_policy(
            value: *const kernel::ffi::c_char,
            len: usize,
        ) -> kernel::ffi::c_int {
            // SAFETY: By this function's contract.
            let name = unsafe { core::slice::from_raw_parts(value.cast(), len) };
            match <$parameter as $crate::sys::parameters::SignaturesParameter>::set(name) {
                Ok(()) => 0,
                Err(error) => error.to_errno(),
            }
        }

        /// The parameter's value, and its length.
        ///
        /// # Safety
        ///
        /// `len` must be valid for a write.
        #[no_mangle]
        unsafe extern "C" fn rust_kexec_policy_name(
            len: *mut kernel::ffi::c_int,
        ) -> *const kernel::ffi::c_char {
            let name = <$parameter as $crate::sys::parameters::SignaturesParameter>::get();
            // SAFETY: By this function's contract. Names are short.
            unsafe { len.write(name.len() as kernel::ffi::c_int) };
            name.as_ptr().cast()
        }
    };
}
pub(crate) use signatures;
