// SPDX-License-Identifier: GPL-2.0

//! `kernel::miscdevice` for kernels that lack it, as far as this module uses it: one device,
//! whose files have no data of their own, with ioctls.

use crate::bindings::{
    self,
    KernelStatic, //
};
use core::{
    ffi::CStr,
    marker::PhantomData,
    ptr::addr_of_mut,
    sync::atomic::{
        AtomicBool,
        Ordering, //
    }, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_long,
        c_uint,
        c_ulong, //
    },
    init::pin_init_from_closure,
    prelude::*,
    types::Opaque, //
};

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

/// A registration of a misc device: one at a time.
pub(crate) struct MiscDeviceRegistration<T>(PhantomData<T>);

/// Whether there is a registration, to which the structures belong.
static REGISTERED: AtomicBool = AtomicBool::new(false);

static OPERATIONS: KernelStatic<bindings::file_operations> = KernelStatic::zeroed();

static DEVICE: KernelStatic<bindings::miscdevice> = KernelStatic::zeroed();

impl<T: MiscDevice<Ptr = ()>> MiscDeviceRegistration<T> {
    /// Registers a misc device.
    pub(crate) fn register(options: MiscDeviceOptions) -> impl PinInit<Self, Error> {
        let register = move |_slot: *mut Self| {
            if REGISTERED.swap(true, Ordering::AcqRel) {
                return Err(EBUSY);
            }
            let (operations, device) = (OPERATIONS.get(), DEVICE.get());
            // SAFETY: There was no registration, so nobody else uses the structures. The name lives as
            // long as the module.
            let registered = to_result(unsafe {
                (*operations).owner = addr_of_mut!(bindings::__this_module);
                (*operations).unlocked_ioctl = Some(ioctl::<T>);
                #[cfg(CONFIG_COMPAT)]
                {
                    (*operations).compat_ioctl = Some(bindings::compat_ptr_ioctl);
                }
                (*operations).llseek = Some(bindings::noop_llseek);
                (*device).minor = bindings::MISC_DYNAMIC_MINOR as c_int;
                (*device).name = options.name.as_ptr().cast();
                (*device).fops = operations;
                bindings::misc_register(device)
            });
            if registered.is_err() {
                REGISTERED.store(false, Ordering::Release);
            }
            registered
        };
        // SAFETY: The type has no field that would need initialising.
        unsafe { pin_init_from_closure(register) }
    }
}

impl<T> Drop for MiscDeviceRegistration<T> {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { bindings::misc_deregister(DEVICE.get()) };
        REGISTERED.store(false, Ordering::Release);
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
