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
use core::{
    ffi::CStr,
    ptr,
    sync::atomic::{
        AtomicBool,
        Ordering, //
    }, //
};
use kernel::ffi::c_ulong;
#[cfg(CONFIG_X86_64)]
use kexec_core::dump::report::Means;

/// The first function that panic() calls to end a crash, and that can be hooked. The other CPUs run.
pub(crate) const CRASHES_IN: Option<&CStr> = match (HAS_CRASH_KEXEC, cfg!(CONFIG_ARM64)) {
    (true, _) => Some(c"__crash_kexec"),
    // panic() stops them next, which a shutdown does as well.
    (false, true) => Some(c"smp_send_stop"),
    // By a pointer, on which there is a hook too (`arch::hook`).
    (false, false) => None,
};

/// Whether the kernel has `__crash_kexec`, and `crash_smp_send_stop` for the time before it.
const HAS_CRASH_KEXEC: bool = cfg!(CONFIG_CRASH_DUMP);

static CRASH_KEXEC: Hook = Hook::observing(match CRASHES_IN {
    Some(function) => function,
    None => TRIED,
});

/// The hook on the function in which a kernel crashes, if there is one. It calls [`PanicCallbacks::crash`]
/// with the registers.
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
        if CRASHES_IN.is_some() {
            CRASH_KEXEC.add(tried(), &hook.0)?;
        }
        Ok(hook)
    }

    /// Tries whether the kernel calls the hook.
    pub(crate) fn check(&self) -> Result {
        WAS_TRIED.store(false, Ordering::Relaxed);
        // SAFETY: Looks at a variable of a CPU that is there.
        unsafe { bindings::get_cpu_device(0) };
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

/// The function by which the hook is tried: one that every kernel has, and that is seldom called.
const TRIED: &CStr = c"get_cpu_device";

/// Its address.
fn tried() -> usize {
    bindings::get_cpu_device as *const () as usize
}

/// What a call of [`CRASHES_IN`] with this argument tells of an oops: its registers, or null. None where the
/// kernel does not crash.
pub(crate) fn oops_of_call(argument: *const bindings::pt_regs) -> Option<*const bindings::pt_regs> {
    if HAS_CRASH_KEXEC {
        return Some(argument);
    }
    // panic() has made this known before it printed; a shutdown does not.
    // SAFETY: Reads a variable.
    let is_panicking = unsafe { bindings::oops_in_progress != 0 };
    is_panicking.then_some(ptr::null())
}

/// # Safety
///
/// To be called by a hook, at the entry of [`CRASHES_IN`] or of the function that tries the hook.
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
        match oops_of_call(argument(registers)) {
            Some(oops) if oops.is_null() => with_frame(registers, |frame| T::crash(frame)),
            Some(oops) => T::crash(oops),
            None => {}
        }
    }
}

/// The other functions. The first one has to be there, for a kernel that crashes in `__crash_kexec`. In a
/// kernel that lacks one of the others no CPU waits in it.
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
        let all = OTHERS.iter().zip(entered).enumerate();
        for (index, (hook, entered)) in all.skip(usize::from(!HAS_CRASH_KEXEC)) {
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
