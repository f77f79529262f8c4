// SPDX-License-Identifier: GPL-2.0

//! The functions of this module that a panic calls.

use kernel::bindings::pt_regs;

/// The functions that a panic calls, with preemption off and otherwise in any state of the kernel. They
/// allocate nothing, take no lock and do not sleep.
///
/// A `frame` is null, for the registers of the place itself, or points to the registers to save.
pub(crate) trait PanicCallbacks {
    /// `__crash_kexec` is called: the kernel crashes on this CPU.
    ///
    /// # Safety
    ///
    /// `frame` must be as above, and preemption off.
    unsafe fn crash(frame: *const pt_regs);

    /// panic() has come past the place where it calls `__crash_kexec`, unless it calls the panic
    /// notifiers before that.
    ///
    /// # Safety
    ///
    /// Preemption must be off.
    unsafe fn panic_noticed();

    /// panic() calls the panic notifiers before `__crash_kexec`.
    fn notifiers_come_first();

    /// Another CPU panics, and this one is about to stop itself for good.
    ///
    /// # Safety
    ///
    /// `frame` must be as above, and preemption off.
    unsafe fn wait_to_be_stopped(frame: *const pt_regs);

    /// This CPU may have been asked to stop. Returns if the kernel does not crash.
    ///
    /// # Safety
    ///
    /// `frame` must be as above, and preemption off.
    unsafe fn stop_this_cpu(frame: *const pt_regs);
}

/// Has the hooks of helpers.c call a type's [`PanicCallbacks`]. Once in the module: C knows the
/// functions by their names.
macro_rules! callbacks {
    ($callbacks:ty) => {
        /// `__crash_kexec` is called: `here` are the registers at its entry, `oops` its argument.
        #[no_mangle]
        extern "C" fn rust_kexec_crash_kexec_entered(
            here: *mut kernel::bindings::pt_regs,
            oops: *mut kernel::bindings::pt_regs,
        ) {
            let frame = if oops.is_null() { here } else { oops };
            // SAFETY: ftrace passes the registers, with preemption off; the kernel passes those of the
            // oops, or null.
            unsafe { <$callbacks as $crate::sys::panic::PanicCallbacks>::crash(frame) }
        }

        /// `crash_smp_send_stop` is called.
        #[no_mangle]
        extern "C" fn rust_kexec_crash_smp_send_stop_entered() {
            <$callbacks as $crate::sys::panic::PanicCallbacks>::notifiers_come_first()
        }

        /// This CPU stops itself because another one panics: `frame` are the registers to save.
        #[no_mangle]
        extern "C" fn rust_kexec_self_stop_entered(frame: *mut kernel::bindings::pt_regs) {
            // SAFETY: ftrace passes the registers at the entry of `panic_smp_self_stop`, with
            // preemption off; the kernel passes those that an NMI interrupted to
            // `nmi_panic_self_stop`.
            unsafe { <$callbacks as $crate::sys::panic::PanicCallbacks>::wait_to_be_stopped(frame) }
        }

        /// This CPU looks, in an NMI, whether it shall stop: `frame` are the registers that were
        /// interrupted.
        #[no_mangle]
        extern "C" fn rust_kexec_run_crash_ipi_callback_entered(
            frame: *mut kernel::bindings::pt_regs,
        ) {
            // SAFETY: The kernel passes the registers, in an NMI.
            unsafe { <$callbacks as $crate::sys::panic::PanicCallbacks>::stop_this_cpu(frame) }
        }
    };
}
pub(crate) use callbacks;
