// SPDX-License-Identifier: GPL-2.0

//! Hooks on the functions that panic() calls.

use super::function::{
    argument,
    with_frame,
    Entered,
    Hook, //
};
use crate::{
    compat::prelude::*,
    sys::{
        bindings,
        panic::PanicCallbacks,
        slot::{
            Held,
            Slot, //
        }, //
    }, //
};
use core::sync::atomic::{
    AtomicBool,
    Ordering, //
};
use kernel::ffi::c_ulong;
#[cfg(CONFIG_X86_64)]
use kexec_core::dump::report::Means;

static CRASH_KEXEC: Hook = Hook::observing(c"__crash_kexec");

/// The hook on `__crash_kexec`, which calls [`PanicCallbacks::crash`] with the registers.
pub(crate) struct CrashKexecHook(Held);

/// Whether the hook was called for the function that tries it.
static WAS_TRIED: AtomicBool = AtomicBool::new(false);

impl CrashKexecHook {
    /// Hooks the function, and a harmless one by which [`Self::check`] tries the hook.
    pub(crate) fn register<T: PanicCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let held = SLOT.hold()?;
        CRASH_KEXEC.register(crash_kexec_entered::<T>, &held)?;
        let hook = Self(held);
        CRASH_KEXEC.add(tried(), &hook.0)?;
        Ok(hook)
    }

    /// Tries whether the kernel calls the hook.
    pub(crate) fn check(&self) -> Result {
        WAS_TRIED.store(false, Ordering::Relaxed);
        // SAFETY: Looks at a pointer.
        unsafe { bindings::kexec_crash_loaded() };
        match WAS_TRIED.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(ENODEV),
        }
    }
}

impl Drop for CrashKexecHook {
    fn drop(&mut self) {
        CRASH_KEXEC.unregister(&self.0);
    }
}

/// The address of the function by which the hook is tried.
fn tried() -> usize {
    bindings::kexec_crash_loaded as *const () as usize
}

/// # Safety
///
/// To be called by a hook, at the entry of `__crash_kexec` or of the function that tries the hook.
unsafe extern "C" fn crash_kexec_entered<T: PanicCallbacks>(
    address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    // The place of a hook is a few bytes after the start of its function.
    if address.wrapping_sub(tried()) < 16 {
        WAS_TRIED.store(true, Ordering::Relaxed);
        return;
    }
    // SAFETY: The registers are the hook's, and preemption is off. The argument is the registers of the
    // oops, or null.
    unsafe {
        match argument::<bindings::pt_regs>(registers) {
            oops if oops.is_null() => with_frame(registers, |frame| T::crash(frame)),
            oops => T::crash(oops),
        }
    }
}

/// The other functions. The first one has to be there. In a kernel that lacks one of the others no CPU
/// waits in it.
static OTHERS: [Hook; OTHERS_COUNT] = [
    Hook::observing(c"crash_smp_send_stop"),
    Hook::observing(c"panic_smp_self_stop"),
    Hook::observing(c"nmi_panic_self_stop"),
    #[cfg(CONFIG_X86_64)]
    Hook::observing(c"run_crash_ipi_callback"),
];

const OTHERS_COUNT: usize = 3 + cfg!(CONFIG_X86_64) as usize;

/// Hooks on the other functions of a panic: those in which a CPU stops itself because another one
/// panics, and `crash_smp_send_stop`. They call the other [`PanicCallbacks`].
pub(crate) struct PanicHooks(Held);

impl PanicHooks {
    /// Hooks the functions.
    pub(crate) fn register<T: PanicCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let hooks = Self(SLOT.hold()?);
        let entered: [Entered; OTHERS_COUNT] = [
            crash_smp_send_stop_entered::<T>,
            self_stop_entered::<T>,
            nmi_self_stop_entered::<T>,
            #[cfg(CONFIG_X86_64)]
            run_crash_ipi_callback_entered::<T>,
        ];
        for (index, (hook, entered)) in OTHERS.iter().zip(entered).enumerate() {
            match hook.register(entered, &hooks.0) {
                Err(error) if index == 0 || error != EINVAL => return Err(error),
                _ => {}
            }
        }
        Ok(hooks)
    }
}

impl Drop for PanicHooks {
    fn drop(&mut self) {
        for hook in &OTHERS {
            hook.unregister(&self.0);
        }
    }
}

/// # Safety
///
/// To be called by a hook.
unsafe extern "C" fn crash_smp_send_stop_entered<T: PanicCallbacks>(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    _registers: *mut bindings::ftrace_regs,
) {
    T::notifiers_come_first();
}

/// # Safety
///
/// To be called by a hook.
unsafe extern "C" fn self_stop_entered<T: PanicCallbacks>(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    // SAFETY: The registers are the hook's, and preemption is off.
    unsafe { with_frame(registers, |frame| T::wait_to_be_stopped(frame)) }
}

/// # Safety
///
/// To be called by a hook, at the entry of a function whose argument are the registers that an NMI has
/// interrupted.
unsafe extern "C" fn nmi_self_stop_entered<T: PanicCallbacks>(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    // SAFETY: The registers are the hook's, and preemption is off; by this function's contract.
    unsafe { T::wait_to_be_stopped(argument(registers)) }
}

/// # Safety
///
/// As for [`nmi_self_stop_entered`].
#[cfg(CONFIG_X86_64)]
unsafe extern "C" fn run_crash_ipi_callback_entered<T: PanicCallbacks>(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    // SAFETY: The registers are the hook's, and preemption is off; by this function's contract.
    unsafe { T::stop_this_cpu(argument(registers), Means::Nmi) }
}
