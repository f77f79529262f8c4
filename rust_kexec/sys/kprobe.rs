// SPDX-License-Identifier: GPL-2.0

//! The addresses of the kernel's functions, by their names: kallsyms_lookup_name() is not exported since
//! 5.7 (0bd476e6c671).

use super::bindings;
use crate::compat::prelude::*;
use core::{
    array,
    ffi::CStr,
    mem::zeroed, //
};
use kernel::{
    error::to_result,
    ffi::c_int, //
};

/// The addresses of functions that can be probed. Probes that are never armed are told where they
/// would be.
pub(crate) fn addresses_of<const N: usize>(names: [&CStr; N]) -> Result<[usize; N]> {
    let mut probes = names.map(|name| bindings::kprobe {
        symbol_name: name.as_char_ptr(),
        flags: bindings::KPROBE_FLAG_DISABLED,
        // SAFETY: A probe of zeros is one that is not registered.
        ..unsafe { zeroed() }
    });
    let mut pointers = array::from_fn(|_| core::ptr::null_mut());
    for (pointer, probe) in pointers.iter_mut().zip(&mut probes) {
        *pointer = core::ptr::from_mut(probe);
    }
    // SAFETY: The probes stay where they are until they are taken out again, just below.
    to_result(unsafe { bindings::register_kprobes(pointers.as_mut_ptr(), N as c_int) })?;
    let addresses = pointers.map(|probe: *mut bindings::kprobe| {
        // SAFETY: The probe is registered, and lives in `probes`.
        unsafe { (*probe).addr as usize }
    });
    // SAFETY: As above.
    unsafe { bindings::unregister_kprobes(pointers.as_mut_ptr(), N as c_int) };
    Ok(addresses)
}
