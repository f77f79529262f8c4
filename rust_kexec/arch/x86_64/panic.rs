// SPDX-License-Identifier: GPL-2.0

//! The functions of this module that a panic calls on x86_64, besides `crate::sys::panic`.

/// Has the hooks of helpers.c call a type's `PanicCallbacks`. Once in the module.
macro_rules! callbacks {
    ($callbacks:ty) => {
        /// An NMI arrived. Returns only if it is not for us.
        #[no_mangle]
        extern "C" fn rust_kexec_stop_nmi(frame: *mut kernel::bindings::pt_regs) -> bool {
            // SAFETY: The NMI entry code passes the interrupted registers.
            unsafe { <$callbacks as $crate::sys::panic::PanicCallbacks>::stop_this_cpu(frame) }
            false
        }

        /// panic() is about to stop the other CPUs.
        #[no_mangle]
        extern "C" fn rust_kexec_before_stop_other_cpus() {
            // SAFETY: panic() stops the other CPUs with preemption off.
            unsafe { <$callbacks as $crate::sys::panic::PanicCallbacks>::panic_noticed() }
        }
    };
}
pub(crate) use callbacks;
