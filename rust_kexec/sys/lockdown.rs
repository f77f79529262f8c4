// SPDX-License-Identifier: GPL-2.0

//! Lockdown, in which a kernel keeps even root from changing it.

#[cfg(CONFIG_SECURITY)]
use super::bindings;

/// Whether it forbids kexec: LOCKDOWN_KEXEC.
pub(crate) fn is_locked_down() -> bool {
    #[cfg(CONFIG_SECURITY)]
    // SAFETY: Asks the security modules.
    return unsafe { bindings::security_locked_down(bindings::lockdown_reason_LOCKDOWN_KEXEC) }
        != 0;
    #[cfg(not(CONFIG_SECURITY))]
    false
}
