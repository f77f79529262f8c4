// SPDX-License-Identifier: GPL-2.0

//! IMA's list of measurements, which a machine shows to others by its TPM.

use super::bindings;
use crate::compat::prelude::*;
use core::ffi::CStr;

/// Measures `data` under this name, where IMA's policy has `measure func=CRITICAL_DATA`, for all
/// labels or for this one.
pub(crate) fn measure_critical_data(label: &CStr, name: &CStr, data: &[u8]) {
    // SAFETY: Both names are strings, and the slice has this length.
    unsafe {
        bindings::rust_kexec_ima_measure_critical_data(
            label.as_char_ptr(),
            name.as_char_ptr(),
            data.as_ptr().cast(),
            data.len(),
        )
    }
}
