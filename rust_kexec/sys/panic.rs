// SPDX-License-Identifier: GPL-2.0

//! The functions of this module that a panic calls.

use kernel::bindings::pt_regs;
use kexec_core::dump::report::Means;

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

    /// An oops has happened. A panic may follow.
    ///
    /// # Safety
    ///
    /// `frame` must point to the registers of an oops in the running task, on a stack of the task's or of
    /// this CPU's, and preemption be off.
    unsafe fn oops(frame: *const pt_regs);

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
    unsafe fn stop_this_cpu(frame: *const pt_regs, means: Means);
}
