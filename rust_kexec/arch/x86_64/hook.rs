// SPDX-License-Identifier: GPL-2.0

//! The hook that only x86_64 has: the pointer through which panic() stops the other CPUs,
//! for when `__crash_kexec` could not be hooked or is not called.

use crate::compat::prelude::*;
use crate::sys::bindings;
use crate::sys::slot::{Held, Slot};

/// The hook, while it is there.
pub(crate) struct ArchitectureHook {
    _slot: Held,
}

impl ArchitectureHook {
    /// Puts the hook in.
    pub(crate) fn register() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: Swaps a pointer that the kernel exports to be swapped, and that does not lead to
        // us yet; `drop` swaps it back.
        unsafe { bindings::rust_kexec_hook_stop_other_cpus() };
        Ok(Self { _slot: slot })
    }
}

impl Drop for ArchitectureHook {
    fn drop(&mut self) {
        // SAFETY: Put in in `register`.
        unsafe { bindings::rust_kexec_unhook_stop_other_cpus() }
    }
}
