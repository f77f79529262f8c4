// SPDX-License-Identifier: GPL-2.0

//! A call that another CPU makes in an interrupt. For the crash path: nothing is allocated or waited for.

use super::{
    bindings,
    cpu, //
};
use kernel::ffi::{
    c_int,
    c_uint,
    c_void, //
};

/// Has every CPU call `function` when it is told to by [`request`].
///
/// # Safety
///
/// No call may be requested yet, and none may be under way when this module is unloaded.
pub(crate) unsafe fn prepare(function: unsafe extern "C" fn(*mut c_void)) {
    // Not by an initializer: before 6.15 the module loader leaves pointers in per-CPU data unrelocated.
    for cpu in (0..cpu::ids()).filter(|cpu| cpu::is_possible(*cpu)) {
        // SAFETY: Nobody uses the calls yet, by this function's contract.
        unsafe { (*bindings::rust_kexec_remote_call(cpu as c_uint)).func = Some(function) };
    }
}

/// Tells a CPU that is online to make its call, as soon as it has interrupts enabled.
pub(crate) fn request(cpu: usize) {
    let cpu = cpu as c_uint;
    // SAFETY: Queues a call that was allocated with the module, and sends an interrupt. A call that is
    // queued already is refused.
    unsafe {
        let call = bindings::rust_kexec_remote_call(cpu);
        let _ = bindings::smp_call_function_single_async(cpu as c_int, call);
    }
}

/// The registers that this CPU's interrupt has interrupted; null where there is none.
///
/// Not every call comes with an interrupt: flush_smp_call_function_queue() makes the calls that it
/// finds on its way out of the idle loop, or when the CPU goes offline.
pub(crate) fn interrupted() -> *const bindings::pt_regs {
    // SAFETY: Reads a per-CPU variable.
    unsafe { bindings::rust_kexec_irq_regs() }
}
