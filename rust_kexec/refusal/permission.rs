// SPDX-License-Identifier: GPL-2.0

//! Refusals of what the caller may not ask for.

use crate::compat::prelude::*;
use core::fmt;

/// Why the caller may not load or unload.
pub(crate) enum PermissionError {
    /// The caller lacks CAP_SYS_BOOT.
    NotPermitted,
    /// kernel.kexec_load_disabled is set.
    LoadDisabled,
    /// kernel.kexec_load_limit_panic is used up.
    LoadLimit,
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
            Self::LoadLimit => f.write_str(
                "kernel.kexec_load_limit_panic is 0: no more capture kernels may be loaded or \
                 unloaded until the next boot",
            ),
        }
    }
}
