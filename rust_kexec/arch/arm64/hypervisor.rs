// SPDX-License-Identifier: GPL-2.0

//! The hypervisor below this kernel.

use crate::refusal::MachineError;

/// On arm64 none has to be told that the kernel has crashed: machine_crash_shutdown() tells none
/// either.
pub(crate) fn check() -> Result<(), MachineError> {
    Ok(())
}
