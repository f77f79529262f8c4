// SPDX-License-Identifier: GPL-2.0

//! Refusals of what the caller may not ask for.

use crate::compat::prelude::*;
use core::fmt;
use kexec_core::handover::Purpose;

/// Why the caller may not load or unload.
pub(crate) enum PermissionError {
    /// The caller lacks CAP_SYS_BOOT.
    NotPermitted,
    /// kernel.kexec_load_disabled is set.
    LoadDisabled,
    /// The limit for images of this purpose is used up: kernel.kexec_load_limit_panic or _reboot.
    LoadLimit(Purpose),
}

impl PermissionError {
    /// The errno that goes with it.
    pub(super) fn errno(&self) -> Error {
        EPERM
    }
}

impl fmt::Display for PermissionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPermitted => f.write_str(
                "the caller lacks CAP_SYS_BOOT, which loading and unloading a capture kernel \
                 requires: run it as root",
            ),
            Self::LoadDisabled => f.write_str(
                "kernel.kexec_load_disabled is 1, which forbids to load and to unload until the next \
                 boot: load before it is set",
            ),
            Self::LoadLimit(Purpose::Reboot) => f.write_str(
                "kernel.kexec_load_limit_reboot is 0: no more kernels may be loaded for a reboot, or \
                 unloaded, until the next boot",
            ),
            Self::LoadLimit(Purpose::Crash) => f.write_str(
                "kernel.kexec_load_limit_panic is 0: no more capture kernels may be loaded or \
                 unloaded until the next boot",
            ),
        }
    }
}
