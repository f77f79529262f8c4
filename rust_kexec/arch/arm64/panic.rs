// SPDX-License-Identifier: GPL-2.0

//! The functions of this module that a panic calls on arm64, besides `crate::sys::panic`.

/// Has the calls of helpers.c lead to a type's `PanicCallbacks`. Once in the module.
macro_rules! callbacks {
    ($callbacks:ty) => {
        /// The CPU that crashes called this one. Returns only if there is no crash.
        ///
        /// Not every call comes with an interrupt: flush_smp_call_function_queue() makes the calls
        /// that it finds on its way out of the idle loop, or when the CPU goes offline.
        #[no_mangle]
        extern "C" fn rust_kexec_stop_call(interrupted: *mut kernel::bindings::pt_regs) {
            // SAFETY: The interrupt entry code keeps the interrupted registers while it runs. Null,
            // where the call came without an interrupt, stands for the registers of this place.
            unsafe {
                <$callbacks as $crate::sys::panic::PanicCallbacks>::stop_this_cpu(interrupted)
            }
        }
    };
}
pub(crate) use callbacks;
