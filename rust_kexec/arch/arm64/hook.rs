// SPDX-License-Identifier: GPL-2.0

//! The hook that only arm64 has: a kprobe at `__crash_kexec`.
//!
//! ftrace hands over the argument registers, the frame and the stack pointer only. The kprobe fires
//! before it and has all registers. But a kprobe is missed while another one runs, and then ftrace
//! is there.

use crate::compat::prelude::*;
use crate::sys::bindings;
use crate::sys::slot::{Held, Slot};
use kernel::error::to_result;

/// The kprobe, while it is there.
pub(crate) struct ArchitectureHook {
    registered: bool,
    _slot: Held,
}

impl ArchitectureHook {
    /// Registers the kprobe, if the kernel lets us.
    pub(crate) fn register() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: Registers a static kprobe that is not registered, which `drop` removes.
        let outcome = to_result(unsafe { bindings::rust_kexec_probe_crash_kexec() });
        if let Err(error) = &outcome {
            pr_notice!(
                "no kprobe at __crash_kexec (error {}): a dump may lack registers x9 to x28 of \
                 the CPU that panics\n",
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
            unsafe { bindings::rust_kexec_unprobe_crash_kexec() }
        }
    }
}
