// SPDX-License-Identifier: GPL-2.0

//! The NMI handler in which a CPU is stopped.

use crate::sys::{
    bindings,
    panic::PanicCallbacks, //
};
use kernel::ffi::{
    c_int,
    c_uint, //
};
use kexec_core::dump::report::Means;

/// A type whose callbacks the NMI handler calls.
pub(crate) trait ArchitectureCallbacks: PanicCallbacks {
    /// The handler. It calls [`stop_this_cpu`].
    const NMI_HANDLER: unsafe extern "C" fn(c_uint, *mut bindings::pt_regs) -> c_int;
}

/// Defines a type's NMI handler. Once in the module.
///
/// It is called as the kernel's own is. crash(8) does not start a CPU's backtrace at the registers in
/// the notes: it searches the stacks for a return address into a function of that name, and takes the
/// exception frame of the NMI stack that it finds it on (x86_64_init() and
/// x86_64_get_dumpfile_stack_frame() in its x86_64.c).
macro_rules! callbacks {
    ($callbacks:ty) => {
        impl $crate::arch::panic::ArchitectureCallbacks for $callbacks {
            const NMI_HANDLER: unsafe extern "C" fn(
                kernel::ffi::c_uint,
                *mut $crate::sys::bindings::pt_regs,
            ) -> kernel::ffi::c_int = crash_nmi_callback;
        }

        /// # Safety
        ///
        /// To be called for an NMI, with the registers that it has interrupted.
        #[no_mangle]
        unsafe extern "C" fn crash_nmi_callback(
            _kind: kernel::ffi::c_uint,
            frame: *mut $crate::sys::bindings::pt_regs,
        ) -> kernel::ffi::c_int {
            // SAFETY: By this function's contract.
            unsafe { $crate::arch::panic::stop_this_cpu::<$callbacks>(frame) }
            $crate::sys::bindings::NMI_DONE as kernel::ffi::c_int
        }
    };
}
pub(crate) use callbacks;

/// Stops this CPU, if the NMI is for that.
///
/// # Safety
///
/// `frame` must be the registers that an NMI has interrupted, in whose handler this is.
// Out of line, so that the stack has a return address into the handler.
#[inline(never)]
pub(crate) unsafe fn stop_this_cpu<T: PanicCallbacks>(frame: *const bindings::pt_regs) {
    // SAFETY: By this function's contract.
    unsafe { T::stop_this_cpu(frame, Means::Nmi) }
}
