// SPDX-License-Identifier: GPL-2.0

//! The hooks by which a crash is noticed. Several lead to [`enter`]; the first one wins.
//!
//! 1. `__crash_kexec`, by ftrace or a kprobe: before panic() stops the other CPUs. In a kernel without
//!    it, the function by which they are stopped (`sys/hook/panic.rs`).
//! 2. The hook of the architecture (`arch::hook`).
//! 3. The panic notifiers, as the last net.
//!
//! Not every hook is told the registers of an oops. So those are kept when it happens (`record/oops.rs`).
//!
//! The order is panic()'s, unless the user asked for another one with crash_kexec_post_notifiers:
//! then it calls `crash_smp_send_stop`, the notifiers, and `__crash_kexec` after them.
//!
//! A crash that was given up, because the image is damaged, returns to panic(), which comes past the
//! other hooks: they find that it was given up, and let panic() go on.

use super::{
    path::{
        enter,
        keep_oops,
        look_ahead, //
    },
    state,
    stop, //
};
use crate::{
    arch::{
        self,
        hook::ArchitectureHook,
        stop::StopHandler, //
    },
    armed::CrashHooks,
    compat::{
        global_lock,
        prelude::*, //
    },
    refusal::{
        MachineError,
        Refusal, //
    },
    sys::{
        hook::{
            panic::{
                CrashKexecHook,
                PanicHooks, //
            },
            CAN_FAIL,
            MEANS, //
        },
        notifier::{
            OopsNotifier,
            PanicNotifier, //
        },
        once::Once,
        panic::PanicCallbacks, //
    }, //
};
use core::{
    ops::DerefMut,
    ptr, //
};
use kernel::bindings::pt_regs;
use kexec_core::{
    dump::report::Means,
    uapi::HookedBy, //
};

global_lock! {
    /// The hooks, once a load has put them in. The lock is taken inside that of the armed image.
    // SAFETY: `lock` initialises it, and nothing else uses it.
    unsafe(uninit) static HOOKS: Mutex<Option<Hooks>> = None;
}

fn lock() -> impl DerefMut<Target = Option<Hooks>> {
    static INITIALISED: Once = Once::new();
    // SAFETY: Called once, and before the first use below.
    INITIALISED.call(|| unsafe { HOOKS.init() });
    HOOKS.lock()
}

/// All hooks, in place for as long as this lives.
pub(crate) struct Hooks {
    crash_kexec: CrashKexecHook,
    _architecture: ArchitectureHook,
    _notifier: PanicNotifier,
    _oops: OopsNotifier,
    _panic: PanicHooks,
    _stop_handler: StopHandler,
}

impl Hooks {
    fn register() -> Result<Self, Refusal> {
        let hook = |what| move |error| hook_error(what, error);
        Ok(Self {
            _oops: OopsNotifier::register::<Self>().map_err(hook("the die notifier chain"))?,
            _stop_handler: StopHandler::register::<Self>()
                .map_err(hook("stopping the other CPUs"))?,
            _panic: PanicHooks::register::<Self>().map_err(hook("crash_smp_send_stop"))?,
            _notifier: PanicNotifier::register::<Self>()
                .map_err(hook("the panic notifier chain"))?,
            _architecture: ArchitectureHook::register::<Self>()
                .map_err(hook("the architecture's way of stopping other CPUs"))?,
            crash_kexec: CrashKexecHook::register::<Self>().map_err(hook(CRASH))?,
        })
    }
}

/// What is hooked first, for refusals.
const CRASH: &str = "the function in which panic() crashes";

fn hook_error(what: &'static str, error: Error) -> Refusal {
    MachineError::Hook { what, error }.into()
}

impl CrashHooks for Hooks {
    fn put_in() -> Result<(), Refusal> {
        let mut lock = lock();
        let hooks = match &mut *lock {
            Some(hooks) => hooks,
            none => none.insert(Self::register()?),
        };
        // ftrace gives up for good where it finds code that it does not expect.
        match hooks.crash_kexec.check() {
            Err(error) if !CAN_FAIL => Err(hook_error(CRASH, error)),
            _ => Ok(()),
        }
    }

    fn by() -> HookedBy {
        match &*lock() {
            Some(hooks) if hooks.crash_kexec.check().is_ok() => MEANS,
            _ => HookedBy::Exported,
        }
    }

    fn take_out() {
        *lock() = None;
    }
}

impl PanicCallbacks for Hooks {
    unsafe fn crash(frame: *const pt_regs) {
        // SAFETY: By this function's contract.
        unsafe { enter(frame) }
    }

    unsafe fn oops(frame: *const pt_regs) {
        // SAFETY: By this function's contract.
        unsafe { keep_oops(frame) }
    }

    unsafe fn panic_noticed() {
        // Where the notifiers come first, `__crash_kexec` is still to come: unless one of them panics
        // itself, which leads here again. Otherwise its hook has failed, or the crash was given up.
        match state::notifiers_come_first() && !state::notice_again() {
            // SAFETY: The caller has preemption off.
            true => unsafe { look_ahead() },
            // SAFETY: The caller has preemption off; null stands for the registers of this place.
            false => unsafe { enter(ptr::null()) },
        }
    }

    fn notifiers_come_first() {
        state::set_notifiers_come_first();
    }

    unsafe fn wait_to_be_stopped(frame: *const pt_regs) {
        // SAFETY: By this function's contract.
        unsafe { stop::wait_to_be_stopped(frame) }
    }

    unsafe fn stop_this_cpu(frame: *const pt_regs, means: Means) {
        // SAFETY: By this function's contract.
        unsafe { stop::stop_this_cpu(frame, means) }
    }
}

arch::panic::callbacks!(Hooks);
