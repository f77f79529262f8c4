// SPDX-License-Identifier: GPL-2.0

//! The counter that times the stages of a crash.

use core::arch::asm;

/// The counter, which all CPUs share.
pub(crate) fn counter() -> u64 {
    let counter: u64;
    // SAFETY: Reading the virtual count has no effect. The barrier keeps it from being read early.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) counter, options(nomem, nostack)) };
    counter
}

/// Its ticks in a second.
pub(crate) fn frequency() -> u64 {
    let frequency: u64;
    // SAFETY: Reading the frequency that firmware has set has no effect.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) frequency, options(nomem, nostack)) };
    frequency
}
