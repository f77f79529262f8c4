// SPDX-License-Identifier: GPL-2.0

//! The kernel's clocks.

use super::bindings;

/// Seconds since 1970. Takes no lock, so that the crash path can ask.
pub(crate) fn seconds_since_1970() -> u64 {
    // SAFETY: Reads the timekeeper without a lock.
    unsafe { bindings::ktime_get_real_seconds() as u64 }
}

/// Lets others run for so many milliseconds or somewhat longer.
pub(crate) fn sleep_milliseconds(milliseconds: u32) {
    // SAFETY: The caller is a system call, which may sleep.
    unsafe { bindings::msleep(milliseconds) }
}
