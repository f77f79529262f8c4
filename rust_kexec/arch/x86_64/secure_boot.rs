// SPDX-License-Identifier: GPL-2.0

//! The word that firmware or the boot loader left about Secure Boot.

use crate::{
    compat::prelude::*,
    sys::file::Mount, //
};
use kexec_core::handover::x86_64::boot_params::{
    secure_boot,
    SECURE_BOOT, //
};

/// What the kernel's EFI stub has found out, if it ran (arch_efi_boot_mode).
pub(crate) fn found_at_boot() -> Option<bool> {
    let mut page = KVec::from_elem(0, SECURE_BOOT + 1, GFP_KERNEL).ok()?;
    let sysfs = Mount::sysfs().ok()?;
    secure_boot(sysfs.read(c"kernel/boot_params/data", &mut page).ok()?)
}
