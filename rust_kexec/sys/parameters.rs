// SPDX-License-Identifier: GPL-2.0

//! The parameters of the module, which insmod sets and sysfs shows.

use super::bindings;
use crate::compat::prelude::*;
use core::ffi::CStr;
use kernel::{
    ffi::{
        c_char,
        c_int, //
    },
    page::PAGE_SIZE, //
};

/// `exclude=`; empty where it was not given.
pub(crate) fn exclude() -> &'static [u8] {
    // SAFETY: Reads a variable that is written before the module's init runs, and never again.
    string(unsafe { bindings::rust_kexec_exclude })
}

/// `reserve=`; empty where it was not given.
pub(crate) fn reserve() -> &'static [u8] {
    // SAFETY: As above.
    string(unsafe { bindings::rust_kexec_reserve })
}

/// `region=`; empty where it was not given.
pub(crate) fn region() -> &'static [u8] {
    // SAFETY: As above.
    string(unsafe { bindings::rust_kexec_region })
}

fn string(text: *const c_char) -> &'static [u8] {
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

/// Has the kernel set and get `signatures=` by a type's [`SignaturesParameter`]. Once in the module: the
/// parameter's macro in C knows the table by its name.
macro_rules! signatures {
    ($parameter:ty) => {
        #[export_name = "rust_kexec_signatures"]
        static SIGNATURES: $crate::sys::bindings::kernel_param_ops =
            $crate::sys::parameters::operations::<$parameter>();
    };
}
pub(crate) use signatures;

/// The kernel's table for a parameter.
pub(crate) const fn operations<T: SignaturesParameter>() -> bindings::kernel_param_ops {
    bindings::kernel_param_ops {
        flags: 0,
        set: Some(set::<T>),
        get: Some(get::<T>),
        free: None,
    }
}

/// # Safety
///
/// `value` must be a string.
unsafe extern "C" fn set<T: SignaturesParameter>(
    value: *const c_char,
    _parameter: *const bindings::kernel_param,
) -> c_int {
    // SAFETY: By this function's contract.
    let value = unsafe { CStr::from_char_ptr(value) };
    match T::set(value.to_bytes()) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// `buffer` must be a page.
unsafe extern "C" fn get<T: SignaturesParameter>(
    buffer: *mut c_char,
    _parameter: *const bindings::kernel_param,
) -> c_int {
    // SAFETY: By this function's contract.
    let page = unsafe { core::slice::from_raw_parts_mut(buffer.cast::<u8>(), PAGE_SIZE) };
    let name = T::get().as_bytes();
    match page.get_mut(..=name.len()).and_then(<[u8]>::split_last_mut) {
        Some((end, text)) => {
            text.copy_from_slice(name);
            *end = b'\n';
            name.len() as c_int + 1
        }
        None => EINVAL.to_errno(),
    }
}
