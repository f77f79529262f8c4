// SPDX-License-Identifier: GPL-2.0

//! The word that firmware or the boot loader left about Secure Boot.

/// None: the kernel's EFI stub leaves no word on arm64, and the firmware has to be asked.
pub(crate) fn found_at_boot() -> Option<bool> {
    None
}
