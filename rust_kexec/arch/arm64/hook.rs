// SPDX-License-Identifier: GPL-2.0

//! The hook that only arm64 has: a kprobe at the function in which the kernel crashes.
//!
//! ftrace hands over the argument registers, the frame and the stack pointer only. The kprobe fires
//! before it and has all registers. But a kprobe is missed while another one runs; then ftrace calls.

use crate::{
    bindings::KernelStatic,
    compat::prelude::*,
    sys::{
        bindings,
        hook::panic::{
            oops_of_call,
            CRASHES_IN, //
        },
        panic::PanicCallbacks,
        slot::{
            Held,
            Slot, //
        }, //
    }, //
};
use core::mem::zeroed;
use kernel::{
    error::to_result,
    ffi::c_int, //
};

static PROBE: KernelStatic<bindings::kprobe> = KernelStatic::zeroed();

/// The kprobe, while it is there.
pub(crate) struct ArchitectureHook {
    registered: bool,
    _slot: Held,
}

impl ArchitectureHook {
    /// Registers the kprobe, if the kernel lets us.
    pub(crate) fn register<T: PanicCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        let function = CRASHES_IN.ok_or(ENODEV)?;
        // SAFETY: The slot is held, so the probe is not registered, and nobody else uses it; `drop`
        // removes it. A probe that was registered once carries what the kernel found out about it.
        let outcome = to_result(unsafe {
            PROBE.get().write(bindings::kprobe {
                symbol_name: function.as_char_ptr(),
                pre_handler: Some(crash_kexec_probed::<T>),
                ..zeroed()
            });
            bindings::register_kprobe(PROBE.get())
        });
        if let Err(error) = &outcome {
            pr_notice!(
                "no kprobe at {} (error {}): a dump may lack registers x9 to x28 of the CPU that \
                 panics\n",
                function.to_str().unwrap_or_default(),
                -error.to_errno()
            );
        }
        Ok(Self {
            registered: outcome.is_ok(),
            _slot: slot,
        })
    }
}

impl Drop for ArchitectureHook {
    fn drop(&mut self) {
        if self.registered {
            // SAFETY: Registered in `register`.
            unsafe { bindings::unregister_kprobe(PROBE.get()) }
        }
    }
}

/// # Safety
///
/// To be called by the probe, with all registers at the entry of [`CRASHES_IN`].
unsafe extern "C" fn crash_kexec_probed<T: PanicCallbacks>(
    _probe: *mut bindings::kprobe,
    here: *mut bindings::pt_regs,
) -> c_int {
    // SAFETY: By this function's contract: the argument is the registers of the oops, or null. A probe is
    // called with preemption off.
    unsafe {
        let [argument, ..] = (*here.cast::<bindings::user_pt_regs>()).regs;
        match oops_of_call(argument as *const bindings::pt_regs) {
            Some(oops) if oops.is_null() => T::crash(here),
            Some(oops) => T::crash(oops),
            None => {}
        }
    }
    0
}
