// SPDX-License-Identifier: GPL-2.0

//! Where the crash is noticed. Several hooks lead to [`super::enter`]; the first one wins.
//!
//! 1. `__crash_kexec`, by ftrace: before panic() stops the other CPUs, with the registers of the
//!    oops, if there was one.
//! 2. What the architecture has besides (`arch::hook`).
//! 3. The panic notifiers, as the last net.
//!
//! The order is panic()'s, unless the user asked for another one with crash_kexec_post_notifiers:
//! then it calls `crash_smp_send_stop`, the notifiers, and `__crash_kexec` after them.

use super::{enter, stop};
use crate::arch;
use crate::arch::hook::ArchitectureHook;
use crate::arch::stop::StopHandler;
use crate::compat::prelude::*;
use crate::refusal::Refusal;
use crate::reserve::Claim;
use crate::sys;
use crate::sys::ftrace::{CrashKexecHook, PanicHooks, RegionGuard};
use crate::sys::notifier::PanicNotifier;
use crate::sys::panic::PanicCallbacks;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::bindings::pt_regs;

/// Whether panic() calls `__crash_kexec` after the notifiers. It tells by `crash_smp_send_stop`, which
/// it calls in that case only; the option itself can change at any time, and is out of reach.
static NOTIFIERS_COME_FIRST: AtomicBool = AtomicBool::new(false);

/// All hooks, in place for as long as this lives.
pub(crate) struct Hooks {
    crash_kexec: CrashKexecHook,
    _architecture: ArchitectureHook,
    _notifier: PanicNotifier,
    _panic: PanicHooks,
    _stop_handler: StopHandler,
    region_guard: RegionGuard,
}

impl Hooks {
    /// Puts the hooks in.
    pub(super) fn register() -> Result<Self, Refusal> {
        let hook = |what| move |error| Refusal::Hook { what, error };
        Ok(Self {
            region_guard: RegionGuard::register()
                .map_err(hook("loading a crash image by the kernel's own kexec"))?,
            _stop_handler: StopHandler::register().map_err(hook("stopping the other CPUs"))?,
            _panic: PanicHooks::register().map_err(hook("crash_smp_send_stop"))?,
            _notifier: PanicNotifier::register::<Self>()
                .map_err(hook("the panic notifier chain"))?,
            _architecture: ArchitectureHook::register()
                .map_err(hook("the architecture's way of stopping other CPUs"))?,
            crash_kexec: CrashKexecHook::register().map_err(hook("__crash_kexec"))?,
        })
    }

    /// Tries whether they work: ftrace gives up for good where it finds code that it does not expect.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.crash_kexec.check().map_err(|error| Refusal::Hook {
            what: "__crash_kexec",
            error,
        })
    }

    /// Keeps the reserved region for an image of ours.
    pub(super) fn claim_region(&mut self) -> Result<Claim, Refusal> {
        Claim::new(&mut self.region_guard)
    }
}

impl PanicCallbacks for Hooks {
    unsafe fn crash(frame: *const pt_regs) {
        // SAFETY: By this function's contract.
        unsafe { enter(frame) }
    }

    fn panic_noticed() {
        // Where the notifiers come first, `__crash_kexec` is still to come. Otherwise its hook has failed.
        if !notifiers_come_first() {
            // SAFETY: Null stands for the registers of this place.
            unsafe { enter(ptr::null()) }
        }
    }

    fn notifiers_come_first() {
        NOTIFIERS_COME_FIRST.store(true, Ordering::Release);
    }

    unsafe fn wait_to_be_stopped(frame: *const pt_regs) {
        // SAFETY: By this function's contract.
        unsafe { stop::wait_to_be_stopped(frame) }
    }

    unsafe fn stop_this_cpu(frame: *const pt_regs) {
        // SAFETY: By this function's contract.
        unsafe { stop::stop_this_cpu(frame) }
    }
}

sys::panic::callbacks!(Hooks);
arch::panic::callbacks!(Hooks);

/// Whether the kernel panics, and calls the notifiers before `__crash_kexec`.
pub(super) fn notifiers_come_first() -> bool {
    NOTIFIERS_COME_FIRST.load(Ordering::Acquire)
}
