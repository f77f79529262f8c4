// SPDX-License-Identifier: GPL-2.0

//! A limit for messages that callers can cause, so that one that is refused again and again does not
//! flood the log.

use super::bindings;

/// Whether the log has room for another refusal, as printk_ratelimited() asks.
pub(crate) fn may_log() -> bool {
    // SAFETY: Counts the calls.
    unsafe { bindings::rust_kexec_may_log() }
}
