// SPDX-License-Identifier: GPL-2.0

//! Hooks on functions of the kernel by ftrace.

use super::slot::{Held, Slot};
use crate::compat::prelude::*;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::error::to_result;
use kernel::ffi::c_int;

extern "C" {
    fn rust_kexec_hook_crash_kexec() -> c_int;
    fn rust_kexec_crash_kexec_hook_works() -> bool;
    fn rust_kexec_unhook_crash_kexec();
    fn rust_kexec_hook_panic() -> c_int;
    fn rust_kexec_unhook_panic();
    fn rust_kexec_guard_region() -> c_int;
    fn rust_kexec_unguard_region();
}

/// The hook on `__crash_kexec`, which calls `crate::crash::hooks` with the registers.
pub(crate) struct CrashKexecHook {
    _slot: Held,
}

impl CrashKexecHook {
    /// Hooks the function, and finds out by another one whether the hook works.
    pub(crate) fn register() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: Registers a static ftrace_ops that is not registered, which `drop` removes.
        to_result(unsafe { rust_kexec_hook_crash_kexec() })?;
        Ok(Self { _slot: slot })
    }

    /// Tries whether the kernel calls the hook.
    pub(crate) fn check(&self) -> Result {
        // SAFETY: Calls a function that only looks at a pointer.
        match unsafe { rust_kexec_crash_kexec_hook_works() } {
            true => Ok(()),
            false => Err(ENODEV),
        }
    }
}

impl Drop for CrashKexecHook {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { rust_kexec_unhook_crash_kexec() }
    }
}

/// Hooks on what panic() calls besides: where a CPU stops itself because another one panics, and
/// `crash_smp_send_stop`. They call `crate::crash::hooks` too.
pub(crate) struct PanicHooks {
    _slot: Held,
}

impl PanicHooks {
    /// Hooks the functions.
    pub(crate) fn register() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: Registers static ftrace_ops that are not registered, which `drop` removes.
        to_result(unsafe { rust_kexec_hook_panic() })?;
        Ok(Self { _slot: slot })
    }
}

impl Drop for PanicHooks {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { rust_kexec_unhook_panic() }
    }
}

/// Whether there is a [`RegionClaim`].
static CLAIMED: AtomicBool = AtomicBool::new(false);

/// Watches what would take the reserved region from under a loaded image: the kernel's own loading
/// of a crash image, and shrinking of the region.
pub(crate) struct RegionGuard(());

/// Has the guard refuse all that, for as long as it lives.
pub(crate) struct RegionClaim(());

impl RegionGuard {
    /// Puts the guard up.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: Registers static ftrace_ops, which `drop` removes.
        to_result(unsafe { rust_kexec_guard_region() })?;
        Ok(Self(()))
    }

    /// Claims the region for an image of ours. There is one image at most.
    pub(crate) fn claim(&mut self) -> RegionClaim {
        CLAIMED.store(true, Ordering::Release);
        RegionClaim(())
    }
}

impl Drop for RegionClaim {
    fn drop(&mut self) {
        CLAIMED.store(false, Ordering::Release);
    }
}

/// Asked by the guard.
#[no_mangle]
extern "C" fn rust_kexec_region_is_claimed() -> bool {
    CLAIMED.load(Ordering::Acquire)
}

impl Drop for RegionGuard {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { rust_kexec_unguard_region() }
    }
}
