// SPDX-License-Identifier: GPL-2.0

//! Silencing interrupts, so that the capture kernel sees no stray one.

use super::irq;
use crate::sys::bindings;
use kernel::alloc::AllocError;

/// The machine's interrupts, which the kernel's own interrupt chips know how to silence.
pub(crate) struct Interrupts(());

impl Interrupts {
    /// Nothing has to be looked up beforehand.
    pub(crate) fn find() -> Result<Self, AllocError> {
        Ok(Self(()))
    }

    /// Silences them, as machine_kexec_mask_interrupts() does. Called by the CPU that crashes, with
    /// interrupts off and all others stopped.
    ///
    /// An interrupt that was being handled has to be ended, or it would block the others of its
    /// priority.
    // scripts/check-crash-path knows it by its name.
    #[inline(never)]
    pub(crate) fn silence(&self) {
        for irq in irq::all() {
            let Some(chip) = irq.chip() else {
                continue;
            };
            let end = chip
                .irq_eoi
                .filter(|_| irq.has(bindings::IRQD_IRQ_INPROGRESS));
            let disable = chip
                .irq_disable
                .filter(|_| !irq.has(bindings::IRQD_IRQ_DISABLED));
            for function in [end, chip.irq_mask, disable].into_iter().flatten() {
                // SAFETY: The chip's own functions, which write to its registers. Nobody handles
                // interrupts any more.
                unsafe { function(irq.data()) }
            }
        }
    }
}
