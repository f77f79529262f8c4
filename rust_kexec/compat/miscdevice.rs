// SPDX-License-Identifier: GPL-2.0

//! `kernel::miscdevice` for kernels that lack it, as far as this module uses it: one device,
//! whose files have no data of their own, with ioctls.

use crate::bindings;
use core::ffi::CStr;
use core::marker::PhantomData;
use kernel::error::to_result;
use kernel::ffi::{c_long, c_uint, c_ulong};
use kernel::init::pin_init_from_closure;
use kernel::prelude::*;
use kernel::types::Opaque;

/// An open file.
#[repr(transparent)]
pub(crate) struct File(Opaque<bindings::file>);

/// Options for creating a misc device.
pub(crate) struct MiscDeviceOptions {
    /// The name of the misc device.
    pub(crate) name: &'static CStr,
}

/// What is called for the device's files.
#[vtable]
pub(crate) trait MiscDevice: Sized {
    /// What each open file has; here nothing.
    type Ptr;

    /// Called when the device is opened.
    #[expect(
        dead_code,
        reason = "the shape of newer kernels, where it makes the file's data"
    )]
    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr>;

    /// Handler for ioctls.
    fn ioctl(_device: (), _file: &File, _cmd: u32, _arg: usize) -> Result<isize>;
}

/// A registration of a misc device.
pub(crate) struct MiscDeviceRegistration<T>(PhantomData<T>);

impl<T: MiscDevice<Ptr = ()>> MiscDeviceRegistration<T> {
    /// Registers a misc device.
    pub(crate) fn register(options: MiscDeviceOptions) -> impl PinInit<Self, Error> {
        let register = move |_slot: *mut Self| {
            // SAFETY: The name lives as long as the module, and `ioctl` matches the C prototype.
            to_result(unsafe {
                bindings::rust_kexec_register_device(options.name.as_ptr().cast(), Some(ioctl::<T>))
            })
        };
        // SAFETY: The type has no field that would need initialising.
        unsafe { pin_init_from_closure(register) }
    }
}

impl<T> Drop for MiscDeviceRegistration<T> {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { bindings::rust_kexec_unregister_device() }
    }
}

/// # Safety
///
/// `file` must be an open file of the device.
unsafe extern "C" fn ioctl<T: MiscDevice<Ptr = ()>>(
    file: *mut bindings::file,
    command: c_uint,
    argument: c_ulong,
) -> c_long {
    // SAFETY: By this function's contract; `File` is transparent.
    let file = unsafe { &*file.cast::<File>() };
    match T::ioctl((), file, command, argument) {
        Ok(value) => value as c_long,
        Err(error) => error.to_errno() as c_long,
    }
}
