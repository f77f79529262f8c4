// SPDX-License-Identifier: GPL-2.0

//! Silencing interrupts, so that the capture kernel sees no stray one.

use crate::sys::bindings;
use kernel::alloc::AllocError;

/// The machine's interrupts, which the kernel's own interrupt chips know how to silence.
pub(crate) struct Interrupts(());

impl Interrupts {
    /// Nothing has to be looked up beforehand.
    pub(crate) fn find() -> Result<Self, AllocError> {
        Ok(Self(()))
    }

    /// Silences them. Called by the CPU that crashes, with interrupts off and all others stopped.
    pub(crate) fn silence(&self) {
        // SAFETY: Nobody handles interrupts any more.
        unsafe { bindings::rust_kexec_silence_interrupts() }
    }
}
