// SPDX-License-Identifier: GPL-2.0

//! Hooks on functions of the kernel by ftrace.

use super::bindings;
#[cfg(doc)]
use super::panic::PanicCallbacks;
use super::slot::{Held, Slot};
use crate::compat::prelude::*;
use kernel::error::to_result;

/// The hook on `__crash_kexec`, which calls [`PanicCallbacks::crash`] with the registers.
pub(crate) struct CrashKexecHook {
    _slot: Held,
}

impl CrashKexecHook {
    /// Hooks the function, and finds out by another one whether the hook works.
    pub(crate) fn register() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: Registers a static ftrace_ops that is not registered, which `drop` removes.
        to_result(unsafe { bindings::rust_kexec_hook_crash_kexec() })?;
        Ok(Self { _slot: slot })
    }

    /// Tries whether the kernel calls the hook.
    pub(crate) fn check(&self) -> Result {
        // SAFETY: Calls a function that only looks at a pointer.
        match unsafe { bindings::rust_kexec_crash_kexec_hook_works() } {
            true => Ok(()),
            false => Err(ENODEV),
        }
    }
}

impl Drop for CrashKexecHook {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { bindings::rust_kexec_unhook_crash_kexec() }
    }
}

/// Hooks on what panic() calls besides: where a CPU stops itself because another one panics, and
/// `crash_smp_send_stop`. They call the other [`PanicCallbacks`].
pub(crate) struct PanicHooks {
    _slot: Held,
}

impl PanicHooks {
    /// Hooks the functions.
    pub(crate) fn register() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: Registers static ftrace_ops that are not registered, which `drop` removes.
        to_result(unsafe { bindings::rust_kexec_hook_panic() })?;
        Ok(Self { _slot: slot })
    }
}

impl Drop for PanicHooks {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { bindings::rust_kexec_unhook_panic() }
    }
}

/// Watches what would take the reserved region from under an image of ours: the kernel's own
/// loading of a crash image, and shrinking of the region.
pub(crate) struct RegionGuard {
    _slot: Held,
}

/// Has the guard refuse all that, for as long as both live.
pub(crate) struct RegionClaim {
    _slot: Held,
}

/// Held by the claim.
static CLAIM: Slot = Slot::free();

impl RegionGuard {
    /// Puts the guard up.
    pub(crate) fn register() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: Registers static ftrace_ops that are not registered, which `drop` removes.
        to_result(unsafe { bindings::rust_kexec_guard_region() })?;
        Ok(Self { _slot: slot })
    }

    /// Claims the region for an image of ours. There is one claim at most.
    ///
    /// Whatever the guard let through before has got kexec's lock when this returns, or has failed
    /// to get it, or is done.
    pub(crate) fn claim(&mut self) -> Result<RegionClaim> {
        let slot = CLAIM.hold()?;
        // crash_shrink_memory() was asked for before it tries for the lock, and does not sleep
        // between. A load is asked for when it has the lock.
        // SAFETY: Called in a system call, which may sleep.
        unsafe { bindings::rust_kexec_wait_for_guarded_calls() };
        Ok(RegionClaim { _slot: slot })
    }
}

/// Asked by the guard.
#[no_mangle]
extern "C" fn rust_kexec_region_is_claimed() -> bool {
    CLAIM.is_held()
}

impl Drop for RegionGuard {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { bindings::rust_kexec_unguard_region() }
    }
}
