// SPDX-License-Identifier: GPL-2.0

//! The misc device's registration. Its ioctls arrive in `crate::device`.

use crate::compat::prelude::*;
use kernel::error::to_result;
use kernel::ffi::c_int;

extern "C" {
    fn rust_kexec_register_device() -> c_int;
    fn rust_kexec_unregister_device();
}

/// `/dev/rust_kexec`, for as long as it lives.
pub(crate) struct MiscDevice(());

impl MiscDevice {
    /// Creates the device.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: Registers a static miscdevice, which `drop` removes.
        to_result(unsafe { rust_kexec_register_device() })?;
        Ok(Self(()))
    }
}

impl Drop for MiscDevice {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { rust_kexec_unregister_device() }
    }
}
