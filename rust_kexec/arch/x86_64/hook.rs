// SPDX-License-Identifier: GPL-2.0

//! The hook that only x86_64 has: the pointer through which panic() stops the other CPUs,
//! for when the hook of `__crash_kexec` is not called, or there is no such function.
//!
//! A kernel for one CPU stops no others.

#[cfg(CONFIG_SMP)]
use crate::bindings::KernelStatic;
#[cfg(CONFIG_SMP)]
use crate::sys::bindings;
use crate::sys::{
    panic::PanicCallbacks,
    slot::{
        Held,
        Slot, //
    }, //
};
#[cfg(CONFIG_SMP)]
use core::ptr::addr_of_mut;
use kernel::error::Result;
#[cfg(CONFIG_SMP)]
use kernel::ffi::c_int;

/// The hook, while it is there.
pub(crate) struct ArchitectureHook {
    _slot: Held,
}

/// The kernel's own function.
#[cfg(CONFIG_SMP)]
static KERNELS: KernelStatic<Option<unsafe extern "C" fn(c_int)>> = KernelStatic::zeroed();

impl ArchitectureHook {
    /// Puts the hook in.
    pub(crate) fn register<T: PanicCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        #[cfg(CONFIG_SMP)]
        // SAFETY: Swaps a pointer that the kernel exports to be swapped, and that does not lead to
        // us yet; `drop` swaps it back.
        unsafe {
            let pointer = addr_of_mut!(bindings::smp_ops.stop_other_cpus);
            *KERNELS.get() = *pointer;
            pointer.write_volatile(Some(stop_other_cpus_entered::<T>));
        }
        Ok(Self { _slot: slot })
    }
}

#[cfg(CONFIG_SMP)]
impl Drop for ArchitectureHook {
    fn drop(&mut self) {
        // SAFETY: Put in in `register`.
        unsafe { addr_of_mut!(bindings::smp_ops.stop_other_cpus).write_volatile(*KERNELS.get()) }
    }
}

/// # Safety
///
/// To be called in the place of the kernel's function.
#[cfg(CONFIG_SMP)]
unsafe extern "C" fn stop_other_cpus_entered<T: PanicCallbacks>(wait: c_int) {
    // panic() does not wait for the others; a shutdown or a reboot does.
    // SAFETY: Reads a variable. panic() stops the other CPUs with preemption off.
    unsafe {
        if wait == 0 && bindings::oops_in_progress != 0 {
            T::panic_noticed();
        }
    }
    // SAFETY: By this function's contract; the pointer was read before this function was put in.
    if let Some(kernels) = unsafe { *KERNELS.get() } {
        // SAFETY: As above.
        unsafe { kernels(wait) }
    }
}
