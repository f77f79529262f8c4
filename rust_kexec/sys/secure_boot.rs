// SPDX-License-Identifier: GPL-2.0

//! Secure Boot, in which firmware starts what is signed only.

#[cfg(CONFIG_EFI)]
use super::bindings;

/// Whether firmware says that it is on, as arch_get_secureboot() asks. False if it cannot be asked.
pub(crate) fn firmware_says() -> bool {
    #[cfg(CONFIG_EFI)]
    // SAFETY: Asks the firmware for a variable, if it can be asked.
    return unsafe { bindings::rust_kexec_secure_boot() };
    #[cfg(not(CONFIG_EFI))]
    false
}
