// SPDX-License-Identifier: GPL-2.0

//! The addresses of the kernel's variables, by their names. A kernel has these with KALLSYMS_ALL.

use super::{
    bindings,
    kprobe, //
};
use crate::compat::prelude::*;
use core::ffi::CStr;
use kernel::ffi::c_void;

/// The kernel's list of names, once its function is found.
pub(crate) struct Kallsyms(());

impl Kallsyms {
    /// Finds the function that looks names up.
    pub(crate) fn find() -> Result<Self> {
        let [lookup_name] = kprobe::addresses_of([c"kallsyms_lookup_name"])?;
        // SAFETY: The address is that of a function of this type.
        unsafe { bindings::rust_kexec_set_lookup_name(lookup_name as *mut c_void) };
        Ok(Self(()))
    }

    /// The address of a name.
    pub(crate) fn address(&self, name: &CStr) -> Option<u64> {
        // SAFETY: Reads the list, and that of modules under RCU.
        match unsafe { bindings::rust_kexec_lookup_name(name.as_char_ptr()) } {
            0 => None,
            address => Some(address as u64),
        }
    }
}
