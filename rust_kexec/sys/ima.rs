// SPDX-License-Identifier: GPL-2.0

//! IMA's list of measurements, which a machine shows to others by its TPM.

#[cfg(CONFIG_IMA)]
use super::bindings;
#[cfg(CONFIG_IMA)]
use crate::compat::prelude::*;
use core::ffi::CStr;

/// Measures `data` under this name, where IMA's policy has `measure func=CRITICAL_DATA`, for all
/// labels or for this one.
pub(crate) fn measure_critical_data(label: &CStr, name: &CStr, data: &[u8]) {
    #[cfg(CONFIG_IMA)]
    // SAFETY: Both names are strings, the slice has this length, and no digest is asked for.
    let _ = unsafe {
        bindings::ima_measure_critical_data(
            label.as_char_ptr(),
            name.as_char_ptr(),
            data.as_ptr().cast(),
            data.len(),
            false,
            core::ptr::null_mut(),
            0,
        )
    };
    #[cfg(not(CONFIG_IMA))]
    let _ = (label, name, data);
}
