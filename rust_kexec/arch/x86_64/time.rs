// SPDX-License-Identifier: GPL-2.0

//! The counter that times the stages of a crash.

use crate::sys::bindings;
use core::arch::x86_64::_rdtsc;

/// The time stamp counter. That of another CPU is about the same.
pub(crate) fn counter() -> u64 {
    // SAFETY: Every 64-bit CPU has the counter, and the kernel may always read it.
    unsafe { _rdtsc() }
}

/// Its ticks in a second, 0 if the kernel could not find out.
pub(crate) fn frequency() -> u64 {
    // SAFETY: Set early in boot; a refinement later on makes no difference that counts.
    u64::from(unsafe { bindings::tsc_khz }) * 1000
}
