// SPDX-License-Identifier: GPL-2.0

//! Where the crash is noticed. Several hooks lead to [`super::enter`]; the first one wins.
//!
//! 1. `__crash_kexec`, by ftrace: before panic() stops the other CPUs, with the registers of the
//!    oops, if there was one.
//! 2. What the architecture has besides (`arch::hook`).
//! 3. The panic notifiers, as the last net.

use super::enter;
use crate::arch::hook::ArchitectureHook;
use crate::arch::stop::StopHandler;
use crate::compat::prelude::*;
use crate::refusal::Refusal;
use crate::sys::ftrace::{CrashKexecHook, RegionClaim, RegionGuard};
use crate::sys::notifier::PanicNotifier;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::bindings;

/// Whether `__crash_kexec` is hooked. Then that is the place: it is called before the notifiers,
/// or after them where the user asked for that with crash_kexec_post_notifiers.
static CRASH_KEXEC_HOOKED: AtomicBool = AtomicBool::new(false);

/// All hooks, in place for as long as this lives.
pub(crate) struct Hooks {
    _crash_kexec: Option<CrashKexecHook>,
    _architecture: ArchitectureHook,
    _notifier: PanicNotifier,
    _stop_handler: StopHandler,
    region_guard: RegionGuard,
}

impl Hooks {
    /// Puts the hooks in.
    pub(super) fn register() -> Result<Self, Refusal> {
        let hook = |what| move |error| Refusal::Hook { what, error };
        let hooks = Self {
            region_guard: RegionGuard::register()
                .map_err(hook("loading a crash image by the kernel's own kexec"))?,
            _stop_handler: StopHandler::register().map_err(hook("stopping the other CPUs"))?,
            _notifier: PanicNotifier::register().map_err(hook("the panic notifier chain"))?,
            _architecture: ArchitectureHook::register(),
            _crash_kexec: CrashKexecHook::register()
                .inspect_err(|error| {
                    pr_warn!(
                        "__crash_kexec could not be hooked (error {}): the crash is noticed later, \
                         without the registers of an oops. Is CONFIG_FUNCTION_TRACER set?\n",
                        -error.to_errno()
                    )
                })
                .ok(),
        };
        CRASH_KEXEC_HOOKED.store(hooks._crash_kexec.is_some(), Ordering::Release);
        Ok(hooks)
    }

    /// Keeps the reserved region for an image of ours.
    pub(super) fn claim_region(&mut self) -> RegionClaim {
        self.region_guard.claim()
    }
}

/// `__crash_kexec` is called: `here` are the registers at its entry, `oops` its argument.
#[no_mangle]
extern "C" fn rust_kexec_crash_kexec_entered(
    here: *mut bindings::pt_regs,
    oops: *mut bindings::pt_regs,
) {
    let frame = if oops.is_null() { here } else { oops };
    // SAFETY: ftrace passes the registers; the kernel passes those of the oops, or null.
    unsafe { enter(frame) }
}

/// panic() was noticed at another place, which counts where `__crash_kexec` is not hooked.
pub(crate) fn panic_noticed() {
    if !CRASH_KEXEC_HOOKED.load(Ordering::Acquire) {
        // SAFETY: Null stands for the registers of this place.
        unsafe { enter(ptr::null()) }
    }
}
