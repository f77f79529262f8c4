// SPDX-License-Identifier: GPL-2.0

//! A guard of the region that is reserved for a capture kernel.

use super::function::{
    argument,
    return_from,
    Entered,
    Hook, //
};
use crate::{
    compat::prelude::*,
    sys::{
        bindings,
        slot::{
            Held,
            Slot, //
        }, //
    }, //
};
use core::sync::atomic::{
    self,
    AtomicBool,
    Ordering, //
};
use kernel::ffi::{
    c_int,
    c_ulong, //
};

/// The functions by which the kernel would write to the region or give it back, and what they call.
///
/// Every system call that loads an image, 32-bit ones too, comes to `sanity_check_segment_list`: with
/// kexec's lock, and before anything of the reserved memory is written.
static GUARDED: [(Hook, Entered); 2] = [
    (Hook::replacing(c"crash_shrink_memory"), shrink_entered),
    (Hook::replacing(c"sanity_check_segment_list"), check_entered),
];

/// Whether the kernel can do either. Without crash images of its own it has no reserved region.
const GUARDS: bool = cfg!(CONFIG_CRASH_DUMP);

/// Watches the two things that would take the reserved region from an image of ours: the kernel's own
/// loading of a crash image, and shrinking of the region.
pub(crate) struct RegionGuard(Held);

/// Has the guard refuse both, for as long as it and the guard live.
pub(crate) struct RegionClaim {
    _held: Held,
}

/// Held by the claim.
static CLAIM: Slot = Slot::free();

/// Whether a call of `crash_shrink_memory` may have been let through, or have been on its way before there
/// was a guard, and not have tried for kexec's lock yet.
static LET_THROUGH: AtomicBool = AtomicBool::new(true);

impl RegionGuard {
    /// Puts the guard up.
    pub(crate) fn register() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let guard = Self(SLOT.hold()?);
        LET_THROUGH.store(true, Ordering::Relaxed);
        for (hook, entered) in GUARDED.iter().filter(|_| GUARDS) {
            hook.register(*entered, &guard.0)?;
        }
        Ok(guard)
    }

    /// Claims the region for an image of ours. There is one claim at most.
    ///
    /// A call that the guard let through before has got kexec's lock when this returns, or has failed
    /// to get it, or is done.
    pub(crate) fn claim(&mut self) -> Result<RegionClaim> {
        let held = CLAIM.hold()?;
        // A load is asked for when it has the lock, crash_shrink_memory() before it tries for that: it does
        // not sleep between. Either it has seen the claim, or it is seen here.
        atomic::fence(Ordering::SeqCst);
        if LET_THROUGH.swap(false, Ordering::Relaxed) {
            // SAFETY: Called in a system call, which may sleep.
            unsafe { bindings::rust_kexec_synchronize_rcu_tasks() };
        }
        Ok(RegionClaim { _held: held })
    }
}

impl Drop for RegionGuard {
    fn drop(&mut self) {
        for (hook, _) in &GUARDED {
            hook.unregister(&self.0);
        }
    }
}

/// The answer of a load while another one is at work.
extern "C" fn busy() -> c_int {
    EBUSY.to_errno()
}

/// The answer of shrinking while an image is loaded.
extern "C" fn loaded() -> c_int {
    ENOENT.to_errno()
}

/// # Safety
///
/// To be called by a hook, at the entry of `crash_shrink_memory`.
unsafe extern "C" fn shrink_entered(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    LET_THROUGH.store(true, Ordering::Relaxed);
    atomic::fence(Ordering::SeqCst);
    if CLAIM.is_held() {
        // SAFETY: By this function's contract: `loaded` returns in the place of the hooked function.
        unsafe { return_from(registers, loaded) }
    }
}

/// # Safety
///
/// To be called by a hook, at the entry of `sanity_check_segment_list`.
unsafe extern "C" fn check_entered(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    // SAFETY: By this function's contract: the argument is the image.
    unsafe {
        let image = argument::<bindings::kimage>(registers);
        if CLAIM.is_held() && bindings::rust_kexec_is_crash_image(image) {
            return_from(registers, busy);
        }
    }
}
